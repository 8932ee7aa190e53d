//! A pipeline file that has changed while it was served.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use tapline::PluginId;
use tokio::task::spawn_blocking;

use crate::project::Wanted;
use crate::serve::pipeline::Pipeline;

use super::{Deployment, merged, refuse_beside};

impl Deployment {
    /// Reads a pipeline file anew, loads what it needs besides, starts again what it wants otherwise, and lets go what
    /// nobody wants any more. Runs that are under way go on as they began. Says whether anything has changed.
    ///
    /// # Errors
    /// When it has mistakes or its plugins do not start; then what was served is served on.
    pub(crate) async fn reread(&self, file: &Path) -> Result<bool> {
        let mut loaded = self.changing().await.map_err(|problem| anyhow!(problem.detail))?;
        let (path, is_locked): (PathBuf, _) = (file.to_owned(), self.is_locked);
        let read = spawn_blocking(move || Pipeline::read(&path, is_locked)).await??;
        let Some(mut pipeline) = read else { bail!("{} has mistakes", file.display()) };
        let served = self.pipelines();
        let is_other = |other: &&Arc<Pipeline>| other.file() != file;
        let before = served.values().find(|other| !is_other(other));
        if before.is_some_and(|before| before.project.is_as_written(&pipeline.project)) {
            return Ok(false);
        }
        let others: Vec<_> = served.values().filter(is_other).map(|other| Pipeline::clone(other)).collect();
        refuse_beside(&others, &pipeline)?;
        let mut all = others;
        all.push(pipeline.clone());
        let wanted = merged(&all)?;
        if let Err(error) = self.bring(&pipeline, &mut loaded).await {
            self.agree(&mut loaded);
            self.look_again(&loaded).await;
            return Err(error);
        }
        let left = before.iter().flat_map(|before| before.wanted.keys());
        for id in left.filter(|id| !wanted.contains_key(*id)) {
            // It stays where another plugin needs it.
            let _ = self.engine.host().unload(id.as_str()).await;
        }
        self.agree(&mut loaded);
        // Whether it can run is looked at below, and told if it is news.
        if let Some(before) = before {
            pipeline.now = before.now.clone();
        }
        let kept = served.iter().filter(|(_, other)| is_other(other));
        let kept = kept.map(|(name, other)| (Arc::clone(name), Arc::clone(other)));
        self.publish(kept.chain([(Arc::clone(&pipeline.name), Arc::new(pipeline))]).collect());
        self.look_again(&loaded).await;
        Ok(true)
    }

    /// Loads what a pipeline needs, all or nothing, and starts again what it wants otherwise than it is.
    async fn bring(&self, pipeline: &Pipeline, loaded: &mut BTreeMap<PluginId, Wanted>) -> Result<()> {
        let absent = pipeline.wanted.iter().filter(|(id, _)| !loaded.contains_key(*id));
        let absent: Vec<_> = absent.map(|(id, wanted)| (id.clone(), wanted.clone())).collect();
        let loads = absent.iter().map(|(_, wanted)| wanted.load()).collect::<Result<_>>()?;
        self.engine.host().load_all(loads).await?;
        loaded.extend(absent.iter().cloned());
        let mut changed = Vec::new();
        for (id, wanted) in &pipeline.wanted {
            let Some(there) = loaded.get(id).filter(|there| !there.is_as(wanted)).cloned() else { continue };
            if let Err(error) = self.engine.host().reload(wanted.load()?).await {
                self.undo(&absent, changed, loaded).await;
                return Err(error).with_context(|| format!("plugin `{id}` with what the file says now"));
            }
            loaded.insert(id.clone(), wanted.clone());
            changed.push((id.clone(), there));
        }
        Ok(())
    }

    /// Lets go what came, and has what was changed be as it was, as far as it starts so again.
    async fn undo(
        &self,
        came: &[(PluginId, Wanted)],
        changed: Vec<(PluginId, Wanted)>,
        loaded: &mut BTreeMap<PluginId, Wanted>,
    ) {
        let host = self.engine.host();
        for (id, before) in changed.into_iter().rev() {
            let Ok(load) = before.load() else { continue };
            match host.reload(load).await {
                Ok(_) => drop(loaded.insert(id, before)),
                Err(error) => tracing::error!(plugin = %id, %error, "a plugin is not as it was before"),
            }
        }
        for (id, _) in came.iter().rev() {
            // It stays where another plugin needs it.
            let _ = host.unload(id.as_str()).await;
        }
    }
}
