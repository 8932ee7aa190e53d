use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tapline::core::{Runtime, RuntimeKind};
use tapline_test_kit::{CaseResult, Cases};

use crate::arguments::TestArguments;
use crate::plugin::settings;
use crate::{Ending, results, sandbox, walls};

use super::build::package;

/// Where the cases of a plugin lie.
const FOLDER: &str = "cases";

/// Runs the cases of a plugin, each in a host of its own, after building what has a source.
pub(crate) fn test(arguments: &TestArguments) -> Result<Ending> {
    let files = files(&arguments.folder.join(FOLDER))?;
    let cases = files.iter().map(Cases::read).collect::<Result<Vec<_>, _>>()?;
    let Some(manifest) = package(&arguments.folder, !arguments.no_build)? else {
        return Ok(Ending::Failed);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let plugins: Arc<dyn Runtime> = match manifest.plugin.runtime {
        RuntimeKind::Process => Arc::new(walls::processes(&settings()?)?),
        _ => Arc::new(sandbox::sandbox()?),
    };
    let results = runtime.block_on(run(&cases, arguments, plugins));
    // A plugin that computes without end cannot be waited for.
    runtime.shutdown_background();
    let ending = results::conclude(&results, arguments.json);
    if results.is_empty() {
        bail!("no case has `{}` in its name", arguments.filter.as_deref().unwrap_or_default());
    }
    Ok(ending)
}

async fn run(cases: &[Cases], arguments: &TestArguments, plugins: Arc<dyn Runtime>) -> Vec<CaseResult> {
    let is_wanted = |name: &str| arguments.filter.as_deref().is_none_or(|filter| name.contains(filter));
    let mut results = Vec::new();
    for cases in cases {
        let wanted: Vec<_> =
            cases.names().enumerate().filter(|(_, name)| is_wanted(name)).map(|(number, _)| number).collect();
        for number in wanted {
            let Some(result) = cases.run(number, &arguments.folder, Arc::clone(&plugins)).await else {
                continue;
            };
            if !arguments.json {
                results::show(&result);
            }
            results.push(result);
        }
    }
    results
}

/// The files of cases in a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        bail!("{}: there are no cases; write one as the guide shows, in cases/NAME.yaml", folder.display());
    }
    files.sort();
    Ok(files)
}
