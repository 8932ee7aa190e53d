//! The resources of a server: a node type, and methods of the plugin.

use rmcp::model::{PaginatedRequestParams, ReadResourceRequestParams};
use tapline_core::{CallError, Failure, Value};

use crate::server::Server;

/// What the plugin of a server answers under its own id.
pub(crate) const METHODS: [&str; 3] = ["tools", "resources", "read"];
/// The schema of the node type of resources.
pub(crate) const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{"uri":{"type":"string","description":"The resource to read; without it, those that there are are listed."}}}"#;
/// So many resources are listed.
const MOST: usize = 10_000;

/// The node type of the resources of a server.
pub(crate) fn key(id: &str) -> String {
    format!("{id}.resources")
}

impl Server {
    /// What there is at `uri`, or without one all that there are.
    pub(crate) async fn resources(&self, request: &Value) -> Result<Value, CallError> {
        match request.get("uri") {
            None | Some(Value::Null) => self.list().await,
            Some(Value::String(uri)) => self.read(uri).await,
            Some(_) => Err(Failure::new("invalid-config", "`uri` is no text").into()),
        }
    }

    async fn list(&self) -> Result<Value, CallError> {
        let (mut resources, mut cursor) = (Vec::new(), None);
        while resources.len() < MOST {
            let page = PaginatedRequestParams::default().with_cursor(cursor);
            let page = self.peer.list_resources(Some(page)).await.map_err(|error| self.error(error))?;
            let is_empty = page.resources.is_empty();
            resources.extend(page.resources);
            cursor = page.next_cursor;
            if cursor.is_none() || is_empty {
                break;
            }
        }
        as_value(&resources)
    }

    /// A text as text; anything else, and several at once, as the server has them.
    async fn read(&self, uri: &str) -> Result<Value, CallError> {
        let read = self.peer.read_resource(ReadResourceRequestParams::new(uri)).await;
        let contents = as_value(&read.map_err(|error| self.error(error))?.contents)?;
        let only =
            contents.as_array().and_then(|contents| if let [one] = contents { Some(one) } else { None });
        let text = only.and_then(|one| one.get("text")).cloned();
        Ok(text.unwrap_or(contents))
    }
}

fn as_value<T: serde::Serialize>(value: &T) -> Result<Value, CallError> {
    Value::from_serialize(value).map_err(|error| Failure::from_error("wrong-type", error).into())
}
