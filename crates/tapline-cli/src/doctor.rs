use anyhow::Result;
use tapline::process::Standing;

use crate::arguments::DoctorArguments;
use crate::output::Output;
use crate::{Ending, walls};

/// Tells which walls stand around plugins that are processes.
pub(crate) fn doctor(arguments: &DoctorArguments) -> Result<Ending> {
    let standing = walls::walls()?.standing();
    let do_all_stand = standing.iter().all(|standing| standing.missing.is_none());
    if arguments.json {
        let walls: Vec<_> = standing.iter().map(json).collect();
        Output::Standard.line(serde_json::json!({ "walls": walls, "stand": do_all_stand }));
        return Ok(Ending::Done);
    }
    for Standing { wall, missing } in &standing {
        let stands = if missing.is_none() { "stands " } else { "missing" };
        Output::Standard.line(format_args!("{stands}  {}", wall.what()));
        if let Some(reason) = missing {
            Output::Standard.line(format_args!("         {reason}"));
        }
    }
    if !do_all_stand {
        Output::Standard.line("\nplugins that are processes are refused unless tapline.toml says:\n");
        Output::Standard.line("[policy]\nwalls = \"optional\"");
    }
    Ok(Ending::Done)
}

fn json(standing: &Standing) -> serde_json::Value {
    serde_json::json!({
        "wall": standing.wall.what(),
        "stands": standing.missing.is_none(),
        "missing": standing.missing,
    })
}
