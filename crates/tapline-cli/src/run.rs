use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tapline::core::{Act, Object};
use tapline::host::{AuditFile, Secrets};
use tapline::pipeline::{Definition, Engine, InputError, RunReport, RunSettings};
use tapline::{Host, WebClient};
use tokio::signal;
use tokio::task::JoinHandle;

use crate::arguments::RunArguments;
use crate::explain;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::project::Project;
use crate::summary::Summary;
use crate::{Ending, error, lock, sandbox};

/// How long an interrupted run may take to put its things away.
const GRACE: Duration = Duration::from_secs(2);

/// Runs a pipeline.
pub(crate) fn run(arguments: RunArguments) -> Result<Ending> {
    let mut project = Project::read(&arguments.file)?;
    let secrets = project.settings.secrets(variable)?;
    output::keep(secrets.clone());
    project.warn();
    project.tell(&project.checked.diagnostics);
    let Some(definition) = project.checked.definition.take() else { return Ok(Ending::Refused) };
    let inputs = inputs(&definition, &arguments.inputs)?;
    lock::refuse_more(&project)?;
    if arguments.locked {
        let lock = lock::require(&project, &definition)?;
        project.bind(&lock);
    } else {
        lock::warn(&project, &definition);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let run = runtime.spawn(run_loaded(project, secrets, Arc::new(definition), inputs, arguments));
    let ending = runtime.block_on(interruptible(run));
    // Code that computes without end cannot be waited for.
    runtime.shutdown_background();
    ending
}

#[expect(clippy::disallowed_methods, reason = "this is the command")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn run_loaded(
    project: Project,
    secrets: Secrets,
    definition: Arc<Definition>,
    inputs: Object,
    arguments: RunArguments,
) -> Result<Ending> {
    let audit = audit(&project, arguments.audit.as_deref())?;
    let engine = engine(&project, secrets, &definition, audit.clone()).await?;
    let progress = Arc::new(Progress::new());
    let settings = RunSettings::new(inputs).observer(progress.clone()).folder(&project.folder);
    let report = engine.run_with(Arc::clone(&definition), settings).await?;
    progress.finish();
    let summary = Summary::new(&definition, &report, engine.host()).await;
    if arguments.json {
        Output::Standard.line(summary.to_json()?);
    } else {
        summary.show();
    }
    for (plugin, cost) in summary.costs() {
        audit.iter().for_each(|audit| audit.write_cost(plugin, cost));
    }
    for point in &arguments.explain {
        Output::Error.line(explain::for_people(&explain::explanation(engine.host(), point)?));
    }
    engine.host().shut_down().await?;
    Ok(ending(&definition, &project, &report))
}

/// The file of the audit, if one is to be written.
fn audit(project: &Project, named: Option<&Path>) -> Result<Option<Arc<AuditFile>>> {
    let Some(file) = named.or_else(|| project.settings.audit()) else { return Ok(None) };
    let audit = AuditFile::open(file).with_context(|| format!("the audit {}", file.display()))?;
    Ok(Some(Arc::new(audit)))
}

/// A host with the plugins of a pipeline.
pub(crate) async fn engine(
    project: &Project,
    secrets: Secrets,
    definition: &Definition,
    audit: Option<Arc<AuditFile>>,
) -> Result<Engine> {
    let mut host = Host::builder().settings(&project.settings).data(&project.folder).secrets(secrets);
    if project.needs_sandbox() {
        host = host.runtime(sandbox::sandbox()?);
    }
    if project.needs_http() {
        host = host.http(WebClient::new()?);
    }
    if let Some(audit) = audit {
        host = host.audit(move |act| audit.write(&Act { target: &output::redacted(act.target), ..*act }));
    }
    let engine = Engine::new(host.build())?;
    for id in project.settings.blocked() {
        engine.host().block(id).await?;
    }
    let report = engine.host().boot(project.loads(definition)).await?;
    for left_out in report.failures() {
        Output::Error.line(format_args!("warning: the run goes on without an optional plugin: {left_out}"));
    }
    engine.host().check_pending()?;
    Ok(engine)
}

/// Ends what is under way at Ctrl-C. The run has a task of its own, because a node that computes gives way to nobody.
async fn interruptible(mut run: JoinHandle<Result<Ending>>) -> Result<Ending> {
    tokio::select! {
        ending = &mut run => ending.context("the run broke")?,
        interrupted = signal::ctrl_c() => {
            interrupted.context("Ctrl-C cannot be listened to")?;
            run.abort();
            // Files that are being written are put away when the run is dropped.
            let _ = tokio::time::timeout(GRACE, run).await;
            Output::Error.line(format_args!("interrupted: the run was ended, and no output was written by it from here on"));
            Ok(Ending::Interrupted)
        }
    }
}

pub(crate) fn inputs(definition: &Definition, given: &[(String, String)]) -> Result<Object> {
    let mut values = Object::new();
    for (name, text) in given {
        let value = definition.parse_input(name, text).map_err(|error| anyhow::anyhow!(described(&error)))?;
        values.insert(name.as_str().into(), value);
    }
    match definition.input_values(&values) {
        Ok(values) => Ok(values),
        Err(errors) => bail!(errors.iter().map(described).collect::<Vec<_>>().join("\n")),
    }
}

fn described(error: &InputError) -> String {
    match error {
        InputError::Unknown { hint: Some(hint), .. } => format!("{error}: {hint}"),
        InputError::Missing { name } => format!("{error}: give it with `-i {name}=VALUE`"),
        _ => error.to_string(),
    }
}

fn ending(definition: &Definition, project: &Project, report: &RunReport) -> Ending {
    let Err(failed) = &report.outputs else { return Ending::Done };
    match failed.diagnostic(definition) {
        Some(diagnostic) => project.tell(&[diagnostic]),
        None => Output::Error.line(format_args!("error: {failed}")),
    }
    error::show_causes_of(failed);
    Ending::Failed
}
