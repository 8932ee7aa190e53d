use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use tapline::PluginId;
use tapline::host::Lock;
use tapline::pipeline::{Checked, Definition, Diagnostic, Engine, KnownPlugin};

use crate::candidates::NOT_LOADED;
use crate::diagnostics::Colour;
use crate::project::{Project, Wanted};
use crate::{configured, diagnostics, lock};

use super::problem::Problem;

/// A pipeline that is served: its file as it was read, and whether it can run with the plugins that are loaded.
#[derive(Clone)]
pub(crate) struct Pipeline {
    pub(crate) project: Arc<Project>,
    pub(crate) name: Arc<str>,
    /// How it wants its plugins to be loaded.
    pub(crate) wanted: BTreeMap<PluginId, Wanted>,
    /// It, or why it cannot run now.
    pub(crate) now: Result<Arc<Definition>, Mistakes>,
}

/// Why a pipeline cannot run.
#[derive(Debug, Clone)]
pub(crate) struct Mistakes {
    /// The plugins that it needs and that are not loaded.
    pub(crate) missing: Vec<PluginId>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The same for people.
    pub(crate) told: String,
}

impl Pipeline {
    /// Reads a file as `tapline run` does, and shows what is wrong with it; `None` when it cannot run.
    pub(crate) fn read(file: &Path, is_locked: bool) -> Result<Option<Self>> {
        let mut project = Project::read(file)?;
        project.warn();
        project.tell_checked();
        let Some(definition) = project.checked.definition.take() else { return Ok(None) };
        configured::refuse(&project, &definition)?;
        lock::refuse_more(&project)?;
        if is_locked {
            let lock: Lock = lock::require(&project, &definition)?;
            project.bind(&lock);
        } else {
            lock::warn(&project, &definition);
        }
        let wanted = project.plugins().map(|plugin| {
            let wanted = project.wanted(&definition, plugin);
            (plugin.manifest.id().clone(), wanted)
        });
        let (name, wanted) = (Arc::clone(&definition.name), wanted.collect());
        Ok(Some(Self { project: Arc::new(project), name, wanted, now: Ok(Arc::new(definition)) }))
    }

    /// The pipeline with these plugins and no others, or why it cannot be run with them. Runs what plugins have to say of it.
    pub(crate) async fn with(
        &self,
        engine: &Engine,
        loaded: &[KnownPlugin],
    ) -> Result<Arc<Definition>, Mistakes> {
        let definition = self.checked(loaded)?;
        let mistakes = match engine.validate(&definition).await {
            Ok(mistakes) => mistakes,
            Err(error) => return Err(self.mistakes(loaded, Vec::new()).because(&error)),
        };
        if mistakes.iter().any(Diagnostic::is_error) {
            return Err(self.mistakes(loaded, mistakes));
        }
        Ok(Arc::new(definition))
    }

    /// As [`with`](Self::with), and runs nothing.
    pub(crate) fn checked(&self, loaded: &[KnownPlugin]) -> Result<Definition, Mistakes> {
        let Checked { diagnostics, definition, .. } = self.project.against(loaded.to_vec());
        definition.ok_or_else(|| self.mistakes(loaded, diagnostics))
    }

    fn mistakes(&self, loaded: &[KnownPlugin], diagnostics: Vec<Diagnostic>) -> Mistakes {
        let is_loaded = |id: &PluginId| loaded.iter().any(|plugin| plugin.manifest.id() == id);
        let needed = self.wanted.iter().filter(|(_, wanted)| !wanted.is_optional);
        let missing = needed.map(|(id, _)| id).filter(|id| !is_loaded(id)).cloned().collect();
        let diagnostics = diagnostics.into_iter().map(hinted).collect::<Vec<_>>();
        let told = self.project.told(&diagnostics, Colour::Off);
        Mistakes { missing, diagnostics, told }
    }

    /// The file that it is in.
    pub(crate) fn file(&self) -> PathBuf {
        self.project.file().to_owned()
    }

    /// It, or why it is not run now.
    pub(crate) fn definition(&self) -> Result<Arc<Definition>, Problem> {
        let mistakes = match &self.now {
            Ok(definition) => return Ok(Arc::clone(definition)),
            Err(mistakes) => mistakes,
        };
        let problem = Problem::conflict("pipeline-stopped", mistakes.sentence(&self.name));
        Err(Problem { mistakes: mistakes.for_programs(), ..problem.plugins(&mistakes.missing) })
    }
}

impl Mistakes {
    /// All of it in one sentence.
    pub(crate) fn sentence(&self, pipeline: &str) -> String {
        if !self.missing.is_empty() {
            let missing: Vec<_> = self.missing.iter().map(|id| format!("`{id}`")).collect();
            return format!("pipeline `{pipeline}` needs what is not loaded: {}", missing.join(", "));
        }
        match self.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            Some(first) => format!("pipeline `{pipeline}` has a mistake: {}", first.message),
            None => format!("pipeline `{pipeline}` cannot run: {}", self.told.trim_end()),
        }
    }

    /// The mistakes, as the command writes them for programs.
    pub(crate) fn for_programs(&self) -> Box<[serde_json::Value]> {
        match diagnostics::for_programs(&self.diagnostics) {
            serde_json::Value::Array(mistakes) => mistakes.into(),
            _ => Box::default(),
        }
    }

    fn because(mut self, error: &dyn std::error::Error) -> Self {
        self.told = error.to_string();
        self
    }
}

/// A mistake with what to do about it here.
fn hinted(mut diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.message.ends_with(NOT_LOADED) {
        diagnostic.hint = Some("`tapline plugin load` loads it".to_owned());
    }
    diagnostic
}
