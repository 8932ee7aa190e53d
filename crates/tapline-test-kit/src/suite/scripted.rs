use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use script::{Script, Step};
use tapline::core::{
    About, Authority, CONTRACT, Capability, Conflict, ContextGrants, Dependency, EventGrants, Grants,
    HookDeclaration, HookKind, Instances, LimitsAsked, METHODS, Manifest, Overflow, PathSet, Provides,
    Restart, Runtime, RuntimeKind, SubscriptionDeclaration, Target, TopicPattern, TopicSet,
};
use tapline::{Load, NativePlugin, PluginId, Value, WasmRuntime};
use tempfile::TempDir;

use crate::suite::foreign::Foreign;
use crate::suite::guests::guest;
use crate::suite::python::{ProcessPackage, patient};

/// A plugin whose manifest and behaviour a test writes, and that runs as any kind of plugin.
#[derive(Debug, Clone)]
pub struct Scripted {
    manifest: Manifest,
    steps: BTreeMap<Arc<str>, Vec<Step>>,
    refuse: Option<String>,
}

/// A kind of plugin that the conformance suite is run with.
pub trait Subject: Copy + Send + Sync + 'static {
    /// Whether there is one here; without it, its tests skip themselves and say so.
    fn is_there(self) -> bool {
        true
    }

    /// What runs its plugins.
    fn runtime(self) -> Arc<dyn Runtime> {
        sandbox()
    }

    /// Whether such a plugin is part of the application, which is granted what it asks for.
    fn is_native(self) -> bool;

    /// After so many turns of everybody else, a plugin that can go on has gone on.
    fn turns(self) -> usize {
        100
    }

    /// A scripted plugin as this kind, ready to be loaded. Its package, if it has one, lies in the folder.
    fn load(self, plugin: &Scripted, folder: &TempDir) -> Load;
}

/// Plugins that are linked into the application.
#[derive(Debug, Clone, Copy)]
pub struct Native;

/// Plugins that are WebAssembly components, in a sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Sandboxed;

/// Plugins that are components made of Python.
#[derive(Debug, Clone, Copy)]
pub struct InPython;

/// Plugins that are components made of JavaScript.
#[derive(Debug, Clone, Copy)]
pub struct InJavaScript;

/// Plugins that are processes of Python.
#[derive(Debug, Clone, Copy)]
pub struct InProcess;

/// A hook of a [`Scripted`] plugin, with everything optional left out.
#[must_use]
pub fn hook(point: &str, kind: HookKind, name: &str) -> HookDeclaration {
    HookDeclaration::new(point, name, kind)
}

