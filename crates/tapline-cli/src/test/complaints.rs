use std::sync::{Mutex, PoisonError};

use tapline_test_kit::Mismatch;

/// What a mock or a recording could not answer: it fails the case, whatever the pipeline makes of it.
#[derive(Debug, Default)]
pub(super) struct Complaints(Mutex<Vec<Mismatch>>);

/// So many are kept; the first ones say enough.
const KEPT: usize = 5;

impl Complaints {
    pub(super) fn add(&self, complaint: Mismatch) {
        let mut complaints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if complaints.len() < KEPT && !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }

    pub(super) fn take(&self) -> Vec<Mismatch> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
