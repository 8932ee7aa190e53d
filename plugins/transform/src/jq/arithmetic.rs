//! What `+`, `-`, `*`, `/` and `%` do.

use std::collections::HashSet;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::sync::Arc;

use jaq_core::ops::Math;
use jaq_core::{Error, ValR};
use tapline_pdk::{Number, Object, Value};

use super::item::Item;
use super::meter::charge;
use crate::key::Key;
use crate::order::{float, integer};

/// A text is repeated up to this length.
const LONGEST: usize = 64 << 20;

impl Add for Item {
    type Output = ValR<Self>;

    fn add(self, other: Self) -> ValR<Self> {
        charge(1);
        let depth = self.depth().max(other.depth()).saturating_sub(1);
        match (self.value(), other.value()) {
            (Value::Null, _) => Ok(other),
            (_, Value::Null) => Ok(self),
            (Value::Number(one), Value::Number(two)) => {
                Ok(numbers(one, two, i128::checked_add, |a, b| a + b))
            }
            (Value::String(one), Value::String(two)) => Ok(Self::text(&[&**one, two].concat())),
            (Value::Array(_), Value::Array(two)) => {
                let two = Arc::clone(two);
                let Value::Array(mut one) = self.into_value() else { return Ok(other) };
                charge(if Arc::strong_count(&one) > 1 { one.len() + two.len() } else { two.len() });
                Arc::make_mut(&mut one).extend(two.iter().cloned());
                Ok(Self::made(Value::Array(one), depth))
            }
            (Value::Object(_), Value::Object(two)) => {
                let two = Arc::clone(two);
                let Value::Object(mut one) = self.into_value() else { return Ok(other) };
                charge(if Arc::strong_count(&one) > 1 { one.len() + two.len() } else { two.len() });
                let fields = two.iter().map(|(name, value)| (Arc::clone(name), value.clone()));
                Arc::make_mut(&mut one).extend(fields);
                Ok(Self::made(Value::Object(one), depth))
            }
            _ => Err(Error::math(self, Math::Add, other)),
        }
    }
}

impl Sub for Item {
    type Output = ValR<Self>;

    fn sub(self, other: Self) -> ValR<Self> {
        charge(1);
        match (self.value(), other.value()) {
            (Value::Number(one), Value::Number(two)) => {
                Ok(numbers(one, two, i128::checked_sub, |a, b| a - b))
            }
            (Value::Array(one), Value::Array(two)) => {
                let without: HashSet<Key> = two.iter().cloned().map(Key).collect();
                let left = one.iter().filter(|value| !without.contains(&Key((*value).clone())));
                charge(one.len());
                charge(two.len());
                Ok(Self::array(left.cloned().collect(), self.depth().saturating_sub(1)))
            }
            _ => Err(Error::math(self, Math::Sub, other)),
        }
    }
}

impl Mul for Item {
    type Output = ValR<Self>;

    fn mul(self, other: Self) -> ValR<Self> {
        charge(1);
        let depth = self.depth().max(other.depth()).saturating_sub(1);
        match (self.value(), other.value()) {
            (Value::Number(one), Value::Number(two)) => {
                Ok(numbers(one, two, i128::checked_mul, |a, b| a * b))
            }
            (Value::String(text), Value::Number(times)) | (Value::Number(times), Value::String(text)) => {
                repeated(text, float(times))
            }
            (Value::Object(one), Value::Object(two)) => Ok(Self::made(merged(one, two), depth)),
            _ => Err(Error::math(self, Math::Mul, other)),
        }
    }
}

impl Div for Item {
    type Output = ValR<Self>;

    fn div(self, other: Self) -> ValR<Self> {
        charge(1);
        match (self.value(), other.value()) {
            (Value::Number(_), Value::Number(two)) if float(two) == 0.0 => {
                Err(Error::math(self, Math::Div, other))
            }
            (Value::Number(one), Value::Number(two)) => {
                let exactly = |one: i128, two: i128| (one % two == 0).then_some(one / two);
                Ok(numbers(one, two, exactly, |a, b| a / b))
            }
            (Value::String(text), Value::String(by)) => {
                charge(text.len() / 8);
                let parts: Vec<Value> = match &**by {
                    _ if text.is_empty() => Vec::new(),
                    "" => text.chars().map(|one| Value::from(one.encode_utf8(&mut [0; 4]) as &str)).collect(),
                    by => text.split(by).map(Value::from).collect(),
                };
                Ok(Self::array(parts, 0))
            }
            _ => Err(Error::math(self, Math::Div, other)),
        }
    }
}

impl Rem for Item {
    type Output = ValR<Self>;

    /// Of whole numbers: what comes after the point does not count.
    fn rem(self, other: Self) -> ValR<Self> {
        charge(1);
        let (Value::Number(one), Value::Number(two)) = (self.value(), other.value()) else {
            return Err(Error::math(self, Math::Rem, other));
        };
        match whole(one).checked_rem(whole(two)) {
            Some(rest) => Ok(of_integer(rest)),
            None => Err(Error::math(self, Math::Rem, other)),
        }
    }
}

impl Neg for Item {
    type Output = ValR<Self>;

    fn neg(self) -> ValR<Self> {
        match self.value() {
            Value::Number(number) => {
                Ok(integer(number).map_or_else(|| Self::from(-float(number)), |it| of_integer(-it)))
            }
            _ => Err(Error::typ(self, "number")),
        }
    }
}

/// Integers stay exact as long as the result is one that fits 64 bits.
fn numbers(
    one: &Number,
    two: &Number,
    exact: impl Fn(i128, i128) -> Option<i128>,
    approximate: impl Fn(f64, f64) -> f64,
) -> Item {
    let exact = integer(one).zip(integer(two)).and_then(|(one, two)| exact(one, two));
    match exact.and_then(fitting) {
        Some(number) => number.into(),
        None => approximate(float(one), float(two)).into(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "what does not fit is a float")]
fn of_integer(integer: i128) -> Item {
    fitting(integer).map_or_else(|| Item::from(integer as f64), Item::from)
}

fn fitting(integer: i128) -> Option<Number> {
    i64::try_from(integer).map(Number::from).or_else(|_| u64::try_from(integer).map(Number::from)).ok()
}

#[expect(clippy::cast_possible_truncation, reason = "the whole part is asked for")]
fn whole(number: &Number) -> i128 {
    integer(number).unwrap_or_else(|| float(number) as i128)
}

/// A text several times, rounded up; null for none.
fn repeated(text: &str, times: f64) -> ValR<Item> {
    if times <= 0.0 {
        return Ok(Item::scalar(Value::Null));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, or saturates"
    )]
    let times = times.ceil() as usize;
    if text.len().saturating_mul(times) > LONGEST {
        return Err(Error::str(format_args!("a text would have more than {LONGEST} bytes")));
    }
    Ok(Item::text(&text.repeat(times)))
}

/// Objects within objects are merged, too.
fn merged(one: &Object, two: &Object) -> Value {
    charge(one.len() + two.len());
    let mut fields = one.clone();
    for (name, value) in two {
        let new = match (fields.get(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merged(old, new),
            _ => value.clone(),
        };
        fields.insert(Arc::clone(name), new);
    }
    fields.into()
}
