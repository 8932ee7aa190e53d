//! How plugins of the server come and go, one change after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tapline::core::{Grants, Manifest};
use tapline::host::{Drain, ReloadError, Settled, SwapError, UnloadError};
use tapline::pipeline::KnownPlugin;
use tapline::{HostError, Loader, PluginId, Value};
use utoipa::ToSchema;

use crate::candidates;
use crate::project::{PluginSource, Wanted};
use crate::serve::problem::Problem;

use super::Deployment;

/// A plugin that is to be loaded.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlugin {
    /// Its id, or its folder seen from the folder of the pipelines.
    pub(crate) plugin: String,
    /// What it is given when it starts, instead of what the pipelines say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) config: Option<serde_json::Value>,
    /// What it may do at most, as under `grants` in a pipeline file, instead of what the pipelines say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) grants: Option<serde_json::Value>,
}

/// From where a plugin is started again.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Another {
    /// The folder of another version, seen from the folder of the pipelines; the one that it came from unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
}

/// What takes the place of a plugin that is loaded.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replacement {
    /// The folder of another version, seen from the folder of the pipelines; the one that it came from unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// Whether it may be granted more than the version that runs.
    #[serde(default)]
    pub(crate) accept_more: bool,
}

/// What was loaded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Loaded {
    /// The plugins, in the order in which they were started: the one that was asked for, and those that it needs.
    pub(crate) loaded: Vec<String>,
    /// The pipelines that can run now.
    pub(crate) pipelines: Vec<String>,
}

/// What was unloaded, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Unloaded {
    /// The plugins, those that need others first.
    pub(crate) unloaded: Vec<Left>,
    /// The pipelines that cannot run without them.
    pub(crate) stopped: Vec<String>,
    /// Whether nothing was done.
    pub(crate) dry_run: bool,
}

/// A plugin that has left.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Left {
    pub(crate) plugin: String,
    /// How the calls inside it ended: `drained`, `forced` or `leaked`; nothing where nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drain: Option<String>,
}

/// A plugin that was ended and started again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reloaded {
    pub(crate) plugin: String,
    /// The version before.
    pub(crate) from: String,
    /// The version that runs now.
    pub(crate) to: String,
    /// All that were started for it, in their order.
    pub(crate) started: Vec<String>,
}

