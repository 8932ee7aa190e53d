use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use comfy_table::CellAlignment;
use serde_json::{Value, json};
use tapline::journal::{History, RunDetails, RunStatus, RunSummary, SqliteJournal};
use tapline::pipeline::StepRecord;

use crate::Ending;
use crate::arguments::{DiffArguments, ListRunsArguments, PruneArguments, RunsVerb, ShowRunArguments};
use crate::output::{Output, redacted_json};
use crate::summary::{milliseconds, table, time};

/// The folder beside a pipeline that keeps its runs.
pub(crate) const FOLDER: &str = ".tapline";
/// So many runs are kept; those before them go when a new one has ended.
const KEPT: usize = 500;

/// What keeps the runs of the pipelines in a folder.
pub(crate) fn journal(folder: &Path) -> Result<Arc<SqliteJournal>> {
    let journal = SqliteJournal::open(&folder.join(FOLDER));
    let hint = "the run cannot be kept; with `durability: none` in its file it runs all the same";
    journal.map(Arc::new).context(hint)
}

/// The folder for lists that are too long for memory.
pub(crate) fn lists(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join("lists")
}

/// Lets old runs go, and the lists of runs that nobody can go on with.
pub(crate) fn tidy(folder: &Path) {
    if let Err(error) = keep_newest(folder) {
        tracing::warn!(%error, "old runs could not be removed");
    }
}

fn keep_newest(folder: &Path) -> Result<()> {
    let history = open(folder)?;
    history.keep_newest(KEPT)?;
    let Ok(left) = std::fs::read_dir(lists(folder)) else { return Ok(()) };
    let runs = history.list(KEPT)?;
    for list in left.flatten() {
        let name = list.file_name();
        let is_needed = |run: &RunSummary| name == *run.id && run.status != RunStatus::Done;
        // Those of runs that are not kept are named by their process.
        let is_of_process = name.to_str().is_some_and(|name| name.contains('-'));
        if !is_of_process && !runs.iter().any(is_needed) {
            std::fs::remove_dir_all(list.path())?;
        }
    }
    Ok(())
}

/// Looks at runs, and removes old ones.
pub(crate) fn runs(verb: &RunsVerb) -> Result<Ending> {
    match verb {
        RunsVerb::List(arguments) => list(arguments),
        RunsVerb::Show(arguments) => show(arguments),
        RunsVerb::Diff(arguments) => diff(arguments),
        RunsVerb::Prune(arguments) => prune(arguments),
    }
}

/// The file and the name of a run that is to go on.
pub(crate) fn to_resume(folder: &Path, id: &str) -> Result<(PathBuf, Arc<str>)> {
    let run = open(folder)?.show(id)?.summary;
    let file = Path::new(&*run.file).file_name().map_or_else(|| folder.to_owned(), |name| folder.join(name));
    Ok((file, run.id))
}

fn open(folder: &Path) -> Result<History> {
    Ok(History::open(&folder.join(FOLDER))?)
}

