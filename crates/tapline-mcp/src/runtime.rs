use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tapline_core::{
    BoxFuture, Grants, Limits, LoadError, McpDeclaration, Package, Plugin, Runtime, RuntimeKind,
};
use tapline_process::{Enclosure, Walls};
use tempfile::TempDir;

use crate::plugin::McpPlugin;
use crate::tools::Accepted;

/// Runs MCP servers.
#[derive(Debug, Clone)]
pub struct McpRuntime {
    settings: McpRuntimeBuilder,
}

/// How an [`McpRuntime`] is made.
#[derive(Clone)]
pub struct McpRuntimeBuilder {
    walls: Walls,
    path: Vec<PathBuf>,
    variables: Variables,
    ready: Duration,
    grace: Duration,
}

/// Looks up a variable of the host's environment.
type Variables = fn(&str) -> Option<String>;

/// How long a server may take until it has told its tools, unless said.
const READY: Duration = Duration::from_secs(30);
/// How long a server may take to end, each time that it is told so, unless said.
const GRACE: Duration = Duration::from_secs(2);

/// All that is needed to reach a server.
pub(crate) struct Launch {
    pub(crate) plugin: String,
    pub(crate) declared: McpDeclaration,
    pub(crate) accepted: Accepted,
    pub(crate) place: Place,
    pub(crate) limits: Limits,
    pub(crate) ready: Duration,
    pub(crate) grace: Duration,
    variables: Variables,
    grants: Grants,
    /// The folder that a server is started in, for as long as there is one.
    _folder: Option<TempDir>,
}

/// Where a server is.
pub(crate) enum Place {
    /// It is started here.
    Here(Box<Enclosure>, Walls),
    /// It runs at an address.
    Elsewhere(String),
}

impl Launch {
    /// What a server that is started here gets to see, with the variables that it was granted.
    pub(crate) fn enclosure(&self, enclosure: &Enclosure) -> Result<Enclosure, String> {
        let granted = |name: &str| (self.variables)(name).filter(|_| self.grants.env.contains(name));
        let environment = self.declared.environment(granted).map_err(|name| {
            format!("the variable `{name}` of its environment is not granted, or has no value here")
        })?;
        Ok(Enclosure { environment, ..enclosure.clone() })
    }
}

impl McpRuntime {
    /// A runtime whose servers are behind these walls.
    #[must_use]
    pub fn new(walls: Walls) -> Self {
        Self::builder(walls).build()
    }

    /// A runtime that is set up step by step.
    #[must_use]
    pub fn builder(walls: Walls) -> McpRuntimeBuilder {
        McpRuntimeBuilder { walls, path: Vec::new(), variables: |_| None, ready: READY, grace: GRACE }
    }

    fn load_server(
        &self,
        package: &Package,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Arc<dyn Plugin>, LoadError> {
        let manifest = &package.manifest;
        let refused = |reason: String| LoadError::NoProcess { plugin: manifest.id().to_string(), reason };
        let declared =
            manifest.mcp.as_ref().ok_or_else(|| refused("its manifest has no table `[mcp]`".to_owned()))?;
        let (place, folder) = match &declared.url {
            Some(url) => (Place::Elsewhere(url.clone()), None),
            None => self.here(declared, grants, limits).map_err(refused)?,
        };
        let launch = Launch {
            plugin: manifest.id().to_string(),
            accepted: Accepted::of(manifest),
            declared: declared.clone(),
            place,
            limits: limits.clone(),
            ready: self.settings.ready,
            grace: self.settings.grace,
            variables: self.settings.variables,
            grants: grants.clone(),
            _folder: folder,
        };
        Ok(Arc::new(McpPlugin::new(launch)))
    }

    /// What is needed to start a server here.
    fn here(
        &self,
        declared: &McpDeclaration,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<(Place, Option<TempDir>), String> {
        let settings = &self.settings;
        settings.walls.check().map_err(|error| error.to_string())?;
        let (program, arguments) = declared.command.split_first().ok_or("its command is empty")?;
        let folder = tempfile::Builder::new().prefix("tapline-mcp-").tempdir();
        let folder = folder.map_err(|error| format!("there is no folder to start it in: {error}"))?;
        let enclosure = Enclosure {
            program: self.find(program)?,
            arguments: arguments.to_vec(),
            folder: folder.path().to_owned(),
            granted: grants.folders.clone(),
            environment: BTreeMap::new(),
            has_network: grants.network,
            has_processes: grants.processes,
            limits: limits.clone(),
        };
        Ok((Place::Here(Box::new(enclosure), settings.walls.clone()), Some(folder)))
    }

    fn find(&self, program: &str) -> Result<PathBuf, String> {
        if program.contains('/') {
            let file = PathBuf::from(program);
            return if file.is_file() { Ok(file) } else { Err(format!("there is no program `{program}`")) };
        }
        let mut files = self.settings.path.iter().map(|folder| folder.join(program));
        let found = files.find(|file| file.is_file());
        found.ok_or_else(|| format!("there is no program `{program}` on the host's path"))
    }
}

impl McpRuntimeBuilder {
    /// The folders that programs are looked for in. None unless said.
    #[must_use]
    pub fn path(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.path = folders.into_iter().collect();
        self
    }

    /// How the variables of the host's environment are looked up that a server was granted. There are none unless said.
    #[must_use]
    pub fn variables(mut self, look_up: fn(&str) -> Option<String>) -> Self {
        self.variables = look_up;
        self
    }

    /// How long a server may take until it has told its tools; 30 seconds unless said.
    #[must_use]
    pub const fn ready_within(mut self, time: Duration) -> Self {
        self.ready = time;
        self
    }

    /// How long a server may take to exit once it is told so, and again once it is made to; 2 seconds unless said.
    #[must_use]
    pub const fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// The runtime.
    #[must_use]
    pub const fn build(self) -> McpRuntime {
        McpRuntime { settings: self }
    }
}

impl Runtime for McpRuntime {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Mcp
    }

    fn load<'a>(
        &'a self,
        package: &'a Package,
        grants: &'a Grants,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<Arc<dyn Plugin>, LoadError>> {
        Box::pin(std::future::ready(self.load_server(package, grants, limits)))
    }
}

impl fmt::Debug for McpRuntimeBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("McpRuntimeBuilder").field("walls", &self.walls).finish_non_exhaustive()
    }
}
