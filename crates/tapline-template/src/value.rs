//! The bridge between our values and the engine's: nothing that is shared is copied on the way in or out.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, ObjectRepr, ValueIter, ValueKind};
use minijinja::{Error, ErrorKind};
use tapline_core::{Number, Object, Value};

use crate::limits;

/// The variables that one evaluation reads.
#[derive(Debug)]
pub(crate) struct Variables(pub(crate) Vec<(Arc<str>, minijinja::Value)>);

/// One of our objects, seen by the engine.
#[derive(Debug)]
struct Fields(Arc<Object>);

/// One of our arrays, seen by the engine.
#[derive(Debug)]
struct Items(Arc<Vec<Value>>);

/// Lends a value to the engine.
pub(crate) fn lend(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => lend_number(number),
        Value::String(text) => Arc::clone(text).into(),
        Value::Array(items) => minijinja::Value::from_object(Items(Arc::clone(items))),
        Value::Object(object) => minijinja::Value::from_object(Fields(Arc::clone(object))),
    }
}

fn lend_number(number: &Number) -> minijinja::Value {
    number
        .as_i64()
        .map(minijinja::Value::from)
        .or_else(|| number.as_u64().map(minijinja::Value::from))
        .or_else(|| number.as_f64().map(minijinja::Value::from))
        .unwrap_or_default()
}

/// Takes a value back from the engine; what came from us is the same shared allocation.
///
/// # Errors
/// When the value has no counterpart in JSON, or is larger than [`limits`] allow.
pub(crate) fn reclaim(value: &minijinja::Value, undefined: Undefined) -> Result<Value, Error> {
    Reclaim { undefined, left: limits::VALUE_ITEMS }.value(value, limits::VALUE_DEPTH)
}

/// What becomes of an undefined value.
#[derive(Clone, Copy)]
pub(crate) enum Undefined {
    /// It is null, as the result of an `if` without `else` is.
    Null,
    /// It is an error, for a variable that was read does not exist.
    Refused,
}

/// Counts what is taken back, for a lazy sequence of the engine may be far longer than what made it.
struct Reclaim {
    undefined: Undefined,
    left: usize,
}

impl Reclaim {
    fn value(&mut self, value: &minijinja::Value, depth: usize) -> Result<Value, Error> {
        if let Some(fields) = value.downcast_object_ref::<Fields>() {
            return Ok(Value::Object(Arc::clone(&fields.0)));
        }
        if let Some(items) = value.downcast_object_ref::<Items>() {
            return Ok(Value::Array(Arc::clone(&items.0)));
        }
        match value.kind() {
            ValueKind::Undefined if matches!(self.undefined, Undefined::Refused) => {
                Err(ErrorKind::UndefinedError.into())
            }
            ValueKind::Undefined | ValueKind::None => Ok(Value::Null),
            ValueKind::Bool => Ok(value.is_true().into()),
            ValueKind::Number => reclaim_number(value),
            ValueKind::String => Ok(value.to_str().map_or(Value::Null, Value::String)),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = self.nested(value, depth)?.checked();
                items.map(|item| self.item(&item?, depth)).collect()
            }
            ValueKind::Map => {
                let keys = self.nested(value, depth)?.checked();
                let entries = keys.map(|key| self.entry(value, &key?, depth));
                entries.collect::<Result<Object, Error>>().map(Value::from)
            }
            _ => Err(Error::new(ErrorKind::InvalidOperation, "the value has no counterpart in JSON")),
        }
    }

    fn nested(&self, value: &minijinja::Value, depth: usize) -> Result<ValueIter, Error> {
        if depth == 0 {
            return Err(Error::new(ErrorKind::InvalidOperation, "the value nests too deep"));
        }
        value.try_iter()
    }

    fn item(&mut self, item: &minijinja::Value, depth: usize) -> Result<Value, Error> {
        self.left = self.left.checked_sub(1).ok_or(ErrorKind::OutOfFuel)?;
        self.value(item, depth - 1)
    }

    fn entry(
        &mut self,
        map: &minijinja::Value,
        key: &minijinja::Value,
        depth: usize,
    ) -> Result<(Arc<str>, Value), Error> {
        let value = self.item(&map.get_item(key)?, depth)?;
        Ok((key.to_str().unwrap_or_else(|| key.to_string().into()), value))
    }
}

fn reclaim_number(value: &minijinja::Value) -> Result<Value, Error> {
    if value.is_integer() {
        let unsigned = || u64::try_from(value.clone()).map(Value::from);
        return value.as_i64().map(Value::from).map_or_else(unsigned, Ok).map_err(|_| {
            Error::new(ErrorKind::InvalidOperation, format!("the integer {value} does not fit 64 bits"))
        });
    }
    let float = f64::try_from(value.clone())?;
    if float.is_finite() {
        return Ok(float.into());
    }
    Err(Error::new(ErrorKind::InvalidOperation, "the result is not a finite number"))
}

impl minijinja::value::Object for Variables {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        self.0.iter().find(|(name, _)| **name == *key).map(|(_, value)| value.clone())
    }
}

impl minijinja::value::Object for Fields {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.0.get(key.as_str()?).map(lend)
    }

    /// Lookups by a name, such as that of the filter `map(attribute="name")`, find null for what is missing.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        Some(self.0.get(key).map_or_else(|| ().into(), lend))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let fields = Arc::clone(self);
        let key = move |index| {
            let (key, _) = fields.0.get_index(index)?;
            Some(minijinja::Value::from(Arc::clone(key)))
        };
        Enumerator::Iter(Box::new(Counted { next: 0, len: self.0.len(), get: key }))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Arc::ptr_eq(&self.0, &other.0).then_some(Ordering::Equal)
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Value::Object(Arc::clone(&self.0)), formatter)
    }
}

impl minijinja::value::Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.0.get(key.as_usize()?).map(lend)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Arc::ptr_eq(&self.0, &other.0).then_some(Ordering::Equal)
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Value::Array(Arc::clone(&self.0)), formatter)
    }
}

/// An iterator over indices that owns what it looks into and knows how much is left.
struct Counted<F> {
    next: usize,
    len: usize,
    get: F,
}

impl<T, F: Fn(usize) -> Option<T>> Iterator for Counted<F> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let item = (self.get)(self.next)?;
        self.next += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len.saturating_sub(self.next);
        (left, Some(left))
    }
}
