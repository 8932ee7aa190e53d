//! The time and random numbers. They are linked where they are granted, so that no refusal has to be passed on.

use std::time::Duration;

use wasmtime::Result;

use super::Guest;
use super::bindings::tapline::plugin::{clock, random};

impl clock::Host for Guest {
    fn now(&mut self) -> Result<u64> {
        Ok(nanoseconds(self.call()?.now()?))
    }

    fn monotonic(&mut self) -> Result<u64> {
        Ok(nanoseconds(self.call()?.elapsed()?))
    }
}

impl random::Host for Guest {
    fn bytes(&mut self, count: u32) -> Result<Vec<u8>> {
        Ok(self.call()?.random(usize::try_from(count).unwrap_or(usize::MAX))?)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
