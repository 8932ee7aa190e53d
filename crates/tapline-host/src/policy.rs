use std::collections::BTreeSet;

use tapline_core::{
    Authority, CallPattern, ClockGrant, Denied, EventGrants, FolderGrant, FolderMode, Grants, Manifest,
    PluginId, RuntimeKind, TopicPattern, TopicSet,
};

/// What an application lets plugins do. The effective grants are what the manifest asks for, within this.
///
/// The default lets a sandboxed plugin read and write the context paths that it asks for and have a coarse clock, and
/// nothing that leaves its sandbox. A native plugin is part of the application, and is granted what it asks for; what keeps it to that are
/// its host functions alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    calls: Vec<CallPattern>,
    own_authority: BTreeSet<PluginId>,
    events: EventGrants,
    folders: Vec<FolderGrant>,
    clock: Option<ClockGrant>,
    random: bool,
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

    /// Lets sandboxed plugins that ask for it use a folder. Where it says how much they may hold, the smaller of this and
    /// what a plugin asks for holds.
    #[must_use]
    pub fn allow_folder(mut self, folder: FolderGrant) -> Self {
        self.folders.push(folder);
        self
    }

    /// Says how exactly sandboxed plugins that ask for it may know the time; coarsely unless said.
    #[must_use]
    pub const fn allow_clock(mut self, clock: ClockGrant) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Lets sandboxed plugins that ask for it have random numbers of the operating system.
    #[must_use]
    pub const fn allow_random(mut self) -> Self {
        self.random = true;
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
        let allowed = Grants { fs: self.folders(manifest), ..asked.clone() };
        Ok(match narrowed {
            Some(narrowed) => allowed.intersection(narrowed),
            None => allowed,
        })
    }

    /// The folders that a plugin asks for, each to hold no more than the policy says.
    fn folders(&self, manifest: &Manifest) -> Vec<FolderGrant> {
        let asked = &manifest.requires.fs;
        if manifest.plugin.runtime == RuntimeKind::Native {
            return asked.clone();
        }
        let within = |asked: &FolderGrant| {
            let allowed = self.folders.iter().filter_map(|allowed| asked.intersection(allowed));
            allowed.filter(|both| both.mode == asked.mode).max_by_key(|both| both.max)
        };
        asked.iter().filter_map(within).collect()
    }

    /// What a plugin asks for of the machine beyond this policy.
    fn refused_of_machine(&self, manifest: &Manifest) -> Vec<Denied> {
        let asked = &manifest.requires;
        let denied = |action, target: &str, reason| Denied {
            plugin: manifest.id().to_string(),
            action,
            target: target.to_owned(),
            reason,
        };
        let allowed = self.folders(manifest);
        let is_allowed = |asked: &FolderGrant| {
            allowed.iter().any(|allowed| allowed.path == asked.path && allowed.mode >= asked.mode)
        };
        let folders = asked.fs.iter().filter(|folder| !is_allowed(folder)).map(|folder| {
            let action = if folder.mode == FolderMode::Read { "read" } else { "read and write" };
            denied(action, folder.path.name(), "the policy does not allow this folder")
        });
        let most = self.clock.unwrap_or(ClockGrant::Coarse);
        let clock = asked.clock.filter(|clock| *clock > most);
        let clock = clock.map(|_| denied("use", "clock", "the policy allows a coarse clock alone"));
        let random = (asked.random && !self.random)
            .then(|| denied("use", "random", "the policy does not allow random numbers"));
        folders.chain(clock).chain(random).collect()
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
        let uncovered = |asked: &TopicSet, allowed: &TopicSet| {
            let uncovered = asked.patterns().filter(|topic| !allowed.covers(topic)).map(ToString::to_string);
            uncovered.collect::<Vec<_>>()
        };
        let reason = "the policy does not allow these events";
        let publish = uncovered(&asked.events.publish, &self.events.publish);
        let publish = publish.into_iter().map(|topic| denied("publish", topic, reason));
        let subscribe = uncovered(&asked.events.subscribe, &self.events.subscribe);
        let subscribe = subscribe.into_iter().map(|topic| denied("subscribe to", topic, reason));
        let machine = self.refused_of_machine(manifest);
        calls.chain(own).chain(machine).chain(publish).chain(subscribe).collect()
    }
}

#[cfg(test)]
mod tests {
    use tapline_core::Folder;

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
        assert_eq!(refused.iter().map(|denied| denied.action).collect::<Vec<_>>(), ["call", "read"]);
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
    fn folders_an_exact_clock_and_random_numbers_are_there_for_whoever_is_allowed_them() {
        let asking = manifest(
            "wasm",
            "fs = [{ path = 'scratch:', mode = 'rw' }, { path = 'data:', mode = 'rw' }]\nclock = 'precise'\nrandom = true",
        );
        let folder = FolderGrant::new;
        let scratch = folder(Folder::Scratch, FolderMode::ReadWrite).max(tapline_core::Bytes(10));
        let some =
            Policy::default().allow_folder(folder(Folder::Data, FolderMode::Read)).allow_folder(scratch);
        let refused: Vec<_> =
            some.grant(&asking, None).unwrap_err().iter().map(|denied| denied.target.clone()).collect();
        assert_eq!(refused, ["data:", "clock", "random"]);
        let all = some.allow_folder(folder(Folder::Data, FolderMode::ReadWrite));
        let granted = all.allow_clock(ClockGrant::Precise).allow_random().grant(&asking, None).unwrap();
        assert_eq!(granted.fs[0].max, Some(tapline_core::Bytes(10)));
        assert_eq!((granted.clock, granted.random), (Some(ClockGrant::Precise), true));
        let coarse = manifest("wasm", "clock = 'coarse'");
        assert_eq!(Policy::default().grant(&coarse, None).unwrap().clock, Some(ClockGrant::Coarse));
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
