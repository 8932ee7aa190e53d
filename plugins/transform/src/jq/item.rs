//! The values that programs of jq work on: our own, shared.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, Exn, ValR, ValT, ValX};
use tapline_pdk::{Number, Object, Value};

use super::meter::{Exceeded, charge, end};
use super::slice;
use crate::order::compare;

/// As deep as a value nests that a program makes: as deep as JSON is read.
pub(super) const DEEPEST: usize = 128;
/// As much of a value as an error shows.
const SHOWN: usize = 60;
/// So many bytes of text are one unit of work.
const BYTES: usize = 64;

/// A value within a program.
#[derive(Debug, Clone)]
pub(super) struct Item {
    value: Value,
    /// At least as much as it nests. It is kept because values are dropped recursively, so none may nest without end.
    depth: usize,
}

pub(super) type Fault = Error<Item>;
type Children<T> = Box<dyn Iterator<Item = ValR<T, Item>>>;

impl Item {
    /// A value that comes in.
    pub(super) fn new(value: Value) -> Self {
        let depth = depth_of(&value);
        Self { value, depth }
    }

    pub(super) const fn scalar(value: Value) -> Self {
        Self { value, depth: 0 }
    }

    /// A list or an object that was made of items of which the deepest nests so deep.
    pub(super) fn made(value: Value, deepest: usize) -> Self {
        let mut depth = deepest.saturating_add(1);
        if depth > DEEPEST {
            depth = depth_of(&value);
        }
        if depth > DEEPEST {
            end(Exceeded::Nesting);
        }
        Self { value, depth }
    }

    pub(super) fn text(text: &str) -> Self {
        charge(text.len() / BYTES);
        Self::scalar(text.into())
    }

    pub(super) fn array(values: Vec<Value>, deepest: usize) -> Self {
        charge(values.len());
        Self::made(values.into(), deepest)
    }

    /// Part of this value.
    pub(super) fn child(&self, value: Value) -> Self {
        let depth = if is_container(&value) { self.depth.saturating_sub(1) } else { 0 };
        Self { value, depth }
    }

    pub(super) const fn value(&self) -> &Value {
        &self.value
    }

    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn into_value(self) -> Value {
        self.value
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        let number = self.value.as_number()?;
        #[expect(clippy::cast_possible_truncation, reason = "an index beyond 64 bits is beyond every list")]
        number.as_i64().or_else(|| number.as_f64().map(|float| float.floor() as i64))
    }

    /// The part under a key or an index; nothing when it is not there.
    pub(super) fn find(&self, index: &Self) -> ValR<Option<Self>, Self> {
        let found = match (&self.value, &index.value) {
            (Value::Null, Value::Null | Value::String(_) | Value::Number(_) | Value::Object(_)) => None,
            (Value::Object(fields), Value::String(name)) => fields.get(name),
            (Value::Array(items), Value::Number(_)) => index
                .as_integer()
                .and_then(|at| slice::position(at, items.len()))
                .and_then(|at| items.get(at)),
            (Value::Array(items), Value::Array(part)) => {
                let found: Vec<Value> = slice::occurrences(items, part).map(Value::from).collect();
                return Ok(Some(Self::array(found, 0)));
            }
            (Value::Array(_) | Value::String(_), Value::Object(bounds)) => {
                let bound = |name| bounds.get(name).cloned().map(Self::scalar);
                let (start, end) = (bound("start"), bound("end"));
                return self.clone().range(start.as_ref()..end.as_ref()).map(Some);
            }
            _ => return Err(Error::index(self.clone(), index.clone())),
        };
        Ok(found.map(|value| self.child(value.clone())))
    }
}

pub(super) const fn is_container(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}

