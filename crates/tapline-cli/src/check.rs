use anyhow::Result;

use crate::arguments::{CheckArguments, Format};
use crate::output::Output;
use crate::project::Project;
use crate::{Ending, configured, diagnostics, lock};

/// Looks for mistakes in a pipeline; runs no code of a plugin.
pub(crate) fn check(arguments: &CheckArguments) -> Result<Ending> {
    let project = Project::read(&arguments.file)?;
    project.warn();
    let found = &project.checked.diagnostics;
    match arguments.format {
        Format::Json => Output::Standard.line(diagnostics::for_programs(found)),
        Format::Human if found.is_empty() => {
            Output::Error.line(format_args!("{}: no mistakes", arguments.file.display()))
        }
        Format::Human => project.tell_checked(),
    }
    let Some(definition) = &project.checked.definition else { return Ok(Ending::Refused) };
    configured::refuse(&project, definition)?;
    lock::refuse_more(&project)?;
    if arguments.locked {
        lock::require(&project, definition)?;
    }
    Ok(Ending::Done)
}
