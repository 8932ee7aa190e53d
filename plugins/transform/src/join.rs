//! `join`: rows of two lists that have the same key, side by side.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::key::Key;
use crate::rows::{self, described};
use crate::{Names, OpError};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/join.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    on: Option<Names>,
    left_on: Option<Names>,
    right_on: Option<Names>,
    #[serde(default)]
    how: How,
    #[serde(default = "default_suffix")]
    suffix: Arc<str>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum How {
    #[default]
    Inner,
    Left,
    Right,
    Outer,
    Anti,
}

fn default_suffix() -> Arc<str> {
    "_right".into()
}

/// One list, with the fields that its key is made of.
struct Side {
    name: &'static str,
    rows: Arc<Vec<Value>>,
    on: Vec<Arc<str>>,
}

/// A field of the key, as the left calls it and as the right does.
type KeyPart = (Arc<str>, Arc<str>);

/// How two rows become one.
struct Merge {
    /// The fields of the left, which an unpaired row of the right has as null.
    left: IndexSet<Arc<str>>,
    /// The fields of the right that are not in its key, with the names that they get.
    right: IndexMap<Arc<str>, Arc<str>>,
    /// The names of the key's fields on the left, each with that on the right.
    keys: Vec<KeyPart>,
}

/// Makes `{ items, count }` of an object for each pair of a row of `left` and a row of `right` whose keys are equal: the
/// fields of the left, then those of the right that are not in its key.
///
/// Pairs come in the order of the left, and within that in the order of the right; with `how: right` the other way
/// round. `outer` adds the unpaired rows of the right at the end. A key with null in it has no pair.
///
/// # Errors
/// When the configuration does not fit its schema, when a row is not an object, or when two fields would have the same
/// name.
pub fn run(config: &Value, _scope: &Object) -> Result<Value, OpError> {
    let (left, rest) = side(config, "left")?;
    let (right, rest) = side(&rest, "right")?;
    let config: Config = rest.to().map_err(OpError::config)?;
    let keys = keys(&config)?;
    let left = Side { name: "left", rows: left, on: keys.iter().map(|(left, _)| Arc::clone(left)).collect() };
    let right =
        Side { name: "right", rows: right, on: keys.iter().map(|(_, right)| Arc::clone(right)).collect() };
    let merge = Merge::new(&left, &right, keys, &config.suffix)?;
    let of_left = |one: &Value, other: Option<&Value>| {
        Some(other.map_or_else(|| merge.left_alone(one), |other| merge.both(one, other)))
    };
    let joined = match config.how {
        How::Inner => pairs(&left, &right, |one, other| other.map(|other| merge.both(one, other)))?,
        How::Left => pairs(&left, &right, of_left)?,
        How::Right => pairs(&right, &left, |one, other| {
            Some(other.map_or_else(|| merge.right_alone(one), |other| merge.both(other, one)))
        })?,
        How::Anti => pairs(&left, &right, |one, other| other.is_none().then(|| one.clone()))?,
        How::Outer => {
            let alone = pairs(&right, &left, |one, other| other.is_none().then(|| merge.right_alone(one)))?;
            pairs(&left, &right, of_left)?.into_iter().chain(alone).collect()
        }
    };
    Ok(rows::list(joined))
}

/// What is wrong with a configuration that its schema lets pass, and the key where.
pub(crate) fn mistake(with: &Value) -> Option<(&'static str, OpError)> {
    let config: Config = with.to().ok()?;
    let key = if config.right_on.is_some() { "right_on" } else { "on" };
    keys(&config).err().map(|error| (key, error))
}

fn side(config: &Value, name: &str) -> Result<(Arc<Vec<Value>>, Value), OpError> {
    let (rows, rest) = rows::take(config, name)?;
    Ok((rows::of(name, rows)?, rest))
}

/// The fields of the key, on the left and on the right.
fn keys(config: &Config) -> Result<Vec<KeyPart>, OpError> {
    let (left, right) = match (&config.on, &config.left_on, &config.right_on) {
        (Some(on), None, None) => (on, on),
        (None, Some(left), Some(right)) => (left, right),
        _ => return Err(OpError::config("give either `on`, or both `left_on` and `right_on`")),
    };
    let (left, right) = (left.as_slice(), right.as_slice());
    if left.is_empty() {
        return Err(OpError::config("a key has at least one field"));
    }
    if left.len() != right.len() {
        return Err(OpError::config(format_args!(
            "`left_on` names {} fields and `right_on` {}",
            left.len(),
            right.len()
        )));
    }
    Ok(left.iter().cloned().zip(right.iter().cloned()).collect())
}

