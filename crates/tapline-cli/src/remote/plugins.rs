use anyhow::Result;
use reqwest::Method;
use serde_json::Value;

use crate::Ending;
use crate::arguments::{LoadArguments, ReloadArguments, SwapArguments, UnloadArguments};
use crate::output::Output;
use crate::serve::{Another, Loaded, NewPlugin, Reloaded, Replacement, Swapped, Unloaded};

use super::{Remote, say, waiting};

/// Loads a plugin on a server.
pub(crate) fn load(arguments: &LoadArguments) -> Result<Ending> {
    let remote = Remote::new(&arguments.server)?;
    let config = arguments.config.clone();
    let new = NewPlugin { plugin: arguments.plugin.clone(), config, grants: None };
    let loaded: Loaded = waiting(remote.post(["plugins"], &new))?;
    if told(arguments.json, &loaded)? {
        return Ok(Ending::Done);
    }
    say(format!("loaded {}", loaded.loaded.join(", ")));
    say_ready(&loaded.pipelines);
    Ok(Ending::Done)
}

/// Unloads a plugin of a server.
pub(crate) fn unload(arguments: &UnloadArguments) -> Result<Ending> {
    let remote = Remote::new(&arguments.server)?;
    let how = [("cascade", arguments.cascade), ("dry_run", arguments.dry_run)];
    let request = remote.request(Method::DELETE, ["plugins", &arguments.plugin]).query(&how);
    let unloaded: Unloaded = waiting(remote.json(request))?;
    if told(arguments.json, &unloaded)? {
        return Ok(Ending::Done);
    }
    let would = if unloaded.dry_run { "would be unloaded" } else { "unloaded" };
    for left in &unloaded.unloaded {
        let drain = left.drain.as_deref().filter(|drain| *drain != "drained");
        let drain = drain.map(|drain| format!(", {}", in_words(drain))).unwrap_or_default();
        say(format!("{would}: {}{drain}", left.plugin));
    }
    for pipeline in &unloaded.stopped {
        let stops = if unloaded.dry_run { "would not run without it" } else { "does not run without it" };
        say(format!("pipeline `{pipeline}` {stops}"));
    }
    Ok(Ending::Done)
}

/// Ends a plugin of a server and starts it again.
pub(crate) fn reload(arguments: &ReloadArguments) -> Result<Ending> {
    let remote = Remote::new(&arguments.server)?;
    let path = ["plugins", &arguments.plugin, "reload"];
    let reloaded: Reloaded = waiting(remote.post(path, &Another { from: arguments.from.clone() }))?;
    if !told(arguments.json, &reloaded)? {
        let Reloaded { plugin, from, to, started } = reloaded;
        say(format!("{plugin}: {to} runs in the place of {from}; started: {}", started.join(", ")));
    }
    Ok(Ending::Done)
}

/// Puts another version in the place of a plugin of a server, while calls go on.
pub(crate) fn swap(arguments: &SwapArguments) -> Result<Ending> {
    let SwapArguments { what: arguments, accept_more, wait } = arguments;
    let replacement = Replacement { from: arguments.from.clone(), accept_more: *accept_more };
    let remote = Remote::new(&arguments.server)?;
    let request = remote.request(Method::POST, ["plugins", &arguments.plugin, "swap"]);
    let request = request.query(&[("wait", wait)]).json(&replacement);
    let swapped: Swapped = waiting(remote.json(request))?;
    let is_back = swapped.reason.is_some();
    if !told(arguments.json, &swapped)? {
        let Swapped { plugin, from, to, outcome, reason } = swapped;
        let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        say(format!("{plugin}: {to} in the place of {from}, {outcome}{why}"));
    }
    Ok(if is_back { Ending::Failed } else { Ending::Done })
}

/// Writes JSON, if that is asked for.
fn told(as_json: bool, answer: &impl serde::Serialize) -> Result<bool> {
    if as_json {
        let answer: Value = serde_json::to_value(answer)?;
        Output::Standard.line(answer);
    }
    Ok(as_json)
}

fn say_ready(pipelines: &[String]) {
    if !pipelines.is_empty() {
        say(format!("pipelines that can run: {}", pipelines.join(", ")));
    }
}

fn in_words(drain: &str) -> &str {
    match drain {
        "forced" => "and calls inside it were ended",
        "leaked" => "and code of it that cannot be ended is left",
        other => other,
    }
}
