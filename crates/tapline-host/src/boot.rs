use std::fmt;

use tapline_core::PluginId;

use crate::error::HostError;
use crate::host::Host;
use crate::load::{Load, Readied};
use crate::loaded::Loaded;
use crate::resolver::{ResolveError, resolve};
use crate::shared::Shared;

/// What came of each plugin of a start-up, in the order in which they were tried.
#[derive(Debug, Default)]
pub struct StartReport {
    /// The plugins.
    pub plugins: Vec<StartEntry>,
}

/// What came of one plugin of a start-up.
#[derive(Debug)]
pub struct StartEntry {
    /// The plugin, or the place where it should have been when its manifest could not be read.
    pub name: String,
    /// Whether the application can do without it.
    pub is_optional: bool,
    /// What came of it.
    pub outcome: StartOutcome,
}

/// What came of a plugin.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartOutcome {
    /// It is loaded and answers.
    Active,
    /// The application has blocked its id.
    Disabled,
    /// Something is wrong with it.
    Failed(HostError),
    /// A plugin that it needs is not there.
    Blocked {
        /// The plugin with which it began: the one that failed, or the first that is missing.
        root: String,
        /// The plugins from this one to the root, each needing the next.
        path: Vec<String>,
    },
}

/// A start-up that ended because a plugin that the application needs is not there; nothing is left of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BootFailed(pub StartReport);

/// A plugin on its way.
struct Candidate {
    readied: Readied,
    is_optional: bool,
    loaded: Option<Loaded>,
    outcome: Option<StartOutcome>,
}

impl Host {
    /// Loads plugins as an application does when it starts: one that fails, or needs one that did, is left out and
    /// reported, and the others go on. When it is one that was not said to be [optional](Load::optional), the start-up
    /// ends with the whole report. Dropping the future does not keep it from coming to its end.
    ///
    /// # Errors
    /// When a plugin that is needed is not there; what had been loaded has been unloaded.
    pub async fn boot(&self, loads: Vec<Load>) -> Result<StartReport, BootFailed> {
        let host = self.clone();
        let booted = tokio::spawn(async move { host.boot_all(loads).await });
        // It ends in a panic only when the runtime does.
        booted.await.unwrap_or_else(|_| Err(BootFailed(StartReport::default())))
    }

    async fn boot_all(&self, loads: Vec<Load>) -> Result<StartReport, BootFailed> {
        let _change = self.shared().change.lock().await;
        let mut report = StartReport::default();
        let mut candidates = Vec::new();
        for load in loads {
            let (name, is_optional) = (load.name(), load.is_optional);
            match load.read() {
                Ok(readied) => {
                    candidates.push(Candidate { readied, is_optional, loaded: None, outcome: None });
                }
                Err(error) => {
                    let outcome = StartOutcome::Failed(error);
                    report.plugins.push(StartEntry { name, is_optional, outcome });
                }
            }
        }
        let order = self.ordered(&mut candidates);
        let shared = self.shared();
        for place in &order {
            shared.initialise(&mut candidates, *place).await;
        }
        for place in &order {
            shared.begin(&mut candidates, *place).await;
        }
        let left_out = (0..candidates.len()).filter(|place| !order.contains(place));
        let places: Vec<_> = order.iter().copied().chain(left_out).collect();
        let mut started = Vec::new();
        let mut taken: Vec<_> = candidates.into_iter().map(Some).collect();
        for candidate in places.into_iter().filter_map(|place| taken[place].take()) {
            let (name, is_optional) = (candidate.id().to_string(), candidate.is_optional);
            let outcome = candidate.outcome.unwrap_or(StartOutcome::Active);
            started.extend(candidate.loaded);
            report.plugins.push(StartEntry { name, is_optional, outcome });
        }
        if report.is_complete() {
            shared.plugins().extend(started);
            return Ok(report);
        }
        for loaded in started.iter().rev() {
            shared.end(loaded).await;
        }
        Err(BootFailed(report))
    }

    /// The places of the candidates that can be loaded, in their order; the others get their outcome.
    fn ordered(&self, candidates: &mut [Candidate]) -> Vec<usize> {
        for candidate in candidates.iter_mut() {
            if self.shared().blocked().contains(candidate.id()) {
                candidate.outcome = Some(StartOutcome::Disabled);
            }
        }
        let running = self.plugins();
        let running: Vec<_> =
            running.iter().map(|info| (&info.manifest.plugin.id, &info.manifest.plugin.version)).collect();
        loop {
            let open: Vec<_> =
                (0..candidates.len()).filter(|place| candidates[*place].outcome.is_none()).collect();
            let manifests: Vec<_> = open.iter().map(|place| &*candidates[*place].readied.manifest).collect();
            let errors = match resolve(&manifests, &running) {
                Ok(order) => return order.into_iter().map(|place| open[place]).collect(),
                Err(errors) => errors,
            };
            // Each round takes out those that cannot be loaded, and looks at what is left without them.
            for error in errors {
                let named = error.plugins();
                let at_fault: Vec<_> =
                    open.iter().copied().filter(|place| named.contains(candidates[*place].id())).collect();
                for place in at_fault {
                    let outcome = Candidate::left_out(candidates, place, &error);
                    candidates[place].add(outcome);
                }
            }
        }
    }
}

