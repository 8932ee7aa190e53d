use serde::{Deserialize, Serialize};
use tapline_core::{Object, Value};

/// The extension point of node types: the key is the `type` of a node, and the method is `handle`.
pub const NODE: &str = "node";

/// The hook point around every execution of a node; once for each item of a node that maps.
pub const NODE_EXECUTE: &str = "node.execute";

/// What a node handler is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeRequest {
    /// The node's configuration, with its templates rendered.
    pub with: Value,
    /// The values that the configuration's expressions may name: inputs, and the nodes that they refer to.
    #[serde(default)]
    pub scope: Object,
    /// The same whenever this step of this run is done, also when the run goes on after a crash: with it, what has an
    /// effect outside can be kept from having it twice. `None` when the run is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Which part of a list that is too long for memory this is about; `None` where the settings hold all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// One part of a long list.
///
/// A node type whose schema has `x-tapline-pages: true` makes lists part by part: it is asked again and again, with what
/// it answered under `next` as `cursor`, until `next` is `null` or missing. A property whose schema has
/// `x-tapline: rows` takes lists part by part: the handler is asked with the rows of each page, and the `items` that it
/// answers are put together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Which one it is, from 0.
    pub index: usize,
    /// Where to go on, as the handler said it; `null` for the first.
    #[serde(default)]
    pub cursor: Value,
    /// Whether it is the last of those that are handed over.
    #[serde(default)]
    pub last: bool,
}

impl NodeRequest {
    /// The request that a value is, whose parts are shared and not copied; nothing when it has another shape.
    #[must_use]
    pub fn shared(request: &Value) -> Option<Self> {
        let with = request.get("with")?.clone();
        let scope = request.get("scope").map_or_else(|| Some(Object::new()), |it| it.as_object().cloned())?;
        let idempotency_key = request.get("idempotency_key").and_then(Value::as_str).map(str::to_owned);
        let page = match request.get("page") {
            Some(page) => page.to().ok()?,
            None => None,
        };
        Some(Self { with, scope, idempotency_key, page })
    }
}

/// Which node is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// The node's name in the pipeline.
    pub id: String,
    /// Its type: the key of its handler.
    #[serde(rename = "type")]
    pub node_type: String,
}
