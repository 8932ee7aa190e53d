use crate::Position;

/// A variable, or a path of fields below one, that a source reads.
///
/// `{{ load.items[0].id }}` reads `load.items`: a path ends before the first step that is not a plain field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    path: String,
    position: Position,
}

impl Reference {
    pub(crate) const fn new(path: String, position: Position) -> Self {
        Self { path, position }
    }

    /// The variable.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }

    /// The variable and the fields below it, with dots between.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the source reads it first.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }
}
