//! Vectors of texts.

use serde::{Deserialize, Serialize};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{EmbeddingRequest, Embeddings};

use crate::answer::Tokens;
use crate::config::Config;
use crate::trouble::invalid;

#[derive(Debug, Serialize)]
pub(crate) struct Body {
    model: String,
    input: Vec<String>,
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    model: String,
    data: Vec<Embedded>,
    usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
struct Embedded {
    index: usize,
    embedding: Vec<f64>,
}

impl Body {
    pub(crate) fn new(config: &Config, request: EmbeddingRequest) -> Result<Self> {
        let model = request.model.or_else(|| config.embedding_model.clone()).ok_or_else(|| {
            let message = "no model is named: give the node a `model`, or the provider's configuration an `embedding_model`";
            Failure::new("no-model", message)
        })?;
        Ok(Self { model, input: request.texts, encoding_format: "float", dimensions: request.dimensions })
    }
}

impl Answer {
    /// The vectors in the order of the texts, one for each.
    pub(crate) fn embeddings(mut self, config: &Config, request: &Body) -> Result<Embeddings> {
        self.data.sort_by_key(|embedded| embedded.index);
        let is_whole = self.data.iter().map(|embedded| embedded.index).eq(0..request.input.len());
        if !is_whole {
            return Err(invalid(&format!(
                "it has {} vectors for {} texts",
                self.data.len(),
                request.input.len()
            )));
        }
        let vectors: Vec<_> = self.data.into_iter().map(|embedded| embedded.embedding).collect();
        if vectors.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
            return Err(invalid("its vectors have different lengths"));
        }
        let usage = self.usage.map(|tokens| config.charged(&request.model, tokens.usage()));
        let model = if self.model.is_empty() { request.model.clone() } else { self.model };
        Ok(Embeddings { vectors, model, usage })
    }
}
