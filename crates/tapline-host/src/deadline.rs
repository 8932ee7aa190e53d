use std::time::Duration;

use tokio::time::Instant;

/// The time that lies so much after another; what lies beyond all calendars is as good as never.
pub(crate) fn after(begin: Instant, time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    begin.checked_add(time).unwrap_or_else(|| begin + NEVER)
}