impl ValT for Item {
    fn from_num(text: &str) -> ValR<Self> {
        let number = text.parse().map_or_else(
            |_| Value::from_json(text),
            |float: f64| Ok(Value::from_json(text).unwrap_or_else(|_| Self::from(float).value)),
        );
        number.map(Self::scalar).map_err(|_| Error::str(format_args!("{text} is no number")))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(entries: I) -> ValR<Self> {
        let mut object = Object::new();
        let mut deepest = 0;
        for (name, item) in entries {
            let Value::String(name) = name.value else {
                return Err(Error::str(format_args!("{name} is no name of a field, which is text")));
            };
            deepest = deepest.max(item.depth);
            object.insert(name, item.value);
        }
        charge(object.len());
        Ok(Self::made(object.into(), deepest))
    }

    fn key_values(self) -> Children<(Self, Self)> {
        match &self.value {
            Value::Array(items) => {
                let items = Arc::clone(items);
                charge(items.len());
                Box::new((0..items.len()).map(move |at| Ok((Self::from(at), self.child(items[at].clone())))))
            }
            Value::Object(fields) => {
                charge(fields.len());
                let entry = |(name, value): (&Arc<str>, &Value)| {
                    Ok((Self::scalar(Value::String(Arc::clone(name))), self.child(value.clone())))
                };
                Box::new(fields.iter().map(entry).collect::<Vec<_>>().into_iter())
            }
            _ => Box::new(std::iter::once(Err(Error::typ(self, "iterable (array or object)")))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        match &self.value {
            Value::Array(items) => {
                let items = Arc::clone(items);
                charge(items.len());
                Box::new((0..items.len()).map(move |at| Ok(self.child(items[at].clone()))))
            }
            Value::Object(fields) => {
                let fields = Arc::clone(fields);
                charge(fields.len());
                Box::new((0..fields.len()).map(move |at| Ok(self.child(fields[at].clone()))))
            }
            _ => Box::new(std::iter::once(Err(Error::typ(self, "iterable (array or object)")))),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        self.find(index).map(|found| found.unwrap_or_else(|| Self::scalar(Value::Null)))
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        slice::range(&self, &range)
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        change: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let mut deepest = 0;
        let mut changed = |value: &Value| {
            change(self.child(value.clone()))
                .map(|item| item.inspect(|item| deepest = deepest.max(item.depth)))
                .collect::<Result<Vec<_>, _>>()
        };
        let made: Value = match &self.value {
            Value::Array(items) => {
                let mut made = Vec::with_capacity(items.len());
                for value in items.iter() {
                    made.extend(changed(value)?.into_iter().map(Self::into_value));
                }
                made.into()
            }
            Value::Object(fields) => {
                let mut made = Object::with_capacity(fields.len());
                for (name, value) in fields.iter() {
                    if let Some(item) = changed(value)?.into_iter().next() {
                        made.insert(Arc::clone(name), item.value);
                    }
                }
                made.into()
            }
            _ => return opt.fail(self, |item| Exn::from(Error::typ(item, "iterable (array or object)"))),
        };
        Ok(Self::made(made, deepest))
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        change: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        if let (Value::Array(_), Value::Object(bounds)) = (&self.value, &index.value) {
            let bound = |name| bounds.get(name).cloned().map(Self::scalar);
            let (start, end) = (bound("start"), bound("end"));
            return self.map_range(start.as_ref()..end.as_ref(), opt, change);
        }
        let old = match self.find(index) {
            Ok(old) => old,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        let is_there = old.is_some();
        let new = change(old.unwrap_or_else(|| Self::scalar(Value::Null))).next().transpose()?;
        slice::replaced(self, index, is_there, new).map_err(Exn::from)
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        change: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let Value::Array(items) = &self.value else {
            return opt.fail(self, |item| Exn::from(Error::typ(item, "array")));
        };
        let (from, to) = match slice::bounds(&range, items.len()) {
            Ok(bounds) => bounds,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        let part = self.child(items[from..to].to_vec().into());
        let part = Self { depth: self.depth, ..part };
        let (new, deepest) = match change(part).next().transpose()? {
            None => (Arc::default(), 0),
            Some(Self { value: Value::Array(new), depth }) => (new, depth),
            Some(other) => return Err(Exn::from(Error::typ(other, "array"))),
        };
        let whole = items[..from].iter().chain(new.iter()).chain(&items[to..]).cloned().collect();
        Ok(Self::array(whole, self.depth.max(deepest).saturating_sub(1)))
    }

    fn as_bool(&self) -> bool {
        !matches!(self.value, Value::Null | Value::Bool(false))
    }

    fn into_string(self) -> Self {
        match self.value {
            Value::String(_) => self,
            other => Self::text(&other.to_json()),
        }
    }
}

impl jaq_std::ValT for Item {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match &self.value {
            Value::Array(items) => {
                charge(items.len());
                Ok(items.iter().map(|value| self.child(value.clone())).collect())
            }
            _ => Err(self),
        }
    }

    fn is_int(&self) -> bool {
        self.value.as_number().is_some_and(|number| number.is_i64() || number.is_u64())
    }

    fn as_isize(&self) -> Option<isize> {
        self.value.as_i64()?.try_into().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.value.as_f64()
    }

    fn is_utf8_str(&self) -> bool {
        self.as_bytes().is_some()
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.value.as_str().map(str::as_bytes)
    }

    fn as_sub_str(&self, sub: &[u8]) -> Self {
        Self::text(&String::from_utf8_lossy(sub))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::text(&String::from_utf8_lossy(bytes.as_ref()))
    }
}

impl From<bool> for Item {
    fn from(value: bool) -> Self {
        Self::scalar(value.into())
    }
}

impl From<isize> for Item {
    fn from(value: isize) -> Self {
        Self::scalar((value as i64).into())
    }
}

impl From<usize> for Item {
    fn from(value: usize) -> Self {
        Self::scalar(value.into())
    }
}

/// As jq writes it, what is beyond the floats is the last of them, and what is no number is null.
impl From<f64> for Item {
    fn from(value: f64) -> Self {
        Self::scalar(value.clamp(f64::MIN, f64::MAX).into())
    }
}

impl From<Number> for Item {
    fn from(number: Number) -> Self {
        Self::scalar(Value::Number(number))
    }
}

impl From<String> for Item {
    fn from(text: String) -> Self {
        Self::text(&text)
    }
}

impl From<Range<Self>> for Item {
    fn from(range: Range<Self>) -> Self {
        let bounds = [("start", range.start), ("end", range.end)];
        let named = bounds.into_iter().filter_map(|(name, bound)| Some((name, bound?.value)));
        Self::made(named.collect(), 0)
    }
}

impl FromIterator<Self> for Item {
    fn from_iter<T: IntoIterator<Item = Self>>(items: T) -> Self {
        let mut deepest = 0;
        let values = items.into_iter().map(|item| {
            deepest = deepest.max(item.depth);
            item.value
        });
        let values = values.collect();
        Self::array(values, deepest)
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.value, &other.value)
    }
}

/// Shows the value as JSON, of a long one the begin.
impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.value.to_json();
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(formatter, "{}…", &text[..end]),
            None => formatter.write_str(&text),
        }
    }
}
