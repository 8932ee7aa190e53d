use tapline_core::{
    CallPattern, ContextGrants, EventGrants, Grants, HostPattern, HttpGrant, PluginId, SecretGrant,
    TopicPattern, TopicSet,
};
use toml::de::DeTable;

use crate::policy::Policy;
use crate::toml_reader::{TomlReader, Value};

/// What can be said of one plugin.
const OF_ONE: [&str; 11] =
    ["call", "publish", "subscribe", "fs", "clock", "random", "network", "env", "folders", "http", "secrets"];
/// What can be denied.
const DENIABLE: [&str; 7] = ["call", "publish", "subscribe", "fs", "http", "secrets", "context"];

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
    let http: Vec<HttpGrant> = reader.tables(get("http"));
    let secrets: Vec<SecretGrant> = reader.tables(get("secrets"));
    named(reader, get("http"), http.iter().flat_map(|grant| &grant.hosts));
    named(reader, get("secrets"), secrets.iter().flat_map(|grant| &grant.hosts));
    if let (Some(value), Some(grant)) = (get("secrets"), secrets.iter().find(|grant| grant.is_configured())) {
        let name = &grant.name;
        let message =
            format!("`{name}` names no secret here: a policy says which secrets a configuration may name");
        reader.mistake(value.span(), message);
    }
    Grants {
        http,
        secrets,
        call: reader.list(get("call"), str::parse::<CallPattern>),
        events: EventGrants {
            publish: topics(reader, get("publish")),
            subscribe: topics(reader, get("subscribe")),
        },
        fs: reader.tables(get("fs")),
        clock: reader.read(get("clock")),
        random: reader.read(get("random")).unwrap_or(false),
        network: reader.read(get("network")).unwrap_or(false),
        env: reader.read(get("env")).unwrap_or_default(),
        folders: reader.tables(get("folders")),
        ..Grants::default()
    }
}

/// A policy says which hosts a configuration may name, and names them itself.
fn named<'t, 'h>(
    reader: &mut TomlReader<'t>,
    value: Option<&Value<'t>>,
    mut hosts: impl Iterator<Item = &'h HostPattern>,
) {
    if let (Some(value), Some(host)) = (value, hosts.find(|host| host.configured().is_some())) {
        let message =
            format!("`{host}` names no host here: a policy says which hosts a configuration may name");
        reader.mistake(value.span(), message);
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
