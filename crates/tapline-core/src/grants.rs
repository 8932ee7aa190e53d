use serde::{Deserialize, Serialize};

use crate::call::{CallPattern, CallTarget};
use crate::path::PathSet;
use crate::topic::TopicSet;

/// What the host lets one plugin do; computed once when the plugin is loaded, and the only thing that a check reads.
///
/// The default grants nothing. Grants do not protect against a plugin that computes wrong values from what it may
/// read, or that passes on what it may read to where it may write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// The places of a call's context that the plugin may read and write.
    pub context: ContextGrants,
    /// Whom the plugin may call: `point/key`, `point/*`, a plugin's id, or `capability:name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub call: Vec<CallPattern>,
    /// The topics that the plugin may publish and subscribe to.
    #[serde(skip_serializing_if = "EventGrants::is_empty")]
    pub events: EventGrants,
    /// The folders that the plugin may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fs: Vec<FolderGrant>,
}

/// What a manifest asks for under `requires`: the same shape as what can be granted.
pub type Requires = Grants;

/// The places of a call's context that a plugin may read and write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContextGrants {
    /// Readable places.
    #[serde(skip_serializing_if = "PathSet::is_empty")]
    pub read: PathSet,
    /// Writable places.
    #[serde(skip_serializing_if = "PathSet::is_empty")]
    pub write: PathSet,
}

/// The topics that a plugin may publish and subscribe to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventGrants {
    /// Topics that it may publish.
    #[serde(skip_serializing_if = "TopicSet::is_empty")]
    pub publish: TopicSet,
    /// Topics that it may subscribe to.
    #[serde(skip_serializing_if = "TopicSet::is_empty")]
    pub subscribe: TopicSet,
}

impl EventGrants {
    /// Whether nothing is granted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.publish.is_empty() && self.subscribe.is_empty()
    }
}

/// A folder that a plugin may use: `data:` is the folder of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderGrant {
    /// The folder's name.
    pub path: Folder,
    /// Whether it may be written.
    pub mode: FolderMode,
}

impl FolderGrant {
    /// Whether it allows all that the other does.
    fn includes(&self, other: &Self) -> bool {
        self.path == other.path && (self.mode == other.mode || self.mode == FolderMode::ReadWrite)
    }
}

/// The folders that can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Folder {
    /// The folder that holds the pipeline file.
    #[serde(rename = "data:")]
    Data,
}

/// How a folder may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderMode {
    /// Read only.
    #[serde(rename = "r")]
    Read,
    /// Read and write.
    #[serde(rename = "rw")]
    ReadWrite,
}

/// An access without a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin `{plugin}` may not {action} `{target}`: {reason}")]
pub struct Denied {
    /// Who tried.
    pub plugin: String,
    /// What was tried: `read`, `write`, `call`, `publish`, `subscribe to`, `use`.
    pub action: &'static str,
    /// What it was tried on.
    pub target: String,
    /// Who said no.
    pub reason: &'static str,
}

impl Grants {
    /// Whether the target may be called.
    #[must_use]
    pub fn allow_call(&self, target: &CallTarget) -> bool {
        self.call.iter().any(|pattern| pattern.covers(target))
    }

    /// Whether nothing is granted that reaches beyond the calls that the plugin is asked to answer.
    #[must_use]
    pub const fn is_inward(&self) -> bool {
        self.call.is_empty() && self.events.publish.is_empty() && self.fs.is_empty()
    }

    /// What is allowed here and not by the other grants, each with what it is about: `read input.user`.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let Self { context, call, events, fs } = self;
        let paths = |action: &str, these: &PathSet, those: &PathSet| {
            let new = these.patterns().filter(|path| !those.covers(path));
            new.map(|path| format!("{action} `{path}`")).collect::<Vec<_>>()
        };
        let topics = |action: &str, these: &TopicSet, those: &TopicSet| {
            let new = these.patterns().filter(|topic| !those.covers(topic));
            new.map(|topic| format!("{action} `{topic}`")).collect::<Vec<_>>()
        };
        let calls = call.iter().filter(|calls| !other.call.iter().any(|known| known.includes(calls)));
        let folders = fs.iter().filter(|folder| !other.fs.iter().any(|known| known.includes(folder)));
        let mut beyond = paths("read", &context.read, &other.context.read);
        beyond.extend(paths("write", &context.write, &other.context.write));
        beyond.extend(calls.map(|calls| format!("call `{calls}`")));
        beyond.extend(topics("publish", &events.publish, &other.events.publish));
        beyond.extend(topics("subscribe to", &events.subscribe, &other.events.subscribe));
        beyond.extend(folders.map(|folder| format!("use {:?} ({:?})", folder.path, folder.mode)));
        beyond
    }

    /// What both allow.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            context: ContextGrants {
                read: self.context.read.intersection(&other.context.read),
                write: self.context.write.intersection(&other.context.write),
            },
            call: narrower(&self.call, &other.call),
            events: EventGrants {
                publish: self.events.publish.intersection(&other.events.publish),
                subscribe: self.events.subscribe.intersection(&other.events.subscribe),
            },
            fs: self.fs.iter().filter(|folder| other.fs.contains(folder)).cloned().collect(),
        }
    }
}

/// The patterns of each that the other includes.
fn narrower(one: &[CallPattern], other: &[CallPattern]) -> Vec<CallPattern> {
    let included = |pattern: &&CallPattern, wide: &[CallPattern]| wide.iter().any(|w| w.includes(pattern));
    let ones = one.iter().filter(|pattern| included(pattern, other));
    let others = other.iter().filter(|pattern| included(pattern, one) && !one.contains(pattern));
    ones.chain(others).cloned().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_goes_beyond_other_grants_is_named_and_nothing_else_is() {
        let grants = |text: &str| toml::from_str::<super::Grants>(text).unwrap();
        let before = grants(
            "call = ['provider/*']\nfs = [{ path = 'data:', mode = 'r' }]\n\
             [context]\nread = ['input.*']\n[events]\npublish = ['a.>']",
        );
        let narrower = grants("call = ['provider/echo']\n[context]\nread = ['input.x']");
        assert!(narrower.beyond(&before).is_empty() && before.beyond(&before).is_empty());
        let more = grants(
            "call = ['provider/*', 'counter']\nfs = [{ path = 'data:', mode = 'rw' }]\n\
             [context]\nread = ['input']\nwrite = ['output']\n[events]\npublish = ['a.b', 'c']\nsubscribe = ['a.>']",
        );
        let expected = [
            "read `input`",
            "write `output`",
            "call `counter`",
            "publish `c`",
            "subscribe to `a.>`",
            "use Data (ReadWrite)",
        ];
        assert_eq!(more.beyond(&before), expected);
    }

    #[test]
    fn an_intersection_of_calls_keeps_the_narrower_of_two_patterns() {
        let calls = |patterns: &[&str]| patterns.iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>();
        let (wide, narrow) =
            (calls(&["provider/*", "counter"]), calls(&["provider/echo", "node/x", "counter"]));
        assert_eq!(super::narrower(&wide, &narrow), calls(&["counter", "provider/echo"]));
        assert_eq!(super::narrower(&narrow, &wide), calls(&["provider/echo", "counter"]));
        assert!(super::narrower(&wide, &[]).is_empty());
    }
}
