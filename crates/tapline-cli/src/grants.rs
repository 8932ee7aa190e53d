use std::io::ErrorKind;

use anyhow::{Context as _, Result};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tapline::core::{Denied, HostPattern, Manifest};
use tapline::host::{Settings, rights};

use crate::Ending;
use crate::arguments::GrantsArguments;
use crate::audit::{Audited, visible};
use crate::output::Output;
use crate::plugin::{from, named, settings};

/// One thing that a plugin asks for.
pub(crate) struct Ask {
    pub(crate) action: &'static str,
    pub(crate) target: String,
    pub(crate) why: String,
    /// Whether the configuration in a pipeline has yet to name a part of it.
    is_open: bool,
}

/// Shows what a plugin asks for, what it is granted here and who says no, and what it has used; runs nothing of it.
pub(crate) fn grants(arguments: &GrantsArguments) -> Result<Ending> {
    let settings = settings()?;
    let plugin = named(&arguments.id, &arguments.folder, &settings)?;
    let (manifest, policy) = (&*plugin.manifest, settings.policy());
    let (asks, refused) = (asks(manifest), policy.refused(manifest));
    let denied = rights(policy.denied());
    let audited = audited(arguments, &settings)?;
    if arguments.json {
        let asks: Vec<_> = asks.iter().map(|ask| described(ask, &refused)).collect();
        Output::Standard.line(json!({
            "id": manifest.plugin.id, "version": manifest.plugin.version, "from": from(&plugin),
            "asks_for": asks, "denied_to_all": denied,
            "used": audited.as_ref().map(used), "unreadable_lines": audited.map(|audited| audited.unreadable),
        }));
        return Ok(Ending::Done);
    }
    Output::Standard.line(format_args!("{} {}, {}", arguments.id, manifest.plugin.version, from(&plugin)));
    Output::Standard.line(asked_table(&asks, &refused));
    if !denied.is_empty() {
        Output::Standard.line(format_args!("no plugin may {}: the operator denies it", denied.join(", ")));
    }
    match audited {
        Some(audited) => show_used(&audited),
        None => Output::Standard.line(
            "no audit says what it has used: name one with `--audit`, or under `[audit]` in tapline.toml",
        ),
    }
    Ok(Ending::Done)
}

/// What the audit tells; `None` when there is none.
fn audited(arguments: &GrantsArguments, settings: &Settings) -> Result<Option<Audited>> {
    let Some(file) = arguments.audit.as_deref().or_else(|| settings.audit()) else { return Ok(None) };
    match Audited::read(file, &arguments.id) {
        // The one of the settings is made by the first run.
        Err(error) if error.kind() == ErrorKind::NotFound && arguments.audit.is_none() => {
            Ok(Some(Audited::default()))
        }
        read => read.map(Some).with_context(|| format!("the audit {}", file.display())),
    }
}

/// Each thing that a manifest asks for.
pub(crate) fn asks(manifest: &Manifest) -> Vec<Ask> {
    let ask = |action, target: String| Ask { action, target, why: String::new(), is_open: false };
    let asked = &manifest.requires;
    let read = asked.context.read.patterns().map(|path| ask("read", path.to_owned()));
    let write = asked.context.write.patterns().map(|path| ask("write", path.to_owned()));
    let call = asked.call.iter().map(|target| ask("call", target.to_string()));
    let publish = asked.events.publish.patterns().map(|topics| ask("publish", topics.to_string()));
    let subscribe = asked.events.subscribe.patterns().map(|topics| ask("subscribe to", topics.to_string()));
    let folders = asked
        .fs
        .iter()
        .map(|folder| Ask { why: visible(&folder.why), ..ask(folder.mode.verb(), folder.path.to_string()) });
    let clock = asked.clock.map(|clock| Ask { why: format!("{clock} time"), ..ask("use", "clock".into()) });
    let random = asked.random.then(|| ask("use", "random".into()));
    let processes = asked.processes.then(|| ask("start", "processes".into()));
    let network = asked.network.then(|| ask("use", "network".into()));
    let env = asked.env.iter().map(|name| ask("be given the variable", name.clone()));
    let machine = asked.folders.iter().map(|folder| ask(folder.mode.verb(), folder.path.clone()));
    let is_open = |hosts: &[HostPattern]| hosts.iter().any(|host| host.configured().is_some());
    let http = asked.http.iter().map(|requests| Ask {
        why: visible(&requests.why),
        is_open: is_open(&requests.hosts),
        ..ask("request", requests.to_string())
    });
    let secrets = asked.secrets.iter().map(|secret| Ask {
        why: visible(&secret.why),
        is_open: secret.is_configured() || is_open(&secret.hosts),
        ..ask("use the secret", secret.to_string())
    });
    let inward = read.chain(write).chain(clock).chain(random);
    let outward = call
        .chain(publish)
        .chain(subscribe)
        .chain(folders)
        .chain(network)
        .chain(processes)
        .chain(env)
        .chain(machine);
    inward.chain(outward).chain(http).chain(secrets).collect()
}

fn refusal<'a>(ask: &Ask, refused: &'a [Denied]) -> Option<&'a Denied> {
    refused.iter().find(|denied| denied.action == ask.action && denied.target == ask.target)
}

fn described(ask: &Ask, refused: &[Denied]) -> Value {
    let refusal = refusal(ask, refused);
    let granted = (refusal.is_some() || !ask.is_open).then_some(refusal.is_none());
    json!({
        "action": ask.action, "target": ask.target, "why": ask.why, "granted": granted,
        "refused": refusal.map(|denied| denied.reason),
    })
}

fn used(audited: &Audited) -> Value {
    let acts = audited.acts.iter().map(|((action, target), counts)| {
        json!({ "action": action, "target": target, "granted": counts.granted, "refused": counts.refused })
    });
    acts.collect()
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.load_style(presets::NOTHING).set_header(header);
    table
}

/// What is asked for, what of it is granted, and who says no.
pub(crate) fn asked_table(asks: &[Ask], refused: &[Denied]) -> Table {
    let mut table = table(["asks to", "of", "granted", "why"]);
    for ask in asks {
        let granted = match refusal(ask, refused) {
            Some(denied) => format!("no: {}", denied.reason),
            None if ask.is_open => "what a pipeline names, if the policy allows it".to_owned(),
            None => "yes".to_owned(),
        };
        table.add_row([ask.action, &ask.target, &granted, &ask.why]);
    }
    table
}

fn show_used(audited: &Audited) {
    if audited.acts.is_empty() {
        Output::Standard.line("it has used nothing of it");
    } else {
        let mut table = table(["used", "of", "granted", "refused"]);
        for ((action, target), counts) in &audited.acts {
            table.add_row([action, target, &counts.granted.to_string(), &counts.refused.to_string()]);
        }
        Output::Standard.line(table);
    }
    if audited.unreadable > 0 {
        Output::Error.line(format_args!("warning: {} lines of the audit cannot be read", audited.unreadable));
    }
}
