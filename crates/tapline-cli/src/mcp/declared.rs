//! The manifest of a server before it was asked for its tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tapline::core::{Manifest, McpDeclaration};

use crate::arguments::McpAddArguments;

const RW: &str = ":rw";

/// The manifest that the arguments of `tapline mcp add` describe, with what the server needs under `requires`.
pub(crate) fn declared(arguments: &McpAddArguments) -> Result<Manifest> {
    let (env, command) = (environment(&arguments.env)?, command(&arguments.command)?);
    let requires = match &arguments.url {
        Some(url) => elsewhere(url, &arguments.header)?,
        None => here(arguments, &env, &command)?,
    };
    let mcp = McpDeclaration {
        command,
        url: arguments.url.clone(),
        env,
        headers: arguments.header.iter().cloned().collect(),
        lazy: arguments.lazy,
        idle: arguments.idle,
        total: arguments.total,
        tools: Vec::new(),
    };
    let about = json!({ "id": arguments.name, "version": "1.0.0", "host": "^1", "runtime": "mcp" });
    let manifest = json!({ "plugin": about, "mcp": mcp, "requires": requires });
    serde_json::from_value(manifest).context("this server cannot be a plugin")
}

/// A program that is named by its place is found from everywhere, and so is a file that it is told of.
fn command(words: &[String]) -> Result<Vec<String>> {
    let is_place = |place: usize, word: &str| place == 0 || Path::new(word).is_file();
    let words = words.iter().enumerate().map(|(place, word)| match word {
        word if word.contains('/') && is_place(place, word) => text(&found(word)?),
        word => Ok(word.clone()),
    });
    words.collect()
}

/// Where a file lies, under its own name: what a link is called may tell a program what to be.
fn found(word: &str) -> Result<PathBuf> {
    let path = absolute(word)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
    Ok(folder.canonicalize().with_context(|| format!("the folder of `{word}`"))?.join(name))
}

/// The files that a program is told of, which it has to see: a module with those that it is made of.
fn told(command: &[String]) -> impl Iterator<Item = &Path> {
    let files = command.iter().skip(1).map(Path::new).filter(|file| file.is_absolute() && file.is_file());
    files.map(|file| {
        let modules = file.ancestors().filter(|folder| folder.ends_with("node_modules")).last();
        modules.unwrap_or(file)
    })
}

fn environment(given: &[String]) -> Result<BTreeMap<String, String>> {
    let one = |text: &String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text.clone(), format!("${{env:{text}}}")),
    };
    let env: BTreeMap<_, _> = given.iter().map(one).collect();
    match env
        .keys()
        .find(|name| name.is_empty() || name.contains(|c: char| c != '_' && !c.is_ascii_alphanumeric()))
    {
        Some(name) => bail!("`{name}` is not the name of a variable"),
        None => Ok(env),
    }
}

/// What a server that is started here needs.
fn here(arguments: &McpAddArguments, env: &BTreeMap<String, String>, command: &[String]) -> Result<Value> {
    let variables: Vec<_> = env.values().flat_map(|value| McpDeclaration::variables(value)).collect();
    let folder = |given: &String| {
        let (path, mode) = given.strip_suffix(RW).map_or((given.as_str(), "r"), |path| (path, "rw"));
        let path = Path::new(path).canonicalize().with_context(|| format!("the folder `{path}`"))?;
        anyhow::Ok(json!({ "path": text(&path)?, "mode": mode }))
    };
    let mut folders: Vec<_> = arguments.folder.iter().map(folder).collect::<Result<_>>()?;
    folders.extend(told(command).map(|path| json!({ "path": path, "mode": "r" })));
    Ok(
        json!({ "network": arguments.network, "processes": arguments.processes, "env": variables, "folders": folders }),
    )
}

/// What requests to the address of a server need.
fn elsewhere(url: &str, headers: &[(String, String)]) -> Result<Value> {
    let (scheme, rest) =
        url.split_once("://").context("the address of a server begins with https:// or http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_plain = scheme == "http";
    let named = if is_plain { format!("http://{host}") } else { host.to_owned() };
    let secrets = headers.iter().flat_map(|(header, value)| {
        let names = value.split("${secret:").skip(1).filter_map(|rest| rest.split_once('}'));
        names.map(|(name, _)| json!({ "name": name, "header": header, "hosts": [host] })).collect::<Vec<_>>()
    });
    let request = json!({
        "hosts": [named], "methods": ["POST", "DELETE"], "paths": [format!("/{path}")], "private": is_plain,
    });
    Ok(json!({ "http": [request], "secrets": secrets.collect::<Vec<_>>() }))
}

fn text(path: &Path) -> Result<String> {
    Ok(path.to_str().with_context(|| format!("the path {} is no text", path.display()))?.to_owned())
}
