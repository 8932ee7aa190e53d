//! The provider `echo`: answers prompts without a model and without a network.
//!
//! Its rules are tried in order, and the first whose pattern is found in the prompt gives the reply; without one, the
//! prompt itself is the answer.

use regex::{Regex, RegexBuilder};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest};

/// The plugin.
#[derive(Debug)]
pub struct Echo(Vec<(Regex, Value)>);

/// How the provider answers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// A pattern as the `regex` crate reads it.
    #[serde(rename = "match")]
    pattern: String,
    /// The answer: text, or any other value.
    reply: Value,
}

/// What one pattern may take when it is compiled, in bytes.
const LARGEST_PATTERN: usize = 4 << 20;

#[plugin(id = "echo", capabilities = ["chat"])]
impl Echo {
    #[init]
    fn init(config: Config) -> Result<Self> {
        config.rules.into_iter().enumerate().map(compiled).collect::<Result<_>>().map(Self)
    }

    #[provides(point = "provider", key = "echo", method = "complete")]
    async fn complete(&self, _context: &Context, request: CompletionRequest) -> Result<Completion> {
        let rule = self.0.iter().find(|(pattern, _)| pattern.is_match(&request.prompt));
        let output = rule.map_or_else(|| request.prompt.as_str().into(), |(_, reply)| reply.clone());
        Ok(Completion::new(output, "echo"))
    }
}

fn compiled((place, rule): (usize, Rule)) -> Result<(Regex, Value)> {
    let pattern = RegexBuilder::new(&rule.pattern).size_limit(LARGEST_PATTERN).build();
    let pattern =
        pattern.map_err(|error| Failure::new("invalid-config", format!("rules.{place}.match: {error}")))?;
    Ok((pattern, rule.reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pattern_is_refused_with_its_place() {
        let rule = Rule { pattern: "(".into(), reply: Value::Null };
        let message = compiled((3, rule)).unwrap_err().message().to_owned();
        assert!(message.starts_with("rules.3.match: regex parse error"), "{message}");
    }
}
