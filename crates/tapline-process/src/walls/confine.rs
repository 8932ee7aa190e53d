use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::{Command, ExitCode};

use crate::enclosure::Enclosure;

/// What says that system calls are to be refused here, because nothing further in does it.
const FILTER: &str = "filter";
/// As [`FILTER`], and processes of its own are not refused.
const FILTER_BUT_PROCESSES: &str = "filter-but-processes";
/// What stands before the command.
const COMMAND: &str = "--";

/// What [`confine`] is told, up to the command.
pub(super) fn arguments(enclosure: &Enclosure, filters: bool) -> Vec<OsString> {
    let filter = if enclosure.has_processes { FILTER_BUT_PROCESSES } else { FILTER };
    let filter = filters.then(|| filter.into());
    let limits = &enclosure.limits;
    [format!("{}", limits.memory.0).into()].into_iter().chain(filter).chain([COMMAND.into()]).collect()
}

/// Bounds what this process may take, and becomes another: what a program does that an application names for its
/// [`Walls`](crate::Walls), and nothing else. `arguments` are those that follow on the application's own.
#[must_use]
pub fn confine(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let error = become_another(&arguments.into_iter().collect::<Vec<_>>());
    // Whoever reads this is told that the process has ended, too.
    let _ = writeln!(io::stderr(), "it cannot be confined: {error}");
    ExitCode::FAILURE
}

#[expect(clippy::disallowed_methods, reason = "this is the process runtime")]
fn become_another(arguments: &[OsString]) -> io::Error {
    let mut parts = arguments.splitn(2, |argument| argument == COMMAND);
    let (own, command) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some((program, rest)) = command.split_first() else {
        return io::Error::other("there is no command");
    };
    if let Err(error) = bound(own) {
        return error;
    }
    execute(Command::new(program).args(rest))
}

#[cfg(unix)]
fn execute(command: &mut Command) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    command.exec()
}

#[cfg(not(unix))]
fn execute(_: &mut Command) -> io::Error {
    io::Error::from(io::ErrorKind::Unsupported)
}

/// The largest file that a process can write, in bytes.
#[cfg(target_os = "linux")]
const LARGEST_FILE: u64 = 64 << 20;
/// How many files it can have open.
#[cfg(target_os = "linux")]
const OPEN_FILES: u64 = 256;
/// How many processes and threads there can be of it.
#[cfg(target_os = "linux")]
const PROCESSES: u64 = 128;

#[cfg(target_os = "linux")]
fn bound(own: &[OsString]) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    let memory = own.first().and_then(|memory| memory.to_str()?.parse().ok());
    let memory: u64 = memory.ok_or_else(|| io::Error::other("there is no limit of memory"))?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    // Data and not the address space, of which some programs reserve much and use little.
    setrlimit(Resource::Data, most(memory))?;
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Fsize, most(LARGEST_FILE))?;
    setrlimit(Resource::Nofile, most(OPEN_FILES))?;
    setrlimit(Resource::Nproc, most(PROCESSES))?;
    close_what_was_left_open()?;
    let is_told = |word: &str| own.iter().any(|argument| argument == OsStr::new(word));
    if is_told(FILTER) || is_told(FILTER_BUT_PROCESSES) {
        for filter in super::system_calls::filters(is_told(FILTER_BUT_PROCESSES))? {
            seccompiler::apply_filter(&filter).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Libraries of the application may have opened files that outlive it; the pipes and filters have the numbers below.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "files that this program has not opened have no owner in it")]
fn close_what_was_left_open() -> io::Result<()> {
    const FIRST: libc::c_uint = 7;
    // SAFETY: nothing in this process uses a file but the standard ones, and it is about to become another.
    let closed = unsafe { libc::close_range(FIRST, libc::c_uint::MAX, 0) };
    if closed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(target_os = "linux"))]
fn bound(_: &[OsString]) -> io::Result<()> {
    Ok(())
}
