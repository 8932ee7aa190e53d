use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::Validator;
use tapline_core::Value;

use super::RateLimit;
use super::fields::Fields;
use crate::source::{Entry, Mapping};

/// What holds for each time that a step is done: for each item of a list, and each turn of a loop.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Rules {
    /// How often it is tried again after an error.
    pub retry: Option<Retry>,
    /// How long one attempt may take.
    pub timeout: Timeout,
    /// How long an output is taken again for the same settings.
    pub cache: Option<Duration>,
    /// How often it may begin, over all runs of the definition.
    pub rate_limit: Option<RateLimit>,
    /// What its output must follow.
    pub output_schema: Option<Schema>,
    /// Which plugins look at its output.
    pub validate: Vec<ValidatorUse>,
    /// What it may use up in one run.
    pub budget: Budget,
}

/// How often a step is tried again, and how long it waits before.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Retry {
    /// How often at most, after the first time.
    pub max: usize,
    /// How the time between grows.
    pub backoff: Backoff,
    /// The first time between.
    pub delay: Duration,
    /// The longest time between.
    pub max_delay: Duration,
}

/// How the time between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// It stays as it is.
    Constant,
    /// It doubles each time, and a random part of it is added, so that those who failed together do not come back
    /// together.
    Exponential,
}

/// How long one attempt may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeout {
    /// From its begin to its end.
    pub run: Option<Duration>,
    /// Without giving a piece of its answer.
    pub idle: Option<Duration>,
}

/// What may be used up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Budget {
    /// Tokens of models, those of prompts and of answers.
    pub tokens: Option<u64>,
    /// What providers charge, in their currency.
    pub cost: Option<f64>,
}

/// A plugin that looks at an output.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ValidatorUse {
    /// Its key at the extension point `validator`.
    pub validator: Arc<str>,
    /// What it is told of how to look; `null` unless said.
    pub with: Value,
    /// Where it is named in the file.
    pub(crate) range: Range<usize>,
}

/// A JSON Schema, compiled.
#[derive(Clone)]
pub struct Schema {
    content: Arc<(Value, Validator)>,
}

/// One way in which a value does not follow a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value, as a JSON pointer.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Schema {
    /// Compiles a schema; it may refer to nothing outside of itself.
    ///
    /// # Errors
    /// What keeps it from being a JSON Schema.
    pub fn new(schema: Value) -> Result<Self, String> {
        let validator = jsonschema::options().offline().build(&serde_json::Value::from(&schema));
        let validator = validator.map_err(|error| error.to_string())?;
        Ok(Self { content: Arc::new((schema, validator)) })
    }

    /// Where a value does not follow it.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        let value = serde_json::Value::from(value);
        let errors = self.content.1.iter_errors(&value);
        errors
            .map(|error| Violation { path: error.instance_path().to_string(), message: error.to_string() })
            .collect()
    }

    /// The schema as it was written.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.content.0
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Schema").field(self.source()).finish()
    }
}

pub(super) const KEYS: [&str; 7] =
    ["retry", "timeout", "cache", "rate_limit", "output_schema", "validate", "budget"];
pub(super) const RETRY_KEYS: [&str; 4] = ["max", "backoff", "delay", "max_delay"];
pub(super) const TIMEOUT_KEYS: [&str; 2] = ["run", "idle"];
pub(super) const CACHE_KEYS: [&str; 1] = ["ttl"];
pub(super) const RATE_LIMIT_KEYS: [&str; 2] = ["calls", "per"];
pub(super) const VALIDATE_KEYS: [&str; 2] = ["validator", "with"];
pub(super) const BUDGET_KEYS: [&str; 2] = ["tokens", "cost"];
pub(super) const BACKOFFS: [(&str, Backoff); 2] =
    [("constant", Backoff::Constant), ("exponential", Backoff::Exponential)];

pub(super) fn read(fields: &mut Fields<'_>, mapping: &Mapping) -> Rules {
    let mut read = Reader { fields, mapping };
    Rules {
        retry: read.key("retry", read_retry),
        timeout: read.key("timeout", read_timeout).unwrap_or_default(),
        cache: read.key("cache", read_cache),
        rate_limit: read.key("rate_limit", read_rate_limit),
        output_schema: read
            .key("output_schema", |fields, entry| read_schema(fields, entry, "`output_schema`")),
        validate: read.key("validate", read_validate).unwrap_or_default(),
        budget: read.key("budget", read_budget).unwrap_or_default(),
    }
}

/// Reads the keys of a mapping, one after the other.
struct Reader<'r, 'f, 'm> {
    fields: &'r mut Fields<'f>,
    mapping: &'m Mapping,
}

impl Reader<'_, '_, '_> {
    fn key<T>(&mut self, key: &str, read: impl FnOnce(&mut Fields<'_>, &Entry) -> Option<T>) -> Option<T> {
        self.mapping.get(key).and_then(|entry| read(self.fields, entry))
    }
}

