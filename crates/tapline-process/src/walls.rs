use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use command_fds::FdMapping;

use crate::enclosure::Enclosure;

mod bubblewrap;
mod confine;
#[cfg(target_os = "linux")]
mod system_calls;

pub use confine::confine;

/// What stands between the processes of plugins and the machine. What the host does for a plugin is bounded by its grants
/// whether there are walls or not; walls bound what its code does past the host.
#[derive(Clone)]
pub struct Walls {
    /// The program of the application that calls [`confine`].
    trampoline: Option<(PathBuf, Vec<OsString>)>,
    bubblewrap: Option<PathBuf>,
    are_required: bool,
    /// Whether bubblewrap works on this machine, once somebody has asked.
    encloses: Arc<OnceLock<Result<(), String>>>,
}

/// One of the walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// A process has nothing of the host's environment.
    Environment,
    /// It has a bounded amount of memory and files, and no open file of the host.
    Limits,
    /// System calls that reach past a process, or into the kernel's less trodden parts, are refused.
    SystemCalls,
    /// It sees the programs of the system and its own files, and writes to a folder that ends with it.
    Files,
    /// It reaches no other process, and none that it has started outlives it.
    Processes,
    /// It has no network, unless that was granted.
    Network,
}

/// Whether a wall stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The wall.
    pub wall: Wall,
    /// Why it does not stand, and what would make it.
    pub missing: Option<String>,
}

/// Walls are required, and do not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the walls that it has to be behind do not all stand: {0}")]
pub struct WallsError(String);

/// What is started in the place of a process, to start it behind walls.
pub(crate) struct Enclosed {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

impl Wall {
    /// All walls, from the one that every system has.
    pub const ALL: [Self; 6] =
        [Self::Environment, Self::Limits, Self::SystemCalls, Self::Files, Self::Processes, Self::Network];

    /// What it does, in words.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Environment => "nothing of the host's environment",
            Self::Limits => "bounded memory and files, and no open files of the host",
            Self::SystemCalls => "dangerous system calls are refused",
            Self::Files => "no files but its own and those of the system's programs",
            Self::Processes => "no other process is reached, and none is left behind",
            Self::Network => "no network unless it is granted",
        }
    }
}

impl Walls {
    /// As many walls as the machine has. `program` with its arguments is one of the application's own that calls
    /// [`confine`] and nothing else; `path` is where `bwrap` is looked for.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        path: impl IntoIterator<Item = PathBuf>,
    ) -> Self {
        let trampoline = (program.into(), arguments.into_iter().map(Into::into).collect());
        let bubblewrap = path.into_iter().map(|folder| folder.join("bwrap")).find(|file| file.is_file());
        Self { trampoline: Some(trampoline), bubblewrap, ..Self::none() }
    }

    /// No walls but that the environment is empty: a plugin can do what the application can.
    #[must_use]
    pub fn none() -> Self {
        Self { trampoline: None, bubblewrap: None, are_required: false, encloses: Arc::default() }
    }

    /// Refuses plugins unless all walls stand.
    #[must_use]
    pub const fn required(mut self, are_required: bool) -> Self {
        self.are_required = are_required;
        self
    }

    /// Which walls stand. The first time, it starts bubblewrap to see whether it works.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        Wall::ALL.map(|wall| Standing { wall, missing: self.missing(wall) }).into()
    }

    fn missing(&self, wall: Wall) -> Option<String> {
        if wall == Wall::Environment {
            return None;
        }
        if !cfg!(target_os = "linux") {
            return Some("there is none on this system: it is made of what Linux has".to_owned());
        }
        match wall {
            Wall::Environment => None,
            Wall::Limits | Wall::SystemCalls => {
                self.trampoline.is_none().then(|| "the application has no program that confines".to_owned())
            }
            Wall::Files | Wall::Processes | Wall::Network => self.enclosing().err(),
        }
    }

    /// Whether bubblewrap works here.
    fn enclosing(&self) -> Result<&Path, String> {
        let program = self.bubblewrap.as_deref();
        let program = program.ok_or("`bwrap` is not installed; on Debian: apt-get install bubblewrap")?;
        self.encloses.get_or_init(|| bubblewrap::probe(program)).clone().map(|()| program)
    }

    /// Fails when walls are required and do not all stand.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), WallsError> {
        if !self.are_required {
            return Ok(());
        }
        let missing: Vec<_> = self.standing().into_iter().filter_map(|standing| standing.missing).collect();
        let mut reasons = missing;
        reasons.dedup();
        if reasons.is_empty() { Ok(()) } else { Err(WallsError(reasons.join("; "))) }
    }

    /// What has to be started to start the process of a plugin behind the walls that stand.
    pub(crate) fn enclose(
        &self,
        enclosure: &Enclosure,
        mappings: &mut Vec<FdMapping>,
    ) -> io::Result<Enclosed> {
        let mut command = vec![enclosure.program.clone().into_os_string()];
        command.extend(enclosure.arguments.iter().map(Into::into));
        let home = match self.enclosing() {
            Ok(bubblewrap) => {
                command = bubblewrap::command(bubblewrap, enclosure, command, mappings)?;
                "/tmp".into()
            }
            Err(_) => enclosure.folder.clone().into(),
        };
        if let Some((program, arguments)) = &self.trampoline {
            let own = std::iter::once(program.clone().into_os_string()).chain(arguments.iter().cloned());
            let limits = confine::arguments(enclosure, self.enclosing().is_err());
            command = own.chain(limits).chain(command).collect();
        }
        let mut command = command.into_iter();
        let program = command.next().unwrap_or_default().into();
        let environment =
            vec![("HOME", home), ("LANG", "C.UTF-8".into()), ("PATH", "/usr/local/bin:/usr/bin:/bin".into())];
        Ok(Enclosed { program, arguments: command.collect(), environment })
    }
}

impl fmt::Debug for Walls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Walls").field("are_required", &self.are_required).finish_non_exhaustive()
    }
}
