use std::fmt;
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use serde_json::Number;

/// A JSON object that keeps the order in which its keys were written.
pub type Object = IndexMap<Arc<str>, Value>;

/// A JSON value that is shared, not copied: a clone costs one reference count.
///
/// Numbers are integers of 64 bits or floats of 64 bits, as in [`serde_json::Number`]; `1` and `1.0` are
/// different values.
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a float.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// A list.
    Array(Arc<Vec<Self>>),
    /// A mapping from names to values.
    Object(Arc<Object>),
}

/// A name that occurs in many objects, made once and shared from then on.
#[derive(Debug)]
pub struct Name(LazyLock<Arc<str>>);

impl Name {
    /// A name from a function, because a constant has nowhere to live.
    #[must_use]
    pub const fn new(name: fn() -> Arc<str>) -> Self {
        Self(LazyLock::new(name))
    }

    /// The shared name.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Where the input stands in a context.
pub(crate) static INPUT: Name = Name::new(|| "input".into());
/// Where the output stands in a context.
pub(crate) static OUTPUT: Name = Name::new(|| "output".into());

/// Where stands, in a context, what those further out have left.
pub(crate) const CARRIED: &str = "carried";

/// A type that does not fit a [`Value`], or a [`Value`] that does not fit a type.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(String);

/// As deep as JSON text is read.
const DEEPEST_PATH: usize = 128;

impl Value {
    /// Converts whatever serde can serialise.
    ///
    /// # Errors
    /// When the type refuses to be serialised, or has map keys that are not text.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, ValueError> {
        serde_json::to_value(value).map(Self::from).map_err(|error| ValueError(error.to_string()))
    }

    /// Converts into whatever serde can deserialise.
    ///
    /// # Errors
    /// When the value has not the shape that the type asks for; the message names the place within the value.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        let value: serde_json::Value = self.into();
        serde_path_to_error::deserialize(value).map_err(|error| {
            let (path, message) = (format!("`{}`", error.path()), error.inner().to_string());
            let names_it = path == "`.`" || message.contains(&path);
            ValueError(if names_it { message } else { format!("{path}: {message}") })
        })
    }

    /// Parses JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, with the line and column where it ends to be.
    pub fn from_json(text: &str) -> Result<Self, ValueError> {
        serde_json::from_str(text).map_err(|error| ValueError(error.to_string()))
    }

    /// Writes the value as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A value has text keys and finite numbers alone, so writing it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The entry of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// The value below a dotted path: keys of objects and indices of arrays; the empty path is the value itself.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').filter(|token| !token.is_empty()).try_fold(self, Self::child)
    }

    /// The entry of an object, or the element of an array, that a path token names.
    #[must_use]
    pub fn child(&self, token: &str) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(token),
            Self::Array(items) => items.get(token.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Puts `value` below a dotted path, creating the objects on the way; what is shared is copied first.
    ///
    /// # Errors
    /// When a step of the path goes into a value that is neither an object nor an array, or past an array's end, or
    /// there are more than 128 steps: values are walked recursively, and nobody can be let exhaust the stack.
    pub fn set_at(&mut self, path: &str, value: Self) -> Result<(), ValueError> {
        self.set_below(path, path, value)
    }

    /// As [`set_at`](Self::set_at), for the rest of a path that leads here.
    pub(crate) fn set_below(&mut self, path: &str, rest: &str, value: Self) -> Result<(), ValueError> {
        if path.split('.').count() > DEEPEST_PATH {
            return Err(ValueError(format!("a path has at most {DEEPEST_PATH} steps")));
        }
        let mut place = self;
        for token in rest.split('.').filter(|token| !token.is_empty()) {
            if matches!(place, Self::Null) {
                *place = Self::Object(Arc::default());
            }
            place = match place {
                Self::Object(object) => {
                    let object = Arc::make_mut(object);
                    let known = object.get_index_of(token);
                    let index = known.unwrap_or_else(|| object.insert_full(token.into(), Self::Null).0);
                    &mut object[index]
                }
                Self::Array(items) => token
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| Arc::make_mut(items).get_mut(index))
                    .ok_or_else(|| {
                        ValueError(format!("`{path}` goes past the end of an array at `{token}`"))
                    })?,
                other => {
                    return Err(ValueError(format!("`{path}` goes into a {} at `{token}`", other.kind())));
                }
            };
        }
        *place = value;
        Ok(())
    }

    /// Whether the value is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The integer, if it is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// The number as a float, if it is a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// The entries, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// What JSON calls this kind of value, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Number(number),
            serde_json::Value::String(text) => Self::String(text.into()),
            serde_json::Value::Array(items) => items.into_iter().map(Self::from).collect(),
            serde_json::Value::Object(object) => {
                object.into_iter().map(|(key, value)| (Arc::from(key), Self::from(value))).collect()
            }
        }
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.to_string()),
            Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            Value::Object(object) => {
                Self::Object(object.iter().map(|(key, value)| (key.to_string(), value.into())).collect())
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Number(value.into())
    }
}

/// JSON has no infinities and no NaN: they become `null`.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Number::from_f64(value).map_or(Self::Null, Self::Number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::Array(Arc::new(items))
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(Arc::new(object))
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<T: IntoIterator<Item = Self>>(items: T) -> Self {
        Self::Array(Arc::new(items.into_iter().collect()))
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Self)> for Value {
    fn from_iter<T: IntoIterator<Item = (K, Self)>>(entries: T) -> Self {
        Self::Object(Arc::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }
}

/// Shows the value as JSON.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_json())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items.iter()),
            Self::Object(object) => serializer.collect_map(object.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(visitor::ValueVisitor)
    }
}

mod visitor;

#[cfg(test)]
mod tests;
