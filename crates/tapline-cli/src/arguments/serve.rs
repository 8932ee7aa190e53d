use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::history;
use crate::serve::TOKEN;

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The pipeline files, of one folder.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The address to listen on; port 0 takes a free one, and it is said which.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878")]
    pub(crate) listen: SocketAddr,
    /// Take over changes of the pipeline files and of the folders of plugins; a mistake is shown, and what was there goes
    /// on.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Refuse plugins that are not those of `tapline.lock`.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Add a line to this file for each privileged act of a plugin and for each refusal, instead of the one of the
    /// settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,
    /// The file of the token that requests have to name, which is made where there is none; `.tapline/token` beside the
    /// pipelines unless said.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How many runs may be under way at once; more are refused.
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// How many connections there may be at once; for another one, the one goes that has been idle for longest.
    #[arg(long, value_name = "NUMBER", default_value_t = 16384, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) connections: u32,
    /// How long runs that are under way at a signal may take before they are interrupted.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub(crate) drain: Duration,
}

impl ServeArguments {
    pub(crate) fn token_file(&self) -> PathBuf {
        let folder = || self.files.first().and_then(|file| file.parent()).unwrap_or(Path::new(""));
        self.token_file.clone().unwrap_or_else(|| folder().join(history::FOLDER).join(TOKEN))
    }
}
