use std::fmt;

use semver::Version;
use tapline_core::{Grants, PluginId};

use super::{LockedFrom, LockedPlugin};
use crate::digest::Digest;

/// One difference between a lock and what is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// A plugin is there and not in the lock.
    Added(LockedPlugin),
    /// A plugin is in the lock and not there.
    Removed(LockedPlugin),
    /// A plugin is there in another version.
    Version {
        /// The plugin.
        plugin: PluginId,
        /// The version in the lock.
        locked: Version,
        /// The version that is there.
        now: Version,
    },
    /// A plugin comes from another place.
    From {
        /// The plugin.
        plugin: PluginId,
        /// The place in the lock.
        locked: LockedFrom,
        /// The place where it is now.
        now: LockedFrom,
    },
    /// The files of a plugin have changed.
    Digest {
        /// The plugin.
        plugin: PluginId,
        /// The digest in the lock.
        locked: Digest,
        /// The digest of what is there.
        now: Digest,
    },
    /// A plugin may do something else.
    Grants {
        /// The plugin.
        plugin: PluginId,
        /// What it may do and might not.
        more: Vec<String>,
        /// What it might do and may not.
        less: Vec<String>,
    },
    /// The plugins that are in both start in another order.
    Order {
        /// The order in the lock.
        locked: Vec<PluginId>,
        /// The order now.
        now: Vec<PluginId>,
    },
}

pub(super) fn between(locked: &[LockedPlugin], now: &[LockedPlugin]) -> Vec<Drift> {
    let find = |plugins: &'_ [LockedPlugin], id: &PluginId| plugins.iter().position(|one| one.id == *id);
    let removed = locked.iter().filter(|one| find(now, &one.id).is_none()).cloned().map(Drift::Removed);
    let added = now.iter().filter(|one| find(locked, &one.id).is_none()).cloned().map(Drift::Added);
    let kept = now.iter().filter_map(|one| Some((&locked[find(locked, &one.id)?], one)));
    let changed = kept.clone().flat_map(|(locked, now)| changes(locked, now));
    let order_now: Vec<_> = kept.map(|(_, now)| now.id.clone()).collect();
    let order_locked: Vec<_> =
        locked.iter().map(|one| &one.id).filter(|id| order_now.contains(id)).cloned().collect();
    let order = (order_locked != order_now).then_some(Drift::Order { locked: order_locked, now: order_now });
    removed.chain(added).chain(changed).chain(order).collect()
}

/// In what a plugin that is in both differs.
fn changes(locked: &LockedPlugin, now: &LockedPlugin) -> Vec<Drift> {
    let plugin = || now.id.clone();
    let mut changes = Vec::new();
    if locked.version != now.version {
        let (locked, now) = (locked.version.clone(), now.version.clone());
        changes.push(Drift::Version { plugin: plugin(), locked, now });
    }
    if locked.from.to_string() != now.from.to_string() {
        changes.push(Drift::From { plugin: plugin(), locked: locked.from.clone(), now: now.from.clone() });
    }
    if let (LockedFrom::Folder { digest: locked, .. }, LockedFrom::Folder { digest: now, .. }) =
        (&locked.from, &now.from)
        && locked != now
    {
        changes.push(Drift::Digest { plugin: plugin(), locked: *locked, now: *now });
    }
    let (rights_before, rights) = (rights(&locked.grants), rights(&now.grants));
    let without = |these: &[String], those: &[String]| {
        these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>()
    };
    let (more, less) = (without(&rights, &rights_before), without(&rights_before, &rights));
    if !more.is_empty() || !less.is_empty() {
        changes.push(Drift::Grants { plugin: plugin(), more, less });
    }
    changes
}

/// What grants allow, in words: each follows on "may".
#[must_use]
pub fn rights(grants: &Grants) -> Vec<String> {
    let said = |verb: &'static str| move |what: &str| format!("{verb} `{what}`");
    let read = grants.context.read.patterns().map(said("read"));
    let write = grants.context.write.patterns().map(said("write"));
    let call = grants.call.iter().map(|target| said("call")(&target.to_string()));
    let publish = grants.events.publish.patterns().map(|topic| said("publish")(topic.as_str()));
    let subscribe = grants.events.subscribe.patterns().map(|topic| said("subscribe to")(topic.as_str()));
    let folders = grants.fs.iter().map(|folder| {
        let max = folder.max.map(|max| format!(" up to {max}")).unwrap_or_default();
        format!("{} the folder `{}`{max}", folder.mode.verb(), folder.path.name())
    });
    let clock = grants.clock.map(|clock| format!("know the {clock} time"));
    let random = grants.random.then(|| "have random numbers".to_owned());
    let processes = grants.processes.then(|| "start processes of its own".to_owned());
    let network = grants.network.then(|| "have connections of its own".to_owned());
    let env = grants.env.iter().map(|name| said("be given the variable")(name));
    let machine =
        grants.folders.iter().map(|folder| format!("{} the folder `{}`", folder.mode.verb(), folder.path));
    let http = grants.http.iter().map(|grant| said("request")(&grant.to_string()));
    let secrets = grants.secrets.iter().map(|grant| said("use the secret")(&grant.to_string()));
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

impl fmt::Display for LockedFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => formatter.write_str("built in"),
            Self::Folder { path, .. } => write!(formatter, "from {path}"),
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(LockedPlugin { id, version, from, grants, .. }) => {
                write!(formatter, "plugin `{id}` {version}, {from}, was added")?;
                match rights(grants).join(", ") {
                    rights if rights.is_empty() => Ok(()),
                    rights => write!(formatter, " and may {rights}"),
                }
            }
            Self::Removed(LockedPlugin { id, version, from, .. }) => {
                write!(formatter, "plugin `{id}` {version}, {from}, was removed")
            }
            Self::Version { plugin, locked, now } => {
                write!(formatter, "plugin `{plugin}` has version {now}, which was {locked}")
            }
            Self::From { plugin, locked, now } => {
                write!(formatter, "plugin `{plugin}` is {now}, which was {locked}")
            }
            Self::Digest { plugin, locked, now } => {
                write!(formatter, "the files of plugin `{plugin}` have changed: {now}, which was {locked}")
            }
            Self::Grants { plugin, more, less } => {
                write!(formatter, "plugin `{plugin}`")?;
                if !more.is_empty() {
                    write!(formatter, " may now {}", more.join(", "))?;
                }
                let and = if more.is_empty() { "" } else { ", and" };
                if !less.is_empty() {
                    write!(formatter, "{and} may no longer {}", less.join(", "))?;
                }
                Ok(())
            }
            Self::Order { locked, now } => {
                let listed =
                    |ids: &[PluginId]| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
                write!(
                    formatter,
                    "the plugins start in the order {}, which was {}",
                    listed(now),
                    listed(locked)
                )
            }
        }
    }
}