impl Scripted {
    /// A plugin of version 1.0.0 without hooks, which may reach all of a context.
    ///
    /// # Panics
    /// When the id is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn new(id: &str) -> Self {
        let paths = PathSet::new(["input", "output", "error"]).unwrap();
        let context = ContextGrants { read: paths.clone(), write: paths };
        let events = EventGrants { publish: TopicSet::new(["a.script"]).unwrap(), ..EventGrants::default() };
        let call = vec!["nobody".parse().unwrap()];
        let plugin = About {
            id: PluginId::new(id).unwrap(),
            version: semver::Version::new(1, 0, 0),
            description: String::new(),
            authors: Vec::new(),
            host: format!("^{CONTRACT}").parse().unwrap(),
            runtime: RuntimeKind::Native,
            capabilities: Vec::new(),
            depends_on: Vec::new(),
            conflicts: Vec::new(),
            instances: Instances::default(),
            restart: Restart::default(),
            health: false,
            state: false,
        };
        let manifest = Manifest {
            plugin,
            provides: Vec::new(),
            hooks: Vec::new(),
            subscriptions: Vec::new(),
            // The component can publish and call, so every plugin that is made of it has to be granted something.
            requires: Grants { context, events, call, ..Grants::default() },
            process: None,
            mcp: None,
            limits: LimitsAsked::default(),
        };
        Self { manifest, steps: BTreeMap::new(), refuse: None }
    }

    /// Adds a hook and what it does.
    #[must_use]
    pub fn hook(mut self, declaration: HookDeclaration, steps: impl Into<Vec<Step>>) -> Self {
        self.steps.insert(Arc::clone(&declaration.name), steps.into());
        self.manifest.hooks.push(declaration);
        self
    }

    /// Depends on another plugin.
    ///
    /// # Panics
    /// When the id is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn needs(mut self, id: &str) -> Self {
        let (id, version) = (PluginId::new(id).unwrap(), semver::VersionReq::STAR);
        self.manifest.plugin.depends_on.push(Dependency { on: Target::Plugin(id), version, optional: false });
        self
    }

    /// Depends on another plugin in these versions.
    ///
    /// # Panics
    /// When the id or the range is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn needs_version(mut self, id: &str, version: &str) -> Self {
        let (id, version) = (PluginId::new(id).unwrap(), version.parse().unwrap());
        self.manifest.plugin.depends_on.push(Dependency { on: Target::Plugin(id), version, optional: false });
        self
    }

    /// Starts after another plugin where that is there, and without it where it is not.
    ///
    /// # Panics
    /// When the id is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn may_need(mut self, id: &str) -> Self {
        let (id, version) = (PluginId::new(id).unwrap(), semver::VersionReq::STAR);
        self.manifest.plugin.depends_on.push(Dependency { on: Target::Plugin(id), version, optional: true });
        self
    }

    /// Depends on whoever offers a capability.
    #[must_use]
    pub fn needs_capability(mut self, name: &str) -> Self {
        let (on, version) = (Target::Capability(name.into()), semver::VersionReq::STAR);
        self.manifest.plugin.depends_on.push(Dependency { on, version, optional: false });
        self
    }

    /// Cannot be loaded beside another plugin.
    ///
    /// # Panics
    /// When the id is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn conflicts_with(mut self, id: &str) -> Self {
        let (with, version) = (Target::Plugin(PluginId::new(id).unwrap()), semver::VersionReq::STAR);
        self.manifest.plugin.conflicts.push(Conflict { with, version });
        self
    }

    /// Has another version.
    #[must_use]
    pub fn version(mut self, major: u64, minor: u64) -> Self {
        self.manifest.plugin.version = semver::Version::new(major, minor, 0);
        self
    }

    /// Offers a capability with a rank.
    #[must_use]
    pub fn offers(mut self, name: &str, rank: i32) -> Self {
        self.manifest.plugin.capabilities.push(Capability { name: name.into(), rank, version: None });
        self
    }

    /// Listens to these topics with a queue of this size, under the name `on`.
    ///
    /// # Panics
    /// When the topic is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn listens(mut self, topic: &str, capacity: usize, steps: impl Into<Vec<Step>>) -> Self {
        let topic = TopicPattern::new(topic).unwrap();
        self.manifest.requires.events.subscribe.insert(topic.clone());
        let overflow = Overflow::DropOldest;
        self.manifest.subscriptions.push(SubscriptionDeclaration {
            name: "on".into(),
            topic,
            capacity,
            overflow,
        });
        self.steps.insert("on".into(), steps.into());
        self
    }

    /// Asks to publish events of these topics.
    ///
    /// # Panics
    /// When the topic is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn publishes(mut self, topic: &str) -> Self {
        self.manifest.requires.events.publish.insert(TopicPattern::new(topic).unwrap());
        self
    }

    /// Contributes its notes under this key at the extension point `seen`.
    #[must_use]
    pub fn seen_as(mut self, key: &str) -> Self {
        self.manifest.provides.push(provides("seen", key));
        self
    }

    /// Answers calls of a method under its own id.
    #[must_use]
    pub fn method(mut self, name: &str, steps: impl Into<Vec<Step>>) -> Self {
        self.steps.insert(name.into(), steps.into());
        let id = self.manifest.id().to_string();
        let provides = &mut self.manifest.provides;
        if !provides.iter().any(|one| *one.point == *METHODS) {
            provides.push(self::provides(METHODS, &id));
        }
        let own = provides.iter_mut().filter(|one| *one.point == *METHODS);
        own.for_each(|own| own.methods.push(name.into()));
        self
    }

    /// Answers calls of its methods with its own grants, whoever calls.
    #[must_use]
    pub fn with_own_authority(mut self) -> Self {
        for provides in &mut self.manifest.provides {
            provides.authority = Authority::Own;
        }
        self
    }

    /// Asks to call this.
    ///
    /// # Panics
    /// When it is nothing that can be called.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn calls(mut self, target: &str) -> Self {
        self.manifest.requires.call.push(target.parse().unwrap());
        self
    }

    /// Has one instance, which answers one call after the other.
    #[must_use]
    pub const fn one_instance(mut self) -> Self {
        self.manifest.plugin.instances = Instances::One;
        self
    }

    /// Is started again by this rule.
    #[must_use]
    pub const fn restart(mut self, rule: Restart) -> Self {
        self.manifest.plugin.restart = rule;
        self
    }

    /// Reaches these paths of a context and no others.
    ///
    /// # Panics
    /// When one is none.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]
    pub fn reaches(mut self, paths: &[&str]) -> Self {
        let paths = PathSet::new(paths.iter().copied()).unwrap();
        self.manifest.requires.context = ContextGrants { read: paths.clone(), write: paths };
        self
    }

    /// Answers how it is.
    #[must_use]
    pub const fn with_health(mut self) -> Self {
        self.manifest.plugin.health = true;
        self
    }

    /// Has one instance, which hands over how often it came to [`Step::Count`] to another version.
    #[must_use]
    pub const fn with_state(mut self) -> Self {
        self.manifest.plugin.state = true;
        self.one_instance()
    }

    /// Does this when it begins (`start`) or ends (`stop`), is asked how it is (`health`), or hands its state over or
    /// takes it over (`export`, `import`).
    #[must_use]
    pub fn at(mut self, moment: &str, steps: impl Into<Vec<Step>>) -> Self {
        self.steps.insert(moment.into(), steps.into());
        self
    }

    /// Refuses to start.
    #[must_use]
    pub fn refuses(mut self, reason: &str) -> Self {
        self.refuse = Some(reason.into());
        self
    }

    #[expect(clippy::unwrap_used, reason = "a manifest that was made of types can be written")]
    fn manifest(&self, runtime: RuntimeKind) -> String {
        let mut manifest = self.manifest.clone();
        manifest.plugin.runtime = runtime;
        toml::to_string(&manifest).unwrap()
    }

    /// The component of a package, under the manifest of this plugin.
    #[expect(clippy::unwrap_used, reason = "a fixture that cannot be written ends the test")]
    fn load_in(&self, package: &Path, folder: &TempDir) -> Load {
        std::fs::write(folder.path().join("plugin.toml"), self.manifest(RuntimeKind::Wasm)).unwrap();
        std::fs::copy(package.join("plugin.wasm"), folder.path().join("plugin.wasm")).unwrap();
        Load::folder(folder.path()).config(self.config())
    }

    /// A package that is a process, under the manifest of this plugin.
    #[expect(clippy::unwrap_used, reason = "a fixture that cannot be written ends the test")]
    fn start_in(&self, package: &ProcessPackage, folder: &TempDir) -> Load {
        let mut plugin = self.clone();
        plugin.manifest.process = Some(package.declaration.clone());
        std::fs::write(folder.path().join("plugin.toml"), plugin.manifest(RuntimeKind::Process)).unwrap();
        package.write(folder.path());
        Load::folder(folder.path()).config(self.config())
    }

    #[expect(clippy::unwrap_used, reason = "steps can be written as JSON")]
    fn config(&self) -> Value {
        let steps = Value::from_serialize(&self.steps).unwrap();
        let refuse = self.refuse.as_deref().map_or(Value::Null, Value::from);
        Value::from_iter([("hooks", steps), ("refuse", refuse)])
    }
}

