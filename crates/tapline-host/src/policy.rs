use std::collections::{BTreeMap, BTreeSet};

use tapline_core::{
    Authority, CallPattern, ClockGrant, DENIED, Denied, FolderGrant, Grants, HostPattern, HttpGrant,
    Manifest, PluginId, RuntimeKind, SecretGrant, TopicPattern, TopicSet,
};

mod leave;

/// What an application lets plugins do. The effective grants are what the manifest asks for, within this.
///
/// The default lets a sandboxed plugin read and write the context paths that it asks for and have a coarse clock, and
/// nothing that leaves its sandbox. A native plugin is part of the application, and is granted what it asks for; what keeps it to that are
/// its host functions alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What holds for every sandboxed plugin.
    allowed: Grants,
    /// What holds for some in addition.
    plugins: BTreeMap<PluginId, Grants>,
    own_authority: BTreeSet<PluginId>,
    denied: Grants,
}

impl Policy {
    /// Lets sandboxed plugins that ask for it make these calls.
    #[must_use]
    pub fn allow_call(mut self, calls: CallPattern) -> Self {
        self.allowed.call.push(calls);
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
        self.allowed.events.publish.insert(topics);
        self
    }

    /// Lets sandboxed plugins that ask for it subscribe to events of these topics.
    #[must_use]
    pub fn allow_subscribe(mut self, topics: TopicPattern) -> Self {
        self.allowed.events.subscribe.insert(topics);
        self
    }

    /// Lets sandboxed plugins that ask for it use a folder. Where it says how much they may hold, the smaller of this and
    /// what a plugin asks for holds.
    #[must_use]
    pub fn allow_folder(mut self, folder: FolderGrant) -> Self {
        self.allowed.fs.push(folder);
        self
    }

    /// Lets sandboxed plugins that ask for it make these requests.
    #[must_use]
    pub fn allow_http(mut self, requests: HttpGrant) -> Self {
        self.allowed.http.push(requests);
        self
    }

    /// Lets sandboxed plugins that ask for it have the host put a secret into this header towards these hosts.
    #[must_use]
    pub fn allow_secret(mut self, secret: SecretGrant) -> Self {
        self.allowed.secrets.push(secret);
        self
    }

    /// Says how exactly sandboxed plugins that ask for it may know the time; coarsely unless said.
    #[must_use]
    pub const fn allow_clock(mut self, clock: ClockGrant) -> Self {
        self.allowed.clock = Some(clock);
        self
    }

    /// Lets sandboxed plugins that ask for it have random numbers of the operating system.
    #[must_use]
    pub const fn allow_random(mut self) -> Self {
        self.allowed.random = true;
        self
    }

    /// Lets sandboxed plugins that ask for it do all of this. Context paths need nobody's leave.
    #[must_use]
    pub fn allow(mut self, grants: &Grants) -> Self {
        self.allowed = self.allowed.union(grants);
        self
    }

    /// Lets one sandboxed plugin do this in addition to what all may.
    #[must_use]
    pub fn allow_for(mut self, plugin: PluginId, grants: &Grants) -> Self {
        let before = self.plugins.remove(&plugin).unwrap_or_default();
        self.plugins.insert(plugin, before.union(grants));
        self
    }

    /// Takes this away from every plugin, native ones included, whatever else says yes. One that asks for exactly that is
    /// refused; one that asks for more goes without it. Calls, events, folders,
    /// requests, secrets and context paths can be denied.
    #[must_use]
    pub fn deny(mut self, grants: &Grants) -> Self {
        self.denied = self.denied.union(grants);
        self
    }

    /// What is taken away from every plugin.
    #[must_use]
    pub const fn denied(&self) -> &Grants {
        &self.denied
    }

