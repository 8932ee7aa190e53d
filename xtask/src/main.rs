//! The chores of this repository, run as `cargo xtask`.

mod workspace;
mod process;
mod setup;
mod peers;
mod guests;
mod foreign;
mod test;
mod bench;
mod fuzz;
mod layers;
mod links;
mod reference;
mod check;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::workspace::Workspace;

/// The chores of this repository.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Task {
    /// Say what the tests need and what of it is there.
    Setup(setup::Options),
    /// Build the plugins that run in the sandbox.
    Guests(guests::Options),
    /// Build the guests, then run the tests.
    Test(test::Options),
    /// Run the benchmarks.
    Bench(bench::Options),
    /// Feed bad input to whatever reads text, bytes or patterns from outside.
    Fuzz(fuzz::Options),
    /// Hold the dependencies among our crates against the crate table.
    Layers,
    /// Look for dead links in the Markdown files.
    Links,
    /// Write the pages of the docs that are made from what the code says.
    Reference(reference::Options),
    /// Run every check that is not a test: format, layers, guests, reference, links, lints, docs.
    Check,
    /// Run the checks, then the tests.
    Ci(test::Options),
}

fn main() -> ExitCode {
    run(Task::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(task: Task) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    match task {
        Task::Setup(options) => setup::run(&workspace, &options)?,
        Task::Guests(options) => guests::run(&workspace, &options)?,
        Task::Test(options) => return test::run(&workspace, &options),
        Task::Bench(options) => return bench::run(&workspace, &options),
        Task::Fuzz(options) => fuzz::run(&workspace, &options)?,
        Task::Layers => layers::run(&workspace)?,
        Task::Links => links::run(workspace.root())?,
        Task::Reference(options) => reference::run(&workspace, &options)?,
        Task::Check => check::run(&workspace)?,
        Task::Ci(options) => {
            check::run(&workspace)?;
            return test::run(&workspace, &options);
        }
    }
    Ok(ExitCode::SUCCESS)
}
