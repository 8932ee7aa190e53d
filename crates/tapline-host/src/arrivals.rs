use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tapline_core::PluginId;
use tokio::sync::watch;

use crate::error::HostError;

/// The plugins that are being loaded: each can be told to turn back.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<BTreeMap<PluginId, watch::Sender<bool>>>);

/// A plugin that is being loaded; when it is dropped, it is not any more.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    arrivals: &'a Arrivals,
    plugin: PluginId,
    turned_back: watch::Receiver<bool>,
}

impl Arrivals {
    pub(crate) fn announce(&self, plugin: &PluginId) -> Arrival<'_> {
        let (sender, turned_back) = watch::channel(false);
        self.coming().insert(plugin.clone(), sender);
        Arrival { arrivals: self, plugin: plugin.clone(), turned_back }
    }

    /// Ends the load of a plugin, and says whether it was being loaded.
    pub(crate) fn turn_back(&self, plugin: &str) -> bool {
        self.coming().get(plugin).is_some_and(|coming| coming.send(true).is_ok())
    }

    fn coming(&self) -> MutexGuard<'_, BTreeMap<PluginId, watch::Sender<bool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival<'_> {
    /// Does a step of the load, unless the plugin is told to turn back meanwhile.
    pub(crate) async fn step<T>(
        &self,
        step: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let mut turned_back = self.turned_back.clone();
        tokio::select! {
            biased;
            _ = turned_back.wait_for(|turned_back| *turned_back) => {
                Err(HostError::Unloaded { plugin: self.plugin.clone() })
            }
            done = step => done,
        }
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.arrivals.coming().remove(&self.plugin);
    }
}