    /// What a plugin may do: all that it asks for, or everything that was refused. `narrowed` takes away from what
    /// would be granted without refusing the plugin.
    ///
    /// # Errors
    /// Each thing that the manifest asks for and this policy does not allow.
    pub fn grant(&self, manifest: &Manifest, narrowed: Option<&Grants>) -> Result<Grants, Vec<Denied>> {
        let refused = self.refused(manifest);
        if !refused.is_empty() {
            return Err(refused);
        }
        let asked = &manifest.requires;
        let allowed = match self.allowed(manifest) {
            Some(allowed) => Grants {
                fs: folders(&asked.fs, &allowed.fs),
                http: asked.http.iter().map(|grant| reaching(grant, &allowed.http)).collect(),
                ..asked.clone()
            },
            None => asked.clone(),
        };
        let granted = narrowed.map_or_else(|| allowed.clone(), |narrowed| allowed.intersection(narrowed));
        Ok(granted.denying(&self.denied))
    }

    /// Each thing that the manifest asks for and this policy does not allow, or denies.
    #[must_use]
    pub fn refused(&self, manifest: &Manifest) -> Vec<Denied> {
        let mut refusals = Refusals { plugin: manifest.id(), refused: Vec::new() };
        if let Some(allowed) = self.allowed(manifest) {
            refusals.beyond(&manifest.requires, &allowed);
            let own = manifest.provides.iter().filter(|provides| provides.authority == Authority::Own);
            for provides in own.filter(|_| !self.own_authority.contains(manifest.id())) {
                let target = format!("{}/{}", provides.point, provides.key);
                refusals.add("answer with its own grants at", &target, "the policy does not allow it");
            }
        }
        refusals.denied(&manifest.requires, &self.denied);
        refusals.refused
    }

    /// What a plugin may do at most; `None` for a native one, which may do all that it asks for.
    fn allowed(&self, manifest: &Manifest) -> Option<Grants> {
        if manifest.plugin.runtime == RuntimeKind::Native {
            return None;
        }
        let coarse = Grants { clock: Some(ClockGrant::Coarse), ..Grants::default() };
        let allowed = self.allowed.union(&coarse);
        Some(match self.plugins.get(manifest.id()) {
            Some(more) => allowed.union(more),
            None => allowed,
        })
    }
}

/// A grant that reaches private addresses only where the policy says so, too: what asks for any server cannot know.
fn reaching(asked: &HttpGrant, allowed: &[HttpGrant]) -> HttpGrant {
    HttpGrant { private: asked.private && asked.is_within(allowed), ..asked.clone() }
}

fn public(grant: &HttpGrant) -> HttpGrant {
    HttpGrant { private: false, ..grant.clone() }
}

/// The folders that are asked for and allowed, each to hold no more than both say.
fn folders(asked: &[FolderGrant], allowed: &[FolderGrant]) -> Vec<FolderGrant> {
    let within = |asked: &FolderGrant| {
        let both = allowed.iter().filter_map(|allowed| asked.intersection(allowed));
        both.filter(|both| both.mode == asked.mode).max_by_key(|both| both.max)
    };
    asked.iter().filter_map(within).collect()
}

/// What is refused to one plugin.
struct Refusals<'a> {
    plugin: &'a PluginId,
    refused: Vec<Denied>,
}

