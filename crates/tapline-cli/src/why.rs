use anyhow::Result;
use serde_json::{Value, json};
use tapline::pipeline::ChoiceReason;

use crate::Ending;
use crate::arguments::WhyArguments;
use crate::output::Output;
use crate::project::Project;

/// Tells why a pipeline uses a plugin or not; runs no code of a plugin.
pub(crate) fn why(arguments: &WhyArguments) -> Result<Ending> {
    let project = Project::read(&arguments.file)?;
    project.warn();
    let reason = project.checked.choice.why(&arguments.id)?;
    if arguments.json {
        Output::Standard.line(for_programs(&reason));
    } else {
        Output::Standard.line(reason);
    }
    Ok(Ending::Done)
}

fn for_programs(reason: &ChoiceReason) -> Value {
    let why = &reason.why;
    let chosen = why
        .chosen
        .iter()
        .map(|one| json!({ "id": one.plugin, "version": one.version, "asked_by": one.asked_by }));
    let others = why
        .others
        .iter()
        .map(|one| json!({ "id": one.plugin, "version": one.version, "reasons": one.reasons }));
    json!({
        "subject": why.subject,
        "chosen": chosen.collect::<Vec<_>>(),
        "others": others.collect::<Vec<_>>(),
        "refusals": reason.refusals,
    })
}
