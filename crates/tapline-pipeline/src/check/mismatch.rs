use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{JsonType, ValidationError};

use tapline_core::Value;

use super::schema::Settings;
use crate::definition::with_article;
use crate::suggest::{did_you_mean, did_you_mean_or_list};

/// One thing that a schema has against the settings of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// The keys and indices from the settings down to the place.
    pub(super) path: Vec<String>,
    pub(super) part: Part,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// What of an entry a mismatch is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Value,
}

impl Mismatch {
    const fn new(path: Vec<String>, message: String, hint: Option<String>) -> Self {
        Self { path, part: Part::Value, message, hint }
    }
}

/// What a validation error means for the file; nothing, if it is about what a template will become.
pub(super) fn mismatches(settings: &Settings<'_>, error: &ValidationError<'_>) -> Vec<Mismatch> {
    let path = path(error);
    if is_conditional(error) && settings.is_templated(&path) {
        return Vec::new();
    }
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|key| unknown_key(settings, &path, key)).collect()
        }
        ValidationErrorKind::Required { property } => vec![missing_key(settings, path, property)],
        kind if let Some(choices) = choices(settings, error) => {
            let owner = named(&path).unwrap_or_else(|| format!("`{}`", settings.node_type.value));
            let message = match kind {
                ValidationErrorKind::OneOfMultipleValid { .. } => {
                    format!("{owner} takes one of {}, not several", choices.join(", "))
                }
                _ => format!("{owner} needs {}", choices.join(" or ")),
            };
            vec![Mismatch::new(path, message, None)]
        }
        _ if settings.is_templated(&path) => Vec::new(),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            alternatives(settings, error, &path, context)
        }
        ValidationErrorKind::Enum { options } => vec![wrong_word(settings, error, path, options)],
        ValidationErrorKind::Type { kind } => vec![wrong_type(settings, error, path, &types(kind))],
        _ => vec![other(settings, error, path)],
    }
}

fn unknown_key(settings: &Settings<'_>, path: &[String], key: &str) -> Mismatch {
    let keys = settings.shape_at(path).keys();
    let hint = did_you_mean_or_list(key, keys.iter().copied(), "it may have");
    let message = match named(path) {
        Some(name) => format!("{name} has no key `{key}`"),
        None => format!("`{}` has no setting `{key}`", settings.node_type.value),
    };
    let path = path.iter().cloned().chain([key.to_owned()]).collect();
    Mismatch { part: Part::Key, ..Mismatch::new(path, message, hint) }
}

fn missing_key(settings: &Settings<'_>, path: Vec<String>, key: &serde_json::Value) -> Mismatch {
    let key = key.as_str().unwrap_or_default();
    let message = match named(&path) {
        Some(name) => format!("{name} needs the key `{key}`"),
        None => format!("`{}` needs the setting `{key}`", settings.node_type.value),
    };
    Mismatch::new(path, message, None)
}

fn wrong_word(
    settings: &Settings<'_>,
    error: &ValidationError<'_>,
    path: Vec<String>,
    options: &serde_json::Value,
) -> Mismatch {
    let words: Vec<_> = options.as_array().into_iter().flatten().collect();
    let message =
        format!("{} must be {}, not {}", subject(settings, &path), one_of(&words), error.instance());
    let written = error.instance().as_str().unwrap_or_default();
    let hint = did_you_mean(written, words.iter().filter_map(|word| word.as_str()));
    Mismatch::new(path, message, hint)
}

/// The keys between which a schema leaves the choice, if its alternatives differ in what they require alone.
fn choices(settings: &Settings<'_>, error: &ValidationError<'_>) -> Option<Vec<String>> {
    let alternatives = settings.shape.keyword(error.schema_path().as_str())?.as_array()?;
    let keys = |alternative: &Value| {
        let required =
            alternative.get("required").filter(|_| alternative.as_object().is_some_and(|it| it.len() == 1));
        let names = required?.as_array()?.iter().map(|key| Some(format!("`{}`", key.as_str()?)));
        Some(names.collect::<Option<Vec<_>>>()?.join(" with "))
    };
    alternatives.iter().map(keys).collect()
}

