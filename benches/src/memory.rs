use std::fs;

use crate::timing::Figure;

/// Bytes that each of so many needs more of the machine's memory; nothing where that is not told.
///
/// # Panics
/// When there are more than can be counted.
#[must_use]
pub fn of_each<T>(count: usize, make: impl FnMut() -> T) -> Figure {
    let before = resident();
    let made: Vec<T> = std::iter::repeat_with(make).take(count).collect();
    let more = resident() - before;
    drop(made);
    Figure { value: more / f64::from(u32::try_from(count).unwrap_or(u32::MAX)), spread: 0.0 }
}

/// As Linux tells it, in bytes.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).map_or(0.0, |kib: f64| kib * 1024.0)
}
