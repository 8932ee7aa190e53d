use anyhow::{Result, bail};

use crate::process::{cargo, run_well};
use crate::workspace::Workspace;
use crate::{guests, layers, links, reference};

/// A check's name, and what runs it.
type Check = (&'static str, fn(&Workspace) -> Result<()>);

const CHECKS: [Check; 7] = [
    ("format", |_| run_well(cargo().args(["fmt", "--all", "--check"]))),
    ("layers", layers::run),
    ("guests", guests::check),
    ("reference", reference::check),
    ("links", |workspace| links::run(workspace.root())),
    ("lints", |_| run_well(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    ("docs", |_| {
        run_well(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    }),
];

/// Runs all checks, whether or not the earlier ones passed, so that one run tells everything.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        if let Err(error) = check(workspace) {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("checks that did not pass: {}", failed.join(", "));
    }
    println!("checks: {} passed", CHECKS.len());
    Ok(())
}
