//! The provider `echo`: answers prompts without a model and without a network.
//!
//! Its rules are tried in order, and the first whose pattern is found in the prompt gives the reply; without one, the
//! prompt itself is the answer. Its vectors count words, so that texts which share words lie near each other.

mod vectors;

use regex::{Regex, RegexBuilder};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, EmbeddingRequest, Embeddings, Role};

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

#[plugin(id = "echo", capabilities = ["chat", "embeddings"])]
impl Echo {
    #[init]
    fn init(config: Config) -> Result<Self> {
        config.rules.into_iter().enumerate().map(compiled).collect::<Result<_>>().map(Self)
    }

    #[provides(point = "provider", key = "echo", method = "complete")]
    async fn complete(&self, context: &Context, request: CompletionRequest) -> Result<Completion> {
        let prompt = asked(&request);
        let rule = self.0.iter().find(|(pattern, _)| pattern.is_match(prompt));
        let output = rule.map_or_else(|| prompt.into(), |(_, reply)| reply.clone());
        if context.is_streamed()
            && let Some(text) = output.as_str()
        {
            for word in text.split_inclusive(' ') {
                context.emit(word).await?;
            }
        }
        Ok(Completion { finish_reason: Some("stop".into()), ..Completion::new(output, MODEL) })
    }

    #[provides(point = "provider", key = "echo", method = "embed")]
    async fn embed(&self, _context: &Context, request: EmbeddingRequest) -> Result<Embeddings> {
        let dimensions = request.dimensions.map_or(vectors::DIMENSIONS, |count| count as usize);
        if !(1..=vectors::MOST).contains(&dimensions) {
            let message = format!("a vector has from 1 to {} dimensions", vectors::MOST);
            return Err(Failure::new("invalid-config", message));
        }
        let vectors = request.texts.iter().map(|text| vectors::of(text, dimensions)).collect();
        Ok(Embeddings { vectors, model: MODEL.into(), usage: None })
    }
}

const MODEL: &str = "echo";

/// What is to be answered: the prompt, or what was said last.
fn asked(request: &CompletionRequest) -> &str {
    let said = request.messages.iter().rev().find(|message| message.role == Role::User);
    match said {
        Some(message) if request.prompt.is_empty() => &message.content,
        _ => &request.prompt,
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
