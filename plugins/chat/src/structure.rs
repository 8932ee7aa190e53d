//! Answers that are to be values of a JSON Schema.

use jsonschema::Validator;
use tapline_pdk::prelude::*;

/// What an answer has to be.
pub(crate) struct Structure {
    validator: Validator,
    schema: String,
}

/// So many mistakes are told at once.
const TOLD: usize = 5;

impl Structure {
    pub(crate) fn new(schema: &Value) -> Result<Self> {
        let validator = jsonschema::options().offline().build(&serde_json::Value::from(schema));
        let validator = validator.map_err(|error| {
            Failure::new("invalid-config", format!("`schema` is no JSON Schema: {error}"))
        })?;
        Ok(Self { validator, schema: schema.to_json() })
    }

    /// The value of an answer, or what is wrong with it.
    pub(crate) fn value(&self, output: &Value) -> std::result::Result<Value, String> {
        let value = match output.as_str().map(|text| Value::from_json(without_fence(text))) {
            Some(Ok(value)) => value,
            // A schema may ask for text, and then a model mostly leaves the quotes out.
            Some(Err(_)) if self.mistakes(output).is_empty() => return Ok(output.clone()),
            Some(Err(error)) => return Err(format!("it is no JSON: {error}")),
            None => output.clone(),
        };
        let mistakes = self.mistakes(&value);
        if mistakes.is_empty() { Ok(value) } else { Err(mistakes.join("; ")) }
    }

    fn mistakes(&self, value: &Value) -> Vec<String> {
        let json = serde_json::Value::from(value);
        let told = |error: jsonschema::ValidationError<'_>| match error.instance_path().to_string() {
            path if path.is_empty() => error.to_string(),
            path => format!("{path}: {error}"),
        };
        self.validator.iter_errors(&json).take(TOLD).map(told).collect()
    }

    /// What the model is told of an answer that does not fit.
    pub(crate) fn complaint(&self, wrong: &str) -> String {
        format!(
            "Your answer does not fit: {wrong}.\nAnswer with one JSON value and nothing else. It has to fit this JSON Schema:\n{}",
            self.schema
        )
    }
}

/// The text without the fence that models put around code.
fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.map_or(text, |inner| inner.strip_prefix("json").unwrap_or(inner).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_a_fence_is_the_value_in_it() {
        let schema = Value::from_json(r#"{"type":"object","required":["a"]}"#).unwrap();
        let structure = Structure::new(&schema).unwrap();
        let expected = Value::from_json(r#"{"a":1}"#).unwrap();
        for text in ["{\"a\":1}", "```json\n{\"a\":1}\n```", "```\n{\"a\":1}```", "  {\"a\":1}\n"] {
            assert_eq!(structure.value(&text.into()), Ok(expected.clone()), "{text}");
        }
        assert_eq!(structure.value(&"{}".into()).unwrap_err(), "\"a\" is a required property");
        assert!(structure.value(&"Sure!".into()).unwrap_err().starts_with("it is no JSON"));
    }
}
