use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::Child;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::timeout;

/// The process of a plugin, and all that it has started in its group.
///
/// A number is used only while the process that has it was not waited for, so it is never that of another.
#[derive(Debug)]
pub struct Group {
    child: Child,
    pid: Option<Pid>,
    /// That some process has exited.
    exits: Option<unix::Signal>,
}

impl Group {
    pub(crate) fn new(child: Child) -> Self {
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Self { child, pid, exits: signal(SignalKind::child()).ok() }
    }

    /// Waits for the process to exit, and leaves it there to be waited for. Cancel safe.
    pub async fn exited(&mut self) {
        while !self.has_exited() {
            match &mut self.exits {
                Some(exits) => drop(exits.recv().await),
                None => drop(self.child.wait().await),
            }
        }
    }

    fn has_exited(&self) -> bool {
        let Some(pid) = self.pid.filter(|_| self.child.id().is_some()) else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
    }

    /// Gives it some time to exit by itself, then asks it to, then makes it; whatever is left of its group ends with it.
    ///
    /// # Errors
    /// When how it ended cannot be known.
    pub async fn end(mut self, grace: Duration) -> io::Result<ExitStatus> {
        for signal in [Signal::TERM, Signal::KILL] {
            if timeout(grace, self.exited()).await.is_ok() {
                break;
            }
            self.signal(signal);
        }
        self.signal(Signal::KILL);
        let status = self.child.wait().await;
        self.pid = None;
        status
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid.filter(|_| self.child.id().is_some()) {
            // There is nobody left to be told.
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
