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
}

impl NodeRequest {
    /// The request that a value is, whose parts are shared and not copied; nothing when it has another shape.
    #[must_use]
    pub fn shared(request: &Value) -> Option<Self> {
        let with = request.get("with")?.clone();
        let scope = request.get("scope").map_or_else(|| Some(Object::new()), |it| it.as_object().cloned())?;
        Some(Self { with, scope })
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
