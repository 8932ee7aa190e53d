use std::sync::Arc;

use tapline_template::{Expression, Scope};

use super::text::{RenderError, Text};

/// The key `when` of a node: an expression that counts as true or false.
#[derive(Debug, Clone)]
pub struct Condition {
    content: Arc<(Expression, Text)>,
}

impl Condition {
    pub(crate) fn new(expression: Expression, text: Text) -> Self {
        Self { content: Arc::new((expression, text)) }
    }

    /// Whether it is true with these variables.
    ///
    /// # Errors
    /// When it cannot be evaluated with them.
    pub fn is_true(&self, scope: &dyn Scope) -> Result<bool, RenderError> {
        let (expression, text) = &*self.content;
        expression.is_true(scope).map_err(|error| text.render_error(error))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        self.content.0.source()
    }
}
