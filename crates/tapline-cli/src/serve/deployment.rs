use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Result, bail};
use axum::http::StatusCode;
use serde_json::json;
use tapline::core::{Overflow, TopicPattern};
use tapline::host::{Delivery, Listener, PluginChange, PluginInfo, Queueing, Secrets, Settings, UnloadError};
use tapline::pipeline::{Definition, Engine, KnownPlugin};
use tapline::{PluginId, WebClient};
use tokio::sync::{Mutex, MutexGuard};

use crate::output::{self, Output, redacted_json};
use crate::project::Wanted;
use crate::run::variable;
use crate::{builtin, candidates};
use crate::{run, sandbox, walls};

mod changes;
mod found;
mod reread;

pub(crate) use changes::{
    Another, Loaded, NewPlugin, Reloaded, Replacement, Swapped, Unloaded, not_unloaded,
};

use super::feed::Feed;
use super::log::Log;
use super::pipeline::{Mistakes, Pipeline};
use super::problem::Problem;

/// The host that stays up, and the pipelines that it runs. All of them share its plugins: what a hook does, it does in the
/// runs of all.
pub(crate) struct Deployment {
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    /// The folder of the pipelines.
    pub(crate) folder: PathBuf,
    /// What happens to plugins and pipelines, and which runs begin and end.
    pub(crate) events: Arc<Feed>,
    /// What has become of each plugin lately.
    pub(crate) log: Arc<Log>,
    files: Vec<PathBuf>,
    is_locked: bool,
    is_closed: AtomicBool,
    pipelines: RwLock<Pipelines>,
    /// How each plugin was loaded that is there. Whoever changes plugins holds it from the beginning to the end.
    loaded: Mutex<BTreeMap<PluginId, Wanted>>,
    /// Fills the log, for as long as it is held.
    _listener: Option<Listener>,
}

/// The pipelines by their names.
pub(crate) type Pipelines = Arc<BTreeMap<Arc<str>, Arc<Pipeline>>>;

/// So many bytes of events are kept for those who come late.
const EVENTS: usize = 1 << 20;
/// So many changes of plugins may wait to be noted.
const CHANGES: usize = 4096;

impl Deployment {
    /// Reads pipelines and loads their plugins; `None` when there are mistakes, which were shown.
    pub(crate) async fn start(
        files: &[PathBuf],
        is_locked: bool,
        audit: Option<&Path>,
    ) -> Result<Option<Self>> {
        let Some(pipelines) = read(files, is_locked)? else { return Ok(None) };
        let Some(first) = pipelines.first() else { bail!("name the pipeline files that are to be served") };
        let (settings, folder) = (first.project.settings.clone(), first.project.folder.clone());
        let wanted = merged(&pipelines)?;
        let secrets = settings.secrets(variable)?;
        output::keep(secrets.clone());
        let engine = engine(&settings, &folder, secrets, audit)?;
        let events = Feed::new(EVENTS);
        let log = Arc::new(Log::default());
        let listener = listen(&engine, &log, &events);
        let loads = wanted.values().map(Wanted::load).collect::<Result<_>>()?;
        run::boot(engine.host(), &settings, loads).await?;
        let deployment = Self {
            engine,
            settings,
            folder,
            events,
            log,
            files: files.to_vec(),
            is_locked,
            is_closed: AtomicBool::new(false),
            pipelines: RwLock::default(),
            loaded: Mutex::new(wanted),
            _listener: listener,
        };
        Ok(if deployment.open(pipelines).await { Some(deployment) } else { None })
    }

    /// Serves pipelines for the first time, unless plugins find mistakes in them.
    async fn open(&self, pipelines: Vec<Pipeline>) -> bool {
        let mut loaded = self.loaded.lock().await;
        self.agree(&mut loaded);
        let known = self.known(&loaded);
        let mut are_whole = true;
        let mut served = BTreeMap::new();
        for mut pipeline in pipelines {
            pipeline.now = pipeline.with(&self.engine, &known).await;
            if let Err(mistakes) = &pipeline.now {
                Output::Error.text(&mistakes.told);
                are_whole = false;
            }
            served.insert(Arc::clone(&pipeline.name), Arc::new(pipeline));
        }
        self.publish(served);
        are_whole
    }

