use std::error::Error;
use std::fmt::Display;

use crate::output::Output;

/// Prints an error and what led to it.
pub(crate) fn show(error: &anyhow::Error) {
    Output::Error.line(format_args!("error: {}", visible(error)));
    show_causes(error.source());
}

/// Prints what led to an error, a line each; a cause that its error has repeated is left out.
pub(crate) fn show_causes(mut cause: Option<&(dyn Error + 'static)>) {
    while let Some(error) = cause {
        Output::Error.line(format_args!("  because: {}", visible(error)));
        cause = error.source();
    }
}

/// A message without what could steer a terminal: it may repeat what a file says.
pub(crate) fn visible(message: impl Display) -> String {
    let message = message.to_string();
    let lines: Vec<_> = message.split('\n').map(crate::audit::visible).collect();
    lines.join("\n")
}
