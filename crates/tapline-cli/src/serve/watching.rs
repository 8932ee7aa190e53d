use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tapline::PluginId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error;
use crate::output::Output;

use super::deployment::{Another, Deployment, Replacement};
use super::problem::Problem;

/// Takes over what changes on the disk, until it is dropped.
pub(crate) struct Watching(JoinHandle<()>);

/// An editor saves a file in several steps, and a build writes several files; what comes within so long is one change.
const TOGETHER: Duration = Duration::from_millis(200);

impl Watching {
    pub(crate) fn begin(deployment: &Arc<Deployment>) -> Result<Self> {
        let mut changes = Changes::of(deployment)?;
        let deployment = Arc::clone(deployment);
        Ok(Self(tokio::spawn(async move {
            loop {
                let paths = changes.next().await;
                take_over(&deployment, &paths).await;
                changes.follow(&deployment);
            }
        })))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes over plugins that have changed, and then pipelines, which may need them so.
async fn take_over(deployment: &Arc<Deployment>, paths: &BTreeSet<PathBuf>) {
    for (id, folder) in deployment.folders() {
        let folder = canonical(&folder);
        if paths.iter().any(|path| path.starts_with(&folder)) {
            match plugin(deployment, &id).await {
                Ok(done) => Output::Error.line(done),
                Err(problem) => show(&format!("plugin `{id}`"), &problem),
            }
        }
    }
    for file in deployment.files() {
        if paths.contains(&canonical(file)) {
            match deployment.reread(file).await {
                Ok(true) => Output::Error.line(format_args!("{}: taken over", file.display())),
                Ok(false) => {}
                Err(error) => {
                    error::show(&error);
                    Output::Error.line(format_args!("{}: what was there goes on", file.display()));
                }
            }
        }
    }
}

/// Swaps a plugin, or starts it again where it cannot be swapped.
async fn plugin(deployment: &Arc<Deployment>, id: &PluginId) -> Result<String, Problem> {
    let same_place = Replacement::default();
    match deployment.swap(id.as_str(), &same_place, false).await {
        Ok(swapped) => Ok(format!("plugin `{id}`: {} is swapped in", swapped.to)),
        Err(problem) if matches!(&*problem.code, "not-active" | "does-not-fit") => {
            let reloaded = deployment.reload(id.as_str(), &Another::default()).await?;
            Ok(format!("plugin `{id}`: {} is started", reloaded.to))
        }
        Err(problem) => Err(problem),
    }
}

fn show(what: &str, problem: &Problem) {
    Output::Error.line(format_args!("error: {what}: {}", error::visible(&problem.detail)));
    for cause in &problem.because {
        Output::Error.line(format_args!("  because: {}", error::visible(cause)));
    }
    Output::Error.line(format_args!("{what}: what was there goes on"));
}

/// Tells which files have changed.
struct Changes {
    changed: mpsc::UnboundedReceiver<PathBuf>,
    watcher: Debouncer<RecommendedWatcher, RecommendedCache>,
    followed: BTreeSet<PathBuf>,
}

impl Changes {
    fn of(deployment: &Deployment) -> Result<Self> {
        let (sender, changed) = mpsc::unbounded_channel();
        let watcher = new_debouncer(TOGETHER, None, move |events: DebounceEventResult| {
            let changes = events.iter().flatten().filter(|event| !event.kind.is_access());
            for path in changes.flat_map(|event| &event.paths) {
                // Whoever listens has gone when the command ends.
                let _ = sender.send(path.clone());
            }
        })?;
        let mut changes = Self { changed, watcher, followed: BTreeSet::new() };
        for file in deployment.files() {
            if let Some(folder) = canonical(file).parent() {
                changes.add(folder, RecursiveMode::NonRecursive)?;
            }
        }
        changes.follow(deployment);
        Ok(changes)
    }

    /// Looks at the folders of plugins, too, that have come meanwhile.
    fn follow(&mut self, deployment: &Deployment) {
        for (id, folder) in deployment.folders() {
            if let Err(error) = self.add(&canonical(&folder), RecursiveMode::Recursive) {
                tracing::warn!(plugin = %id, %error, "the folder of a plugin is not watched");
            }
        }
    }

    fn add(&mut self, folder: &Path, mode: RecursiveMode) -> Result<()> {
        if self.followed.insert(folder.to_owned()) {
            self.watcher.watch(folder, mode)?;
        }
        Ok(())
    }

    /// The files of the next change. Cancel safe.
    async fn next(&mut self) -> BTreeSet<PathBuf> {
        let Some(first) = self.changed.recv().await else { return std::future::pending().await };
        let mut paths = BTreeSet::from([first]);
        // What has gathered meanwhile is one change, too.
        while let Ok(path) = self.changed.try_recv() {
            paths.insert(path);
        }
        paths
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
