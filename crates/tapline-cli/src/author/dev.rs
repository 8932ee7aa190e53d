use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tapline::PluginId;
use tapline::core::Object;
use tapline::pipeline::{Definition, Engine, RunReport};
use tapline_build::Project as Source;
use tokio::signal;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::arguments::DevArguments;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::project::Project;
use crate::summary::Summary;
use crate::{Ending, colour, diagnostics, error, run};

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
        match build(&source).await? {
            Some(plugin) => session = renewed(session, &plugin, &file, &inputs).await,
            None => Output::Error.line(rest(session.as_ref())),
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
    run: Option<JoinHandle<RunReport>>,
    progress: Arc<Progress>,
}

/// The id of what was built, if anything was; the workers have the run meanwhile.
async fn build(source: &Arc<Source>) -> Result<Option<PluginId>> {
    let source = Arc::clone(source);
    let manifest = spawn_blocking(move || built(&source)).await??;
    Ok(manifest.map(|manifest| manifest.id().clone()))
}

/// The session with the new version in it; the one before when that does not go.
async fn renewed(
    session: Option<Session>,
    plugin: &PluginId,
    file: &Path,
    inputs: &[(String, String)],
) -> Option<Session> {
    let renewed = match session {
        Some(mut session) => {
            let swapped = session.swap(plugin, file).await;
            if let Err(refused) = &swapped {
                error::show(refused);
                Output::Error.line(rest(Some(&session)));
            }
            Ok(Some(session))
        }
        None => Session::open(file, inputs).await,
    };
    let mut session = renewed.unwrap_or_else(|refused| {
        error::show(&refused);
        None
    });
    match &mut session {
        Some(session) if session.run.is_none() => session.begin(),
        Some(_) => {}
        None => Output::Error.line(rest(None)),
    }
    session
}

impl Session {
    /// Reads the pipeline and loads its plugins; nothing when it has mistakes, which have been shown.
    async fn open(file: &Path, inputs: &[(String, String)]) -> Result<Option<Self>> {
        let Some((project, definition)) = read(file)? else { return Ok(None) };
        let inputs = run::inputs(&definition, inputs)?;
        let secrets = project.settings.secrets(run::variable)?;
        output::keep(secrets.clone());
        let engine = run::engine(&project, secrets, &definition, None).await?;
        let progress = Arc::new(Progress::new());
        Ok(Some(Self {
            engine: Arc::new(engine),
            definition: Arc::new(definition),
            inputs,
            run: None,
            progress,
        }))
    }

    /// Puts the version that was built in the place of the one that runs.
    async fn swap(&mut self, plugin: &PluginId, file: &Path) -> Result<()> {
        let Some((project, definition)) = read(file)? else { anyhow::bail!("the pipeline has mistakes") };
        let load = project.load_of(&definition, plugin.as_str());
        let load = load.with_context(|| format!("{} does not use `{plugin}`", file.display()))?;
        let swapped = self.engine.host().swap(load.accept_more()).await?;
        Output::Error.line(format_args!("swapped in: {plugin} {}", swapped.to));
        self.definition = Arc::new(definition);
        Ok(())
    }

    fn begin(&mut self) {
        self.progress = Arc::new(Progress::new());
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
    Output::Error.text(diagnostics::for_people(&project.checked.diagnostics, &project.source, colour()));
    let definition = project.checked.definition.take();
    Ok(definition.map(|definition| (project, definition)))
}
