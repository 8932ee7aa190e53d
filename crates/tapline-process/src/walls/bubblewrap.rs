use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use command_fds::FdMapping;

use crate::enclosure::Enclosure;

/// What a program needs of the system to run: read, and not written.
const SYSTEM: [&str; 10] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl",
];
/// What it needs besides to find others in a network.
const NETWORK: [&str; 4] = ["/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/ca-certificates"];
/// How much a process can write until it ends, in bytes.
const SCRATCH: &str = "268435456";
/// The number from which on a process is given filters of system calls.
const FIRST_FILTER: i32 = 5;

/// Whether it works on this machine: as root, as anybody, and inside of other containers that is not the same.
#[expect(clippy::disallowed_methods, reason = "this is the process runtime")]
pub(super) fn probe(program: &Path) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(alone(false)).args(system(false)).args(["--", "true"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    let output =
        command.output().map_err(|error| format!("`{}` cannot be started: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` does not work here: {}", program.display(), said.trim()))
}

/// The command that starts another one alone with its files.
pub(super) fn command(
    program: &Path,
    enclosure: &Enclosure,
    inner: Vec<OsString>,
    mappings: &mut Vec<FdMapping>,
) -> io::Result<Vec<OsString>> {
    let mut command = vec![program.as_os_str().to_owned()];
    command.extend(alone(enclosure.has_network));
    command.extend(system(enclosure.has_network));
    for folder in enclosure.folders_of_program() {
        command.extend(["--ro-bind".into(), folder.clone().into_os_string(), folder.into_os_string()]);
    }
    for (folder, is_writable) in enclosure.folders_granted() {
        let how = if is_writable { "--bind" } else { "--ro-bind" };
        command.extend([how.into(), folder.as_os_str().to_owned(), folder.as_os_str().to_owned()]);
    }
    let staged = enclosure.folder.as_os_str();
    command.extend([
        "--ro-bind".into(),
        staged.to_owned(),
        staged.to_owned(),
        "--chdir".into(),
        staged.to_owned(),
    ]);
    command.extend(filters(enclosure.has_processes, mappings)?);
    command.push("--".into());
    command.extend(inner);
    Ok(command)
}

/// Without the processes, the network and the terminal of the host.
fn alone(has_network: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["--unshare-all", "--die-with-parent", "--new-session"].map(Into::into).into();
    if has_network {
        arguments.push("--share-net".into());
    }
    arguments.extend(
        ["--hostname", "plugin", "--unshare-user", "--uid", "65534", "--gid", "65534"].map(Into::into),
    );
    arguments
        .extend(["--proc", "/proc", "--dev", "/dev", "--size", SCRATCH, "--tmpfs", "/tmp"].map(Into::into));
    arguments
}

fn system(has_network: bool) -> Vec<OsString> {
    let network = NETWORK.into_iter().filter(|_| has_network);
    SYSTEM.into_iter().chain(network).flat_map(|path| ["--ro-bind-try", path, path]).map(Into::into).collect()
}

#[cfg(target_os = "linux")]
fn filters(has_processes: bool, mappings: &mut Vec<FdMapping>) -> io::Result<Vec<OsString>> {
    use std::io::Write as _;
    let mut arguments = Vec::new();
    for (number, filter) in (FIRST_FILTER..).zip(super::system_calls::as_bytes(has_processes)?) {
        let (reader, mut writer) = io::pipe()?;
        // A filter is far shorter than what a pipe holds.
        writer.write_all(&filter)?;
        mappings.push(FdMapping { parent_fd: reader.into(), child_fd: number });
        arguments.extend(["--add-seccomp-fd".into(), number.to_string().into()]);
    }
    Ok(arguments)
}

#[cfg(not(target_os = "linux"))]
fn filters(_: bool, _: &mut Vec<FdMapping>) -> io::Result<Vec<OsString>> {
    Ok(Vec::new())
}
