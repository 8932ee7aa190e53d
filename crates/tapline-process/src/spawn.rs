use std::io;

use command_fds::FdMapping;
use tokio::net::unix::pipe;
use tokio::process::Child;

use crate::enclosure::mapped;
use crate::runtime::Launch;

/// A process that has been started, and this end of its pipes.
pub(crate) struct Spawned {
    pub(crate) child: Child,
    pub(crate) to: pipe::Sender,
    pub(crate) from: pipe::Receiver,
}

/// Where the process reads what the host says, and where it says what the host reads.
const READS: i32 = 3;
const WRITES: i32 = 4;

/// Starts the process of a plugin: nothing of its environment comes from the host, nor does an open file but the pipes.
pub(crate) fn spawn(launch: &Launch) -> io::Result<Spawned> {
    let (its_reader, our_writer) = io::pipe()?;
    let (our_reader, its_writer) = io::pipe()?;
    for end in [&our_writer.try_clone()?.into(), &our_reader.try_clone()?.into()] {
        widen(end);
    }
    let mut mappings = vec![
        FdMapping { parent_fd: its_reader.into(), child_fd: READS },
        FdMapping { parent_fd: its_writer.into(), child_fd: WRITES },
    ];
    let command = launch.enclosure.command(&launch.walls, &mut mappings)?;
    let child = mapped(command, mappings)?;
    let to = pipe::Sender::from_owned_fd(our_writer.into())?;
    let from = pipe::Receiver::from_owned_fd(our_reader.into())?;
    Ok(Spawned { child, to, from })
}

/// Lets a pipe hold as much as it may: a long frame then goes at once.
#[cfg(target_os = "linux")]
fn widen(pipe: &std::os::fd::OwnedFd) {
    // Where that is not allowed, it holds less.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1 << 20);
}

#[cfg(not(target_os = "linux"))]
const fn widen(_: &std::os::fd::OwnedFd) {}
