use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How exactly a plugin may know the time; the later one is the more exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClockGrant {
    /// To ten milliseconds, which tells little of what others do on the same machine.
    Coarse,
    /// As exactly as the host.
    Precise,
}

/// What a coarse time is rounded down to.
const COARSE: u128 = 10_000_000;

impl ClockGrant {
    /// A time as exactly as it may be known.
    #[must_use]
    pub fn rounded(self, time: Duration) -> Duration {
        match self {
            Self::Precise => time,
            Self::Coarse => {
                let nanoseconds = time.as_nanos();
                Duration::from_nanos_u128(nanoseconds - nanoseconds % COARSE)
            }
        }
    }
}

impl fmt::Display for ClockGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Coarse => "coarse",
            Self::Precise => "precise",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_time_is_rounded_down_to_ten_milliseconds() {
        let time = Duration::from_nanos(1_234_567_890);
        assert_eq!(ClockGrant::Coarse.rounded(time), Duration::from_millis(1_230));
        assert_eq!(ClockGrant::Precise.rounded(time), time);
        assert_eq!(ClockGrant::Coarse.rounded(Duration::from_millis(9)), Duration::ZERO);
    }
}
