use std::sync::{Arc, Mutex, PoisonError};

use tapline_core::{Authority, Caller, Grants};

/// What a plugin may do: by itself, and for those that call it.
#[derive(Debug)]
pub(super) struct Authorities {
    own: Arc<Grants>,
    /// What it may do for those that called lately, by what they may do, so that a call seldom computes it.
    shared: Mutex<Vec<(Arc<Grants>, Arc<Grants>)>>,
}

/// For so many callers it is known.
const KNOWN: usize = 16;

impl Authorities {
    pub(super) fn new(own: Grants) -> Self {
        Self { own: Arc::new(own), shared: Mutex::default() }
    }

    pub(super) const fn own(&self) -> &Arc<Grants> {
        &self.own
    }

    /// What the plugin may do in answering a request: for a caller no more than both were granted.
    pub(super) fn answering(&self, authority: Authority, caller: Option<&Caller>) -> Arc<Grants> {
        match caller {
            Some(caller) if authority == Authority::Caller && !self.own.is_inward() => {
                self.with(&caller.grants)
            }
            _ => Arc::clone(&self.own),
        }
    }

    fn with(&self, caller: &Arc<Grants>) -> Arc<Grants> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = shared.iter().find(|(of, _)| Arc::ptr_eq(of, caller)) {
            return Arc::clone(known);
        }
        if shared.len() == KNOWN {
            shared.remove(0);
        }
        // The time and random numbers reach nothing of others, so that nobody gets more done through them.
        let (clock, random) = (self.own.clock, self.own.random);
        let both = Arc::new(Grants { clock, random, ..self.own.intersection(caller) });
        shared.push((Arc::clone(caller), Arc::clone(&both)));
        both
    }
}
