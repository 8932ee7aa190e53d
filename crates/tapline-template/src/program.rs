use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::machinery::ast::{self, Spanned};
use minijinja::machinery::{CodeGenerator, Instructions, eval, make_string_output, parse, parse_expr};
use minijinja::{AutoEscape, Environment, ErrorKind};
use self_cell::self_cell;
use tapline_core::Value;

use crate::guard::{self, Mode};
use crate::lower::Lowering;
use crate::shortcut::{self, Shortcut};
use crate::value::{Undefined, Variables, lend, reclaim};
use crate::{Reference, Scope, TemplateError, language};

/// A source and the instructions that the engine made of it, to run any number of times.
pub(crate) struct Program {
    cell: Cell,
    yields: Yield,
    shortcut: Option<Shortcut>,
    references: Vec<Reference>,
    /// The variables among the references, each once.
    names: Vec<Arc<str>>,
}

/// What a run of a program leaves behind.
#[derive(Clone, Copy)]
enum Yield {
    Value,
    Text,
}

struct Compiled<'source> {
    instructions: Instructions<'source>,
    yields: Yield,
    shortcut: Option<Shortcut>,
    references: Vec<Reference>,
}

self_cell!(
    struct Cell {
        owner: Arc<str>,
        #[covariant]
        dependent: Instructions,
    }
);

impl Program {
    /// Compiles a bare expression.
    pub(crate) fn expression(source: &str) -> Result<Self, TemplateError> {
        guard::check(source, Mode::Expression, language::syntax())?;
        Self::compile(source, |source| {
            let parsed = parse_expr(source).map_err(|error| TemplateError::from_engine(&error, source))?;
            compile_expression(source, &parsed)
        })
    }

    /// Compiles a text with tags; what is one lone tag yields a value.
    pub(crate) fn template(source: &str) -> Result<Self, TemplateError> {
        let syntax = language::syntax();
        guard::check(source, Mode::Template, syntax)?;
        Self::compile(source, |source| {
            let parsed = parse(source, "template", syntax.clone());
            let parsed = parsed.map_err(|error| TemplateError::from_engine(&error, source))?;
            let ast::Stmt::Template(template) = parsed else {
                return Err(TemplateError::Syntax { message: "not a template".to_owned(), position: None });
            };
            match lone_expression(&template) {
                Some(expr) => compile_expression(source, expr),
                None => compile_text(source, &template),
            }
        })
    }

    fn compile(
        source: &str,
        compile: impl FnOnce(&str) -> Result<Compiled<'_>, TemplateError>,
    ) -> Result<Self, TemplateError> {
        let (mut yields, mut shortcut, mut references) = (Yield::Value, None, Vec::new());
        let cell = Cell::try_new(source.into(), |source| {
            let compiled = compile(source)?;
            (yields, shortcut, references) = (compiled.yields, compiled.shortcut, compiled.references);
            Ok::<_, TemplateError>(compiled.instructions)
        })?;
        // The references are in the order of their paths, so equal names are neighbours.
        let mut names: Vec<Arc<str>> = references.iter().map(|reference| reference.name().into()).collect();
        names.dedup();
        Ok(Self { cell, yields, shortcut, references, names })
    }

    pub(crate) fn source(&self) -> &str {
        self.cell.borrow_owner()
    }

    pub(crate) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Runs the program and takes its value back.
    pub(crate) fn run(&self, scope: &dyn Scope) -> Result<Value, TemplateError> {
        if let Some(value) = self.shortcut.as_ref().and_then(|shortcut| shortcut.follow(scope)) {
            return Ok(value.into_owned());
        }
        self.run_without_shortcut(scope)
    }

    /// Runs the program in the engine, which must yield what a shortcut yields.
    pub(crate) fn run_without_shortcut(&self, scope: &dyn Scope) -> Result<Value, TemplateError> {
        let value = self.run_in_engine(scope)?;
        let undefined = if self.missing(scope).is_some() { Undefined::Refused } else { Undefined::Null };
        reclaim(&value, undefined).map_err(|error| match self.missing(scope) {
            Some(reference) if error.kind() == ErrorKind::UndefinedError => undefined_variable(reference),
            _ => TemplateError::from_engine(&error, self.source()),
        })
    }