fn list(arguments: &ListRunsArguments) -> Result<Ending> {
    let runs = open(&arguments.place.dir)?.list(arguments.limit)?;
    if arguments.place.json {
        let runs: Vec<_> = runs.iter().map(summary_json).collect();
        Output::Standard.line(redacted_json(runs.into()));
        return Ok(Ending::Done);
    }
    if runs.is_empty() {
        Output::Error.line("no runs are kept here");
        return Ok(Ending::Done);
    }
    let mut table = table(["run", "pipeline", "status", "began", "time", "steps"]);
    for run in &runs {
        let (status, steps) = (run.status.to_string(), run.steps_done.to_string());
        table.add_row([&*run.id, &*run.pipeline, &status, &moment(run.began), &time(run.took), &steps]);
    }
    for column in [4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Output::Standard.line(table);
    Ok(Ending::Done)
}

fn show(arguments: &ShowRunArguments) -> Result<Ending> {
    let run = open(&arguments.place.dir)?.show(&arguments.id)?;
    if arguments.place.json {
        Output::Standard.line(redacted_json(details_json(&run)));
        return Ok(Ending::Done);
    }
    let summary = &run.summary;
    Output::Standard.line(format_args!(
        "{} of {} ({}): {}, began {}, took {}",
        summary.id,
        summary.pipeline,
        summary.file,
        summary.status,
        moment(summary.began),
        time(summary.took)
    ));
    if let Some(error) = &run.error {
        Output::Standard.line(format_args!("error: {error}"));
    }
    Output::Standard.line(format_args!("inputs: {}", tapline::Value::from(run.inputs.clone())));
    let mut table = table(["step", "kind", "state", "time", "output"]);
    for step in &run.steps {
        let what = step.error.as_deref().map_or_else(|| shortened(&step.output.to_json()), shortened);
        table.add_row([&*step.path, &*step.kind, &step.state.to_string(), &time(step.took), &what]);
    }
    Output::Standard.line(table);
    if let Some(outputs) = &run.outputs {
        Output::Standard.line(format_args!("outputs: {}", tapline::Value::from(outputs.clone())));
    }
    if resumable(summary.status) {
        Output::Error.line(format_args!("`{}` goes on with it", resume(&summary.id, &arguments.place.dir)));
    }
    Ok(Ending::Done)
}

/// The steps whose state, input or output is not the same in two runs.
fn diff(arguments: &DiffArguments) -> Result<Ending> {
    let history = open(&arguments.place.dir)?;
    let (left, right) = (history.show(&arguments.left)?, history.show(&arguments.right)?);
    let differences = differences(&left, &right);
    if arguments.place.json {
        Output::Standard.line(redacted_json(differences.into()));
        return Ok(Ending::Done);
    }
    if differences.is_empty() {
        Output::Standard.line(format_args!("{} and {} did the same", left.summary.id, right.summary.id));
        return Ok(Ending::Done);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut table = table(["step", "what", &left.summary.id, &right.summary.id]);
    for difference in &differences {
        let cell = |key: &str| shortened(&text(&difference[key]));
        table.add_row([cell("step"), cell("what"), cell("left"), cell("right")]);
    }
    Output::Standard.line(table);
    Ok(Ending::Done)
}

fn differences(left: &RunDetails, right: &RunDetails) -> Vec<Value> {
    let mut found = Vec::new();
    let mut compare = |step: &str, what: &str, left: Value, right: Value| {
        if left != right {
            found.push(json!({ "step": step, "what": what, "left": left, "right": right }));
        }
    };
    compare("", "status", left.summary.status.to_string().into(), right.summary.status.to_string().into());
    let of = |run: &RunDetails, path: &str| run.steps.iter().find(|step| *step.path == *path).cloned();
    let mut paths: Vec<_> =
        left.steps.iter().chain(&right.steps).map(|step| Arc::clone(&step.path)).collect();
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(Arc::clone(path)));
    for path in paths {
        let (one, other) = (of(left, &path), of(right, &path));
        let state = |step: &Option<StepRecord>| {
            step.as_ref().map_or_else(|| "not done".to_owned(), |step| step.state.to_string()).into()
        };
        compare(&path, "state", state(&one), state(&other));
        let (Some(one), Some(other)) = (one, other) else { continue };
        if one.input != other.input {
            compare(&path, "asked", "one thing".into(), "another".into());
        }
        compare(&path, "output", Value::from(&one.output), Value::from(&other.output));
        let error = |step: &StepRecord| step.error.as_deref().map_or(Value::Null, Value::from);
        compare(&path, "error", error(&one), error(&other));
    }
    found
}

fn prune(arguments: &PruneArguments) -> Result<Ending> {
    let removed = open(&arguments.place.dir)?.keep_newest(arguments.keep)?;
    Output::Error.line(format_args!("removed {removed} runs"));
    Ok(Ending::Done)
}

pub(crate) const fn resumable(status: RunStatus) -> bool {
    matches!(status, RunStatus::Failed | RunStatus::Interrupted | RunStatus::Killed)
}

/// The command that goes on with a run.
pub(crate) fn resume(id: &str, folder: &Path) -> String {
    if folder == Path::new(".") {
        format!("tapline resume {id}")
    } else {
        format!("tapline resume {id} --dir {}", folder.display())
    }
}

fn summary_json(run: &RunSummary) -> Value {
    json!({
        "run": &*run.id, "pipeline": &*run.pipeline, "file": &*run.file, "status": run.status.to_string(),
        "began": moment(run.began), "milliseconds": milliseconds(run.took), "steps": run.steps_done,
    })
}

fn details_json(run: &RunDetails) -> Value {
    let steps = run.steps.iter().map(|step| {
        json!({
            "path": &*step.path, "kind": &*step.kind, "state": step.state.to_string(), "output": step.output,
            "error": step.error, "milliseconds": milliseconds(step.took),
        })
    });
    json!({
        "run": summary_json(&run.summary), "inputs": run.inputs, "outputs": run.outputs, "error": run.error,
        "steps": steps.collect::<Vec<_>>(),
    })
}

pub(crate) fn moment(time: SystemTime) -> String {
    // Tools read it as it is, people well enough; a time before 1970 is a broken clock.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}

/// As much of a text as fits a table.
fn shortened(text: &str) -> String {
    const WIDTH: usize = 60;
    let line = text.replace('\n', " ");
    if line.chars().count() <= WIDTH {
        return line;
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}
