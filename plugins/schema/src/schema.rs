use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use tapline_pdk::Value;
use tapline_pdk::roles::Finding;

use crate::document::escaped;

/// A JSON Schema, compiled.
#[derive(Debug)]
pub(crate) struct Schema(Validator);

/// No more is said of one value.
const MOST: usize = 100;
/// A longer message shows a value that nobody reads.
const LONGEST: usize = 300;

impl Schema {
    /// Compiles a schema; it may refer to nothing outside of itself.
    ///
    /// # Errors
    /// What keeps it from being one, with its place in it.
    pub(crate) fn new(schema: &Value) -> Result<Self, Finding> {
        let json = serde_json::Value::from(schema);
        let options = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false);
        options.build(&json).map(Self).map_err(|error| refusal(schema, &error))
    }

    /// Where a value does not follow it: the first hundred places.
    pub(crate) fn findings(&self, value: &Value) -> Vec<Finding> {
        let value = serde_json::Value::from(value);
        self.0.iter_errors(&value).take(MOST).map(|error| finding(&error)).collect()
    }

    /// The same of a value in which templates stand, whose values nobody knows yet: what they may change is left out.
    pub(crate) fn findings_before_a_run(&self, value: &Value) -> Vec<Finding> {
        let value = serde_json::Value::from(value);
        let certain = self
            .0
            .iter_errors(&value)
            .filter(|error| is_about_names(error.kind()) || !has_template(error.instance()));
        certain.take(MOST).map(|error| finding(&error)).collect()
    }
}

/// What is found wrong, in one line.
pub(crate) fn told(what: &str, found: &[Finding]) -> String {
    const SHOWN: usize = 3;
    let place = |finding: &Finding| {
        let place = if finding.path.is_empty() { String::new() } else { format!(" at `{}`", finding.path) };
        let rule = finding.rule.as_ref().map(|rule| format!(" (`{rule}`)")).unwrap_or_default();
        format!("{}{place}{rule}", finding.message)
    };
    let shown: Vec<_> = found.iter().take(SHOWN).map(place).collect();
    let rest = found.len().saturating_sub(SHOWN);
    let rest = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{what}: {}{rest}", shown.join("; "))
}

fn finding(error: &ValidationError<'_>) -> Finding {
    let message = error.to_string();
    let message = if message.len() > LONGEST { error.masked().to_string() } else { message };
    let rule = Some(error.kind().keyword().to_owned());
    Finding { path: error.instance_path().to_string(), message, rule }
}

/// Why something is no schema.
fn refusal(schema: &Value, error: &ValidationError<'_>) -> Finding {
    if let ValidationErrorKind::Referencing(cause) = error.kind() {
        let text = cause.to_string();
        let (path, reference) = broken_reference(schema, &text).unwrap_or_default();
        let message = if reference.starts_with('#') {
            format!("`{reference}` leads to nothing in the schema")
        } else {
            format!("`{reference}` leads out of the schema, and nothing is fetched")
        };
        return Finding { path, message, rule: Some("$ref".to_owned()) };
    }
    let found = finding(error);
    let message = match error.kind() {
        // The crate would name a rule of the schema of schemas.
        ValidationErrorKind::AnyOf { .. } => format!("{} is not what may stand here", error.instance()),
        _ if found.path.ends_with("/format") => {
            found.message.split(". ").next().unwrap_or_default().to_owned()
        }
        _ => found.message.clone(),
    };
    Finding { message, ..found }
}

/// The first reference that a message is about, and where it stands.
fn broken_reference(schema: &Value, message: &str) -> Option<(String, String)> {
    let mut open = vec![(String::new(), schema)];
    let mut first = None;
    while let Some((pointer, value)) = open.pop() {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(object) => object.iter().map(|(name, value)| (name.to_string(), value)).collect(),
            Value::Array(items) => (0..).zip(&**items).map(|(at, value)| (at.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in inner {
            let pointer = format!("{pointer}/{}", escaped(&name));
            match value.as_str().filter(|_| name == "$ref" || name == "$dynamicRef") {
                Some(reference) if message.contains(reference.trim_start_matches('#')) => {
                    return Some((pointer, reference.to_owned()));
                }
                Some(reference) => first = Some((pointer, reference.to_owned())),
                None => open.push((pointer, value)),
            }
        }
    }
    first
}

/// Whether the rule is about which entries there are, which no template changes.
const fn is_about_names(kind: &ValidationErrorKind) -> bool {
    use ValidationErrorKind::{
        AdditionalProperties, MaxItems, MaxProperties, MinItems, MinProperties, PropertyNames, Required,
    };
    matches!(
        kind,
        AdditionalProperties { .. }
            | MaxItems { .. }
            | MaxProperties { .. }
            | MinItems { .. }
            | MinProperties { .. }
            | PropertyNames { .. }
            | Required { .. }
    )
}

fn has_template(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains("{{") || text.contains("{%"),
        serde_json::Value::Array(items) => items.iter().any(has_template),
        serde_json::Value::Object(object) => object.values().any(has_template),
        _ => false,
    }
}
