use std::sync::Arc;

use serde::Deserialize;

/// One field or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a field is named by text, several by a list of texts")]
pub(crate) enum Names {
    One(Arc<str>),
    Several(Vec<Arc<str>>),
}

impl Names {
    pub(crate) fn as_slice(&self) -> &[Arc<str>] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}