/// A plugin that another version answers for now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Swapped {
    pub(crate) plugin: String,
    /// The version before.
    pub(crate) from: String,
    /// The version that was put in place.
    pub(crate) to: String,
    /// How it came out: `on-trial` as long as the version before can come back, `kept`, `rolled-back` or `stuck`.
    pub(crate) outcome: String,
    /// What the new version did, where it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Deployment {
    /// Loads a plugin, and those that it needs.
    pub(crate) async fn load(&self, new: NewPlugin) -> Result<Loaded, Problem> {
        let mut loaded = self.changing().await?;
        let (id, mut wanted) = self.wanted(&new.plugin)?;
        if self.engine.host().version(&id).is_some() {
            let detail = format!("plugin `{id}` is loaded; reload or swap it");
            return Err(Problem::conflict("already-loaded", detail).plugins([&id]));
        }
        if let Some(config) = new.config {
            wanted.config = value(&config)?;
        }
        if let Some(grants) = new.grants {
            wanted.grants = Some(grants_of(grants)?);
        }
        let asked = wanted.load().map_err(|error| Problem::refused("no-plugin", format!("{error:#}")))?;
        let loads = self.available().into_iter().chain([asked]).collect();
        let started =
            self.engine.host().load_all(loads).await.map_err(|error| refused(&error).plugins([&id]))?;
        if !started.contains(&id) {
            let detail = format!(
                "plugin `{id}` is blocked by the operator, under `[plugins] blocked` of tapline.toml"
            );
            return Err(Problem::refused("blocked", detail).plugins([&id]));
        }
        loaded.insert(id, wanted);
        self.agree(&mut loaded);
        self.look_again(&loaded).await;
        Ok(Loaded { loaded: names(&started), pipelines: self.ready() })
    }

    /// Unloads a plugin, unless others or pipelines need it; with them, where that is asked for.
    pub(crate) async fn unload(&self, id: &str, cascade: bool, dry_run: bool) -> Result<Unloaded, Problem> {
        let mut loaded = self.changing().await?;
        let leaving = self.engine.host().dependents(id).map_err(|error| not_unloaded(&error))?;
        let mut staying = self.known(&loaded);
        staying.retain(|plugin| !leaving.contains(plugin.manifest.id()));
        let stopped = self.stopped_by(&staying);
        let dependents: Vec<_> = leaving.iter().filter(|one| one.as_str() != id).collect();
        let is_needed = !dependents.is_empty() || !stopped.is_empty();
        if is_needed && !cascade {
            let needed = needed(id, &dependents, &stopped);
            return Err(Problem::conflict("needed", needed).plugins(dependents).pipelines(stopped));
        }
        if dry_run {
            let leaving = leaving.iter().rev();
            let unloaded = leaving.map(|id| Left { plugin: id.to_string(), drain: None }).collect();
            return Ok(Unloaded { unloaded, stopped, dry_run });
        }
        // Before anything is gone, so that no run begins that would not find it.
        self.look_with(&staying).await;
        let drains = self.engine.host().unload_with_dependents(id).await;
        self.agree(&mut loaded);
        self.look_again(&loaded).await;
        let drains = drains.map_err(|error| not_unloaded(&error))?;
        let left = |(id, drain): (PluginId, Drain)| Left { plugin: id.to_string(), drain: Some(word(drain)) };
        Ok(Unloaded { unloaded: drains.into_iter().map(left).collect(), stopped, dry_run })
    }

    /// Ends a plugin and those that need it, and starts them again, from the same place or from another.
    pub(crate) async fn reload(&self, id: &str, another: &Another) -> Result<Reloaded, Problem> {
        let mut loaded = self.changing().await?;
        let (id, wanted) = self.replacement(&loaded, id, another.from.as_deref())?;
        let load = wanted.load().map_err(|error| Problem::refused("no-plugin", format!("{error:#}")))?;
        let reloaded = self.engine.host().reload(load).await;
        if reloaded.is_ok() {
            loaded.insert(id.clone(), wanted);
        }
        self.agree(&mut loaded);
        self.look_again(&loaded).await;
        let reloaded = reloaded.map_err(|error| not_reloaded(&error))?;
        Ok(Reloaded {
            plugin: reloaded.plugin.to_string(),
            from: reloaded.from.to_string(),
            to: reloaded.to.to_string(),
            started: names(&reloaded.started),
        })
    }

    /// Puts another version in the place of a plugin while calls go on, and waits for how that comes out where that is
    /// asked for.
    pub(crate) async fn swap(
        self: &Arc<Self>,
        id: &str,
        replacement: &Replacement,
        is_awaited: bool,
    ) -> Result<Swapped, Problem> {
        let mut loaded = self.changing().await?;
        let (id, wanted) = self.replacement(&loaded, id, replacement.from.as_deref())?;
        let load = wanted.load().map_err(|error| Problem::refused("no-plugin", format!("{error:#}")))?;
        let load = if replacement.accept_more { load.accept_more() } else { load };
        let swapped = self.engine.host().swap(load).await.map_err(|error| not_swapped(&error))?;
        loaded.insert(id, wanted);
        self.look_again(&loaded).await;
        drop(loaded);
        let deployment = Arc::clone(self);
        let trial = swapped.clone();
        let settled = tokio::spawn(async move {
            let settled = trial.settled().await;
            if let Settled::RolledBack { .. } = &settled {
                // What is in place now is noted with it.
                deployment.restarted().await;
            }
            settled
        });
        let (outcome, reason) = match is_awaited {
            false => ("on-trial", None),
            true => match settled.await.unwrap_or(Settled::Kept(Drain::Forced)) {
                Settled::RolledBack { reason } => ("rolled-back", Some(reason)),
                Settled::Stuck { reason, obstacle } => ("stuck", Some(format!("{reason}; {obstacle}"))),
                _ => ("kept", None),
            },
        };
        let (plugin, from) = (swapped.plugin.to_string(), swapped.from.to_string());
        Ok(Swapped { plugin, from, to: swapped.to.to_string(), outcome: outcome.to_owned(), reason })
    }

    /// What takes the place of a plugin, unless a pipeline that can run now could not with it.
    fn replacement(
        &self,
        loaded: &BTreeMap<PluginId, Wanted>,
        id: &str,
        from: Option<&str>,
    ) -> Result<(PluginId, Wanted), Problem> {
        let Some((id, wanted)) = loaded.iter().find(|(loaded, _)| loaded.as_str() == id) else {
            return Err(not_unloaded(&UnloadError::NotLoaded(id.to_owned())));
        };
        let from = match from {
            Some(folder) => PluginSource::Folder(self.allowed(folder)?),
            None => wanted.from.clone(),
        };
        let manifest = manifest(&from)?;
        if manifest.id() != id {
            let detail = format!("the plugin there is `{}`, and not `{id}`", manifest.id());
            return Err(Problem::refused("another-plugin", detail).plugins([id]));
        }
        let mut then = self.known(loaded);
        then.retain(|plugin| plugin.manifest.id() != id);
        then.push(candidates::loaded(Arc::new(manifest), from.origin()));
        self.refuse_stopping(&then)?;
        Ok((id.clone(), Wanted { from, ..wanted.clone() }))
    }

    /// Refuses plugins with which a pipeline could not run that can now.
    fn refuse_stopping(&self, then: &[KnownPlugin]) -> Result<(), Problem> {
        for pipeline in self.pipelines().values().filter(|pipeline| pipeline.now.is_ok()) {
            if let Err(mistakes) = pipeline.checked(then) {
                let problem = Problem::refused("pipeline-would-stop", mistakes.sentence(&pipeline.name));
                let problem = problem.pipelines([&pipeline.name]);
                return Err(Problem { mistakes: mistakes.for_programs(), ..problem });
            }
        }
        Ok(())
    }

    /// The pipelines that can run now, and could not with these plugins alone.
    fn stopped_by(&self, staying: &[KnownPlugin]) -> Vec<String> {
        let pipelines = self.pipelines();
        let running = pipelines.values().filter(|pipeline| pipeline.now.is_ok());
        let stopped = running.filter(|pipeline| pipeline.checked(staying).is_err());
        stopped.map(|pipeline| pipeline.name.to_string()).collect()
    }

    /// The pipelines that can run.
    fn ready(&self) -> Vec<String> {
        let pipelines = self.pipelines();
        let ready = pipelines.values().filter(|pipeline| pipeline.now.is_ok());
        ready.map(|pipeline| pipeline.name.to_string()).collect()
    }
}

