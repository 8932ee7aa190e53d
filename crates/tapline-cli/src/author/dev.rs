use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tapline::core::Object;
use tapline::pipeline::{Definition, Engine, RunReport};
use tapline::{PluginId, Value};
use tapline_build::Project as Source;
use tokio::signal;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::arguments::DevArguments;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::project::Project;
use crate::summary::Summary;
use crate::{Ending, error, run};

use super::build::built;

mod changes;

use changes::Changes;

/// Builds a plugin at each change and swaps it into a pipeline, which runs again when it has come to its end. What does not
/// build, or is refused, is shown, and the version before goes on.
pub(crate) fn dev(arguments: &DevArguments) -> Result<Ending> {
    let source = Arc::new(Source::open(&arguments.folder)?);
    let file = arguments.pipeline.clone().unwrap_or_else(|| arguments.folder.join("pipeline.yaml"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ending = runtime.block_on(async {
        tokio::select! {
            ending = watch(source, file, arguments.inputs.clone()) => ending,
            // Also while something is built: its tools end by the same signal.
            interrupted = signal::ctrl_c() => {
                interrupted.context("Ctrl-C cannot be listened to")?;
                Ok(Ending::Interrupted)
            }
        }
    });
    // Code that computes without end cannot be waited for.
    runtime.shutdown_background();
    ending
}

async fn watch(source: Arc<Source>, file: PathBuf, inputs: Vec<(String, String)>) -> Result<Ending> {
    let mut changes = Changes::of(&source, &file)?;
    let mut session = None;
    loop {
        let is_renewed = match build(&source).await? {
            Some(plugin) => {
                let renewed = renew(&mut session, &plugin, &file, &inputs).await;
                renewed.map_err(|refused| error::show(&refused)).is_ok()
            }
            // What is wrong has been shown.
            None => false,
        };
        if !is_renewed {
            Output::Error.line(rest(session.as_ref()));
        }
        until_changed(&mut changes, &mut session).await;
    }
}

/// Waits for a change, and meanwhile for the end of the run.
async fn until_changed(changes: &mut Changes, session: &mut Option<Session>) {
    loop {
        tokio::select! {
            () = changes.next() => return,
            () = finished(session.as_mut()) => Output::Error.line("waiting for a change"),
        }
    }
}

/// What goes on when a change came to nothing.
fn rest(session: Option<&Session>) -> &'static str {
    if session.is_some() {
        "the version before goes on; waiting for a change"
    } else {
        "waiting for a change"
    }
}

/// The pipeline while it is used, and the run that is under way.
struct Session {
    engine: Arc<Engine>,
    definition: Arc<Definition>,
    inputs: Object,
    used: Used,
    run: Option<JoinHandle<RunReport>>,
    progress: Arc<Progress>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.run.iter().for_each(JoinHandle::abort);
    }
}

/// The id of what was built, if anything was; the workers have the run meanwhile.
async fn build(source: &Arc<Source>) -> Result<Option<PluginId>> {
    let source = Arc::clone(source);
    let manifest = spawn_blocking(move || built(&source)).await??;
    Ok(manifest.map(|manifest| manifest.id().clone()))
}

/// Puts what was built into the pipeline that is used, which begins anew when its file names other plugins or tells them
/// something else. What stands in the way leaves all as it was.
async fn renew(
    session: &mut Option<Session>,
    plugin: &PluginId,
    file: &Path,
    inputs: &[(String, String)],
) -> Result<()> {
    let Some((project, definition)) = read(file)? else { bail!("the pipeline has mistakes") };
    let inputs = run::inputs(&definition, inputs)?;
    let load = project.load_of(&definition, plugin.as_str())?;
    let load = load.with_context(|| format!("{} does not use `{plugin}`", file.display()))?;
    let used = used(&project, &definition);
    match session {
        Some(session) if session.used == used => {
            let swapped = session.engine.host().swap(load.accept_more()).await?;
            Output::Error.line(format_args!("swapped in: {plugin} {}", swapped.to));
            (session.definition, session.inputs) = (Arc::new(definition), inputs);
            session.begin();
        }
        _ => {
            let begun = session.insert(Session::open(&project, definition, inputs, used).await?);
            begun.begin();
        }
    }
    Ok(())
}

/// The plugins of a pipeline, with what its file tells each.
type Used = BTreeMap<String, Value>;

fn used(project: &Project, definition: &Definition) -> Used {
    let config = |name: &str| definition.plugins.get(name).map_or(Value::Null, |entry| entry.config.clone());
    project.plugins().map(|plugin| (plugin.name().to_owned(), config(plugin.name()))).collect()
}

impl Session {
    /// Loads the plugins of a pipeline.
    async fn open(project: &Project, definition: Definition, inputs: Object, used: Used) -> Result<Self> {
        let secrets = project.settings.secrets(run::variable)?;
        output::keep(secrets.clone());
        let engine = Arc::new(run::engine(project, secrets, &definition, None).await?);
        let progress = Arc::new(Progress::new(definition.nodes.len()));
        let definition = Arc::new(definition);
        Ok(Self { engine, definition, inputs, used, run: None, progress })
    }

    /// Runs the pipeline, unless it runs.
    fn begin(&mut self) {
        if self.run.is_some() {
            return;
        }
        self.progress = Arc::new(Progress::new(self.definition.nodes.len()));
        let (engine, definition) = (Arc::clone(&self.engine), Arc::clone(&self.definition));
        let (inputs, progress) = (self.inputs.clone(), Arc::clone(&self.progress));
        self.run = Some(tokio::spawn(async move { engine.run(definition, inputs, progress).await }));
    }
}

/// Shows what came of the run that is under way, at its end; waits for ever where there is none.
async fn finished(session: Option<&mut Session>) {
    let Some(session) = session else { return std::future::pending().await };
    let Some(run) = &mut session.run else { return std::future::pending().await };
    let report = run.await;
    session.run = None;
    session.progress.finish();
    match report {
        Ok(report) => {
            Summary::new(&session.definition, &report, session.engine.host()).await.show();
            if let Err(failed) = &report.outputs {
                Output::Error.line(format_args!("error: {failed}"));
                error::show_causes(std::error::Error::source(failed));
            }
        }
        Err(broke) => Output::Error.line(format_args!("error: the run broke: {broke}")),
    }
}

/// The pipeline and its plugins as they are now; mistakes are shown.
fn read(file: &Path) -> Result<Option<(Project, Definition)>> {
    let mut project = Project::read(file)?;
    project.warn();
    project.tell_checked();
    let definition = project.checked.definition.take();
    Ok(definition.map(|definition| (project, definition)))
}
