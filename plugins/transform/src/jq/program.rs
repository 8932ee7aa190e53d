//! Programs of jq, compiled once and run on many values.

use jaq_core::compile::Undefined;
use jaq_core::load::{Arena, Error as LoadError, File, Loader};
use jaq_core::{Compiler, Ctx, DataT, Exn, Filter, Lut, Vars};
use tapline_pdk::Value;
use tapline_template::Position;

use super::functions;
use super::item::Item;
use super::meter::{bounded, charge};
use crate::OpError;

/// The bytes that a program may have. It is parsed and compiled recursively, and this is as deep as it can nest.
pub(super) const SOURCE_BYTES: usize = 16 * 1024;

/// A program.
pub(super) struct Program(Filter<Items>);

/// What programs work on.
pub(super) struct Items;

impl DataT for Items {
    type V<'a> = Item;
    type Data<'a> = Terms<'a>;
}

/// The terms of a program. Whoever evaluates a term takes it from here, so here is counted how many that are.
#[derive(Clone)]
pub(super) struct Terms<'a>(&'a Lut<Items>);

impl<'a> jaq_core::data::HasLut<'a, Items> for Terms<'a> {
    fn lut(&self) -> &'a Lut<Items> {
        charge(1);
        self.0
    }
}

impl Program {
    /// Compiles the program at a field of the configuration, in which the variables of these names, such as `$limit`, are
    /// known.
    pub(super) fn compile(field: &str, source: &str, variables: &[String]) -> Result<Self, OpError> {
        if source.len() > SOURCE_BYTES {
            return Err(OpError::config(format_args!(
                "`{field}` has {} bytes, and a program may have {SOURCE_BYTES}",
                source.len()
            )));
        }
        let wrong = |(message, place): (String, &str)| {
            let offset = place.as_ptr().addr().saturating_sub(source.as_ptr().addr()).min(source.len());
            OpError::Program { field: field.to_owned(), message, position: Position::of(source, offset) }
        };
        let arena = Arena::default();
        let loaded = Loader::new(functions::definitions()).load(&arena, File { code: source, path: () });
        let modules = loaded.map_err(|errors| wrong(first_mistake(errors, source)))?;
        let compiler = Compiler::default()
            .with_funs(functions::functions())
            .with_global_vars(variables.iter().map(String::as_str));
        let compiled = compiler.compile(modules).map_err(|errors| {
            let first = errors.into_iter().find_map(|(_, errors)| errors.into_iter().next());
            wrong(
                first.map_or_else(|| unknown_mistake(source), |(name, kind)| (undefined(name, &kind), name)),
            )
        });
        compiled.map(Self)
    }

    /// All that comes out for a value.
    ///
    /// # Errors
    /// What the program has said is wrong, or which bound it has passed.
    pub(super) fn run(&self, value: Value, variables: &[Value]) -> Result<Vec<Value>, String> {
        let run = || {
            let variables = Vars::new(variables.iter().cloned().map(Item::new));
            let context = Ctx::<Items>::new(Terms(&self.0.lut), variables);
            let outputs = self.0.id.run((context, Item::new(value)));
            outputs.map(|output| output.map(Item::into_value).map_err(said)).collect()
        };
        bounded(run).unwrap_or_else(|exceeded| Err(exceeded.to_string()))
    }
}

fn said(exception: Exn<'_, Item>) -> String {
    match exception.get_err() {
        Ok(error) => match error.into_val().into_value() {
            Value::String(message) => message.to_string(),
            other => format!("the program failed with {}", Item::new(other)),
        },
        Err(_) => "the program broke off".to_owned(),
    }
}

/// What is wrong with a source, and the part of it that is wrong.
fn first_mistake<'s>(errors: jaq_core::load::Errors<&'s str, ()>, source: &'s str) -> (String, &'s str) {
    let first = errors.into_iter().find_map(|(_, error)| match error {
        LoadError::Io(errors) => errors.into_iter().next().map(|(name, message)| (message, name)),
        LoadError::Lex(errors) => errors.into_iter().next().map(|(expected, found)| {
            let one = &found[..found.chars().next().map_or(0, char::len_utf8)];
            (expectation(expected.as_str(), one), found)
        }),
        LoadError::Parse(errors) => {
            errors.into_iter().next().map(|(expected, found)| (expectation(expected.as_str(), found), found))
        }
    });
    first.unwrap_or_else(|| unknown_mistake(source))
}

const fn unknown_mistake(source: &str) -> (String, &str) {
    (String::new(), source)
}

fn expectation(expected: &str, found: &str) -> String {
    let line = found.lines().next().unwrap_or_default();
    match line.char_indices().nth(20) {
        _ if line.is_empty() => format!("expected {expected}, and the program ends"),
        Some((end, _)) => format!("expected {expected}, found `{}…`", &line[..end]),
        None => format!("expected {expected}, found `{line}`"),
    }
}

fn undefined(name: &str, kind: &Undefined) -> String {
    match kind {
        Undefined::Filter(0) => format!("there is no filter `{name}`"),
        Undefined::Filter(arguments) => format!("there is no filter `{name}` of {arguments} arguments"),
        kind => format!("there is no {} `{name}`", kind.as_str()),
    }
}
