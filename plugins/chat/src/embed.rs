//! Vectors for rows.

use std::sync::Arc;

use tapline_pdk::Object;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{EMBED, EmbeddingRequest, Embeddings, PROVIDER};

use crate::{LONGEST, default_provider};

/// The configuration of a node of type `embed`.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    items: Value,
    #[serde(default = "text")]
    field: Arc<str>,
    #[serde(default = "vector")]
    into: Arc<str>,
    #[serde(default = "default_provider")]
    provider: String,
    model: Option<String>,
    dimensions: Option<u32>,
    #[serde(default = "sixty_four")]
    batch: usize,
}

fn text() -> Arc<str> {
    "text".into()
}

fn vector() -> Arc<str> {
    "vector".into()
}

const fn sixty_four() -> usize {
    64
}

/// Adds a vector to each row, a batch at a time.
pub(crate) async fn run(context: &Context, config: Config) -> Result<Value> {
    let rows = config.rows()?;
    let target = format!("{PROVIDER}/{}", config.provider);
    let mut items = Vec::with_capacity(rows.len());
    for batch in rows.chunks(config.batch.max(1)) {
        let texts: Vec<String> = batch.iter().map(|(text, _)| text.clone()).collect();
        let request = EmbeddingRequest { texts, model: config.model.clone(), dimensions: config.dimensions };
        let answer: Embeddings = context.call_within(LONGEST, &target, EMBED, &request).await?;
        if answer.vectors.len() != batch.len() {
            let message =
                format!("the provider answered {} texts with {} vectors", batch.len(), answer.vectors.len());
            return Err(Failure::new("wrong-answer", message));
        }
        for ((_, row), vector) in batch.iter().zip(answer.vectors) {
            let mut row = row.clone();
            row.insert(Arc::clone(&config.into), vector.into_iter().map(Value::from).collect());
            items.push(Value::from(row));
        }
    }
    let count = Value::from(items.len());
    Ok([("items", Value::from(items)), ("count", count)].into_iter().collect())
}

impl Config {
    /// Each row with its text.
    fn rows(&self) -> Result<Vec<(String, Object)>> {
        let items = match &self.items {
            Value::Array(items) => &items[..],
            one => std::slice::from_ref(one),
        };
        items.iter().enumerate().map(|(place, item)| self.row(place, item)).collect()
    }

    fn row(&self, place: usize, item: &Value) -> Result<(String, Object)> {
        if let Some(text) = item.as_str() {
            return Ok((text.to_owned(), Object::from_iter([(Arc::clone(&self.field), item.clone())])));
        }
        let row = item.as_object();
        match row.and_then(|row| row.get(&*self.field)).and_then(Value::as_str) {
            Some(text) => Ok((text.to_owned(), row.cloned().unwrap_or_default())),
            None => {
                let message = format!("row {place} has no text under `{}`", self.field);
                Err(Failure::new("invalid-data", message))
            }
        }
    }
}
