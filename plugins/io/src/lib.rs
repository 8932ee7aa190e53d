//! Reading and writing files of one folder.
//!
//! Every path is relative to a folder that the caller has opened; `..`, absolute paths and symbolic links out of it are
//! refused.
//! What is read has bounds, too: a file that becomes one value has at most 64 MiB, and a row of JSONL or CSV 16 MiB.
//!
//! A file that is written appears whole or not at all: its content goes to a temporary file beside it first, which then
//! takes its name.

pub mod read;
pub mod write;
mod error;
mod format;
mod location;
mod source;
mod config;
mod json;
mod yaml;
mod jsonl;
mod csv_file;
mod infer;
mod text;
mod lines;

pub use error::IoError;
pub use read::read;
pub use write::write;

use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::NodeRequest;

/// The plugin: the node types `read` and `write`.
#[derive(Debug)]
pub struct Io(Dir);

/// How the plugin starts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The folder that it reads and writes.
    root: PathBuf,
}

#[plugin(id = "io", requires = { fs = [{ path = "data:", mode = "rw" }] })]
impl Io {
    #[init]
    fn init(config: Config) -> Result<Self> {
        let opened = Dir::open_ambient_dir(&config.root, ambient_authority());
        opened.map(Self).map_err(|error| Failure::new("io", format!("{}: {error}", config.root.display())))
    }

    #[provides(point = "node", key = "read", schema = "schemas/read.json")]
    async fn read(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(match request.page {
            Some(page) => read::page(&self.0, &request.with, &page)?,
            None => read(&self.0, &request.with)?,
        })
    }

    #[provides(point = "node", key = "write", schema = "schemas/write.json")]
    async fn write(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(match request.page {
            Some(page) => write::page(&self.0, &request.with, &page)?,
            None => write(&self.0, &request.with)?,
        })
    }
}

impl From<IoError> for Failure {
    fn from(error: IoError) -> Self {
        let code = match error {
            IoError::Config { .. } => "invalid-config",
            IoError::Outside { .. } => "denied",
            IoError::Content { .. } | IoError::TooLarge { .. } | IoError::NoFile { .. } => "invalid-data",
            _ => "io",
        };
        Self::from_error(code, error)
    }
}

#[cfg(test)]
mod tests;
