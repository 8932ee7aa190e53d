use std::io;
use std::path::PathBuf;

/// Why a project was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder holds no source of a plugin.
    #[error("{}: there is no source of a plugin that can be built: {expected}", folder.display())]
    NotAProject {
        /// The folder.
        folder: PathBuf,
        /// What would make it one.
        expected: &'static str,
    },
    /// A tool is missing.
    #[error("there is no {tool}")]
    Missing {
        /// What it is.
        tool: &'static str,
        /// How to get it, on each kind of system.
        help: &'static str,
    },
    /// A tool could not be started, or did not come to its end.
    #[error("`{command}`")]
    Run {
        /// The command, as a person would type it.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// A tool found mistakes in the source, and has shown them on standard error.
    #[error("{tool} cannot build it: {status}")]
    Source {
        /// The tool.
        tool: &'static str,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// What the source declares makes no sense, or its code fails when it is run to see what it declares.
    #[error("{what}")]
    Declaration {
        /// What is wrong and where, as a person would read it; several lines where it is a traceback.
        what: String,
    },
    /// What came out of the tools is no plugin.
    #[error("{what}")]
    NotAPlugin {
        /// What is wrong with it.
        what: String,
    },
    /// A file could not be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl BuildError {
    /// What to do about it, where there is something to say.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Missing { help, .. } => Some(help),
            _ => None,
        }
    }

    pub(crate) fn not_a_plugin(what: impl Into<String>) -> Self {
        Self::NotAPlugin { what: what.into() }
    }
}
