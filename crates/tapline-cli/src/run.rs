use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tapline::core::{Act, Object};
use tapline::host::{AuditFile, Secrets, Settings};
use tapline::pipeline::{
    Definition, Diagnostic, Durability, Engine, InputError, Observer, RunEvent, RunReport, RunSettings, Stop,
};
use tapline::{Host, HostBuilder, Load, WebClient};
use tokio::signal;
use tokio::task::JoinHandle;

use crate::arguments::{HowToRun, ResumeArguments, RunArguments, ServerArguments};
use crate::diagnostics::Colour;
use crate::events::Events;
use crate::explain;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::project::Project;
use crate::summary::Summary;
use crate::{Ending, colour, configured, error, history, lock, remote, sandbox, walls};

/// How long an interrupted run may take to put its things away.
const GRACE: Duration = Duration::from_secs(2);

/// What of a pipeline is run.
enum Begin {
    /// A new run, with these inputs.
    New(Vec<(String, String)>),
    /// The one that was begun.
    Resume(Arc<str>),
}

/// Runs a pipeline.
pub(crate) fn run(arguments: RunArguments) -> Result<Ending> {
    if let Some(url) = arguments.url.clone() {
        let server = ServerArguments { url, token_file: arguments.token_file.clone() };
        return remote::run(&arguments, &server);
    }
    begin(&arguments.file, Begin::New(arguments.inputs), arguments.how)
}

/// Goes on with a run that did not come to its end.
pub(crate) fn resume(arguments: ResumeArguments) -> Result<Ending> {
    let (file, id) = history::to_resume(&arguments.dir, &arguments.id)?;
    begin(&file, Begin::Resume(id), arguments.how)
}

fn begin(file: &Path, begin: Begin, how: HowToRun) -> Result<Ending> {
    let mut project = Project::read(file)?;
    let secrets = project.settings.secrets(variable)?;
    output::keep(secrets.clone());
    project.warn();
    project.tell_checked();
    let Some(definition) = project.checked.definition.take() else { return Ok(Ending::Refused) };
    let inputs = match &begin {
        Begin::New(given) => inputs(&definition, given)?,
        Begin::Resume(_) => Object::new(),
    };
    configured::refuse(&project, &definition)?;
    lock::refuse_more(&project)?;
    if how.locked {
        let lock = lock::require(&project, &definition)?;
        project.bind(&lock);
    } else {
        lock::warn(&project, &definition);
    }
    let stop = Stop::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let settings = settings(&project, &definition, inputs, stop.clone(), &how)?;
    let run = runtime.spawn(run_loaded(project, secrets, Arc::new(definition), begin, settings, how));
    let ending = runtime.block_on(interruptible(run, &stop));
    // Code that computes without end cannot be waited for.
    runtime.shutdown_background();
    ending
}

/// What the run is given; who watches it comes with it.
fn settings(
    project: &Project,
    definition: &Definition,
    inputs: Object,
    stop: Stop,
    how: &HowToRun,
) -> Result<(RunSettings, Arc<Watch>)> {
    let events = how.events.as_deref().map(Events::open).transpose()?;
    let watch = Arc::new(Watch { progress: Progress::new(definition.nodes.len()), events });
    let settings = RunSettings::new(inputs).observer(watch.clone()).stop(stop);
    let settings = settings.folder(&project.folder).lists(history::lists(&project.folder));
    if definition.durability == Durability::None {
        return Ok((settings, watch));
    }
    Ok((settings.journal(history::journal(&project.folder)?), watch))
}

/// Who watches a run: people, and the file of its events.
struct Watch {
    progress: Progress,
    events: Option<Events>,
}

impl Observer for Watch {
    fn event(&self, event: &RunEvent<'_>) {
        self.progress.event(event);
        if let Some(events) = &self.events {
            events.write(event);
        }
    }

