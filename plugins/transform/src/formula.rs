use std::sync::Arc;

use tapline_pdk::{Object, Value};
use tapline_template::{Expression, TemplateError};

use crate::OpError;

/// The name under which an expression finds the row.
const ITEM: &str = "item";
/// The name under which the expression of a fold finds what it returned for the row before.
const ACCUMULATOR: &str = "acc";

/// The variables of an expression, of which only the row changes from one evaluation to the next.
pub(crate) struct RowScope {
    variables: Object,
    item: usize,
}

impl RowScope {
    pub(crate) fn new(scope: &Object) -> Self {
        let mut variables = scope.clone();
        let (item, _) = variables.insert_full(ITEM.into(), Value::Null);
        Self { variables, item }
    }

    /// The variables with this row.
    pub(crate) fn at(&mut self, item: &Value) -> &Object {
        if let Some((_, place)) = self.variables.get_index_mut(self.item) {
            *place = item.clone();
        }
        &self.variables
    }

    /// The variables with this row and this accumulator.
    pub(crate) fn folding(&mut self, accumulator: Value, item: &Value) -> &Object {
        self.variables.insert(ACCUMULATOR.into(), accumulator);
        self.at(item)
    }
}

/// Parses the expression at a path of the configuration.
pub(crate) fn parse(field: &str, text: &str) -> Result<Expression, OpError> {
    Expression::parse(text).map_err(|error| OpError::Expression { field: field.to_owned(), error })
}

/// Named expressions over a row, in the order in which they were written.
pub(crate) struct Formulas(Vec<(Arc<str>, Expression)>);

impl Formulas {
    /// Parses the expressions below a field of the configuration.
    pub(crate) fn parse<'a, T: AsRef<str>>(
        field: &str,
        texts: impl IntoIterator<Item = (&'a Arc<str>, T)>,
    ) -> Result<Self, OpError> {
        let parse = |(name, text): (&Arc<str>, T)| {
            Ok((Arc::clone(name), parse(&format!("{field}.{name}"), text.as_ref())?))
        };
        texts.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The names with their values, of which the first that cannot be computed is an error.
    pub(crate) fn evaluate<'a>(
        &'a self,
        scope: &'a Object,
    ) -> impl Iterator<Item = Result<(Arc<str>, Value), String>> + 'a {
        let named = |name: &str, error: TemplateError| format!("`{name}`: {error}");
        self.0.iter().map(move |(name, expression)| {
            let value = expression.evaluate(scope).map_err(|error| named(name, error))?;
            Ok((Arc::clone(name), value))
        })
    }
}
