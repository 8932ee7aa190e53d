//! A validator from outside: `polite` finds words that a letter should not have.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Finding, Validation, ValidationRequest};

/// The plugin.
#[derive(Debug)]
pub struct Polite;

/// What a pipeline says under `with`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    /// The words, in lower case.
    words: Vec<String>,
}

#[plugin(id = "polite", capabilities = ["tone"])]
impl Polite {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "validator", key = "polite", method = "validate")]
    async fn validate(&self, _context: &Context, request: ValidationRequest) -> Result<Validation> {
        let rules: Rules =
            request.with.to().map_err(|error| Failure::new("invalid-config", error.to_string()))?;
        Ok(Validation { errors: findings(&request.value.to_json().to_lowercase(), &rules.words) })
    }
}

fn findings(text: &str, words: &[String]) -> Vec<Finding> {
    let found = words.iter().filter(|word| text.contains(&***word));
    found
        .map(|word| Finding {
            path: String::new(),
            message: format!("it says `{word}`"),
            rule: Some("word".into()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::findings;

    #[test]
    fn each_word_is_found_once() {
        let words = ["damn".to_owned(), "hell".to_owned()];
        assert_eq!(findings("damn it, damn", &words).len(), 1);
    }
}