/// What `make` makes of each row of one side with each of its partners, or with none.
fn pairs(
    one: &Side,
    other: &Side,
    make: impl Fn(&Value, Option<&Value>) -> Option<Value>,
) -> Result<Vec<Value>, OpError> {
    let mut partners: IndexMap<Key, Vec<usize>> = IndexMap::with_capacity(other.rows.len());
    for (row, item) in other.rows.iter().enumerate() {
        if let Some(key) = other.key(row, item)? {
            partners.entry(key).or_default().push(row);
        }
    }
    let mut made = Vec::with_capacity(one.rows.len());
    for (row, item) in one.rows.iter().enumerate() {
        match one.key(row, item)?.and_then(|key| partners.get(&key)) {
            Some(found) => made.extend(found.iter().filter_map(|row| make(item, other.rows.get(*row)))),
            None => made.extend(make(item, None)),
        }
    }
    Ok(made)
}

impl Side {
    /// The key of a row, unless there is null in it.
    fn key(&self, row: usize, item: &Value) -> Result<Option<Key>, OpError> {
        let fields = self.fields(row, item)?;
        let part = |name: &Arc<str>| fields.get(name).filter(|part| !part.is_null()).cloned();
        Ok(match &self.on[..] {
            [name] => part(name).map(Key),
            names => names.iter().map(part).collect::<Option<Value>>().map(Key),
        })
    }

    fn fields<'a>(&self, row: usize, item: &'a Value) -> Result<&'a Object, OpError> {
        item.as_object().ok_or_else(|| OpError::Value {
            message: format!("`{}`, row {row}: {} has no fields to join", self.name, described(item)),
        })
    }

    /// The fields that any row has, in the order of first appearance.
    fn names(&self) -> Result<IndexSet<Arc<str>>, OpError> {
        let mut names = IndexSet::new();
        for (row, item) in self.rows.iter().enumerate() {
            for name in self.fields(row, item)?.keys() {
                if !names.contains(name) {
                    names.insert(Arc::clone(name));
                }
            }
        }
        Ok(names)
    }
}

impl Merge {
    fn new(left: &Side, right: &Side, keys: Vec<KeyPart>, suffix: &str) -> Result<Self, OpError> {
        let left = left.names()?;
        let mut taken = left.clone();
        taken.extend(keys.iter().map(|(left, _)| Arc::clone(left)));
        let others = right.names()?.into_iter().filter(|name| !right.on.contains(name));
        let mut named = IndexMap::new();
        for name in others {
            let new: Arc<str> =
                if taken.contains(&name) { format!("{name}{suffix}").into() } else { Arc::clone(&name) };
            if !taken.insert(Arc::clone(&new)) {
                return Err(OpError::Value {
                    message: format!("two fields would be named `{new}`: choose another `suffix`"),
                });
            }
            named.insert(name, new);
        }
        Ok(Self { left, right: named, keys })
    }

    fn both(&self, left: &Value, right: &Value) -> Value {
        let mut joined = Object::with_capacity(self.left.len() + self.right.len());
        joined.extend(fields(left).map(|(name, value)| (Arc::clone(name), value.clone())));
        joined.extend(
            fields(right).filter_map(|(name, value)| {
                self.right.get(name).map(|name| (Arc::clone(name), value.clone()))
            }),
        );
        joined.into()
    }

    fn left_alone(&self, left: &Value) -> Value {
        let own = fields(left).map(|(name, value)| (Arc::clone(name), value.clone()));
        own.chain(self.right.values().map(|name| (Arc::clone(name), Value::Null))).collect()
    }

    fn right_alone(&self, right: &Value) -> Value {
        let mut joined: Object = self.left.iter().map(|name| (Arc::clone(name), Value::Null)).collect();
        for (left, key) in &self.keys {
            joined.insert(Arc::clone(left), right.get(key).cloned().unwrap_or_default());
        }
        joined.extend(
            fields(right).filter_map(|(name, value)| {
                self.right.get(name).map(|name| (Arc::clone(name), value.clone()))
            }),
        );
        joined.into()
    }
}

fn fields(row: &Value) -> impl Iterator<Item = (&Arc<str>, &Value)> {
    row.as_object().into_iter().flatten()
}
