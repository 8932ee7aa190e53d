use std::fmt;

use tapline_template::{Position, TemplateError};

/// Why an operation did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// The configuration has not the shape that the operation's schema describes.
    #[error("{message}")]
    Config {
        /// What is wrong with which field.
        message: String,
    },
    /// An expression in the configuration cannot be parsed.
    #[error("`{field}`: {error}")]
    Expression {
        /// The dotted path of the expression within the configuration.
        field: String,
        /// What is wrong with it, and where within its text.
        error: TemplateError,
    },
    /// A program in the configuration cannot be compiled.
    #[error("`{field}`: {message} at {}:{}", .position.line, .position.column)]
    Program {
        /// The dotted path of the program within the configuration.
        field: String,
        /// What is wrong with it.
        message: String,
        /// Where within its text.
        position: Position,
    },
    /// A row does not fit the operation.
    #[error("row {row}: {message}")]
    Row {
        /// The index of the row, counted from 0.
        row: usize,
        /// What is wrong with it.
        message: String,
    },
    /// What belongs to no single row does not fit: the one value to transform, or the sum over a group.
    #[error("{message}")]
    Value {
        /// What is wrong with it.
        message: String,
    },
}

impl OpError {
    /// The place within the expression that the error is about.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        match self {
            Self::Expression { error, .. } => error.position(),
            Self::Program { position, .. } => Some(*position),
            Self::Config { .. } | Self::Row { .. } | Self::Value { .. } => None,
        }
    }

    pub(crate) fn config(message: impl fmt::Display) -> Self {
        Self::Config { message: message.to_string() }
    }

    /// Makes an error of row `row` out of what is wrong with it.
    pub(crate) fn row<M: fmt::Display>(row: usize) -> impl FnOnce(M) -> Self {
        move |message| Self::Row { row, message: message.to_string() }
    }
}
