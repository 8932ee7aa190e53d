use std::cmp::Ordering;

use serde::Deserialize;
use tapline_pdk::{Number, Value};

use crate::order::{compare, float, integer};
use crate::rows::described;

/// What is computed over the rows of a group, each with the expression whose values it is computed from.
///
/// Null counts for `first`, `last` and `collect` alone; the others are null when there is nothing else.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Aggregate {
    Sum(String),
    Min(String),
    Max(String),
    Mean(String),
    First(String),
    Last(String),
    Collect(String),
}

/// An aggregate under way.
pub(crate) enum Accumulator {
    Sum(Option<Total>),
    Mean { total: Option<Total>, count: u32 },
    Least(Option<Value>),
    Greatest(Option<Value>),
    First(Option<Value>),
    Last(Value),
    Collect(Vec<Value>),
}

/// A sum from left to right: exact as long as all are integers, in floats from the first float on.
#[derive(Clone, Copy)]
pub(crate) enum Total {
    Integer(i128),
    Float(f64),
}

impl Aggregate {
    pub(crate) fn expression(&self) -> &str {
        match self {
            Self::Sum(text)
            | Self::Min(text)
            | Self::Max(text)
            | Self::Mean(text)
            | Self::First(text)
            | Self::Last(text)
            | Self::Collect(text) => text,
        }
    }

    pub(crate) const fn start(&self) -> Accumulator {
        match self {
            Self::Sum(_) => Accumulator::Sum(None),
            Self::Min(_) => Accumulator::Least(None),
            Self::Max(_) => Accumulator::Greatest(None),
            Self::Mean(_) => Accumulator::Mean { total: None, count: 0 },
            Self::First(_) => Accumulator::First(None),
            Self::Last(_) => Accumulator::Last(Value::Null),
            Self::Collect(_) => Accumulator::Collect(Vec::new()),
        }
    }
}

impl Accumulator {
    /// Takes the value of one more row.
    pub(crate) fn add(&mut self, value: Value) -> Result<(), String> {
        match self {
            Self::First(first) => {
                first.get_or_insert(value);
            }
            Self::Last(last) => *last = value,
            Self::Collect(values) => values.push(value),
            _ if value.is_null() => {}
            Self::Least(least) => replace_if(least, value, Ordering::Less),
            Self::Greatest(greatest) => replace_if(greatest, value, Ordering::Greater),
            Self::Sum(total) => *total = Some(Total::plus(*total, &value)?),
            Self::Mean { total, count } => {
                *total = Some(Total::plus(*total, &value)?);
                *count += 1;
            }
        }
        Ok(())
    }

    /// The value over all rows.
    pub(crate) fn finish(self) -> Result<Value, String> {
        match self {
            Self::Sum(total) => total.map_or(Ok(Value::Null), Total::finish),
            Self::Mean { total, count } => Ok(total.map_or(Value::Null, |total| total.over(count))),
            Self::Least(value) | Self::Greatest(value) | Self::First(value) => Ok(value.unwrap_or_default()),
            Self::Last(value) => Ok(value),
            Self::Collect(values) => Ok(values.into()),
        }
    }
}

/// Of equal values the first stays.
fn replace_if(place: &mut Option<Value>, value: Value, order: Ordering) {
    if place.as_ref().is_none_or(|current| compare(&value, current) == order) {
        *place = Some(value);
    }
}

impl Total {
    fn plus(total: Option<Self>, value: &Value) -> Result<Self, String> {
        let number = value.as_number().ok_or_else(|| format!("{} is not a number", described(value)))?;
        Ok(match (total, integer(number)) {
            (None, Some(integer)) => Self::Integer(integer),
            (None, None) => Self::Float(float(number)),
            // Adding integers of 64 bits overflows 128 after more rows than fit any memory.
            (Some(Self::Integer(sum)), Some(integer)) => Self::Integer(sum.saturating_add(integer)),
            (Some(sum), _) => Self::Float(sum.as_float() + float(number)),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a float is asked for")]
    const fn as_float(self) -> f64 {
        match self {
            Self::Integer(sum) => sum as f64,
            Self::Float(sum) => sum,
        }
    }

    fn over(self, count: u32) -> Value {
        (self.as_float() / f64::from(count)).into()
    }

    fn finish(self) -> Result<Value, String> {
        match self {
            Self::Float(sum) => Number::from_f64(sum).map(Value::Number).ok_or("the sum is not finite"),
            Self::Integer(sum) => i64::try_from(sum)
                .map(Value::from)
                .or_else(|_| u64::try_from(sum).map(Value::from))
                .map_err(|_| "the sum does not fit 64 bits"),
        }
        .map_err(str::to_owned)
    }
}
