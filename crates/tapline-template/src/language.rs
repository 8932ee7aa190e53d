use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Expression, UndefinedBehavior, Value};

use crate::{filters, limits, text};

/// The filter that looks up a field; no source can spell this name.
pub(crate) const FIELD: &str = ".";
/// The filter that looks up an element; no source can spell this name.
pub(crate) const ELEMENT: &str = "[]";
/// The filter that joins two texts; no source can spell this name.
pub(crate) const CONCAT: &str = "~";

/// The words that mean something else than a variable.
pub const RESERVED: &[&str] = &[
    "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else", "loop",
    "self", "range", "dict",
];

/// What a name in a source can be, other than a variable.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Filter,
    Test,
    Function,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Test => "test",
            Self::Function => "function",
        }
    }
}

/// Whether a name belongs to the language, so that no variable can have it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Whether the language has a filter, a test or a function of this name.
pub(crate) fn knows(kind: Kind, name: &str) -> bool {
    let question = match kind {
        Kind::Filter => "name is filter",
        Kind::Test => "name is test",
        Kind::Function => return environment().globals().any(|(global, _)| global == name),
    };
    // The engine tells which filters and tests it has by tests of its own alone.
    let answer = |question: Expression<'_, '_>| question.eval(Value::from_pairs([("name", name)]));
    environment().compile_expression(question).and_then(answer).is_ok_and(|known| known.is_true())
}

/// The engine, set up as this language.
pub(crate) fn environment() -> &'static Environment<'static> {
    &ENVIRONMENT
}

/// Tags as in Jinja; unlike there, the newline at the end of a text is kept.
pub(crate) fn syntax() -> &'static SyntaxConfig {
    environment().syntax()
}

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(limits::FUEL));
    environment.set_recursion_limit(limits::RECURSION);
    environment.set_formatter(|out, state, value| Ok(out.write_str(&text::write(state, value)?)?));
    environment.add_filter(FIELD, filters::field);
    environment.add_filter(ELEMENT, filters::element);
    environment.add_filter(CONCAT, filters::concat);
    environment.add_filter("default", filters::default);
    environment.add_filter("d", filters::default);
    environment.add_filter("string", text::write);
    environment.add_filter("tojson", filters::to_json);
    environment.add_test("defined", |value: &Value| !filters::is_missing(value));
    environment.add_test("undefined", filters::is_missing);
    // Both reach past the names that a source declares: one shows all variables, one nests values without end.
    environment.remove_global("debug");
    environment.remove_global("namespace");
    environment
});
