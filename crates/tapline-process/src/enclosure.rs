use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use command_fds::{CommandFdExt as _, FdMapping};
use tapline_core::{FolderMode, Limits, MachineFolder};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::group::Group;
use crate::walls::Walls;

/// A program that is to be started behind walls, and what it gets to see there.
#[derive(Debug, Clone)]
pub struct Enclosure {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The folder that it is started in, which it reads.
    pub folder: PathBuf,
    /// Folders of the machine that it was granted.
    pub granted: Vec<MachineFolder>,
    /// What stands in its environment besides `PATH`, `HOME` and `LANG`.
    pub environment: BTreeMap<String, String>,
    /// Whether it has the network of the host.
    pub has_network: bool,
    /// Whether it may start processes of its own.
    pub has_processes: bool,
    /// How much it may take.
    pub limits: Limits,
}

/// A program that was started, with its standard pipes.
#[derive(Debug)]
pub struct Started {
    /// What it reads.
    pub stdin: ChildStdin,
    /// What it writes.
    pub stdout: ChildStdout,
    /// What it complains about.
    pub stderr: tokio::process::ChildStderr,
    /// The process, and what it has started.
    pub group: Group,
}

impl Enclosure {
    /// Starts the program behind the walls that stand: nothing of its environment comes from the host but what is said
    /// here, nor does an open file but its standard pipes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, walls: &Walls) -> io::Result<Started> {
        let mut mappings = Vec::new();
        let mut command = self.command(walls, &mut mappings)?;
        command.stdin(Stdio::piped());
        let mut child = mapped(command, mappings)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("it has no pipes"));
        };
        Ok(Started { stdin, stdout, stderr, group: Group::new(child) })
    }

    /// The command that starts it behind the walls that stand.
    pub(crate) fn command(&self, walls: &Walls, mappings: &mut Vec<FdMapping>) -> io::Result<Command> {
        let behind = walls.enclose(self, mappings)?;
        let mut command = Command::new(&behind.program);
        command
            .args(&behind.arguments)
            .env_clear()
            .envs(behind.environment)
            .envs(&self.environment)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }

    /// The folders that its program needs: where it lies, and where what interprets it lies.
    pub(crate) fn folders_of_program(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        let interpreter = interpreter(&self.program);
        for program in [Some(self.program.clone()), interpreter].into_iter().flatten() {
            let places = [Some(program.clone()), program.canonicalize().ok()];
            folders.extend(places.into_iter().flatten().map(|program| installation(&program)));
        }
        folders.retain(|folder| !folder.starts_with("/usr") && !folder.starts_with(&self.folder));
        folders.retain(|folder| !is_of_system(folder));
        folders.dedup();
        folders
    }

    /// The folders that were granted, and whether each may be written.
    pub(crate) fn folders_granted(&self) -> impl Iterator<Item = (&Path, bool)> {
        self.granted.iter().map(|folder| (Path::new(&folder.path), folder.mode == FolderMode::ReadWrite))
    }
}

/// Starts a command that is given these files besides its pipes.
pub(crate) fn mapped(mut command: Command, mappings: Vec<FdMapping>) -> io::Result<Child> {
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    command.spawn()
}

fn is_of_system(folder: &Path) -> bool {
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64"].iter().any(|system| folder.starts_with(system))
}

/// The installation that a program belongs to: the outermost `node_modules`, or the folder above `bin`; the folder of a
/// user is none.
fn installation(program: &Path) -> PathBuf {
    let modules = program.ancestors().filter(|folder| folder.ends_with("node_modules")).last();
    let bin = program.parent().filter(|parent| parent.ends_with("bin"));
    let prefix = bin.and_then(Path::parent).filter(|prefix| prefix.join("lib").is_dir());
    modules.or(prefix).unwrap_or(program).to_owned()
}

/// What interprets a script, as its first line says.
fn interpreter(program: &Path) -> Option<PathBuf> {
    let mut first = [0; 256];
    let count = File::open(program).ok()?.read(&mut first).ok()?;
    let line = first[..count].split(|byte| *byte == b'\n').next()?;
    let path = std::str::from_utf8(line.strip_prefix(b"#!")?).ok()?.split_whitespace().next()?;
    Some(PathBuf::from(path))
}
