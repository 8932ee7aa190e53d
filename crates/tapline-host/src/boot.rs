use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use tapline_core::PluginId;

use crate::error::HostError;
use crate::host::Host;
use crate::load::{Load, Readied};
use crate::loaded::Loaded;
use crate::loader::ManifestError;
use crate::resolver::{ResolveError, Standing};
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
struct Starting {
    readied: Readied,
    /// The places of those that meet its needs.
    needs: Vec<usize>,
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
        if tapline_core::is_in_lifecycle() {
            let outcome = StartOutcome::Failed(HostError::WouldDeadlock);
            let entry = StartEntry { name: "(start-up)".to_owned(), is_optional: false, outcome };
            return Err(BootFailed(StartReport { plugins: vec![entry] }));
        }
        let host = self.clone();
        let booted = tokio::spawn(async move { host.boot_all(loads).await });
        // It ends in a panic only when the runtime does.
        booted.await.unwrap_or_else(|_| Err(BootFailed(StartReport::default())))
    }

    async fn boot_all(&self, loads: Vec<Load>) -> Result<StartReport, BootFailed> {
        let _change = self.shared().change.lock().await;
        let mut report = StartReport::default();
        let mut starting = self.read_all(loads, &mut report);
        let broken: Vec<_> = report.broken().collect();
        let (order, left_out) = self.ordered(&mut starting, &broken);
        let shared = self.shared();
        for place in &order {
            shared.initialise(&mut starting, *place).await;
        }
        for place in &order {
            shared.begin(&mut starting, *place).await;
        }
        let mut started = Vec::new();
        let mut taken: Vec<_> = starting.into_iter().map(Some).collect();
        for one in order.into_iter().chain(left_out).filter_map(|place| taken[place].take()) {
            let (name, is_optional) = (one.id().to_string(), one.readied.standing != Standing::Required);
            let outcome = one.outcome.unwrap_or(StartOutcome::Active);
            started.extend(one.loaded);
            report.plugins.push(StartEntry { name, is_optional, outcome });
        }
        if report.is_complete() {
            shared.block_stranded(&started).await;
            return Ok(report);
        }
        for loaded in started.iter().rev() {
            shared.end(loaded).await;
        }
        Err(BootFailed(report))
    }

    /// Reads what is to be started and what lies in the folders; what cannot be read, and what is blocked, is reported.
    fn read_all(&self, loads: Vec<Load>, report: &mut StartReport) -> Vec<Starting> {
        let mut starting = Vec::new();
        for load in loads {
            let (name, is_optional) = (load.name(), load.standing != Standing::Required);
            match load.read() {
                Ok(readied) if self.is_blocked(&readied) => {
                    let name = readied.manifest.id().to_string();
                    report.plugins.push(StartEntry { name, is_optional, outcome: StartOutcome::Disabled });
                }
                Ok(readied) => starting.push(Starting::new(readied)),
                Err(error) => {
                    report.plugins.push(StartEntry {
                        name,
                        is_optional,
                        outcome: StartOutcome::Failed(error),
                    });
                }
            }
        }
        let mut found = self.discover();
        starting.extend(found.readied().filter(|one| !self.is_blocked(one)).map(Starting::new));
        report.plugins.extend(found.errors.into_iter().map(|error| {
            let name = error.file().display().to_string();
            StartEntry { name, is_optional: true, outcome: StartOutcome::Failed(error.into()) }
        }));
        starting
    }

    fn is_blocked(&self, readied: &Readied) -> bool {
        self.shared().blocked().contains(readied.manifest.id())
    }

    /// The places of those that can be started, in their order, and of those that cannot, which get their outcome.
    fn ordered(&self, starting: &mut [Starting], broken: &[&ManifestError]) -> (Vec<usize>, Vec<usize>) {
        let mut readied: Vec<_> = starting.iter_mut().map(|one| &mut one.readied).collect();
        let resolution = self.shared().resolve(&mut readied, &BTreeSet::new(), broken);
        for (one, needs) in starting.iter_mut().zip(resolution.needs) {
            one.needs = needs;
        }
        let left_out = resolution.left_out.into_iter().map(|left_out| {
            starting[left_out.place].outcome = Some(StartOutcome::left_out(left_out.reasons));
            left_out.place
        });
        let left_out = left_out.collect();
        (resolution.order, left_out)
    }
}

