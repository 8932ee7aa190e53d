//! `reduce`: groups of rows and what is computed over each, or one value folded over all rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::aggregate::{Accumulator, Aggregate};
use crate::formula::{self, Formulas, RowScope};
use crate::key::Key;
use crate::rows::Rows;
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/reduce.json");

const COUNT: &str = "count";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    group_by: Option<GroupBy>,
    #[serde(default)]
    count: bool,
    #[serde(default)]
    aggregates: IndexMap<Arc<str>, Aggregate>,
    #[serde(default)]
    initial: Value,
    expr: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`group_by` must be a field name, a list of them, or an object of names and expressions"
)]
enum GroupBy {
    Field(Arc<str>),
    Fields(Vec<Arc<str>>),
    Expressions(IndexMap<Arc<str>, String>),
}

/// The parts of a row's key.
enum Grouping {
    Fields(Vec<Arc<str>>),
    Expressions(Formulas),
}

/// What is computed over the rows of each group.
struct Summary {
    count: bool,
    aggregates: Vec<Aggregate>,
    formulas: Formulas,
}

/// One group under way.
struct Group {
    rows: usize,
    accumulators: Vec<Accumulator>,
}

/// Reduces rows to fewer values, in one of three ways.
///
/// - With `group_by` it makes `{ items, count }`: one object for each key, in the order of first appearance, that has
///   the parts of the key, with `count: true` the number of rows, and the `aggregates`.
/// - With `count` or `aggregates` alone it makes `{ value }`: the same object over all rows.
/// - With `expr` it makes `{ value }`: what `expr` returns for the last row, where `acc` is what it returned for the row
///   before, and `initial` for the first.
///
/// # Errors
/// When the configuration does not fit its schema, when an expression cannot be evaluated for a row, or when a value
/// cannot be added to a sum.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (rows, mut config) = rows::with_rows::<Config>(config)?;
    if let Some((_, message)) = config.mistake() {
        return Err(OpError::config(message));
    }
    let mut scope = RowScope::new(scope);
    match (config.expr.take(), config.group_by.take()) {
        (Some(expr), _) => fold(&rows, &expr, config.initial, &mut scope).map(rows::single),
        (None, Some(grouping)) => {
            let grouping = Grouping::parse(grouping)?;
            let summary = Summary::parse(config)?;
            groups(&rows, &grouping, &summary, &mut scope).map(rows::list)
        }
        (None, None) => overall(&rows, &Summary::parse(config)?, &mut scope).map(rows::single),
    }
}

/// What is wrong with a configuration that its schema lets pass, and the key where.
pub(crate) fn mistake(with: &Value) -> Option<(String, String)> {
    with.to::<Config>().ok()?.mistake()
}

impl Config {
    fn mistake(&self) -> Option<(String, String)> {
        let summarises = self.group_by.is_some() || self.count || !self.aggregates.is_empty();
        let (key, message) = match &self.expr {
            Some(_) if summarises => (
                "expr",
                "`expr` folds all rows, so it cannot stand beside `group_by`, `count` or `aggregates`",
            ),
            Some(_) => return None,
            None if !self.initial.is_null() => ("initial", "`initial` needs `expr`"),
            None if summarises => return self.named_twice(),
            None => ("", "nothing to compute: give `group_by`, `count`, `aggregates` or `expr`"),
        };
        Some((key.to_owned(), message.to_owned()))
    }

    fn named_twice(&self) -> Option<(String, String)> {
        let keys = self.group_by.as_ref().map(GroupBy::names).unwrap_or_default();
        let mut taken: BTreeSet<&str> = self.count.then_some(COUNT).into_iter().collect();
        let twice = |name: &str| format!("two results would be named `{name}`");
        if let Some(name) = keys.iter().find(|name| !taken.insert(name)) {
            return Some(("group_by".to_owned(), twice(name)));
        }
        let name = self.aggregates.keys().find(|name| !taken.insert(name))?;
        Some((format!("aggregates/{}", name.replace('~', "~0").replace('/', "~1")), twice(name)))
    }
}

impl GroupBy {
    fn names(&self) -> Vec<&Arc<str>> {
        match self {
            Self::Field(name) => vec![name],
            Self::Fields(names) => names.iter().collect(),
            Self::Expressions(texts) => texts.keys().collect(),
        }
    }
}