/// Of several alternatives, says what the nearest one wants, or what the nearest ones have in common.
fn alternatives(
    settings: &Settings<'_>,
    error: &ValidationError<'_>,
    path: &[String],
    context: &[Vec<ValidationError<'static>>],
) -> Vec<Mismatch> {
    let wanted: Option<Vec<Vec<JsonType>>> = context.iter().map(|branch| type_alone(branch, error)).collect();
    if let Some(wanted) = wanted {
        return vec![wrong_type(settings, error, path.to_vec(), &wanted.concat())];
    }
    let near = context.iter().filter(|branch| type_alone(branch, error).is_none());
    let mut near: Vec<Vec<_>> =
        near.map(|branch| branch.iter().flat_map(|error| mismatches(settings, error)).collect()).collect();
    near.sort_by_key(Vec::len);
    if near.len() > 1 && near[0].len() == near[1].len() {
        let is_common = |mismatch: &Mismatch| near.iter().all(|branch| branch.contains(mismatch));
        near = vec![near[0].iter().filter(|mismatch| is_common(mismatch)).cloned().collect()];
        near.retain(|common| !common.is_empty());
    }
    if let Some(nearest) = near.into_iter().next() {
        return nearest;
    }
    let message =
        format!("{} fits none of the {} forms that it may have", subject(settings, path), context.len());
    vec![Mismatch::new(path.to_vec(), message, None)]
}

/// The types that an alternative wants, if the type of the whole value is all that it has against it.
fn type_alone(branch: &[ValidationError<'_>], whole: &ValidationError<'_>) -> Option<Vec<JsonType>> {
    let [error] = branch else { return None };
    match error.kind() {
        ValidationErrorKind::Type { kind } if error.instance_path() == whole.instance_path() => {
            Some(types(kind))
        }
        _ => None,
    }
}

fn wrong_type(
    settings: &Settings<'_>,
    error: &ValidationError<'_>,
    path: Vec<String>,
    wanted: &[JsonType],
) -> Mismatch {
    let mut names: Vec<_> = wanted.iter().map(|json_type| with_article(&json_type.to_string())).collect();
    names.dedup();
    let found = with_article(&JsonType::from(&**error.instance()).to_string());
    let message = format!("{} must be {}, not {found}", subject(settings, &path), names.join(" or "));
    Mismatch::new(path, message, None)
}

fn other(settings: &Settings<'_>, error: &ValidationError<'_>, path: Vec<String>) -> Mismatch {
    let message = error.masked_with(subject(settings, &path)).to_string();
    Mismatch::new(path, message, None)
}

fn types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(json_type) => vec![*json_type],
        TypeKind::Multiple(types) => types.iter().collect(),
    }
}

fn one_of(words: &[&serde_json::Value]) -> String {
    let words: Vec<_> = words.iter().map(ToString::to_string).collect();
    if let [word] = &words[..] { word.clone() } else { format!("one of {}", words.join(", ")) }
}

/// What a message speaks of.
fn subject(settings: &Settings<'_>, path: &[String]) -> String {
    named(path).unwrap_or_else(|| format!("`with` of `{}`", settings.node_type.value))
}

fn named(path: &[String]) -> Option<String> {
    (!path.is_empty()).then(|| format!("`{}`", path.join(".")))
}

/// Whether it depends on another value, which may be a template itself.
fn is_conditional(error: &ValidationError<'_>) -> bool {
    let schema_path = error.schema_path().as_str();
    ["/then/", "/else/"].iter().any(|branch| schema_path.contains(branch))
}

fn path(error: &ValidationError<'_>) -> Vec<String> {
    let segments = error.instance_path().iter();
    segments
        .map(|segment| match segment {
            LocationSegment::Property(key) => key.to_string(),
            LocationSegment::Index(index) => index.to_string(),
        })
        .collect()
}
