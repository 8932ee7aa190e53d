use tapline_core::{CallPattern, ContextGrants, EventGrants, Grants, PluginId, TopicPattern, TopicSet};
use toml::de::DeTable;

use crate::policy::Policy;
use crate::toml_reader::{TomlReader, Value};

/// What can be said of one plugin.
const OF_ONE: [&str; 6] = ["call", "publish", "subscribe", "fs", "clock", "random"];
/// What can be denied.
const DENIABLE: [&str; 5] = ["call", "publish", "subscribe", "fs", "context"];

/// The table `policy`.
pub(super) fn read<'t>(reader: &mut TomlReader<'t>, table: &DeTable<'t>, keys: &[&str]) -> Policy {
    let get = reader.known(table, keys);
    let mut policy = Policy::default().allow(&allowed(reader, &get));
    let own = reader.list(get("own_authority"), PluginId::new);
    policy = own.into_iter().fold(policy, Policy::allow_own_authority);
    for (id, value) in reader.table(get("plugins")).into_iter().flatten() {
        let plugin = PluginId::new(id.get_ref());
        let plugin = plugin.map_err(|error| reader.mistake(id.span(), error.to_string())).ok();
        let Some(table) = reader.table(Some(value)) else { continue };
        let grants = {
            let get = reader.known(table, &OF_ONE);
            allowed(reader, &get)
        };
        if let Some(plugin) = plugin {
            policy = policy.allow_for(plugin, &grants);
        }
    }
    if let Some(table) = reader.table(get("deny")) {
        let get = reader.known(table, &DENIABLE);
        policy = policy.deny(&denied(reader, &get));
    }
    policy
}

fn allowed<'a, 't: 'a>(reader: &mut TomlReader<'t>, get: &impl Fn(&str) -> Option<&'a Value<'t>>) -> Grants {
    Grants {
        call: reader.list(get("call"), str::parse::<CallPattern>),
        events: EventGrants {
            publish: topics(reader, get("publish")),
            subscribe: topics(reader, get("subscribe")),
        },
        fs: reader.tables(get("fs")),
        clock: reader.read(get("clock")),
        random: reader.read(get("random")).unwrap_or(false),
        ..Grants::default()
    }
}

fn denied<'a, 't: 'a>(reader: &mut TomlReader<'t>, get: &impl Fn(&str) -> Option<&'a Value<'t>>) -> Grants {
    let context: Option<ContextGrants> = reader.read(get("context"));
    Grants { context: context.unwrap_or_default(), ..allowed(reader, get) }
}

fn topics<'t>(reader: &mut TomlReader<'t>, list: Option<&Value<'t>>) -> TopicSet {
    let mut topics = TopicSet::default();
    reader.list(list, TopicPattern::new).into_iter().for_each(|pattern| topics.insert(pattern));
    topics
}
