use minijinja::machinery::{Span, Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use crate::{Position, TemplateError, limits};

/// What the source is: a text with tags, or the inside of one tag.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Template,
    Expression,
}

/// Refuses a source that is too large before anything recursive sees it: the engine's parser overflows the stack on
/// long chains such as `1+1+1+…`, `not not not …` and `{% elif %}`.
pub(crate) fn check(source: &str, mode: Mode, syntax: &SyntaxConfig) -> Result<(), TemplateError> {
    if source.len() > limits::SOURCE_BYTES {
        return Err(TemplateError::TooLarge { limit: limits::SOURCE_BYTES, unit: "bytes", position: None });
    }
    let in_expression = matches!(mode, Mode::Expression);
    let mut counts = Counts::default();
    for token in tokenize(source, in_expression, syntax.clone()) {
        let (token, span) = token.map_err(|error| TemplateError::from_engine(&error, source))?;
        counts.add(&token).map_err(|excess| excess.at(source, span))?;
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    operators: usize,
    statements: usize,
    elifs: usize,
}

struct Excess {
    limit: usize,
    unit: &'static str,
}

impl Counts {
    fn add(&mut self, token: &Token<'_>) -> Result<(), Excess> {
        match token {
            Token::VariableStart => self.operators = 0,
            Token::BlockStart => {
                self.operators = 0;
                bump(&mut self.statements, limits::STATEMENTS, "statements")?;
            }
            Token::Ident("elif") => bump(&mut self.elifs, limits::ELIFS, "branches of `if`")?,
            Token::TemplateData(_)
            | Token::VariableEnd
            | Token::BlockEnd
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::Comma
            | Token::Colon
            | Token::Assign
            | Token::ParenClose
            | Token::BracketClose
            | Token::BraceClose => {}
            Token::Ident(word) if !is_operator(word) => {}
            _ => bump(&mut self.operators, limits::OPERATORS, "operators in one expression")?,
        }
        Ok(())
    }
}

impl Excess {
    fn at(self, source: &str, span: Span) -> TemplateError {
        let position = Some(Position::of(source, span.start_offset as usize));
        TemplateError::TooLarge { limit: self.limit, unit: self.unit, position }
    }
}

fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "in" | "is" | "if" | "else")
}

fn bump(count: &mut usize, limit: usize, unit: &'static str) -> Result<(), Excess> {
    *count += 1;
    if *count > limit { Err(Excess { limit, unit }) } else { Ok(()) }
}
