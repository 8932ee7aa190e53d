use crate::observed::End;

/// Sees to it that what has begun also ends, whatever becomes of the future that it is in.
pub(crate) struct Guard<F: FnOnce(End<'_>)>(Option<F>);

impl<F: FnOnce(End<'_>)> Guard<F> {
    pub(crate) const fn new(at_end: F) -> Self {
        Self(Some(at_end))
    }

    /// It has come to its end.
    pub(crate) fn end(mut self, end: End<'_>) {
        if let Some(at_end) = self.0.take() {
            at_end(end);
        }
    }
}

impl<F: FnOnce(End<'_>)> Drop for Guard<F> {
    fn drop(&mut self) {
        if let Some(at_end) = self.0.take() {
            at_end(End::GivenUp);
        }
    }
}
