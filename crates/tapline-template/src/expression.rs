use std::fmt;

use tapline_core::Value;

use crate::program::Program;
use crate::{Reference, Scope, TemplateError};

/// A bare expression, such as a condition: what stands between the braces of a template.
///
/// ```
/// use tapline_core::{Object, Value};
/// use tapline_template::Expression;
///
/// let expression = Expression::parse("item.age >= 18 and item.name != none")?;
/// let mut scope = Object::new();
/// scope.insert("item".into(), Value::from_json(r#"{"name": "Ada", "age": 36}"#)?);
/// assert!(expression.is_true(&scope)?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Expression {
    program: Program,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// When the text does not follow the grammar, names a filter that does not exist, or is too large.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Program::expression(text).map(|program| Self { program })
    }

    /// The value with these variables; an array or object that comes from a variable is shared, not copied.
    ///
    /// # Errors
    /// When a variable is needed that `scope` lacks, when the values do not fit the operations, or when the
    /// evaluation passes [`limits`](crate::limits).
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, TemplateError> {
        self.program.run(scope)
    }

    /// Whether the value with these variables counts as true.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn is_true(&self, scope: &dyn Scope) -> Result<bool, TemplateError> {
        self.program.run_for_truth(scope)
    }

    /// What the expression reads, in the order of the paths.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        self.program.references()
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        self.program.source()
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Expression").field(&self.source()).finish()
    }
}
