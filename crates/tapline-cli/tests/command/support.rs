use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// The root of this repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the tools for other languages than Rust are.
#[expect(clippy::disallowed_methods, reason = "the test runner says where they are")]
pub(crate) fn foreign() -> PathBuf {
    let beside = || repository().join("target/foreign");
    std::env::var("TAPLINE_FOREIGN").map_or_else(|_| beside(), PathBuf::from)
}

/// A folder of its own in which the command is started.
pub(crate) struct Workplace {
    folder: PathBuf,
    /// Takes the folder away when dropped.
    _temporary: Option<TempDir>,
}

/// What the command has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Workplace {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self { folder: temporary.path().to_owned(), _temporary: Some(temporary) }
    }

    /// An empty folder of this name in which plugins are built: what they are built from is compiled once for all of them
    /// and all runs.
    pub(crate) fn building(name: &str) -> Self {
        let authors = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authors");
        let folder = authors.join(name);
        let _ = fs::remove_dir_all(&folder);
        let workplace = Self { folder, _temporary: None };
        workplace.shares_builds();
        workplace
    }

    /// An empty folder of this name in which plugins in Python and JavaScript are built, where the tools for it are.
    pub(crate) fn with_foreign_tools(name: &str) -> Option<Self> {
        let tools = foreign();
        let are_there =
            ["node_modules/componentize-qjs", "node_modules/esbuild", ".venv/bin/componentize-py"];
        if !are_there.iter().all(|tool| tools.join(tool).exists()) {
            println!(
                "skipped: the tools for Python and JavaScript are not there; `cargo xtask setup --install` brings them"
            );
            return None;
        }
        let folder = tools.join("authors").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Some(Self { folder, _temporary: None })
    }

    /// Has what is built here share a target folder.
    pub(crate) fn shares_builds(&self) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authors/target");
        self.write(".cargo/config.toml", format!("[build]\ntarget-dir = {target:?}\n"));
    }

    /// A folder with `pipeline.yaml`.
    pub(crate) fn with(pipeline: &str) -> Self {
        let workplace = Self::new();
        workplace.write("pipeline.yaml", pipeline);
        workplace
    }

    /// A copy of the example, its plugin included.
    pub(crate) fn triage() -> Self {
        let workplace = Self::new();
        let example = repository().join("examples/triage");
        let files = [
            "pipeline.yaml",
            "pipeline.test.yaml",
            "watched.yaml",
            "replays/addresses.jsonl",
            "tickets.jsonl",
        ];
        for file in files {
            workplace.write(file, fs::read(example.join(file)).unwrap());
        }
        let redact = tapline_test_kit::guest("redact");
        for file in ["plugin.toml", "plugin.wasm"] {
            workplace.write(&format!("plugins/redact/{file}"), fs::read(redact.join(file)).unwrap());
        }
        workplace
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces text in a file, which has to be there.
    pub(crate) fn edit(&self, name: &str, old: &str, new: &str) {
        let content = self.read(name);
        assert!(content.contains(old), "{name} does not hold {old}");
        self.write(name, content.replace(old, new));
    }

    /// Starts the command with words as a shell would split them.
    pub(crate) fn tapline(&self, words: &str) -> Said {
        self.start(words.split_whitespace())
    }

    pub(crate) fn start<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Said {
        let output = self.command().args(words).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command, to be started by whoever reads along what it says.
    #[expect(clippy::disallowed_methods, reason = "this is how a user starts it")]
    pub(crate) fn going(&self) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("tapline"));
        command.current_dir(&self.folder).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        command
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("tapline"));
        command.current_dir(&self.folder).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        command
    }
}

/// The lines without the white space at their ends.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}
