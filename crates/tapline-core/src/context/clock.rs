use std::time::Duration;

use super::CallContext;
use crate::call_error::CallError;
use crate::failure::Failure;
use crate::grants::{ClockGrant, NOT_GRANTED};

/// So many random bytes a plugin is given at once.
const MOST_RANDOM: usize = 64 << 10;

impl CallContext {
    /// The time since the beginning of 1970, as exactly as the plugin may know it. It never goes back: while the system's
    /// clock is behind what it once was, it stands still.
    ///
    /// # Errors
    /// When no clock is granted.
    pub fn now(&self) -> Result<Duration, CallError> {
        let clock = self.clock()?;
        Ok(clock.rounded(self.services.time()))
    }

    /// The time since the plugin was loaded, as exactly as it may know it.
    ///
    /// # Errors
    /// When no clock is granted.
    pub fn elapsed(&self) -> Result<Duration, CallError> {
        let clock = self.clock()?;
        Ok(clock.rounded(self.services.elapsed()))
    }

    /// So many random bytes of the operating system, good for keys.
    ///
    /// # Errors
    /// When they are not granted; `too-large` for more than 64 KiB; `io` when the system has none.
    pub fn random(&self, count: usize) -> Result<Vec<u8>, CallError> {
        if !self.grants.random {
            return Err(self.denied("use", "random", NOT_GRANTED).into());
        }
        if count > MOST_RANDOM {
            let message =
                format!("{count} random bytes are more than the {MOST_RANDOM} that can be had at once");
            return Err(Failure::new("too-large", message).into());
        }
        let mut bytes = vec![0; count];
        self.services.fill_random(&mut bytes)?;
        Ok(bytes)
    }

    fn clock(&self) -> Result<ClockGrant, CallError> {
        self.grants.clock.ok_or_else(|| self.denied("use", "clock", NOT_GRANTED).into())
    }
}
