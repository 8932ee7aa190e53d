use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, Usage};

/// How the provider is set up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where the API begins, as in `https://api.openai.com/v1`.
    pub(crate) base_url: String,
    /// The name of the key, as `${secret:name}`; a server of one's own may need none.
    pub(crate) api_key: Option<String>,
    /// The model that answers where a request names none.
    pub(crate) model: Option<String>,
    /// The model that makes vectors where a request names none.
    pub(crate) embedding_model: Option<String>,
    /// How long one request may take, to the last byte of the answer.
    #[serde(default = "two_minutes", deserialize_with = "duration")]
    pub(crate) timeout: Duration,
    /// How often a request is made again that the server could not answer now.
    #[serde(default = "two")]
    pub(crate) retries: u32,
    /// What a million tokens cost, by model.
    #[serde(default)]
    prices: BTreeMap<String, Price>,
}

/// What a million tokens cost, in the provider's currency.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    input: f64,
    #[serde(default)]
    output: f64,
}

const MILLION: f64 = 1e6;

const fn two_minutes() -> Duration {
    Duration::from_secs(120)
}

const fn two() -> u32 {
    2
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| serde::de::Error::custom(format!("`{text}` is no duration, such as `90s`: {error}")))
}

impl Config {
    /// The configuration, unless something in it cannot be.
    pub(crate) fn checked(mut self) -> Result<Self> {
        let invalid = |message: &str| Err(Failure::new("invalid-config", message));
        if self.base_url.contains(['?', '#']) {
            return invalid("base_url: write where the API begins, without a query");
        }
        if self.timeout.is_zero() {
            return invalid("timeout: nothing can be done in no time");
        }
        if self.prices.values().any(|price| !(price.input >= 0.0 && price.output >= 0.0)) {
            return invalid("prices: a price is at least 0");
        }
        self.base_url.truncate(self.base_url.trim_end_matches('/').len());
        Ok(self)
    }

    /// What was used up, with its price if the model has one.
    pub(crate) fn charged(&self, model: &str, usage: Usage) -> Usage {
        // A server may answer with the exact name of a model that was asked for by a shorter one.
        let price = self.prices.get(model).or_else(|| {
            let named = self.prices.iter().filter(|(name, _)| model.starts_with(&***name));
            named.max_by_key(|(name, _)| name.len()).map(|(_, price)| price)
        });
        let cost = price.map(|price| {
            (tokens(usage.input_tokens) * price.input + tokens(usage.output_tokens) * price.output) / MILLION
        });
        Usage { cost: cost.or(usage.cost), ..usage }
    }

    /// A completion with its price.
    pub(crate) fn priced(&self, completion: Completion) -> Completion {
        let usage = completion.usage.map(|usage| self.charged(&completion.model, usage));
        Completion { usage, ..completion }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a price is not exact to the last of 2^53 tokens")]
const fn tokens(count: u64) -> f64 {
    count as f64
}
