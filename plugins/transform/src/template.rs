//! `template`: text for each row, or once.

use std::sync::Arc;

use serde::Deserialize;
use tapline_pdk::{Object, Value};
use tapline_template::{Template, TemplateError};

use crate::formula::RowScope;
use crate::rows::described;
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/template.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    text: String,
    r#as: Option<Arc<str>>,
}

/// Makes `{ items, count }` of the text for each row of `items`, or of the rows with that text in the field `as`; or,
/// without `items`, `{ text }`.
///
/// # Errors
/// When the configuration does not fit its schema, when the text is no template or cannot be rendered, or when a row that
/// gets a field is not an object.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (items, rest) = rows::take(config, "items")?;
    let config: Config = rest.to().map_err(OpError::config)?;
    let template = Template::parse(&config.text)
        .map_err(|error| OpError::Expression { field: "text".to_owned(), error })?;
    let Some(items) = items else {
        if config.r#as.is_some() {
            return Err(OpError::config("`as` needs `items`"));
        }
        let text = text(&template, scope).map_err(|error| OpError::Value { message: error.to_string() })?;
        return Ok([("text", text)].into_iter().collect());
    };
    let items = rows::of("items", Some(items))?;
    let mut scope = RowScope::new(scope);
    let rendered = items.iter().enumerate().map(|(row, item)| {
        let text = text(&template, scope.at(item)).map_err(OpError::row(row))?;
        match &config.r#as {
            None => Ok(text),
            Some(name) => with_field(item, name, text).map_err(OpError::row(row)),
        }
    });
    rendered.collect::<Result<_, _>>().map(rows::list)
}

/// A lone `{{ expression }}` yields a value of any type; here it is written as within a text.
fn text(template: &Template, scope: &Object) -> Result<Value, TemplateError> {
    Ok(match template.render(scope)? {
        text @ Value::String(_) => text,
        other => other.to_json().into(),
    })
}

fn with_field(item: &Value, name: &Arc<str>, value: Value) -> Result<Value, String> {
    let fields = item.as_object().ok_or_else(|| format!("{} has no fields to set", described(item)))?;
    let mut fields = fields.clone();
    fields.insert(Arc::clone(name), value);
    Ok(fields.into())
}
