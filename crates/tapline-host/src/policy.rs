use std::collections::BTreeSet;

use tapline_core::{
    Authority, CallPattern, Denied, EventGrants, Grants, Manifest, PluginId, RuntimeKind, TopicPattern,
    TopicSet,
};

/// What an application lets plugins do. The effective grants are what the manifest asks for, within this.
///
/// The default lets a sandboxed plugin read and write the context paths that it asks for, and nothing that leaves its
/// sandbox. A native plugin is part of the application, and is granted what it asks for; what keeps it to that are
/// its host functions alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    calls: Vec<CallPattern>,
    own_authority: BTreeSet<PluginId>,
    events: EventGrants,
}

impl Policy {
    /// Lets sandboxed plugins that ask for it make these calls.
    #[must_use]
    pub fn allow_call(mut self, calls: CallPattern) -> Self {
        self.calls.push(calls);
        self
    }

    /// Lets a sandboxed plugin that asks for it answer with its own grants, whoever calls it.
    #[must_use]
    pub fn allow_own_authority(mut self, plugin: PluginId) -> Self {
        self.own_authority.insert(plugin);
        self
    }

    /// Lets sandboxed plugins that ask for it publish events of these topics.
    #[must_use]
    pub fn allow_publish(mut self, topics: TopicPattern) -> Self {
        self.events.publish.insert(topics);
        self
    }

    /// Lets sandboxed plugins that ask for it subscribe to events of these topics.
    #[must_use]
    pub fn allow_subscribe(mut self, topics: TopicPattern) -> Self {
        self.events.subscribe.insert(topics);
        self
    }

    /// What a plugin may do: all that it asks for, or everything that was refused. `narrowed` takes away from what
    /// would be granted without refusing the plugin.
    ///
    /// # Errors
    /// Each thing that the manifest asks for and this policy does not allow.
    pub fn grant(&self, manifest: &Manifest, narrowed: Option<&Grants>) -> Result<Grants, Vec<Denied>> {
        let asked = &manifest.requires;
        if manifest.plugin.runtime != RuntimeKind::Native {
            let refused = self.refused(manifest);
            if !refused.is_empty() {
                return Err(refused);
            }
        }
        Ok(narrowed.map_or_else(|| asked.clone(), |narrowed| asked.intersection(narrowed)))
    }

    fn refused(&self, manifest: &Manifest) -> Vec<Denied> {
        let asked = &manifest.requires;
        let allowed = Grants { call: self.calls.clone(), ..Grants::default() };
        let denied = |action, target: String, reason| Denied {
            plugin: manifest.id().to_string(),
            action,
            target,
            reason,
        };
        let granted = asked.intersection(&allowed).call;
        let calls = asked.call.iter().filter(|target| !granted.contains(target));
        let calls =
            calls.map(|target| denied("call", target.to_string(), "the policy does not allow this call"));
        let own = manifest.provides.iter().filter(|provides| provides.authority == Authority::Own);
        let own = own.filter(|_| !self.own_authority.contains(manifest.id())).map(|provides| {
            let target = format!("{}/{}", provides.point, provides.key);
            denied("answer with its own grants at", target, "the policy does not allow it")
        });
        let folders = asked.fs.iter().map(|folder| {
            denied("use", format!("{:?}", folder.path), "the policy gives no folders to sandboxed plugins")
        });
        let uncovered = |asked: &TopicSet, allowed: &TopicSet| {
            let uncovered = asked.patterns().filter(|topic| !allowed.covers(topic)).map(ToString::to_string);
            uncovered.collect::<Vec<_>>()
        };
        let reason = "the policy does not allow these events";
        let publish = uncovered(&asked.events.publish, &self.events.publish);
        let publish = publish.into_iter().map(|topic| denied("publish", topic, reason));
        let subscribe = uncovered(&asked.events.subscribe, &self.events.subscribe);
        let subscribe = subscribe.into_iter().map(|topic| denied("subscribe to", topic, reason));
        calls.chain(own).chain(folders).chain(publish).chain(subscribe).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(runtime: &str, requires: &str) -> Manifest {
        toml::from_str(&format!(
            "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = '{runtime}'\n[requires]\n{requires}"
        ))
        .unwrap()
    }

    #[test]
    fn a_sandboxed_plugin_gets_nothing_that_leaves_the_sandbox_unless_allowed() {
        let asking = manifest("wasm", "call = ['provider/echo']\nfs = [{ path = 'data:', mode = 'r' }]");
        let refused = Policy::default().grant(&asking, None).unwrap_err();
        assert_eq!(refused.iter().map(|denied| denied.action).collect::<Vec<_>>(), ["call", "use"]);
        let asking = manifest("wasm", "call = ['provider/echo']");
        assert!(
            Policy::default()
                .allow_call("provider/*".parse().unwrap())
                .grant(&asking, None)
                .unwrap()
                .allow_call(&"provider/echo".parse().unwrap())
        );
    }

    #[test]
    fn a_pipeline_can_only_take_away() {
        let asking = manifest("wasm", "context = { read = ['input.a', 'input.b'] }");
        let mut narrowed = Grants::default();
        narrowed.context.read = tapline_core::PathSet::new(["input.a", "output"]).unwrap();
        let granted = Policy::default().grant(&asking, Some(&narrowed)).unwrap();
        assert_eq!(granted.context.read, tapline_core::PathSet::new(["input.a"]).unwrap());
        assert_eq!(Policy::default().grant(&asking, Some(&Grants::default())).unwrap(), Grants::default());
    }
}