    /// The pipelines as they are now.
    pub(crate) fn pipelines(&self) -> Pipelines {
        Arc::clone(&self.pipelines.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A pipeline by its name, or by the name of its file.
    pub(crate) fn pipeline(&self, name: &str) -> Result<Arc<Pipeline>, Problem> {
        let pipelines = self.pipelines();
        let by_file =
            || pipelines.values().find(|pipeline| pipeline.file().file_name() == Path::new(name).file_name());
        pipelines.get(name).or_else(by_file).cloned().ok_or_else(|| {
            let names: Vec<_> = pipelines.keys().map(|name| format!("`{name}`")).collect();
            let detail = format!("there is no pipeline `{name}` here; there are {}", names.join(", "));
            Problem { code: "no-such-pipeline".to_owned(), ..Problem::not_found(detail) }
        })
    }

    /// The files of the pipelines.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The folders of the plugins that are loaded, each with its plugin.
    pub(crate) fn folders(&self) -> Vec<(PluginId, PathBuf)> {
        let plugins = self.engine.host().plugins().into_iter();
        plugins
            .filter_map(|info| Some((info.manifest.id().clone(), builtin::folder(&info)?.to_owned())))
            .collect()
    }

    fn publish(&self, pipelines: BTreeMap<Arc<str>, Arc<Pipeline>>) {
        *self.pipelines.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pipelines);
    }

    /// What is known of the plugins that are there.
    fn known(&self, loaded: &BTreeMap<PluginId, Wanted>) -> Vec<KnownPlugin> {
        let known = |info: PluginInfo| {
            let origin = loaded.get(info.manifest.id())?.from.origin();
            Some(candidates::loaded(info.manifest, origin))
        };
        self.engine.host().plugins().into_iter().filter_map(known).collect()
    }

    /// The right to change plugins, when it is one's turn.
    async fn changing(&self) -> Result<MutexGuard<'_, BTreeMap<PluginId, Wanted>>, Problem> {
        let mut loaded = self.loaded.lock().await;
        if self.is_closed.load(Ordering::Relaxed) {
            let detail = "the server is being stopped, and its plugins are left as they are";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail));
        }
        self.agree(&mut loaded);
        Ok(loaded)
    }

    /// Ends all plugins; none is changed or loaded any more.
    pub(crate) async fn close(&self) -> Result<(), UnloadError> {
        let _loaded = self.loaded.lock().await;
        self.is_closed.store(true, Ordering::Relaxed);
        self.engine.host().shut_down().await
    }

    /// Takes note of the plugins that the host has: some have left, came because others need them, or are those of
    /// before again.
    fn agree(&self, loaded: &mut BTreeMap<PluginId, Wanted>) {
        loaded.retain(|id, _| self.engine.host().version(id).is_some());
        for info in self.engine.host().plugins() {
            let Some(came) = self.came(&info) else { continue };
            let known = loaded.entry(info.manifest.id().clone()).or_insert_with(|| came.clone());
            if known.from.origin() != came.from.origin() {
                known.from = came.from;
            }
        }
    }

    /// Looks again after a plugin was started anew.
    pub(crate) async fn restarted(&self) {
        if let Ok(loaded) = self.changing().await {
            self.look_again(&loaded).await;
        }
    }

    /// Looks which pipelines can run with the plugins that are there now.
    async fn look_again(&self, loaded: &BTreeMap<PluginId, Wanted>) {
        self.look_with(&self.known(loaded)).await;
    }

    /// Looks which pipelines can run with these plugins.
    async fn look_with(&self, known: &[KnownPlugin]) {
        let mut served = BTreeMap::new();
        for (name, pipeline) in &*self.pipelines() {
            let now = pipeline.with(&self.engine, known).await;
            self.tell(pipeline, &now);
            served.insert(Arc::clone(name), Arc::new(Pipeline { now, ..Pipeline::clone(pipeline) }));
        }
        self.publish(served);
    }

    /// Tells of a pipeline that can run again, or cannot any more.
    fn tell(&self, before: &Pipeline, now: &Result<Arc<Definition>, Mistakes>) {
        let name = &*before.name;
        match (&before.now, now) {
            (Err(_), Ok(_)) => {
                self.events.push("pipeline-ready", &json!({ "event": "pipeline-ready", "pipeline": name }))
            }
            (Ok(_), Err(mistakes)) => {
                let why = mistakes.sentence(name);
                let event = json!({ "event": "pipeline-stopped", "pipeline": name, "why": why });
                self.events.push("pipeline-stopped", &redacted_json(event));
            }
            _ => {}
        }
    }
}

