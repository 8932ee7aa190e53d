use tapline_core::{Object, Value};

/// The variables of an evaluation.
pub trait Scope {
    /// The value of a variable; `None` when there is no such variable.
    fn variable(&self, name: &str) -> Option<&Value>;
}

impl Scope for Object {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}
