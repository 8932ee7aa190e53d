use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tapline::core::Request;
use tapline::host::read_file;
use tapline::{Failure, HookError, Value};

use super::file::present;
use crate::output::redacted_json;

/// A request to a provider and what came of it, without the values of secrets: a line of a recording.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    provider: String,
    method: String,
    input: Value,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    code: String,
    message: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    details: Value,
}

/// A larger file is no recording.
const LARGEST: u64 = 64 << 20;

impl Exchange {
    /// A request that has not been answered.
    pub(super) fn of(request: &Request) -> Self {
        let (provider, method) = (request.key.to_string(), request.method.to_string());
        Self { provider, method, input: redacted(&request.input), answer: None, error: None }
    }

    pub(super) fn answered(&mut self, outcome: &Result<Value, HookError>) {
        match outcome {
            Ok(answer) => self.answer = Some(redacted(answer)),
            Err(error) => {
                let failure = error.to_failure();
                let (code, message) = (failure.code().to_owned(), failure.message().into());
                let Value::String(message) = redacted(&Value::String(message)) else { return };
                let details = redacted(failure.details());
                self.error = Some(Refusal { code, message: message.to_string(), details });
            }
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answer.is_some() || self.error.is_some()
    }

    /// What came of it.
    pub(super) fn outcome(self) -> Result<Value, Failure> {
        match self.error {
            Some(Refusal { code, message, details }) => {
                Err(Failure::new(code, message).with_details(details))
            }
            None => Ok(self.answer.unwrap_or_default()),
        }
    }

    /// What is the same for requests that ask the same, whatever the order of their keys.
    pub(super) fn question(&self) -> String {
        let mut question = json!([self.provider, self.method, self.input]);
        question.sort_all_objects();
        question.to_string()
    }

    /// The request in one line.
    pub(super) fn asked(&self) -> String {
        format!("{} of provider/{} {}", self.method, self.provider, self.input.to_json())
    }
}

/// The lines of a recording. Requests that ask the same keep their order, and all others are ordered by what they ask,
/// so that a recording changes only where an answer does.
pub(super) fn to_lines(mut exchanges: Vec<Exchange>) -> serde_json::Result<String> {
    exchanges.sort_by_cached_key(Exchange::question);
    let lines = exchanges.iter().map(|exchange| Ok(serde_json::to_string(exchange)? + "\n"));
    lines.collect()
}

/// Reads a recording.
///
/// # Errors
/// When it cannot be read, or a line of it is none: with the file, the line and the column.
pub(super) fn read(file: &Path) -> io::Result<Vec<Exchange>> {
    let text = String::from_utf8(read_file(file, LARGEST)?).map_err(io::Error::other)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            parse(line).map_err(|(column, message)| mistaken(file, number + 1, column, &message))
        })
        .collect()
}

fn parse(line: &str) -> Result<Exchange, (usize, String)> {
    let exchange: Exchange = serde_json::from_str(line).map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        (error.column(), message.strip_suffix(&place).unwrap_or(&message).to_owned())
    })?;
    if exchange.answer.is_some() == exchange.error.is_some() {
        return Err((1, "a request has an `answer` or an `error`".into()));
    }
    Ok(exchange)
}

fn mistaken(file: &Path, line: usize, column: usize, message: &str) -> io::Error {
    io::Error::other(format!("{}:{line}:{column}: {message}", file.display()))
}

fn redacted(value: &Value) -> Value {
    serde_json::to_value(value).map_or(Value::Null, |json| redacted_json(json).into())
}
