use std::sync::Arc;

use tapline_core::{Carry, Name, Object, Value};
use tapline_roles::StepInfo;

use super::shared::Shared;

static RUN: Name = Name::new(|| "run".into());
static STEP: Name = Name::new(|| "step".into());

/// Which step of which run a request belongs to, for the plugins that are entered for it.
pub(super) struct Place {
    pub(super) shared: Arc<Shared>,
    pub(super) path: Arc<str>,
    pub(super) plugin: Arc<str>,
    pub(super) attempt: usize,
}

impl Carry for Place {
    fn carried(&self) -> Object {
        let (path, plugin) = (self.path.to_string(), self.plugin.to_string());
        let step = StepInfo { path, plugin, attempt: self.attempt };
        let run = Value::from_serialize(&self.shared.info).unwrap_or_default();
        let step = Value::from_serialize(&step).unwrap_or_default();
        Object::from_iter([(RUN.shared(), run), (STEP.shared(), step)])
    }
}