fn manifest(from: &PluginSource) -> Result<Manifest, Problem> {
    match from {
        PluginSource::Folder(folder) => {
            Loader::manifest(folder).map_err(|error| Problem::error("no-plugin", &error))
        }
        PluginSource::Command(builtin) => {
            builtin.manifest().map_err(|error| Problem::refused("no-plugin", format!("{error:#}")))
        }
    }
}

fn value(json: &serde_json::Value) -> Result<Value, Problem> {
    Value::from_json(&json.to_string()).map_err(|error| Problem::refused("no-value", error))
}

fn grants_of(json: serde_json::Value) -> Result<Grants, Problem> {
    serde_json::from_value(json).map_err(|error| Problem::refused("no-grants", format!("`grants`: {error}")))
}

fn needed(id: &str, dependents: &[&PluginId], stopped: &[String]) -> String {
    let plugins = dependents.iter().map(|id| format!("plugin `{id}`"));
    let pipelines = stopped.iter().map(|name| format!("pipeline `{name}`"));
    let all: Vec<_> = plugins.chain(pipelines).collect();
    format!("plugin `{id}` is needed by {}; with `cascade` they go with it", all.join(", "))
}

fn names(ids: &[PluginId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn word(drain: Drain) -> String {
    let word = match drain {
        Drain::Drained => "drained",
        Drain::Forced => "forced",
        Drain::Leaked(_) => "leaked",
    };
    word.to_owned()
}

fn refused(error: &HostError) -> Problem {
    let code = match error {
        HostError::Denied(_) => "denied",
        HostError::Resolve(_) => "does-not-fit",
        HostError::Blocked { .. } => "blocked",
        HostError::Start { .. } => "did-not-start",
        _ => "no-plugin",
    };
    Problem::error(code, error)
}

pub(crate) fn not_unloaded(error: &UnloadError) -> Problem {
    match error {
        UnloadError::NotLoaded(id) => {
            Problem { code: "not-loaded".to_owned(), ..Problem::not_found(error) }.plugins([id])
        }
        UnloadError::Needed { dependents, .. } => Problem::conflict("needed", error).plugins(dependents),
        _ => Problem::conflict("busy", error),
    }
}

fn not_reloaded(error: &ReloadError) -> Problem {
    let problem = match error {
        ReloadError::NotLoaded(_) => Problem::error("not-loaded", error).status(StatusCode::NOT_FOUND),
        ReloadError::RolledBack { .. } => Problem::error("rolled-back", error),
        ReloadError::Lost { .. } => Problem::error("lost", error).status(StatusCode::INTERNAL_SERVER_ERROR),
        ReloadError::Refused(error) => refused(error),
        _ => Problem::error("no-plugin", error),
    };
    match error {
        ReloadError::RolledBack { plugin, .. } | ReloadError::Lost { plugin, .. } => {
            problem.plugins([plugin])
        }
        _ => problem,
    }
}

fn not_swapped(error: &SwapError) -> Problem {
    match error {
        SwapError::NotLoaded(_) => Problem::error("not-loaded", error).status(StatusCode::NOT_FOUND),
        SwapError::NotActive { .. } => Problem::error("not-active", error).status(StatusCode::CONFLICT),
        SwapError::GrantedMore { .. } => Problem::error("granted-more", error),
        SwapError::Needed { .. } | SwapError::NeedsOthers { .. } => Problem::error("does-not-fit", error),
        SwapError::Unwell { .. } => Problem::error("unwell", error),
        SwapError::Export { .. } | SwapError::Import { .. } => Problem::error("state-not-handed-over", error),
        SwapError::Busy(_) => Problem::error("busy", error).status(StatusCode::CONFLICT),
        SwapError::Refused(error) => refused(error),
        _ => Problem::error("no-plugin", error),
    }
}