fn read_retry(fields: &mut Fields<'_>, entry: &Entry) -> Option<Retry> {
    let (delay, max_delay) = (Duration::from_secs(1), Duration::from_secs(30));
    let mut retry = Retry { max: 0, backoff: Backoff::Exponential, delay, max_delay };
    if entry.element.as_mapping().is_none() {
        retry.max = fields.count(entry, "`retry`")?;
        return Some(retry);
    }
    let mapping = fields.known(entry, "`retry`", &RETRY_KEYS)?;
    let Some(max) = mapping.get("max") else {
        let hint = "`max` says how often it is tried again, as in `retry: { max: 3 }`";
        fields.missing(&entry.key, "`retry` has no `max`".into(), hint);
        return None;
    };
    let mut read = Reader { fields, mapping };
    retry.backoff = read
        .key("backoff", |fields, entry| fields.choice(entry, "`backoff`", &BACKOFFS))
        .unwrap_or(retry.backoff);
    retry.delay = read.key("delay", |fields, entry| fields.duration(entry, "`delay`")).unwrap_or(delay);
    retry.max_delay =
        read.key("max_delay", |fields, entry| fields.duration(entry, "`max_delay`")).unwrap_or(max_delay);
    retry.max = fields.count(max, "`max`")?;
    Some(retry)
}

fn read_timeout(fields: &mut Fields<'_>, entry: &Entry) -> Option<Timeout> {
    if entry.element.as_mapping().is_none() {
        return Some(Timeout { run: fields.duration(entry, "`timeout`"), idle: None });
    }
    let mapping = fields.known(entry, "`timeout`", &TIMEOUT_KEYS)?;
    let mut read = Reader { fields, mapping };
    Some(Timeout {
        run: read.key("run", |fields, entry| fields.duration(entry, "`run`")),
        idle: read.key("idle", |fields, entry| fields.duration(entry, "`idle`")),
    })
}

fn read_cache(fields: &mut Fields<'_>, entry: &Entry) -> Option<Duration> {
    let mapping = fields.known(entry, "`cache`", &CACHE_KEYS)?;
    let Some(ttl) = mapping.get("ttl") else {
        let hint = "`ttl` says how long an output is good, as in `cache: { ttl: 1d }`";
        fields.missing(&entry.key, "`cache` has no `ttl`".into(), hint);
        return None;
    };
    fields.duration(ttl, "`ttl`")
}

pub(super) fn read_rate_limit(fields: &mut Fields<'_>, entry: &Entry) -> Option<RateLimit> {
    let mapping = fields.known(entry, "`rate_limit`", &RATE_LIMIT_KEYS)?;
    let (Some(calls), Some(per)) = (mapping.get("calls"), mapping.get("per")) else {
        let hint = "write how often in how long, as in `rate_limit: { calls: 10, per: 1s }`";
        fields.missing(&entry.key, "`rate_limit` needs `calls` and `per`".into(), hint);
        return None;
    };
    let most = fields.count(calls, "`calls`").map(|calls| u32::try_from(calls).unwrap_or(u32::MAX));
    let per = fields.duration(per, "`per`");
    let limit = RateLimit::new(NonZeroU32::new(most?)?, per?);
    if limit.is_none() {
        fields.invalid(&entry.key, "the time is too short for so many calls".into(), None);
    }
    limit
}

/// One validator, or a list of them.
fn read_validate(fields: &mut Fields<'_>, entry: &Entry) -> Option<Vec<ValidatorUse>> {
    if entry.element.as_mapping().is_some() {
        return Some(read_validator(fields, entry).into_iter().collect());
    }
    let elements = fields.list(entry, "`validate`");
    let entries =
        elements.iter().map(|element| Entry { key: element.range.clone(), element: element.clone() });
    Some(entries.filter_map(|entry| read_validator(fields, &entry)).collect())
}

fn read_validator(fields: &mut Fields<'_>, entry: &Entry) -> Option<ValidatorUse> {
    let mapping = fields.known(entry, "an element of `validate`", &VALIDATE_KEYS)?;
    let Some(validator) = mapping.get("validator") else {
        let hint = "`validator` says who looks at the output, as in `validate: { validator: schema }`";
        fields.missing(&entry.key, "`validate` has no `validator`".into(), hint);
        return None;
    };
    let validator = fields.text(validator, "`validator`")?;
    let with = mapping.get("with").map(|entry| entry.element.to_value()).unwrap_or_default();
    Some(ValidatorUse { validator: validator.value, with, range: validator.range })
}

fn read_budget(fields: &mut Fields<'_>, entry: &Entry) -> Option<Budget> {
    let mapping = fields.known(entry, "`budget`", &BUDGET_KEYS)?;
    Some(read_amounts(fields, mapping))
}

/// The keys `tokens` and `cost`, which a run and a step both may have.
pub(super) fn read_amounts(fields: &mut Fields<'_>, mapping: &Mapping) -> Budget {
    let mut read = Reader { fields, mapping };
    Budget {
        tokens: read.key("tokens", |fields, entry| Some(fields.count(entry, "`tokens`")? as u64)),
        cost: read.key("cost", |fields, entry| fields.amount(entry, "`cost`")),
    }
}

/// A JSON Schema; one that is none is a mistake.
pub(super) fn read_schema(fields: &mut Fields<'_>, entry: &Entry, what: &str) -> Option<Schema> {
    if entry.element.as_mapping().is_none() {
        fields.wrong_type(&entry.element, &entry.key, what, "a JSON Schema");
        return None;
    }
    fields.schema(&entry.key, entry.element.to_value(), what)
}
