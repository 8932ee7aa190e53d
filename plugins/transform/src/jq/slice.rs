//! Parts of lists and texts.

use std::sync::Arc;

use jaq_core::val::Range;
use jaq_core::{Error, ValR};
use tapline_pdk::{Object, Value};

use super::item::{Fault, Item};
use super::meter::charge;
use crate::order::compare;

/// A list is made longer by an assignment up to here.
const LONGEST: usize = 1_000_000;

/// The place of an index that may count from the end.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// The first and the end of a range in something of this length.
pub(super) fn bounds(range: &Range<&Item>, length: usize) -> Result<(usize, usize), Fault> {
    let bound = |bound: Option<&Item>, otherwise: usize, is_end: bool| match bound {
        None => Ok(otherwise),
        Some(item) if item.value().is_null() => Ok(otherwise),
        Some(item) => {
            let float = item.value().as_f64().ok_or_else(|| Error::typ(item.clone(), "integer"))?;
            #[expect(clippy::cast_possible_truncation, reason = "what is beyond every list is at its end")]
            let at = (if is_end { float.ceil() } else { float.floor() }) as i64;
            Ok(position(at, length).unwrap_or(0).min(length))
        }
    };
    let from = bound(range.start, 0, false)?;
    Ok((from, bound(range.end, length, true)?.max(from)))
}

pub(super) fn range(item: &Item, range: &Range<&Item>) -> ValR<Item> {
    match item.value() {
        Value::Null => Ok(Item::scalar(Value::Null)),
        Value::Array(items) => {
            let (from, to) = bounds(range, items.len())?;
            Ok(Item::array(items[from..to].to_vec(), item.depth().saturating_sub(1)))
        }
        Value::String(text) => {
            charge(text.len() / 64);
            let (from, to) = bounds(range, text.chars().count())?;
            let place = |count| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
            Ok(Item::text(&text[place(from)..place(to)]))
        }
        _ => Err(Error::typ(item.clone(), "rangeable (array or string)")),
    }
}

/// Where a list stands within another, which is nowhere for an empty one.
pub(super) fn occurrences<'a>(items: &'a [Value], part: &'a [Value]) -> impl Iterator<Item = usize> + 'a {
    charge(items.len());
    let windows = items.windows(part.len().max(1)).enumerate();
    let is_same =
        move |window: &[Value]| window.iter().zip(part).all(|(one, other)| compare(one, other).is_eq());
    windows.filter(move |(_, window)| !part.is_empty() && is_same(window)).map(|(at, _)| at)
}

/// The value with another part at a place, or without it.
pub(super) fn replaced(item: Item, index: &Item, is_there: bool, new: Option<Item>) -> ValR<Item> {
    let depth = item.depth().saturating_sub(1).max(new.as_ref().map_or(0, Item::depth));
    let is_null = item.value().is_null();
    match (item.into_value(), index.value(), new) {
        (whole @ (Value::Object(_) | Value::Null), Value::String(name), new) => {
            let mut fields = if let Value::Object(fields) = whole { fields } else { Arc::default() };
            match new {
                None if !is_there => return Ok(unchanged(is_null, Value::Object(fields), depth)),
                None => drop(edit(&mut fields).shift_remove(name)),
                Some(new) => drop(edit(&mut fields).insert(Arc::clone(name), new.into_value())),
            }
            Ok(Item::made(Value::Object(fields), depth))
        }
        (whole @ (Value::Array(_) | Value::Null), Value::Number(_), new) => {
            let mut items = if let Value::Array(items) = whole { items } else { Arc::default() };
            let at = index.as_integer().and_then(|at| position(at, items.len()));
            let Some(at) = at.filter(|at| *at < LONGEST) else {
                return Err(Error::str(format_args!("index {index} is out of bounds")));
            };
            let Some(new) = new else {
                if !is_there {
                    return Ok(unchanged(is_null, Value::Array(items), depth));
                }
                Arc::make_mut(&mut items).remove(at);
                return Ok(Item::made(Value::Array(items), depth));
            };
            charge(at.saturating_sub(items.len()));
            let list = Arc::make_mut(&mut items);
            if at >= list.len() {
                list.resize(at + 1, Value::Null);
            }
            list[at] = new.into_value();
            Ok(Item::made(Value::Array(items), depth))
        }
        (whole, _, _) => Err(Error::index(Item::new(whole), index.clone())),
    }
}

/// What is not there need not be taken away; null stays null.
fn unchanged(is_null: bool, whole: Value, depth: usize) -> Item {
    if is_null { Item::scalar(Value::Null) } else { Item::made(whole, depth) }
}

fn edit(fields: &mut Arc<Object>) -> &mut Object {
    if Arc::strong_count(fields) > 1 {
        charge(fields.len());
    }
    Arc::make_mut(fields)
}
