use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::{Span, ast};

use crate::{Position, Reference, TemplateError, limits};

/// Rewrites the engine's syntax tree so that it means what this language says, and notes the names that it reads.
///
/// Fields, elements and `~` become calls of filters of our own, for the engine has no null-safe lookup and writes
/// `True` and `None` where we write `true` and `null`.
/// The engine's own list of undeclared variables misses what is sliced (`load.items[:5]`), hence the one kept here.
pub(crate) struct Lowering<'a> {
    source: &'a str,
    depth: usize,
    noted: bool,
    scopes: Vec<BTreeSet<&'a str>>,
    reads: BTreeMap<String, u32>,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, depth: 0, noted: false, scopes: vec![BTreeSet::new()], reads: BTreeMap::new() }
    }

    /// What the source reads, in the order of the paths.
    pub(crate) fn into_references(self) -> Vec<Reference> {
        let source = self.source;
        let reads = self.reads.into_iter();
        reads.map(|(path, offset)| Reference::new(path, Position::of(source, offset as usize))).collect()
    }

    /// Keeps the recursion through the tree, ours and later the engine's, within the stack.
    fn nested<T>(
        &mut self,
        span: Span,
        lower: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth == limits::DEPTH {
            let position = self.position(span);
            return Err(TemplateError::TooLarge {
                limit: limits::DEPTH,
                unit: "levels of nesting",
                position,
            });
        }
        self.depth += 1;
        let lowered = lower(self);
        self.depth -= 1;
        lowered
    }

    fn scoped<T>(
        &mut self,
        lower: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.scopes.push(BTreeSet::new());
        let lowered = lower(self);
        self.scopes.pop();
        lowered
    }

    fn declare(&mut self, name: &'a str) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name);
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }

    /// Notes that `expr` is read if it is a path, and says whether it is.
    fn note(&mut self, expr: &ast::Expr<'a>) -> bool {
        let Some((path, span)) = self.path_of(expr) else { return false };
        let offset = self.reads.entry(path).or_insert(span.start_offset);
        *offset = span.start_offset.min(*offset);
        true
    }

    /// The path of a variable that the source does not declare itself, if the expression is one.
    fn path_of(&self, expr: &ast::Expr<'a>) -> Option<(String, Span)> {
        let (base, field) = match expr {
            ast::Expr::Var(var) if self.is_declared(var.id) => return None,
            ast::Expr::Var(var) => return Some((var.id.to_owned(), var.span())),
            ast::Expr::GetAttr(attr) => (&attr.expr, attr.name.to_owned()),
            ast::Expr::GetItem(item) => (&item.expr, field_name(&item.subscript_expr)?),
            _ => return None,
        };
        let (path, span) = self.path_of(base)?;
        Some((format!("{path}.{field}"), span))
    }

    fn position(&self, span: Span) -> Option<Position> {
        Some(Position::of(self.source, span.start_offset as usize))
    }

    fn syntax_error(&self, message: impl Into<String>, span: Span) -> TemplateError {
        TemplateError::Syntax { message: message.into(), position: self.position(span) }
    }
}

/// The name in `row["name"]`, unless it could not be told from a path.
fn field_name(subscript: &ast::Expr<'_>) -> Option<String> {
    let ast::Expr::Const(constant) = subscript else { return None };
    constant.value.as_str().filter(|name| !name.contains('.')).map(str::to_owned)
}

mod expression;
mod statement;
