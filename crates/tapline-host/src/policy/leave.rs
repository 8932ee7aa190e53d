//! What an operator would write to allow a plugin what it asks for.

use std::fmt::Write as _;

use serde::Serialize;
use tapline_core::{Authority, ContextGrants, FolderGrant, Grants, HttpGrant, Manifest, SecretGrant};
use toml::ser::ValueSerializer;

use super::Policy;

impl Policy {
    /// The table of a settings file that would allow a plugin all that it asks for, with what the file allows it by now;
    /// `None` where nothing is missing, or only the removal of a denial would help.
    ///
    /// Hosts that a configuration has yet to name are left out; see [`Grants::resolved`]. Private addresses are allowed
    /// where a plugin asks for them and a host is reached without TLS, as one on this machine mostly is.
    #[must_use]
    pub fn leave(&self, manifest: &Manifest) -> Option<String> {
        let allowed = self.allowed(manifest)?;
        let mut text = String::new();
        let missing = named(manifest.requires.beyond(&allowed), &allowed);
        if missing != Grants::default() {
            let before = self.plugins.get(manifest.id()).cloned().unwrap_or_default();
            let _ = writeln!(text, "[policy.plugins.{}]", manifest.id());
            text += &lines(&before.union(&missing));
        }
        let asks = manifest.provides.iter().any(|provides| provides.authority == Authority::Own);
        if asks && !self.own_authority.contains(manifest.id()) {
            let own: Vec<_> = self.own_authority.iter().chain([manifest.id()]).collect();
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[policy]\nown_authority = {}", inline(&own));
        }
        (!text.is_empty()).then_some(text)
    }
}

/// What is missing of what can be named, as an operator writes it.
fn named(mut missing: Grants, allowed: &Grants) -> Grants {
    missing.context = ContextGrants::default();
    missing.fs = missing.fs.into_iter().map(|folder| FolderGrant { why: "".into(), ..folder }).collect();
    missing.http = missing.http.iter().filter_map(super::named).map(requests).collect();
    missing.http.retain(|grant| !grant.is_within(&allowed.http));
    let secrets = missing.secrets.iter().filter(|grant| !grant.is_configured()).filter_map(super::named);
    missing.secrets = secrets.map(|secret| SecretGrant { why: String::new(), ..secret }).collect();
    missing
}

fn requests(asked: HttpGrant) -> HttpGrant {
    let is_local = asked.hosts.iter().all(|host| host.to_string().starts_with("http://"));
    HttpGrant { private: asked.private && is_local, why: String::new(), ..asked }
}

/// The keys of a table of the settings.
fn lines(grants: &Grants) -> String {
    let publish: Vec<_> = grants.events.publish.patterns().map(ToString::to_string).collect();
    let subscribe: Vec<_> = grants.events.subscribe.patterns().map(ToString::to_string).collect();
    let values = [
        ("call", some(&grants.call)),
        ("publish", some(&publish)),
        ("subscribe", some(&subscribe)),
        ("fs", some(&grants.fs)),
        ("clock", grants.clock.map(|clock| inline(&clock))),
        ("random", grants.random.then(|| "true".to_owned())),
        ("network", grants.network.then(|| "true".to_owned())),
        ("processes", grants.processes.then(|| "true".to_owned())),
        ("env", (!grants.env.is_empty()).then(|| inline(&grants.env))),
        ("folders", some(&grants.folders)),
        ("http", some(&grants.http)),
        ("secrets", some(&grants.secrets)),
    ];
    let values = values.into_iter().filter_map(|(key, value)| Some((key, value?)));
    values.map(|(key, value)| format!("{key} = {value}\n")).collect()
}

fn some<T: Serialize>(list: &[T]) -> Option<String> {
    (!list.is_empty()).then(|| inline(list))
}

/// A value on one line.
fn inline<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = String::new();
    // What was read from TOML can be written as TOML.
    let _ = value.serialize(ValueSerializer::new(&mut text));
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Settings;

    const ASKING: &str = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n\
        [[provides]]\npoint = 'provider'\nkey = 'x'\nauthority = 'own'\n[requires]\n\
        call = ['provider/echo']\nclock = 'precise'\ncontext = { read = ['input'] }\n\
        events = { publish = ['a.b'] }\nfs = [{ path = 'scratch:', mode = 'rw', max = '1MiB', why = 'w' }]\n\
        http = [{ hosts = ['https://a.example:81'], methods = ['GET', 'POST'], paths = ['/*'], private = true, why = 'w' },\n\
        { hosts = ['http://localhost:1'], methods = ['GET'], paths = ['/v1/*'], private = true },\n\
        { hosts = ['${config:url}'], methods = ['GET'], paths = ['/*'] }]\n\
        secrets = [{ name = 'k', header = 'Authorization', hosts = ['a.example:81'] },\n\
        { name = '${config:key}', header = 'Authorization', hosts = ['a.example'] }]\n";

    fn policy(settings: &str) -> Policy {
        Settings::parse(Path::new("tapline.toml"), settings).unwrap().policy().clone()
    }

    #[test]
    fn what_an_operator_is_told_to_write_allows_all_that_is_asked_for() {
        let manifest: Manifest = toml::from_str(ASKING).unwrap();
        let lines = Policy::default().leave(&manifest).unwrap();
        let expected = r#"[policy.plugins.x]
call = ["provider/echo"]
publish = ["a.b"]
fs = [{ path = "scratch:", mode = "rw", max = "1MiB" }]
clock = "precise"
http = [{ hosts = ["a.example:81"], methods = ["GET", "POST"], paths = ["/*"] }, { hosts = ["http://localhost:1"], methods = ["GET"], paths = ["/v1/*"], private = true }]
secrets = [{ name = "k", header = "authorization", hosts = ["a.example:81"] }]

[policy]
own_authority = ["x"]
"#;
        assert_eq!(lines, expected);
        assert_eq!(policy(&lines).refused(&manifest), []);
        assert_eq!(policy(&lines).leave(&manifest), None);
    }

    #[test]
    fn what_an_operator_allows_by_now_stands_among_it() {
        let manifest: Manifest = toml::from_str(ASKING).unwrap();
        let before = "[policy]\nown_authority = ['y', 'x']\npublish = ['a.*']\n[policy.plugins.x]\ncall = ['counter']\n";
        let lines = policy(before).leave(&manifest).unwrap();
        assert!(
            lines.starts_with("[policy.plugins.x]\ncall = [\"counter\", \"provider/echo\"]\nfs = "),
            "{lines}"
        );
        assert!(!lines.contains("own_authority"), "{lines}");
    }
}
