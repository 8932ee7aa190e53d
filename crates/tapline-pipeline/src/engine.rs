use std::sync::Arc;

use tapline_core::{Object, RegisterError};
use tapline_host::Host;
use tapline_roles::{NODE, NODE_EXECUTE, PROVIDER, PROVIDER_REQUEST};

use crate::definition::Definition;
use crate::run::{Observer, Run, RunReport};

/// Runs pipelines on a host: declares the hook points of pipelines there, and reaches plugins through it alone.
#[derive(Debug, Clone)]
pub struct Engine {
    host: Host,
}

impl Engine {
    /// Makes a host one that runs pipelines.
    ///
    /// # Errors
    /// When the host has the hook points of pipelines already.
    pub fn new(host: Host) -> Result<Self, RegisterError> {
        host.wrap(NODE, NODE_EXECUTE)?;
        host.wrap(PROVIDER, PROVIDER_REQUEST)?;
        Ok(Self { host })
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Runs a pipeline to its end. Dropping the future ends the run: what is under way is abandoned, and what nodes
    /// have done outside of the pipeline stays done.
    pub async fn run(
        &self,
        definition: Arc<Definition>,
        inputs: Object,
        observer: Arc<dyn Observer>,
    ) -> RunReport {
        Run::new(self.host.clone(), definition, inputs, observer).finish().await
    }
}
