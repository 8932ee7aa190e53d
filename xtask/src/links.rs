mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use ignore::WalkBuilder;

use document::{Document, Link};

/// The folder of the docs.
const DOCS: &str = "docs";
/// Their table of contents.
const CONTENTS: &str = "docs/README.md";

/// Checks the links of every Markdown file below the root that git would not ignore, and that the table of contents
/// of the docs leads to each of their pages.
pub(crate) fn run(root: &Utf8Path) -> Result<()> {
    let documents = read_all(root)?;
    let dead: Vec<String> =
        documents.iter().flat_map(|(path, document)| dead_links(root, &documents, path, document)).collect();
    if !dead.is_empty() {
        bail!("{} dead\n{}", dead.len(), dead.join("\n"));
    }
    let missing = missing_pages(&documents);
    if !missing.is_empty() {
        bail!("{CONTENTS} leaves pages out\n{}", missing.join("\n"));
    }
    let count: usize = documents.values().map(|document| document.links.len()).sum();
    println!("links: {count} in {} files, none dead", documents.len());
    Ok(())
}

/// The documents by their paths relative to the root.
type Documents = BTreeMap<Utf8PathBuf, Document>;

fn read_all(root: &Utf8Path) -> Result<Documents> {
    let mut documents = Documents::new();
    // A copy of the repository without its `.git` is walked alike.
    for entry in WalkBuilder::new(root).require_git(false).build() {
        let path = Utf8PathBuf::try_from(entry?.into_path())?;
        if path.extension() == Some("md") {
            let text = fs::read_to_string(&path).with_context(|| path.to_string())?;
            documents.insert(path.strip_prefix(root)?.to_owned(), Document::parse(&text));
        }
    }
    Ok(documents)
}

/// The pages of the docs to which their table of contents does not lead.
fn missing_pages(documents: &Documents) -> Vec<String> {
    let contents = Utf8Path::new(CONTENTS);
    let links = documents.get(contents).into_iter().flat_map(|document| &document.links);
    let linked: BTreeSet<_> = links.filter_map(|link| resolve(contents, link.file())).collect();
    let pages = documents.keys().filter(|page| page.starts_with(DOCS) && *page != contents);
    pages.filter(|page| !linked.contains(*page)).map(|page| format!("  {page}")).collect()
}

fn dead_links(root: &Utf8Path, documents: &Documents, path: &Utf8Path, document: &Document) -> Vec<String> {
    let dead = document.links.iter().filter_map(|link| {
        let reason = death(root, documents, path, link)?;
        Some(format!("  {path}:{}: {}: {reason}", link.line, link.target))
    });
    dead.collect()
}

/// Why a link leads nowhere, if it does.
fn death(root: &Utf8Path, documents: &Documents, path: &Utf8Path, link: &Link) -> Option<String> {
    if link.leads_outside() {
        return None;
    }
    let Some(target) = resolve(path, link.file()) else {
        return Some("it leaves the repository".to_owned());
    };
    if !root.join(&target).exists() {
        return Some(format!("there is no {target}"));
    }
    let anchor = link.anchor()?;
    let document = documents.get(&target)?;
    (!document.anchors.contains(anchor)).then(|| format!("no heading of {target} has that anchor"))
}

/// The file that a link in the document at `path` names, relative to the root.
fn resolve(path: &Utf8Path, file: &str) -> Option<Utf8PathBuf> {
    if file.is_empty() {
        return Some(path.to_owned());
    }
    let start = if file.starts_with('/') { Utf8Path::new("") } else { path.parent()? };
    let mut resolved = start.to_owned();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." if !resolved.pop() => return None,
            ".." => {}
            name => resolved.push(name.replace("%20", " ")),
        }
    }
    Some(resolved)
}

#[cfg(test)]
mod tests;
