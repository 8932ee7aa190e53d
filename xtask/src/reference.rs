//! The reference part of the docs, made from what the code says of itself.

mod schema;
mod contract;
mod manifest;
mod command;
mod nodes;
mod api;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::camino::Utf8Path;
use clap::Args;

use crate::workspace::Workspace;

/// The folder of all that is made here.
const FOLDER: &str = "docs/reference";
/// What the file that editors read says of where it comes from.
const NOTE: &str = "Made by `cargo xtask reference`, and not edited by hand.";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing, but fail if a page is not what the code says.
    #[arg(long)]
    check: bool,
}

/// A file of the reference.
#[derive(Debug)]
struct Page {
    name: &'static str,
    text: String,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.check {
        return check(workspace);
    }
    let folder = workspace.root().join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| folder.to_string())?;
    let pages = pages(workspace)?;
    for page in &pages {
        let file = folder.join(page.name);
        fs::write(&file, &page.text).with_context(|| file.to_string())?;
    }
    println!("reference: {} pages in {FOLDER}", pages.len());
    Ok(())
}

/// Fails if a page is not what the code says, is missing, or is made of nothing.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let pages = pages(workspace)?;
    let wrong = wrong(&workspace.root().join(FOLDER), &pages)?;
    if !wrong.is_empty() {
        bail!("`cargo xtask reference` would write other pages\n{}", wrong.join("\n"));
    }
    println!("reference: {} pages, all as the code says", pages.len());
    Ok(())
}

fn pages(workspace: &Workspace) -> Result<Vec<Page>> {
    let said = command::ask(workspace)?;
    let manifest = manifest::schema();
    Ok(vec![
        contract::page(&workspace.root().join(contract::SOURCE))?,
        command::page(&said)?,
        manifest::page(&manifest),
        manifest::for_editors(&manifest)?,
        nodes::page(&said)?,
        api::for_programs(&said)?,
    ])
}

/// The files in a folder that are not what the pages say, each with what is wrong.
fn wrong(folder: &Utf8Path, pages: &[Page]) -> Result<Vec<String>> {
    let mut there = BTreeSet::new();
    if folder.is_dir() {
        for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
            there.insert(entry?.file_name().to_owned());
        }
    }
    let mut wrong = Vec::new();
    for page in pages {
        let name = page.name;
        if !there.remove(name) {
            wrong.push(format!("  {FOLDER}/{name} is missing"));
        } else if fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())? != page.text {
            wrong.push(format!("  {FOLDER}/{name} is not what the code says"));
        }
    }
    wrong.extend(there.iter().map(|name| format!("  {FOLDER}/{name} is made of nothing")));
    Ok(wrong)
}

impl Page {
    /// A page with a title; the source is what it is made from, as Markdown.
    fn new(name: &'static str, title: &str, source: &str, text: &str) -> Self {
        let note = format!("*Made by `cargo xtask reference` from {source}, and not edited by hand.*");
        let mut text = format!("# {title}\n\n{note}\n\n{}\n", text.trim());
        while text.contains("\n\n\n") {
            text = text.replace("\n\n\n", "\n\n");
        }
        Self { name, text }
    }
}

#[cfg(test)]
mod tests;
