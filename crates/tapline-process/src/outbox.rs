use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::unix::pipe;
use tokio::sync::Notify;

/// What is to be sent to a process. Frames are written whole and in order, whoever gives up waiting for it.
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    /// That there is something to write.
    more: Notify,
    /// That there is room again.
    room: Notify,
}

struct Waiting {
    frames: VecDeque<Vec<u8>>,
    /// How much of the first one has been written.
    written: usize,
    bytes: usize,
    /// The pipe, until nothing can be sent any more.
    pipe: Option<Arc<pipe::Sender>>,
}

/// The process takes nothing any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed;

/// So many bytes may wait until whoever has more waits, too.
const ROOM: usize = 1 << 20;

impl Outbox {
    pub(crate) fn new(pipe: pipe::Sender) -> Self {
        let waiting = Waiting { frames: VecDeque::new(), written: 0, bytes: 0, pipe: Some(Arc::new(pipe)) };
        Self { waiting: Mutex::new(waiting), more: Notify::new(), room: Notify::new() }
    }

    /// Sends a frame when there is room. Cancel safe: it is sent whole or not at all.
    pub(crate) async fn send(&self, frame: Vec<u8>) -> Result<(), Closed> {
        loop {
            let room = self.room.notified();
            if self.waiting().bytes < ROOM {
                break;
            }
            room.await;
        }
        self.send_now(frame)
    }

    /// Sends a frame, whether there is room or not: what is short and rare.
    pub(crate) fn send_now(&self, frame: Vec<u8>) -> Result<(), Closed> {
        let mut waiting = self.waiting();
        if waiting.pipe.is_none() {
            return Err(Closed);
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        // Most frames go at once, and need no task to be woken.
        if waiting.frames.len() == 1 {
            waiting.write()?;
        }
        let is_left = !waiting.frames.is_empty();
        drop(waiting);
        if is_left {
            self.more.notify_one();
        }
        Ok(())
    }

    /// Writes what could not be written at once, until the pipe is closed.
    pub(crate) async fn run(&self) {
        loop {
            self.more.notified().await;
            loop {
                let Some(pipe) = self.waiting().pipe.clone() else { return };
                if pipe.writable().await.is_err() {
                    return self.close();
                }
                let mut waiting = self.waiting();
                let written = waiting.write();
                let is_done = waiting.frames.is_empty();
                drop(waiting);
                self.room.notify_waiters();
                match written {
                    Err(Closed) => return self.close(),
                    Ok(()) if is_done => break,
                    Ok(()) => {}
                }
            }
        }
    }

    /// Ends what can be sent; the process meets the end of its pipe.
    pub(crate) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.pipe = None;
        waiting.frames.clear();
        waiting.bytes = 0;
        drop(waiting);
        self.room.notify_waiters();
        self.more.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Writes as much as the pipe takes.
    fn write(&mut self) -> Result<(), Closed> {
        let Some(pipe) = self.pipe.clone() else { return Err(Closed) };
        while let Some(first) = self.frames.front() {
            match pipe.try_write(&first[self.written..]) {
                Ok(count) => {
                    self.bytes -= count;
                    self.written += count;
                    if self.written == first.len() {
                        self.frames.pop_front();
                        self.written = 0;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Closed),
            }
        }
        Ok(())
    }
}
