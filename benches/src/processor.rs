use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Keeps this program and all that it starts from now on to one core, and says which; nothing where that cannot be done.
/// What runs side by side on several cores would otherwise be compared with what does not.
#[cfg(target_os = "linux")]
#[must_use]
pub fn keep_to_one_core() -> Option<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None).ok()?;
    let core = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core))?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).ok()?;
    Some(core)
}

/// As on Linux, where it can be done.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub const fn keep_to_one_core() -> Option<usize> {
    None
}

/// The time that all threads of this program have kept a core busy; the waiting of a noisy machine is not in it.
#[must_use]
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(whole(time.tv_sec)) + Duration::from_nanos(whole(time.tv_nsec))
}