fn provides(point: &str, key: &str) -> Provides {
    let (methods, authority) = (Vec::new(), Authority::default());
    Provides { point: point.into(), key: key.into(), schema: None, methods, authority }
}

impl Subject for Native {
    fn is_native(self) -> bool {
        true
    }

    fn load(self, plugin: &Scripted, _: &TempDir) -> Load {
        let native = tapline_pdk::native::<Script>();
        let manifest = plugin.manifest(RuntimeKind::Native).into();
        Load::native(NativePlugin { manifest, ..native }).config(plugin.config())
    }
}

impl Subject for Sandboxed {
    fn is_native(self) -> bool {
        false
    }

    fn load(self, plugin: &Scripted, folder: &TempDir) -> Load {
        plugin.load_in(&guest("script"), folder)
    }
}

/// Makes a subject of the guest that is scripted in another language.
macro_rules! in_language {
    ($subject:ident, $guest:literal) => {
        impl Subject for $subject {
            fn is_there(self) -> bool {
                Foreign::find($guest).is_some()
            }

            fn runtime(self) -> Arc<dyn Runtime> {
                Foreign::find($guest).map_or_else(sandbox, |guest| Arc::new(guest.runtime()))
            }

            fn is_native(self) -> bool {
                false
            }

            fn load(self, plugin: &Scripted, folder: &TempDir) -> Load {
                plugin.load_in(Foreign::find($guest).unwrap().package(), folder)
            }
        }
    };
}

impl Subject for InProcess {
    fn is_there(self) -> bool {
        ProcessPackage::python("script-python").is_some()
    }

    fn runtime(self) -> Arc<dyn Runtime> {
        Arc::new(patient())
    }

    fn turns(self) -> usize {
        // The pipes are looked at once in a while, and the process has to come to its turn on the machine.
        100_000
    }

    fn is_native(self) -> bool {
        false
    }

    #[expect(clippy::unwrap_used, reason = "tests ask first whether it is there")]
    fn load(self, plugin: &Scripted, folder: &TempDir) -> Load {
        plugin.start_in(&ProcessPackage::python("script-python").unwrap(), folder)
    }
}

in_language!(InPython, "script-python");
in_language!(InJavaScript, "script-javascript");

#[expect(clippy::unwrap_used, reason = "a machine without a sandbox ends the test")]
fn sandbox() -> Arc<dyn Runtime> {
    Arc::new(WasmRuntime::new().unwrap())
}
