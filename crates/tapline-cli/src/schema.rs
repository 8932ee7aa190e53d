use anyhow::Result;
use tapline::Policy;
use tapline::pipeline::{KnownPlugin, OtherTypes, file_schema};

use crate::Ending;
use crate::arguments::SchemaArguments;
use crate::candidates::builtin_plugins;
use crate::output::Output;
use crate::project::Project;

/// Writes the format of pipeline files as a JSON Schema; runs no code of a plugin.
pub(crate) fn schema(arguments: &SchemaArguments) -> Result<Ending> {
    let schema = match &arguments.file {
        Some(file) => {
            let project = Project::read(file)?;
            project.warn();
            let choice = &project.checked.choice;
            file_schema(choice.plugins().chain(choice.eligible()), OtherTypes::Refused)
        }
        None => {
            let builtin = builtin_plugins(&Policy::default())?;
            let builtin: Vec<KnownPlugin> = builtin.into_iter().map(|(known, _)| known).collect();
            file_schema(&builtin, OtherTypes::Accepted)
        }
    };
    Output::Standard.line(serde_json::to_string_pretty(&schema)?);
    Ok(Ending::Done)
}