impl Refusals<'_> {
    fn add(&mut self, action: &'static str, target: &(impl ToString + ?Sized), reason: &'static str) {
        let (plugin, target) = (self.plugin.to_string(), target.to_string());
        let denied = Denied { plugin, action, target, reason };
        let is_told = |told: &Denied| told.action == action && told.target == denied.target;
        if !self.refused.iter().any(is_told) {
            self.refused.push(denied);
        }
    }

    /// What is asked for beyond what is allowed.
    fn beyond(&mut self, asked: &Grants, allowed: &Grants) {
        for call in asked.call.iter().filter(|call| !allowed.call.iter().any(|one| one.includes(call))) {
            self.add("call", call, "the policy does not allow this call");
        }
        for folder in asked.fs.iter().filter(|folder| folders(&[(*folder).clone()], &allowed.fs).is_empty()) {
            self.add(folder.mode.verb(), &folder.path, "the policy does not allow this folder");
        }
        if asked.clock > allowed.clock {
            self.add("use", "clock", "the policy allows a coarse clock alone");
        }
        if asked.random && !allowed.random {
            self.add("use", "random", "the policy does not allow random numbers");
        }
        if asked.network && !allowed.network {
            self.add("use", "network", "the policy does not allow connections of its own");
        }
        if asked.processes && !allowed.processes {
            self.add("start", "processes", "the policy does not allow processes of its own");
        }
        for name in asked.env.difference(&allowed.env) {
            self.add("be given the variable", name, "the policy does not allow it");
        }
        for folder in asked.folders.iter().filter(|folder| !folder.is_within(&allowed.folders)) {
            self.add(folder.mode.verb(), folder, "the policy does not allow this folder");
        }
        for grant in
            asked.http.iter().filter_map(named).filter(|grant| !public(grant).is_within(&allowed.http))
        {
            self.add("request", &grant, "the policy does not allow it");
        }
        let secrets = asked.secrets.iter().filter(|grant| !grant.is_configured()).filter_map(named);
        for grant in secrets.filter(|grant| !grant.is_within(&allowed.secrets)) {
            self.add("use the secret", &grant, "the policy does not allow it");
        }
        let reason = "the policy does not allow these events";
        for (action, asked, allowed) in events(asked, allowed) {
            for topics in asked.patterns().filter(|topics| !allowed.covers(topics)) {
                self.add(action, topics, reason);
            }
        }
    }

    /// What is asked for and denied as a whole; what is denied of it in part is refused when it is used.
    fn denied(&mut self, asked: &Grants, denied: &Grants) {
        for call in asked.call.iter().filter(|call| denied.call.iter().any(|one| one.includes(call))) {
            self.add("call", call, DENIED);
        }
        for folder in &asked.fs {
            let denials = denied.fs.iter().filter(|denial| denial.path == folder.path);
            if denials.into_iter().any(|denial| denial.mode >= folder.mode) {
                self.add(folder.mode.verb(), &folder.path, DENIED);
            }
        }
        for grant in asked.http.iter().filter_map(named) {
            if public(&grant).is_within(&denied.http) {
                self.add("request", &grant, DENIED);
            }
        }
        for grant in asked.secrets.iter().filter_map(named).filter(|grant| grant.is_within(&denied.secrets)) {
            self.add("use the secret", &grant, DENIED);
        }
        for (action, asked, denied) in events(asked, denied) {
            for topics in asked.patterns().filter(|topics| denied.covers(topics)) {
                self.add(action, topics, DENIED);
            }
        }
        let (paths, against) = (&asked.context, &denied.context);
        for (action, paths, against) in
            [("read", &paths.read, &against.read), ("write", &paths.write, &against.write)]
        {
            for path in paths.patterns().filter(|path| against.covers(path)) {
                self.add(action, path, DENIED);
            }
        }
    }
}

/// What is asked for of hosts that are named. Those that a configuration is to name grant nothing, and are looked at when
/// the plugin is loaded with one.
fn named<T: Hosts>(grant: &T) -> Option<T> {
    let mut grant = grant.clone();
    grant.hosts().retain(|host| host.configured().is_none());
    (!grant.hosts().is_empty()).then_some(grant)
}

/// A grant that names hosts.
trait Hosts: Clone {
    fn hosts(&mut self) -> &mut Vec<HostPattern>;
}

impl Hosts for HttpGrant {
    fn hosts(&mut self) -> &mut Vec<HostPattern> {
        &mut self.hosts
    }
}

impl Hosts for SecretGrant {
    fn hosts(&mut self) -> &mut Vec<HostPattern> {
        &mut self.hosts
    }
}

/// The topics of two grants, by what is done with them.
fn events<'a>(one: &'a Grants, other: &'a Grants) -> [(&'static str, &'a TopicSet, &'a TopicSet); 2] {
    [
        ("publish", &one.events.publish, &other.events.publish),
        ("subscribe to", &one.events.subscribe, &other.events.subscribe),
    ]
}

#[cfg(test)]
mod tests {
    use tapline_core::Folder;
    use tapline_core::FolderMode;

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

    fn grants(text: &str) -> Grants {
        toml::from_str(text).unwrap()
    }

    fn told(refused: &[Denied]) -> Vec<String> {
        refused
            .iter()
            .map(|denied| format!("{} {}: {}", denied.action, denied.target, denied.reason))
            .collect()
    }

