use std::error::Error;
use std::fmt::Display;

use crate::output::Output;

/// Prints an error and what led to it.
pub(crate) fn show(error: &anyhow::Error) {
    Output::Error.line(format_args!("error: {}", visible(error)));
    show_causes(error.source());
}

/// Prints what led to an error, a line each.
pub(crate) fn show_causes(mut cause: Option<&(dyn Error + 'static)>) {
    while let Some(error) = cause {
        Output::Error.line(format_args!("  because: {}", visible(error)));
        cause = error.source();
    }
}

/// What led to an error that was shown in its place, a line each; a cause that was said there already is left out.
pub(crate) fn causes_of(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut said) = (String::new(), error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !said.ends_with(&told) {
            text += &format!("  because: {}\n", visible(&told));
        }
        said = told;
        cause = error.source();
    }
    text
}

/// A message without what could steer a terminal: it may repeat what a file says.
pub(crate) fn visible(message: impl Display) -> String {
    let message = message.to_string();
    let lines: Vec<_> = message.split('\n').map(crate::audit::visible).collect();
    lines.join("\n")
}
