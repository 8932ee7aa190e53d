use std::fs;

use tokio::runtime::Handle;

/// What this process holds, as Linux tells it, for tests that nothing is left behind.
#[derive(Debug)]
pub struct Held {
    /// What the test's allocator counts, in bytes.
    pub bytes: usize,
    /// Resident memory, in bytes.
    pub resident: usize,
    /// Threads.
    pub threads: usize,
    /// Open files.
    pub files: usize,
    /// Tasks of the current tokio runtime.
    pub tasks: usize,
}

impl Held {
    /// What it holds now, of which the test's allocator counts so many bytes.
    ///
    /// # Panics
    /// Outside of a tokio runtime, and where there is no `/proc`.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is not there ends the test")]
    pub fn now(bytes: usize) -> Self {
        let resident = fs::read_to_string("/proc/self/statm").unwrap();
        let resident: usize = resident.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            bytes,
            resident: resident * 4096,
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }
}
