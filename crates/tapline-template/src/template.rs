use std::fmt;
use std::sync::Arc;

use tapline_core::Value;

use crate::program::Program;
use crate::{Reference, Scope, TemplateError};

/// A text with `{{ expressions }}` and `{% statements %}` that keeps the type of a lone expression.
///
/// ```
/// use tapline_core::{Object, Value};
/// use tapline_template::Template;
///
/// let mut scope = Object::new();
/// scope.insert("count".into(), Value::from(3_i64));
/// assert_eq!(Template::parse("{{ count }}")?.render(&scope)?, Value::from(3_i64));
/// assert_eq!(Template::parse("{{ count }} rows")?.render(&scope)?, Value::from("3 rows"));
/// # Ok::<_, tapline_template::TemplateError>(())
/// ```
pub struct Template {
    parts: Parts,
}

enum Parts {
    Plain(Arc<str>),
    Program(Program),
}

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// When the text does not follow the grammar, names a filter that does not exist, or is too large; a text without
    /// any tag may have any size.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if !text.contains('{') {
            return Ok(Self { parts: Parts::Plain(text.into()) });
        }
        Program::template(text).map(|program| Self { parts: Parts::Program(program) })
    }

    /// The value with these variables; an array or object that comes from a variable is shared, not copied.
    ///
    /// # Errors
    /// When a variable is needed that `scope` lacks, when the values do not fit the operations, or when the
    /// evaluation passes [`limits`](crate::limits).
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, TemplateError> {
        match &self.parts {
            Parts::Plain(text) => Ok(Value::String(Arc::clone(text))),
            Parts::Program(program) => program.run(scope),
        }
    }

    /// What the template reads, in the order of the paths.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        match &self.parts {
            Parts::Plain(_) => &[],
            Parts::Program(program) => program.references(),
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        match &self.parts {
            Parts::Plain(text) => text,
            Parts::Program(program) => program.source(),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Template").field(&self.source()).finish()
    }
}