    #[test]
    fn what_one_plugin_is_allowed_is_added_to_what_all_are_and_no_other_has_it() {
        let policy = Policy::default()
            .allow_call("provider/echo".parse().unwrap())
            .allow_for(PluginId::new("x").unwrap(), &grants("call = ['counter']\nrandom = true"));
        let asking = manifest("wasm", "call = ['provider/echo', 'counter']\nrandom = true");
        assert_eq!(policy.grant(&asking, None).unwrap(), asking.requires);
        let mut other = asking;
        other.plugin.id = PluginId::new("y").unwrap();
        assert_eq!(policy.grant(&other, None).unwrap_err().len(), 2);
    }

    #[test]
    fn what_is_denied_is_taken_from_every_plugin_and_refuses_the_one_that_asks_for_just_that() {
        let denied = grants(
            "call = ['provider/secret']\nfs = [{ path = 'data:', mode = 'rw' }]\n\
             events = { publish = ['bill.*'] }\ncontext = { read = ['input.key'] }",
        );
        let policy = Policy::default().allow_call("provider/*".parse().unwrap()).deny(&denied);
        let wide = policy.grant(&manifest("native", "call = ['provider/*']"), None).unwrap();
        assert_eq!(wide.check_call(&"provider/secret".parse().unwrap()), Err(DENIED));
        assert_eq!(wide.check_call(&"provider/echo".parse().unwrap()), Ok(()));
        let exactly = "call = ['provider/secret']\nfs = [{ path = 'data:', mode = 'r' }]\n\
             events = { publish = ['bill.paid'] }\ncontext = { read = ['input.key.x', 'output'] }";
        assert_eq!(
            told(&policy.grant(&manifest("native", exactly), None).unwrap_err()),
            [
                "call provider/secret: the operator denies it",
                "read data:: the operator denies it",
                "publish bill.paid: the operator denies it",
                "read input.key.x: the operator denies it",
            ]
        );
    }

    #[test]
    fn requests_and_secrets_are_allowed_host_by_host() {
        let requires = "http = [{ hosts = ['a.example', 'b.example'], methods = ['GET'], paths = ['/v1/*'] }]\n\
                        secrets = [{ name = 'key', header = 'Authorization', hosts = ['a.example'] }]";
        let asking = manifest("wasm", requires);
        let wide = grants("http = [{ hosts = ['a.example'], methods = ['GET', 'POST'], paths = ['/*'] }]");
        let policy = Policy::default().allow(&wide);
        assert_eq!(
            told(&policy.grant(&asking, None).unwrap_err()),
            [
                "request GET /v1/* at a.example, b.example: the policy does not allow it",
                "use the secret key in authorization at a.example: the policy does not allow it"
            ]
        );
        let other = grants(
            "http = [{ hosts = ['*.example.com', 'b.example'], methods = ['GET'], paths = ['/v1/*'] }]",
        );
        let policy = policy.allow(&other).allow_secret(asking.requires.secrets[0].clone());
        assert_eq!(policy.grant(&asking, None).unwrap(), asking.requires);
        let denied = grants("http = [{ hosts = ['b.example'], methods = ['GET'], paths = ['/*'] }]");
        let url = |host: &str| format!("https://{host}/v1/x").parse().unwrap();
        let granted = policy.clone().deny(&denied).grant(&asking, None).unwrap();
        let get = tapline_core::HttpMethod::Get;
        assert_eq!(granted.check_http(get, &url("b.example")), Err(DENIED));
        assert!(granted.check_http(get, &url("a.example")).is_ok());
        let all =
            grants("http = [{ hosts = ['a.example', 'b.example'], methods = ['GET'], paths = ['/*'] }]");
        let refused = policy.deny(&all).grant(&asking, None).unwrap_err();
        assert_eq!(told(&refused), ["request GET /v1/* at a.example, b.example: the operator denies it"]);
    }

    #[test]
    fn a_denial_outlives_whatever_the_pipeline_says() {
        let policy = Policy::default().deny(&grants("context = { read = ['input.key'] }"));
        let asking = manifest("wasm", "context = { read = ['input'] }");
        let granted = policy.grant(&asking, Some(&asking.requires)).unwrap();
        assert_eq!(granted.check_read("input.key"), Err(DENIED));
        assert_eq!(granted.check_read("input"), Err(DENIED));
        assert_eq!(granted.check_read("input.text"), Ok(()));
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
