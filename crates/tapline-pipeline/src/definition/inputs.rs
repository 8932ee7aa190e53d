use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use tapline_core::{Object, Value};

use super::Schema;
use super::fields::{Fields, with_article};
use super::rules::Violation;
use crate::definition::Definition;
use crate::source::{ElementContent, Entry, Mapping};
use crate::suggest::did_you_mean_or_list;

/// What a pipeline file says about one input.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InputDeclaration {
    /// The values that it may have.
    pub input_type: InputType,
    /// Its value when a run gives none.
    pub default: Option<Value>,
    /// What it is, for people.
    pub description: Arc<str>,
    /// Whether a run must give it: when it has no default, unless said otherwise.
    pub required: bool,
    /// What its value must follow besides.
    pub schema: Option<Schema>,
}

/// The types of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// A mapping.
    Object,
}

/// Why the inputs of a run do not fit their declarations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// An input is given that the pipeline does not have.
    #[error("the pipeline has no input `{name}`")]
    Unknown {
        /// What was given.
        name: String,
        /// What it may have meant, for people.
        hint: Option<String>,
    },
    /// An input is not given that the pipeline needs.
    #[error("the input `{name}` is missing")]
    Missing {
        /// What is missing.
        name: String,
    },
    /// An input has a value of another type.
    #[error("the input `{name}` must be {}, not {}", with_article(input_type.as_str()), with_article(found))]
    WrongType {
        /// What was given.
        name: String,
        /// Its type by the declaration.
        input_type: InputType,
        /// The type of the value.
        found: &'static str,
    },
    /// The text of an input is not a value of its type.
    #[error("the input `{name}` must be {}: `{text}` is none", with_article(input_type.as_str()))]
    NotParsed {
        /// What was given.
        name: String,
        /// Its type by the declaration.
        input_type: InputType,
        /// The text.
        text: String,
    },
    /// An input does not follow its declaration.
    #[error("the input `{name}`{}: {}", place(&violation.path), violation.message)]
    Invalid {
        /// What was given.
        name: String,
        /// What is wrong with it.
        violation: Violation,
    },
}

impl Definition {
    /// Turns the text that was typed for an input into a value: text stays as it is, every other type is JSON.
    ///
    /// # Errors
    /// When there is no such input, or the text is no value of its type.
    pub fn parse_input(&self, name: &str, text: &str) -> Result<Value, InputError> {
        let Some(declaration) = self.inputs.get(name) else { return Err(self.unknown_input(name)) };
        let input_type = declaration.input_type;
        if input_type == InputType::String {
            return Ok(Value::from(text));
        }
        let value = Value::from_json(text).ok().filter(|value| input_type.accepts(value));
        value.ok_or_else(|| InputError::NotParsed { name: name.into(), input_type, text: text.into() })
    }

    /// The inputs of a run: what was given, and the defaults of the others; an optional one without either is `null`.
    ///
    /// # Errors
    /// Everything that is wrong with what was given.
    pub fn input_values(&self, given: &Object) -> Result<Object, Vec<InputError>> {
        let unknown = given.keys().filter(|name| !self.inputs.contains_key(*name));
        let mut errors: Vec<_> = unknown.map(|name| self.unknown_input(name)).collect();
        let mut values = Object::new();
        for (name, declaration) in &self.inputs {
            match declaration.value(name, given.get(name)) {
                Ok(value) => drop(values.insert(Arc::clone(name), value)),
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }

    fn unknown_input(&self, name: &str) -> InputError {
        let hint = did_you_mean_or_list(name, self.inputs.keys().map(|name| &**name), "it has");
        InputError::Unknown { name: name.into(), hint }
    }
}

impl InputDeclaration {
    fn value(&self, name: &str, given: Option<&Value>) -> Result<Value, Vec<InputError>> {
        match given {
            Some(value) => match self.mistakes(name, value) {
                mistakes if mistakes.is_empty() => Ok(value.clone()),
                mistakes => Err(mistakes),
            },
            None if self.required => Err(vec![InputError::Missing { name: name.into() }]),
            None => Ok(self.default.clone().unwrap_or_default()),
        }
    }

    /// What is wrong with a value for it.
    pub(crate) fn mistakes(&self, name: &str, value: &Value) -> Vec<InputError> {
        if !self.input_type.accepts(value) {
            let (input_type, found) = (self.input_type, value.kind());
            return vec![InputError::WrongType { name: name.into(), input_type, found }];
        }
        let violations = self.schema.as_ref().map(|schema| schema.violations(value)).unwrap_or_default();
        let invalid = |violation| InputError::Invalid { name: name.into(), violation };
        violations.into_iter().map(invalid).collect()
    }
}

impl InputType {
    pub(super) const NAMES: [(&str, Self); 6] = [
        ("string", Self::String),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("array", Self::Array),
        ("object", Self::Object),
    ];

    /// The word of the file, which is JSON Schema's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// Whether the value is of this type; `1.0` is a number and no integer.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer, Value::Number(number)) => !number.is_f64(),
            (Self::Number, Value::Number(_)) => true,
            _ => self.as_str() == value.kind(),
        }
    }
}

