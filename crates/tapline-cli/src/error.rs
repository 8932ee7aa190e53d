use std::error::Error;

use crate::output::Output;

/// Prints an error and what led to it.
pub(crate) fn show(error: &anyhow::Error) {
    Output::Error.line(format_args!("error: {error}"));
    show_causes(error.source());
}

/// Prints what led to an error, a line each; a cause that its error has repeated is left out.
pub(crate) fn show_causes(mut cause: Option<&(dyn Error + 'static)>) {
    while let Some(error) = cause {
        Output::Error.line(format_args!("  because: {error}"));
        cause = error.source();
    }
}