    fn wants_tokens(&self) -> bool {
        self.events.is_some() || self.progress.wants_tokens()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the command")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn run_loaded(
    project: Project,
    secrets: Secrets,
    definition: Arc<Definition>,
    begin: Begin,
    (settings, watch): (RunSettings, Arc<Watch>),
    how: HowToRun,
) -> Result<Ending> {
    let audit = audit(&project.settings, how.audit.as_deref())?;
    let engine = engine(&project, secrets, &definition, audit.clone()).await?;
    let mistakes = engine.validate(&definition).await?;
    project.tell(&mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        engine.host().shut_down().await?;
        return Ok(Ending::Refused);
    }
    let report = match &begin {
        Begin::New(_) => engine.run_with(Arc::clone(&definition), settings).await,
        Begin::Resume(id) => engine.resume(id, Arc::clone(&definition), settings).await,
    };
    watch.progress.finish();
    let report = report?;
    let summary = Summary::new(&definition, &report, engine.host()).await;
    if how.json {
        Output::Standard.line(summary.to_json()?);
    } else {
        summary.show();
    }
    for (plugin, cost) in summary.costs() {
        audit.iter().for_each(|audit| audit.write_cost(plugin, cost));
    }
    for point in &how.explain {
        Output::Error.line(explain::for_people(&explain::explanation(engine.host(), point)?));
    }
    engine.host().shut_down().await?;
    if report.id.is_some() {
        history::tidy(&project.folder);
    }
    Ok(ending(&definition, &project, &report))
}

/// The file of the audit, if one is to be written.
pub(crate) fn audit(settings: &Settings, named: Option<&Path>) -> Result<Option<Arc<AuditFile>>> {
    let Some(file) = named.or_else(|| settings.audit()) else { return Ok(None) };
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
    let mut host = host(&project.settings, &project.folder, secrets, audit);
    if project.needs_sandbox() {
        host = host.runtime(sandbox::sandbox()?);
    }
    if project.needs_processes() {
        host = host.runtime(walls::processes(&project.settings)?);
    }
    if project.needs_servers() {
        host = host.runtime(walls::servers(&project.settings)?);
    }
    if project.needs_http() {
        host = host.http(WebClient::new()?);
    }
    let engine = Engine::new(host.build())?;
    boot(engine.host(), &project.settings, project.loads(definition)?).await?;
    Ok(engine)
}

/// A host for the pipelines in a folder, which as yet runs plugins that are linked in and no others.
pub(crate) fn host(
    settings: &Settings,
    folder: &Path,
    secrets: Secrets,
    audit: Option<Arc<AuditFile>>,
) -> HostBuilder {
    let host = Host::builder().settings(settings).data(folder).secrets(secrets);
    match audit {
        Some(audit) => {
            host.audit(move |act| audit.write(&Act { target: &output::redacted(act.target), ..*act }))
        }
        None => host,
    }
}

/// Loads the plugins that a host begins with.
pub(crate) async fn boot(host: &Host, settings: &Settings, loads: Vec<Load>) -> Result<()> {
    for id in settings.blocked() {
        host.block(id).await?;
    }
    let report = host.boot(loads).await?;
    for left_out in report.failures() {
        Output::Error.line(format_args!("warning: the run goes on without an optional plugin: {left_out}"));
    }
    Ok(host.check_pending()?)
}

/// Ends what is under way at Ctrl-C. The run has a task of its own, because a node that computes gives way to nobody.
async fn interruptible(mut run: JoinHandle<Result<Ending>>, stop: &Stop) -> Result<Ending> {
    tokio::select! {
        ending = &mut run => ending.context("the run broke")?,
        interrupted = signal::ctrl_c() => {
            interrupted.context("Ctrl-C cannot be listened to")?;
            stop.now();
            // Files that are being written are put away when the run is dropped.
            if tokio::time::timeout(GRACE, &mut run).await.is_err() {
                run.abort();
            }
            Output::Error.line("interrupted: the run was ended, and no output was written by it from here on");
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

pub(crate) fn described(error: &InputError) -> String {
    match error {
        InputError::Unknown { hint: Some(hint), .. } => format!("{error}: {hint}"),
        InputError::Missing { name } => format!("{error}: give it with `-i {name}=VALUE`"),
        _ => error.to_string(),
    }
}

fn ending(definition: &Definition, project: &Project, report: &RunReport) -> Ending {
    match failure(definition, project, report, colour()) {
        None => Ending::Done,
        Some(text) => {
            Output::Error.text(text);
            Ending::Failed
        }
    }
}

/// Why a run failed, for people: the mistake in its place, what led to it, and how to go on.
pub(crate) fn failure(
    definition: &Definition,
    project: &Project,
    report: &RunReport,
    colour: Colour,
) -> Option<String> {
    let failed = report.outputs.as_ref().err()?;
    let mut text = match failed.diagnostic(definition) {
        Some(diagnostic) => project.told(&[diagnostic], colour),
        None => format!("error: {failed}\n"),
    };
    text += &error::causes_of(failed);
    if let Some(id) = &report.id {
        let again = history::resume(id, &project.folder);
        text += &format!("`{again}` goes on with what is left of it\n");
    }
    Some(text)
}