impl Starting {
    const fn new(readied: Readied) -> Self {
        Self { readied, needs: Vec::new(), loaded: None, outcome: None }
    }

    fn id(&self) -> &PluginId {
        self.readied.manifest.id()
    }

    fn blocked_by(&self, earlier: &Self) -> StartOutcome {
        let (root, rest) = match &earlier.outcome {
            Some(StartOutcome::Blocked { root, path }) => (root.clone(), path.clone()),
            _ => (earlier.id().to_string(), vec![earlier.id().to_string()]),
        };
        let path = std::iter::once(self.id().to_string()).chain(rest).collect();
        StartOutcome::Blocked { root, path }
    }

    /// The one that this one needs and that did not start.
    fn missing_need(starting: &[Self], place: usize) -> Option<&Self> {
        let about = &starting[place].readied.manifest.plugin;
        let cannot_do_without = |other: &&Self| {
            let mut needs = about.depends_on.iter().filter(|need| !need.optional);
            needs.any(|need| other.readied.manifest.is(&need.on, &need.version))
        };
        // Those behind the last one run already.
        let needed = starting[place].needs.iter().filter_map(|needed| starting.get(*needed));
        needed.filter(cannot_do_without).find(|needed| needed.outcome.is_some())
    }
}

impl Shared {
    /// Makes the first instance of a plugin and publishes what it brings, if what it needs is there.
    async fn initialise(self: &Arc<Self>, starting: &mut [Starting], place: usize) {
        if let Some(needed) = Starting::missing_need(starting, place) {
            starting[place].outcome = Some(starting[place].blocked_by(needed));
            return;
        }
        let readied = Arc::new(starting[place].readied.clone());
        let arrival = self.arrivals.announce(readied.manifest.id());
        let started = arrival.step(self.start(&readied, self)).await;
        let published = started.and_then(|loaded| {
            self.registry.register(vec![loaded.registration()])?;
            self.plugins().push(loaded.clone());
            Ok(loaded)
        });
        match published {
            Ok(loaded) => starting[place].loaded = Some(loaded),
            Err(error) => starting[place].outcome = Some(StartOutcome::Failed(error)),
        }
    }

    /// Tells a plugin that it may begin, if what it needs has begun.
    async fn begin(&self, starting: &mut [Starting], place: usize) {
        let Some(loaded) = starting[place].loaded.clone() else { return };
        let outcome = match Starting::missing_need(starting, place) {
            Some(needed) => starting[place].blocked_by(needed),
            None => match self.arrivals.announce(loaded.id()).step(loaded.begin()).await {
                Ok(()) => return loaded.listen(&self.bus),
                Err(error) => StartOutcome::Failed(error),
            },
        };
        self.end(&loaded).await;
        starting[place].loaded = None;
        starting[place].outcome = Some(outcome);
    }
}

impl StartReport {
    /// Whether every plugin that is needed is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.plugins.iter().all(|entry| entry.is_optional || !entry.outcome.is_failure())
    }

    /// The packages that could not be read.
    fn broken(&self) -> impl Iterator<Item = &ManifestError> {
        self.plugins.iter().filter_map(|entry| match &entry.outcome {
            StartOutcome::Failed(HostError::Manifest(error)) => Some(error),
            _ => None,
        })
    }

    /// The plugins that are not there and should be.
    pub fn failures(&self) -> impl Iterator<Item = &StartEntry> {
        self.plugins.iter().filter(|entry| entry.outcome.is_failure())
    }
}

impl StartOutcome {
    /// What the reasons say for which a plugin is left out; one that is blocked says nothing else.
    fn left_out(reasons: Vec<ResolveError>) -> Self {
        match &*reasons {
            [ResolveError::Blocked { plugin, path }] => Self::Blocked {
                root: path.last().unwrap_or(plugin).to_string(),
                path: path.iter().map(ToString::to_string).collect(),
            },
            _ => Self::Failed(HostError::Resolve(reasons)),
        }
    }

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