impl fmt::Display for InputType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where in a value, for the middle of a sentence.
fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at `{path}`") }
}

/// The keys that are ours; `required: true` is, and a list under `required` is JSON Schema's.
pub(super) const KEYS: [&str; 4] = ["type", "default", "description", "required"];
/// The keys of JSON Schema that bound a value.
pub(super) const SCHEMA_KEYS: [&str; 27] = [
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "items",
    "prefixItems",
    "contains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
];

pub(super) fn read(fields: &mut Fields<'_>, section: Option<&Entry>) -> IndexMap<Arc<str>, InputDeclaration> {
    let mapping = section.and_then(|entry| fields.mapping(&entry.element, &entry.key, "`inputs`"));
    let entries = mapping.into_iter().flatten();
    entries.map(|(name, entry)| (Arc::clone(name), read_entry(fields, name, entry))).collect()
}

fn read_entry(fields: &mut Fields<'_>, name: &str, entry: &Entry) -> InputDeclaration {
    let empty = Mapping::new();
    let what = format!("input `{name}`");
    let keys: Vec<_> = KEYS.into_iter().chain(SCHEMA_KEYS).collect();
    let written = fields.known(entry, &what, &keys);
    let mapping = written.unwrap_or(&empty);
    if mapping.get("type").is_none() && (written.is_some() || entry.element.is_null()) {
        let hint = "`type` is one of `string`, `integer`, `number`, `boolean`, `array`, `object`";
        fields.missing(&entry.key, format!("{what} has no `type`"), hint);
    }
    let input_type =
        mapping.get("type").and_then(|entry| fields.choice(entry, "the type of an input", &InputType::NAMES));
    let required = mapping.get("required").filter(|entry| !is_list(entry));
    let required = required.and_then(|entry| fields.flag(entry, "`required`"));
    let description = mapping.get("description").and_then(|entry| fields.text(entry, "`description`"));
    let default = mapping.get("default").map(|entry| entry.element.to_value());
    if let (Some(true), Some(_), Some(entry)) = (required, &default, mapping.get("required")) {
        let message = format!("{what} has a default, so no run is required to give it");
        fields.invalid(&entry.element.range, message, Some("keep one of `required` and `default`".into()));
    }
    let declaration = InputDeclaration {
        input_type: input_type.unwrap_or(InputType::String),
        required: required.unwrap_or(default.is_none()),
        schema: read_schema(fields, &what, entry, mapping),
        default,
        description: description.map_or_else(|| "".into(), |text| text.value),
    };
    if input_type.is_some() {
        check_default(fields, name, mapping, &declaration);
    }
    declaration
}

fn is_list(entry: &Entry) -> bool {
    matches!(entry.element.content, ElementContent::Sequence(_))
}

/// What the declaration says as a JSON Schema, beyond its type.
fn read_schema(fields: &mut Fields<'_>, what: &str, entry: &Entry, mapping: &Mapping) -> Option<Schema> {
    let bounds = mapping
        .iter()
        .filter(|(key, entry)| SCHEMA_KEYS.contains(&&***key) || (***key == *"required" && is_list(entry)));
    let schema: Value = bounds.map(|(key, entry)| (Arc::clone(key), entry.element.to_value())).collect();
    let is_bounded = schema.as_object().is_some_and(|schema| !schema.is_empty());
    is_bounded.then(|| fields.schema(&entry.key, schema, what))?
}

fn check_default(fields: &mut Fields<'_>, name: &str, mapping: &Mapping, declaration: &InputDeclaration) {
    let Some((entry, value)) = mapping.get("default").zip(declaration.default.as_ref()) else { return };
    for mistake in declaration.mistakes(name, value) {
        let what = format!("the default of input `{name}`");
        if let InputError::WrongType { input_type, .. } = mistake {
            fields.wrong_type(&entry.element, &entry.key, &what, &with_article(input_type.as_str()));
        } else if let InputError::Invalid { violation, .. } = mistake {
            let message = format!("{what}{}: {}", place(&violation.path), violation.message);
            let range = if entry.element.as_scalar().is_some() { &entry.element.range } else { &entry.key };
            fields.invalid(range, message, None);
        }
    }
}
