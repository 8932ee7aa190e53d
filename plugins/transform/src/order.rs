use std::cmp::Ordering;

use tapline_pdk::{Number, Object, Value};

/// The order of all values, as jq has it: null < false < true < numbers < strings < arrays < objects.
///
/// Numbers are compared exactly, whether integers or floats; strings by their code points; arrays element by element;
/// objects first by their sorted names, then by the values in that order.
/// Unlike jq 1.6, integers beyond 2⁵³ are told apart.
#[must_use]
pub fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare_numbers(one, other),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => compare_all(one.iter(), other.iter()),
        (Value::Object(one), Value::Object(other)) => compare_objects(one, other),
        _ => rank(one).cmp(&rank(other)),
    }
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

fn compare_all<'a>(one: impl Iterator<Item = &'a Value>, other: impl Iterator<Item = &'a Value>) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        match (one.next(), other.next()) {
            (Some(left), Some(right)) => match compare(left, right) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

fn compare_objects(one: &Object, other: &Object) -> Ordering {
    let (one, other) = (sorted(one), sorted(other));
    let names = one.iter().map(|(name, _)| name).cmp(other.iter().map(|(name, _)| name));
    names
        .then_with(|| compare_all(one.iter().map(|(_, value)| *value), other.iter().map(|(_, value)| *value)))
}

fn sorted(object: &Object) -> Vec<(&str, &Value)> {
    let mut entries: Vec<_> = object.iter().map(|(name, value)| (&**name, value)).collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    entries
}

fn compare_numbers(one: &Number, other: &Number) -> Ordering {
    if let (Some(one), Some(other)) = (one.as_i64(), other.as_i64()) {
        return one.cmp(&other);
    }
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(one), None) => compare_integer_with_float(one, float(other)),
        (None, Some(other)) => compare_integer_with_float(other, float(one)).reverse(),
        (None, None) => float(one).partial_cmp(&float(other)).unwrap_or(Ordering::Equal),
    }
}

/// The number as an integer, if it was written as one.
pub(crate) fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// A number of JSON is always finite.
pub(crate) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// A float beyond the integers of 64 bits saturates, which keeps it beyond them.
#[expect(clippy::cast_possible_truncation, reason = "the whole part fits, or saturates as is wanted")]
fn compare_integer_with_float(integer: i128, float: f64) -> Ordering {
    let whole = float.trunc();
    integer.cmp(&(whole as i128)).then_with(|| whole.partial_cmp(&float).unwrap_or(Ordering::Equal))
}