impl Candidate {
    fn id(&self) -> &PluginId {
        self.readied.manifest.id()
    }

    /// Takes an outcome; of several reasons of its own a candidate keeps all.
    fn add(&mut self, outcome: StartOutcome) {
        match (&mut self.outcome, outcome) {
            (
                Some(StartOutcome::Failed(HostError::Resolve(errors))),
                StartOutcome::Failed(HostError::Resolve(more)),
            ) => errors.extend(more),
            (Some(_), _) => {}
            (none, outcome) => *none = Some(outcome),
        }
    }

    /// Why a candidate that cannot be resolved is left out: for itself, or for one that was left out before.
    fn left_out(candidates: &[Self], place: usize, error: &ResolveError) -> StartOutcome {
        let earlier = match error {
            ResolveError::Missing { needed, .. } => candidates.iter().find(|one| one.id() == needed),
            _ => None,
        };
        match earlier {
            Some(earlier) => Self::blocked_by(&candidates[place], earlier),
            None => StartOutcome::Failed(HostError::Resolve(vec![error.clone()])),
        }
    }

    fn blocked_by(candidate: &Self, earlier: &Self) -> StartOutcome {
        let (root, rest) = match &earlier.outcome {
            Some(StartOutcome::Blocked { root, path }) => (root.clone(), path.clone()),
            _ => (earlier.id().to_string(), vec![earlier.id().to_string()]),
        };
        let path = std::iter::once(candidate.id().to_string()).chain(rest).collect();
        StartOutcome::Blocked { root, path }
    }

    /// The candidate that this one needs and that is not there.
    fn missing_need(candidates: &[Self], place: usize) -> Option<usize> {
        let needs = candidates[place].readied.manifest.plugin.depends_on.iter().filter(|need| !need.optional);
        needs
            .filter_map(|need| {
                candidates.iter().position(|one| one.readied.manifest.is(&need.on, &need.version))
            })
            .find(|needed| candidates[*needed].outcome.is_some())
    }
}

impl Shared {
    /// Makes the first instance of a candidate and publishes what it brings, if what it needs is there.
    async fn initialise(self: &std::sync::Arc<Self>, candidates: &mut [Candidate], place: usize) {
        if let Some(needed) = Candidate::missing_need(candidates, place) {
            let outcome = Candidate::blocked_by(&candidates[place], &candidates[needed]);
            candidates[place].outcome = Some(outcome);
            return;
        }
        let started = self.start(&candidates[place].readied, self).await;
        let published = started.and_then(|loaded| {
            self.registry.register(vec![loaded.registration()])?;
            Ok(loaded)
        });
        match published {
            Ok(loaded) => candidates[place].loaded = Some(loaded),
            Err(error) => candidates[place].outcome = Some(StartOutcome::Failed(error)),
        }
    }

    /// Tells a candidate that it may begin, if what it needs has begun.
    async fn begin(&self, candidates: &mut [Candidate], place: usize) {
        let Some(loaded) = candidates[place].loaded.clone() else { return };
        let outcome = match Candidate::missing_need(candidates, place) {
            Some(needed) => Candidate::blocked_by(&candidates[place], &candidates[needed]),
            None => match loaded.supervisor.begin().await {
                Ok(()) => return loaded.listen(&self.bus),
                Err(source) => StartOutcome::Failed(HostError::Start { plugin: loaded.id().clone(), source }),
            },
        };
        self.end(&loaded).await;
        candidates[place].loaded = None;
        candidates[place].outcome = Some(outcome);
    }
}

impl StartReport {
    /// Whether every plugin that is needed is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.plugins.iter().all(|entry| entry.is_optional || !entry.outcome.is_failure())
    }

    /// The plugins that are not there and should be.
    pub fn failures(&self) -> impl Iterator<Item = &StartEntry> {
        self.plugins.iter().filter(|entry| entry.outcome.is_failure())
    }
}

impl StartOutcome {
    const fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Blocked { .. })
    }
}

/// A line for each plugin that is not there and should be.
impl fmt::Display for StartReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.failures().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for StartEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            StartOutcome::Active => write!(formatter, "plugin `{}` is active", self.name),
            StartOutcome::Disabled => {
                write!(formatter, "plugin `{}` is blocked by the application", self.name)
            }
            StartOutcome::Blocked { root, path } => {
                write!(
                    formatter,
                    "plugin `{}` is left out, because `{root}` is: {}",
                    self.name,
                    path.join(" needs ")
                )
            }
            StartOutcome::Failed(error) => {
                fmt::Display::fmt(error, formatter)?;
                let mut cause = std::error::Error::source(error);
                while let Some(error) = cause {
                    write!(formatter, ": {error}")?;
                    cause = error.source();
                }
                Ok(())
            }
        }
    }
}
