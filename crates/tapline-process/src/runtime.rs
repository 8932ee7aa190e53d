use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tapline_core::{
    BoxFuture, Grants, Limits, LoadError, Package, Plugin, Runtime, RuntimeKind, Totals, Traffic,
};

use crate::enclosure::Enclosure;
use crate::plugin::ProcessPlugin;
use crate::staged::Staged;
use crate::walls::Walls;

/// Runs plugins that are processes.
#[derive(Debug, Clone)]
pub struct ProcessRuntime {
    settings: ProcessRuntimeBuilder,
}

/// How a [`ProcessRuntime`] is made.
#[derive(Clone)]
pub struct ProcessRuntimeBuilder {
    walls: Walls,
    path: Vec<PathBuf>,
    hello: Duration,
    grace: Duration,
    alive: Duration,
    waiting: Option<Waiting>,
}

/// Gives what is held for as long as the host waits for a process.
type Waiting = fn() -> Box<dyn Any + Send>;

/// How long a process may take to say hello unless said.
const HELLO: Duration = Duration::from_secs(30);
/// How long a process may take to end, each time that it is told so, unless said.
const GRACE: Duration = Duration::from_secs(2);
/// How often a process is asked whether it is there, and how long it may take to answer, unless said.
const ALIVE: Duration = Duration::from_secs(60);
/// The longest message, in bytes.
const FRAME: u32 = 64 << 20;

/// All that is needed to start the process of a plugin.
pub(crate) struct Launch {
    pub(crate) plugin: String,
    pub(crate) enclosure: Enclosure,
    /// The folder that the process is started in, for as long as there is one.
    pub(crate) _staged: Staged,
    pub(crate) walls: Walls,
    pub(crate) idle: Option<Duration>,
    pub(crate) is_lazy: bool,
    pub(crate) hello: Duration,
    pub(crate) grace: Duration,
    pub(crate) alive: Duration,
    pub(crate) frame: u32,
    pub(crate) totals: Arc<Totals>,
    waiting: Option<Waiting>,
}

impl Launch {
    /// What a call carries.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic::new(Arc::clone(&self.totals), &self.enclosure.limits)
    }

    /// What is held while the process alone can go on.
    pub(crate) fn patience(&self) -> Option<Box<dyn Any + Send>> {
        self.waiting.map(|waiting| waiting())
    }
}

impl ProcessRuntime {
    /// A runtime whose processes are behind these walls.
    #[must_use]
    pub fn new(walls: Walls) -> Self {
        Self::builder(walls).build()
    }

    /// A runtime that is set up step by step.
    #[must_use]
    pub const fn builder(walls: Walls) -> ProcessRuntimeBuilder {
        ProcessRuntimeBuilder {
            walls,
            path: Vec::new(),
            hello: HELLO,
            grace: GRACE,
            alive: ALIVE,
            waiting: None,
        }
    }

    fn load_process(
        &self,
        package: &Package,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Arc<dyn Plugin>, LoadError> {
        let manifest = &package.manifest;
        let refused = |reason: String| LoadError::NoProcess { plugin: manifest.id().to_string(), reason };
        let Some(process) = &manifest.process else {
            return Err(refused("its manifest has no table `[process]`".to_owned()));
        };
        let settings = &self.settings;
        settings.walls.check().map_err(|error| refused(error.to_string()))?;
        let staged = Staged::of(package)
            .map_err(|error| refused(format!("its files cannot be put aside: {error}")))?;
        let (program, arguments) =
            process.command.split_first().ok_or_else(|| refused("its command is empty".to_owned()))?;
        let program = self.find(program, package, &staged).map_err(refused)?;
        let launch = Launch {
            plugin: manifest.id().to_string(),
            enclosure: Enclosure {
                program,
                arguments: arguments.to_vec(),
                folder: staged.path().to_owned(),
                granted: Vec::new(),
                environment: BTreeMap::new(),
                has_network: grants.network,
                has_processes: grants.processes,
                limits: limits.clone(),
            },
            _staged: staged,
            walls: settings.walls.clone(),
            idle: process.idle,
            is_lazy: process.lazy,
            hello: settings.hello,
            grace: settings.grace,
            alive: settings.alive,
            frame: FRAME,
            totals: Arc::default(),
            waiting: settings.waiting,
        };
        Ok(Arc::new(ProcessPlugin::new(launch, manifest.plugin.instances)))
    }

    /// The program that a command names.
    fn find(&self, program: &str, package: &Package, staged: &Staged) -> Result<PathBuf, String> {
        if program.contains('/') {
            return staged
                .program(program)
                .map_err(|error| format!("`{program}` cannot be started: {error}"));
        }
        let own = package.folder.join(ENVIRONMENT);
        if !own.is_dir() && package.files.contains_key(REQUIREMENTS) {
            let folder = package.folder.display();
            return Err(format!("its environment was not made; run `tapline plugin install {folder}`"));
        }
        let mut places = std::iter::once(&own).chain(&self.settings.path);
        // The folder is named as it is, and the program is not: an environment of Python goes by how it was called.
        let found = places.find_map(|place| {
            let file = place.canonicalize().ok()?.join(program);
            Some(file).filter(|file| file.is_file())
        });
        found.ok_or_else(|| {
            format!("there is no program `{program}`, neither in `{ENVIRONMENT}` of the package nor on the host's path")
        })
    }
}

/// The file of a package that names what its environment has to hold.
const REQUIREMENTS: &str = "requirements.txt";
/// Where the programs of a package's own environment lie.
const ENVIRONMENT: &str = ".venv/bin";

impl ProcessRuntimeBuilder {
    /// The folders that programs are looked for in, after the package's own environment. None unless said.
    #[must_use]
    pub fn path(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.path = folders.into_iter().collect();
        self
    }

    /// How long a process may take to say hello; 30 seconds unless said.
    #[must_use]
    pub const fn hello_within(mut self, time: Duration) -> Self {
        self.hello = time;
        self
    }

    /// How long a process may take to end a call that was given up, to exit once it is told so, and again once it is made
    /// to; 2 seconds unless said.
    #[must_use]
    pub const fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// How often a process is asked whether it is there, and how long it may take to answer; a minute unless said.
    #[must_use]
    pub const fn alive_within(mut self, time: Duration) -> Self {
        self.alive = time;
        self
    }

    /// What is made and held for as long as the host waits for a process: for tests, whose clock stands still meanwhile.
    #[must_use]
    pub const fn while_waiting(mut self, hold: fn() -> Box<dyn Any + Send>) -> Self {
        self.waiting = Some(hold);
        self
    }

    /// The runtime.
    #[must_use]
    pub const fn build(self) -> ProcessRuntime {
        ProcessRuntime { settings: self }
    }
}

impl Runtime for ProcessRuntime {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Process
    }

    fn load<'a>(
        &'a self,
        package: &'a Package,
        grants: &'a Grants,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<Arc<dyn Plugin>, LoadError>> {
        Box::pin(std::future::ready(self.load_process(package, grants, limits)))
    }
}

impl fmt::Debug for ProcessRuntimeBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ProcessRuntimeBuilder").field("walls", &self.walls).finish_non_exhaustive()
    }
}
