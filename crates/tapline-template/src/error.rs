/// A place in the source of a template or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes before it.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// What is wrong with a template or an expression, or with its evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The source does not follow the grammar.
    #[error("{message}")]
    Syntax {
        /// What was found and what was expected.
        message: String,
        /// Where, when it is known.
        position: Option<Position>,
    },
    /// The source names a filter, a test or a function that does not exist.
    #[error("{kind} `{name}` is unknown")]
    Unknown {
        /// `filter`, `test` or `function`.
        kind: &'static str,
        /// What was named.
        name: String,
        /// Where.
        position: Option<Position>,
    },
    /// The source is longer, or nests deeper, than [`limits`](crate::limits) allow.
    #[error("the source has more than {limit} {unit}")]
    TooLarge {
        /// How much is allowed.
        limit: usize,
        /// What is counted.
        unit: &'static str,
        /// Where the limit was passed, when it is known.
        position: Option<Position>,
    },
    /// A variable that does not exist was needed.
    #[error("`{name}` is undefined")]
    Undefined {
        /// The expression without a value, as it is written.
        name: String,
        /// Where.
        position: Option<Position>,
    },
    /// The evaluation took more work or memory than [`limits::FUEL`](crate::limits::FUEL) allows.
    #[error("the evaluation takes too much work or memory")]
    OutOfFuel {
        /// What was evaluated last.
        position: Option<Position>,
    },
    /// The evaluation is not possible with these values.
    #[error("{message}")]
    Evaluation {
        /// What is wrong with which values.
        message: String,
        /// Where, when it is known.
        position: Option<Position>,
    },
}

impl Position {
    /// The place that many bytes into a source; past its end, the end.
    #[must_use]
    pub fn of(source: &str, offset: usize) -> Self {
        let offset = source.floor_char_boundary(offset);
        let before = &source[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl TemplateError {
    /// The place in the source that the error is about, when it is known.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        match self {
            Self::Syntax { position, .. }
            | Self::Unknown { position, .. }
            | Self::TooLarge { position, .. }
            | Self::Undefined { position, .. }
            | Self::OutOfFuel { position }
            | Self::Evaluation { position, .. } => *position,
        }
    }

    pub(crate) fn from_engine(error: &minijinja::Error, source: &str) -> Self {
        use minijinja::ErrorKind;
        let range = error.range().unwrap_or_default();
        let position = error.range().map(|range| Position::of(source, range.start));
        match error.kind() {
            ErrorKind::SyntaxError => Self::Syntax { message: message(error), position },
            ErrorKind::OutOfFuel => Self::OutOfFuel { position },
            kind => match undefined_name(error) {
                Some(name) => {
                    let covered = source.get(range.clone()).unwrap_or_default();
                    let offset = range.start + covered.find(name).unwrap_or_default();
                    Self::Undefined { name: name.to_owned(), position: Some(Position::of(source, offset)) }
                }
                None if kind == ErrorKind::UndefinedError => {
                    let name = source.get(range).unwrap_or_default().trim().to_owned();
                    Self::Undefined { name, position }
                }
                None => Self::Evaluation { message: message(error), position },
            },
        }
    }
}

/// What is undefined, where the engine says so inside the text of an error.
fn undefined_name(error: &minijinja::Error) -> Option<&str> {
    let before = error.detail()?.split("` is undefined").next()?;
    let name = before.rsplit_once('`')?.1;
    (before.len() < error.detail()?.len()).then_some(name)
}

fn message(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
