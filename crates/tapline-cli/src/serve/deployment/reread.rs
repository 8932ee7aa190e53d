//! A pipeline file that has changed while it was served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
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
        let mut loaded = self.loaded.lock().await;
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
        self.bring(&pipeline, &mut loaded).await?;
        let left = before.iter().flat_map(|before| before.wanted.keys());
        for id in left.filter(|id| !wanted.contains_key(*id)) {
            // It stays where another plugin needs it.
            let _ = self.engine.host().unload(id.as_str()).await;
        }
        self.forget_absent(&mut loaded);
        pipeline.now = pipeline.with(&self.engine, &self.known(&loaded)).await;
        let kept = served.iter().filter(|(_, other)| is_other(other));
        let kept = kept.map(|(name, other)| (Arc::clone(name), Arc::clone(other)));
        self.publish(kept.chain([(Arc::clone(&pipeline.name), Arc::new(pipeline))]).collect());
        self.look_again(&loaded).await;
        Ok(true)
    }

    /// Loads what a pipeline needs, all or nothing, and starts again what it wants otherwise than it is.
    async fn bring(
        &self,
        pipeline: &Pipeline,
        loaded: &mut std::collections::BTreeMap<PluginId, Wanted>,
    ) -> Result<()> {
        let absent = pipeline.wanted.iter().filter(|(id, _)| !loaded.contains_key(*id));
        let absent: Vec<_> = absent.map(|(id, wanted)| (id.clone(), wanted.clone())).collect();
        let loads = absent.iter().map(|(_, wanted)| wanted.load()).collect::<Result<_>>()?;
        let host = self.engine.host();
        host.load_all(loads).await?;
        loaded.extend(absent.iter().cloned());
        for (id, wanted) in &pipeline.wanted {
            if loaded.get(id).is_some_and(|there| there.is_as(wanted)) {
                continue;
            }
            if let Err(error) = host.reload(wanted.load()?).await {
                for (id, _) in absent.iter().rev() {
                    let _ = host.unload(id.as_str()).await;
                }
                self.forget_absent(loaded);
                return Err(error).with_context(|| format!("plugin `{id}` with what the file says now"));
            }
            loaded.insert(id.clone(), wanted.clone());
        }
        Ok(())
    }
}