fn fold(rows: &Rows, expr: &str, initial: Value, scope: &mut RowScope) -> Result<Value, OpError> {
    let expression = formula::parse("expr", expr)?;
    rows.iter().try_fold(initial, |accumulator, (row, item)| {
        expression.evaluate(scope.folding(accumulator, item)).map_err(OpError::row(row))
    })
}

fn groups(
    rows: &Rows,
    grouping: &Grouping,
    summary: &Summary,
    scope: &mut RowScope,
) -> Result<Vec<Value>, OpError> {
    let mut groups: IndexMap<Key, Group> = IndexMap::new();
    for (row, item) in rows.iter() {
        let key = grouping.key(item, scope).map_err(OpError::row(row))?;
        let group = groups.entry(key).or_insert_with(|| summary.start());
        summary.add(group, item, scope).map_err(OpError::row(row))?;
    }
    let names = grouping.names();
    let finish = |(Key(key), group): (Key, Group)| {
        let mut object = grouping.parts(&names, &key);
        let finished = summary.finish(group, &mut object);
        finished.map_err(|message| OpError::Value { message: format!("group {key}: {message}") })?;
        Ok(object.into())
    };
    groups.into_iter().map(finish).collect()
}

fn overall(rows: &Rows, summary: &Summary, scope: &mut RowScope) -> Result<Value, OpError> {
    let mut group = summary.start();
    for (row, item) in rows.iter() {
        summary.add(&mut group, item, scope).map_err(OpError::row(row))?;
    }
    let mut object = Object::new();
    summary.finish(group, &mut object).map_err(|message| OpError::Value { message })?;
    Ok(object.into())
}

impl Grouping {
    fn parse(group_by: GroupBy) -> Result<Self, OpError> {
        Ok(match group_by {
            GroupBy::Field(name) => Self::Fields(vec![name]),
            GroupBy::Fields(names) => Self::Fields(names),
            GroupBy::Expressions(texts) => Self::Expressions(Formulas::parse("group_by", &texts)?),
        })
    }

    fn names(&self) -> Vec<Arc<str>> {
        match self {
            Self::Fields(names) => names.clone(),
            Self::Expressions(formulas) => formulas.names().cloned().collect(),
        }
    }

    /// The parts of the row's key, as a list unless there is only one.
    fn key(&self, item: &Value, scope: &mut RowScope) -> Result<Key, String> {
        let key = match self {
            Self::Fields(names) => rows::key(item, names)?,
            Self::Expressions(formulas) => {
                let parts = formulas.evaluate(scope.at(item)).map(|part| part.map(|(_, value)| value));
                let parts: Vec<Value> = parts.collect::<Result<_, _>>()?;
                if let [part] = &parts[..] { part.clone() } else { parts.into() }
            }
        };
        Ok(Key(key))
    }

    fn parts(&self, names: &[Arc<str>], key: &Value) -> Object {
        match (names, key) {
            ([name], key) => [(Arc::clone(name), key.clone())].into_iter().collect(),
            (names, Value::Array(parts)) => names.iter().cloned().zip(parts.iter().cloned()).collect(),
            _ => Object::new(),
        }
    }
}

impl Summary {
    fn parse(config: Config) -> Result<Self, OpError> {
        let texts = config.aggregates.iter().map(|(name, aggregate)| (name, aggregate.expression()));
        let formulas = Formulas::parse("aggregates", texts)?;
        Ok(Self { count: config.count, aggregates: config.aggregates.into_values().collect(), formulas })
    }

    fn start(&self) -> Group {
        Group { rows: 0, accumulators: self.aggregates.iter().map(Aggregate::start).collect() }
    }

    fn add(&self, group: &mut Group, item: &Value, scope: &mut RowScope) -> Result<(), String> {
        group.rows += 1;
        if self.aggregates.is_empty() {
            return Ok(());
        }
        let values = self.formulas.evaluate(scope.at(item));
        for (accumulator, value) in group.accumulators.iter_mut().zip(values) {
            let (name, value) = value?;
            accumulator.add(value).map_err(|error| format!("`{name}`: {error}"))?;
        }
        Ok(())
    }

    fn finish(&self, group: Group, object: &mut Object) -> Result<(), String> {
        if self.count {
            object.insert(COUNT.into(), group.rows.into());
        }
        for (name, accumulator) in self.formulas.names().zip(group.accumulators) {
            let value = accumulator.finish().map_err(|error| format!("`{name}`: {error}"))?;
            object.insert(Arc::clone(name), value);
        }
        Ok(())
    }
}
