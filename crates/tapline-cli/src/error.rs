use std::error::Error;

/// Prints an error and what led to it.
pub(crate) fn show(error: &anyhow::Error) {
    eprintln!("error: {error}");
    show_causes(error.source());
}

/// Prints what led to an error, a line each; a cause that its error has repeated is left out.
pub(crate) fn show_causes(mut cause: Option<&(dyn Error + 'static)>) {
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
