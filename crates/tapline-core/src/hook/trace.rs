use std::sync::{Mutex, PoisonError};

use crate::hook::error::LayerName;
use crate::hook::layer::Layer;

/// What happened in one call: which hooks were entered, and which of them gave the answer.
#[derive(Debug, Default)]
pub struct Trace(Mutex<Vec<TraceEntry>>);

/// Something that a layer did in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEntry {
    /// The hook.
    pub layer: LayerName,
    /// What it did.
    pub what: What,
}

/// What a layer did in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// It was entered on the way in.
    Entered,
    /// A before hook ended the call with an output.
    Finished,
    /// An around hook answered without calling `next`.
    DidWithoutNext,
    /// A replace hook stood in for the core operation.
    Replaced,
}

impl Trace {
    pub(crate) fn note(trace: Option<&Self>, layer: &Layer, what: What) {
        if let Some(trace) = trace {
            let entry = TraceEntry { layer: layer.name.clone(), what };
            trace.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        }
    }

    /// What the layers did, in the order in which they did it.
    #[must_use]
    pub fn entries(&self) -> Vec<TraceEntry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The hook that stood in for the core operation, or answered before it; `None` when the core operation ran.
    #[must_use]
    pub fn answered_by(&self) -> Option<LayerName> {
        self.entries().into_iter().rev().find(|entry| entry.what != What::Entered).map(|entry| entry.layer)
    }
}
