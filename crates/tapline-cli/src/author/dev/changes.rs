use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tapline_build::Project;
use tokio::sync::mpsc;

/// Tells when the source of a plugin, or the pipeline that it is tried in, has changed.
pub(super) struct Changes {
    changed: mpsc::UnboundedReceiver<()>,
    _watcher: Debouncer<RecommendedWatcher, RecommendedCache>,
}

/// An editor saves a file in several steps; what comes within so long is one change.
const TOGETHER: Duration = Duration::from_millis(100);

impl Changes {
    pub(super) fn of(source: &Arc<Project>, pipeline: &Path) -> Result<Self> {
        let (sender, changed) = mpsc::unbounded_channel();
        let (project, pipeline) = (Arc::clone(source), fs::canonicalize(pipeline).unwrap_or_default());
        let root = fs::canonicalize(source.folder())?;
        let file = pipeline.clone();
        let is_ours = move |path: &PathBuf| *path == file || project.is_source(path);
        let mut watcher = new_debouncer(TOGETHER, None, move |events: DebounceEventResult| {
            let mut paths = events
                .iter()
                .flatten()
                .filter(|event| !event.kind.is_access())
                .flat_map(|event| &event.paths);
            if paths.any(&is_ours) {
                // Whoever listens has gone when the command ends.
                let _ = sender.send(());
            }
        })?;
        watcher.watch(&root, RecursiveMode::NonRecursive)?;
        let beside = pipeline.parent().filter(|folder| **folder != root && folder.is_dir());
        if let Some(beside) = beside {
            watcher.watch(beside, RecursiveMode::NonRecursive)?;
        }
        for folder in source.source_folders()? {
            watcher.watch(fs::canonicalize(folder)?, RecursiveMode::Recursive)?;
        }
        Ok(Self { changed, _watcher: watcher })
    }

    /// Waits for the next change. Cancel safe.
    pub(super) async fn next(&mut self) {
        if self.changed.recv().await.is_none() {
            std::future::pending().await
        }
        // What has gathered meanwhile is one change, too.
        while self.changed.try_recv().is_ok() {}
    }
}