/// Reads pipeline files of one folder; `None` when one has mistakes, which were shown.
fn read(files: &[PathBuf], is_locked: bool) -> Result<Option<Vec<Pipeline>>> {
    let mut pipelines: Vec<Pipeline> = Vec::new();
    let mut are_whole = true;
    for file in files {
        let Some(pipeline) = Pipeline::read(file, is_locked)? else {
            are_whole = false;
            continue;
        };
        refuse_beside(&pipelines, &pipeline)?;
        pipelines.push(pipeline);
    }
    Ok(are_whole.then_some(pipelines))
}

/// Refuses a pipeline that cannot be served beside others.
fn refuse_beside(others: &[Pipeline], pipeline: &Pipeline) -> Result<()> {
    let (file, folder) = (pipeline.file(), &pipeline.project.folder);
    if let Some(same) = others.iter().find(|other| other.name == pipeline.name) {
        bail!("{} and {} are both called `{}`", same.file().display(), file.display(), pipeline.name);
    }
    let place = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    match others.iter().find(|other| place(&other.project.folder) != place(folder)) {
        Some(other) => bail!(
            "{} and {} lie in different folders, which have settings of their own; serve them by two servers",
            other.file().display(),
            file.display()
        ),
        None => Ok(()),
    }
}

/// How the plugins of all pipelines are to be loaded, which share them.
fn merged(pipelines: &[Pipeline]) -> Result<BTreeMap<PluginId, Wanted>> {
    let mut merged: BTreeMap<PluginId, (Wanted, &Pipeline)> = BTreeMap::new();
    for pipeline in pipelines {
        for (id, wanted) in &pipeline.wanted {
            let Some((there, other)) = merged.get_mut(id) else {
                merged.insert(id.clone(), (wanted.clone(), pipeline));
                continue;
            };
            if !there.is_as(wanted) {
                bail!(
                    "{} and {} want plugin `{id}` from different folders, or with another configuration or other grants; serve them by two servers",
                    other.file().display(),
                    pipeline.file().display()
                );
            }
            there.is_optional &= wanted.is_optional;
        }
    }
    Ok(merged.into_iter().map(|(id, (wanted, _))| (id, wanted)).collect())
}

/// A host that runs plugins of every kind, because any kind may be loaded later.
fn engine(settings: &Settings, folder: &Path, secrets: Secrets, audit: Option<&Path>) -> Result<Engine> {
    let host = run::host(settings, folder, secrets, run::audit(settings, audit)?)
        .runtime(sandbox::sandbox()?)
        .runtime(walls::processes(settings)?)
        .runtime(walls::servers(settings)?)
        .http(WebClient::new()?);
    Ok(Engine::new(host.build())?)
}

/// Notes what becomes of plugins, for as long as what comes back is held.
fn listen(engine: &Engine, log: &Arc<Log>, events: &Arc<Feed>) -> Option<Listener> {
    let topics = TopicPattern::new("host.plugins.*").ok()?;
    let queueing = Queueing { capacity: CHANGES, overflow: Overflow::DropOldest };
    let (log, events) = (Arc::clone(log), Arc::clone(events));
    let listener = engine.host().listen(topics, queueing, move |delivery| {
        if let Delivery::Event(event) = delivery
            && let Ok(change) = event.payload.to::<PluginChange>()
        {
            let json = redacted_json(json!({ "event": "plugin-changed", "change": &change }));
            events.push("plugin-changed", &json);
            log.note(change);
        }
        Box::pin(std::future::ready(()))
    });
    Some(listener)
}