    /// Runs the program and asks its value for its truth.
    pub(crate) fn run_for_truth(&self, scope: &dyn Scope) -> Result<bool, TemplateError> {
        if let Some(value) = self.shortcut.as_ref().and_then(|shortcut| shortcut.follow(scope)) {
            return Ok(shortcut::is_true(&value));
        }
        let value = self.run_in_engine(scope)?;
        match self.missing(scope) {
            Some(reference) if value.is_undefined() => Err(undefined_variable(reference)),
            _ => Ok(value.is_true()),
        }
    }

    /// The first variable that is read and does not exist; a source that asks whether it is defined may do so.
    fn missing(&self, scope: &dyn Scope) -> Option<&Reference> {
        self.references.iter().find(|reference| scope.variable(reference.name()).is_none())
    }

    fn run_in_engine(&self, scope: &dyn Scope) -> Result<minijinja::Value, TemplateError> {
        let given = |name: &Arc<str>| Some((Arc::clone(name), lend(scope.variable(name)?)));
        let variables = Variables(self.names.iter().filter_map(given).collect());
        let root = minijinja::Value::from_object(variables);
        execute(self.cell.borrow_dependent(), root, self.yields)
            .map_err(|error| TemplateError::from_engine(&error, self.source()))
    }
}

fn undefined_variable(reference: &Reference) -> TemplateError {
    TemplateError::Undefined { name: reference.name().to_owned(), position: Some(reference.position()) }
}

/// The environment lives as long as the process, which is as long as any source.
fn execute<'source>(
    instructions: &'source Instructions<'source>,
    root: minijinja::Value,
    yields: Yield,
) -> Result<minijinja::Value, minijinja::Error> {
    let environment: &'source Environment<'source> = language::environment();
    let mut text = String::new();
    let mut output = make_string_output(&mut text);
    let blocks = BTreeMap::new();
    let (value, _) = eval(environment, instructions, root, &blocks, &mut output, AutoEscape::None)?;
    drop(output);
    Ok(match yields {
        Yield::Value => value.unwrap_or_default(),
        Yield::Text => text.into(),
    })
}

/// The expression of a template that consists of it, and of spaces around it, alone.
fn lone_expression<'t, 'source>(template: &'t ast::Template<'source>) -> Option<&'t ast::Expr<'source>> {
    let is_blank =
        |stmt: &&ast::Stmt<'_>| matches!(stmt, ast::Stmt::EmitRaw(raw) if raw.raw.trim().is_empty());
    let mut rest = template.children.iter().filter(|stmt| !is_blank(stmt));
    match (rest.next(), rest.next()) {
        (Some(ast::Stmt::EmitExpr(emit)), None) => Some(&emit.expr),
        _ => None,
    }
}

fn compile_expression<'source>(
    source: &'source str,
    parsed: &ast::Expr<'source>,
) -> Result<Compiled<'source>, TemplateError> {
    let mut lowering = Lowering::new(source);
    let lowered = lowering.expression(parsed)?;
    let mut generator = CodeGenerator::new("expression", source);
    generator.compile_expr(&lowered);
    let (instructions, _) = generator.finish();
    let shortcut = Shortcut::of(parsed);
    Ok(Compiled { instructions, yields: Yield::Value, shortcut, references: lowering.into_references() })
}

fn compile_text<'source>(
    source: &'source str,
    parsed: &Spanned<ast::Template<'source>>,
) -> Result<Compiled<'source>, TemplateError> {
    let mut lowering = Lowering::new(source);
    let lowered = lowering.template(parsed)?;
    let mut generator = CodeGenerator::new("template", source);
    generator.compile_stmt(&lowered);
    let (instructions, _) = generator.finish();
    Ok(Compiled { instructions, yields: Yield::Text, shortcut: None, references: lowering.into_references() })
}
