use std::fmt::{self, Write as _};

/// The lines of a drawing, each as far in as it is deep.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) text: String,
    pub(super) depth: usize,
}

impl Lines {
    pub(super) fn add(&mut self, line: impl fmt::Display) {
        // Writing to a text cannot go wrong.
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = 2 * self.depth);
    }
}
