//! What is taken away whatever else says yes.

use url::Url;

use super::{Folder, FolderMode, Grants, HeaderName, HttpMethod, Reach, http};
use crate::call::CallTarget;
use crate::topic::Topic;

/// Why something is refused that nobody granted.
pub(crate) const NOT_GRANTED: &str = "its manifest did not ask for it, or the policy did not grant it";
/// Why something is refused that was granted.
pub const DENIED: &str = "the operator denies it";

impl Grants {
    /// The same grants without what these name, which are called, published and used by nobody. What is asked for more
    /// widely stays granted around it.
    #[must_use]
    pub fn denying(mut self, denied: &Self) -> Self {
        let mut denied = Self { denied: None, ..denied.clone() };
        if let Some(before) = self.denied.take() {
            denied = before.union(&denied);
        }
        self.denied = (denied != Self::default()).then(|| Box::new(denied));
        self
    }

    /// Why the target may not be called.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_call(&self, target: &CallTarget) -> Result<(), &'static str> {
        let names = |grants: &Self| grants.call.iter().any(|pattern| pattern.covers(target));
        self.check(names(self), names)
    }

    /// Why an event may not be published.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_publish(&self, topic: &Topic) -> Result<(), &'static str> {
        let names = |grants: &Self| grants.events.publish.matches(topic);
        self.check(names(self), names)
    }

    /// Why a place of a context may not be read. What holds a place that is denied is not read either.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_read(&self, path: &str) -> Result<(), &'static str> {
        self.check(self.context.read.covers(path), |denied| denied.context.read.touches(path))
    }

    /// Why a place of a context may not be written. What holds a place that is denied is not written either.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_write(&self, path: &str) -> Result<(), &'static str> {
        self.check(self.context.write.covers(path), |denied| denied.context.write.touches(path))
    }

    /// Why a folder may not be used so. A denial takes away what its mode names: reading, or both.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_folder(&self, folder: Folder, mode: FolderMode) -> Result<(), &'static str> {
        let granted = self.fs.iter().any(|grant| grant.path == folder && grant.mode >= mode);
        self.check(granted, |denied| {
            denied.fs.iter().any(|denial| {
                denial.path == folder && (mode == FolderMode::Read || denial.mode == FolderMode::ReadWrite)
            })
        })
    }

    /// How far a request may go, or why it may not be made.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_http(&self, method: HttpMethod, url: &Url) -> Result<Reach, &'static str> {
        let reach = |grants: &Self| http::allow_http(&grants.http, method, url);
        self.check(reach(self).is_some(), |denied| reach(denied).is_some())?;
        reach(self).ok_or(NOT_GRANTED)
    }

    /// Why the value of a secret may not stand in a header of a request to the address.
    ///
    /// # Errors
    /// Who says no.
    pub fn check_secret(&self, name: &str, header: &HeaderName, url: &Url) -> Result<(), &'static str> {
        let names = |grants: &Self| http::allow_secret(&grants.secrets, name, header, url);
        self.check(names(self), names)
    }

    /// What either allows, and what either denies.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.context.read.extend(&other.context.read);
        both.context.write.extend(&other.context.write);
        add(&mut both.call, &other.call);
        other.events.publish.patterns().for_each(|topics| both.events.publish.insert(topics.clone()));
        other.events.subscribe.patterns().for_each(|topics| both.events.subscribe.insert(topics.clone()));
        add(&mut both.fs, &other.fs);
        both.clock = self.clock.max(other.clock);
        both.random = self.random || other.random;
        both.network = self.network || other.network;
        both.processes = self.processes || other.processes;
        both.env.extend(other.env.iter().cloned());
        add(&mut both.folders, &other.folders);
        add(&mut both.http, &other.http);
        add(&mut both.secrets, &other.secrets);
        both.denied = either(self.denied.as_deref(), other.denied.as_deref()).map(Box::new);
        both
    }

    fn check(&self, granted: bool, denies: impl Fn(&Self) -> bool) -> Result<(), &'static str> {
        match &self.denied {
            _ if !granted => Err(NOT_GRANTED),
            Some(denied) if denies(denied) => Err(DENIED),
            _ => Ok(()),
        }
    }
}

/// What either of two denials takes away.
pub(super) fn either(one: Option<&Grants>, other: Option<&Grants>) -> Option<Grants> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Some(one.union(other)),
        (one, other) => one.or(other).cloned(),
    }
}

fn add<T: Clone + PartialEq>(these: &mut Vec<T>, those: &[T]) {
    for one in those {
        if !these.contains(one) {
            these.push(one.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(text: &str) -> Grants {
        toml::from_str(text).unwrap()
    }

    #[track_caller]
    fn check(grants: &Grants, target: &str, expected: Result<(), &str>) {
        assert_eq!(grants.check_call(&target.parse().unwrap()), expected);
    }

    #[test]
    fn a_denial_bites_inside_of_a_wider_grant_and_leaves_what_is_around_it() {
        let granted = grants("call = ['provider/*', 'node/x']");
        let denied = grants("call = ['provider/secret']");
        let effective = granted.denying(&denied);
        check(&effective, "provider/secret", Err(DENIED));
        check(&effective, "provider/echo", Ok(()));
        check(&effective, "counter", Err(NOT_GRANTED));
        let narrow = grants("call = ['provider/secret']").denying(&grants("call = ['provider/*']"));
        check(&narrow, "provider/secret", Err(DENIED));
    }

    #[test]
    fn denials_of_both_hold_after_an_intersection() {
        let wide = || grants("call = ['provider/*']");
        let one = wide().denying(&grants("call = ['provider/a']"));
        let other = wide().denying(&grants("call = ['provider/b']"));
        for both in [one.intersection(&other), one.intersection(&wide()), wide().intersection(&one)] {
            check(&both, "provider/a", Err(DENIED));
            check(&both, "provider/c", Ok(()));
        }
        check(&one.intersection(&other), "provider/b", Err(DENIED));
    }

    #[test]
    fn what_holds_a_denied_place_is_neither_read_nor_written() {
        let both = |read: &str| grants(&format!("context = {{ read = [{read}], write = [{read}] }}"));
        let effective = both("'input'").denying(&both("'input.user.*.key'"));
        for path in ["input", "input.user", "input.user.3", "input.user.3.key", "input.user.3.key.x"] {
            assert_eq!(effective.check_read(path), Err(DENIED), "{path}");
            assert_eq!(effective.check_write(path), Err(DENIED), "{path}");
        }
        for path in ["input..user.3.key", "input.user.3..key", "input.user.03.key"] {
            assert_eq!(effective.check_read(path), Err(DENIED), "{path}");
        }
        let first = both("'input'").denying(&both("'input.0.key'"));
        assert_eq!(first.check_read("input.00.key"), Err(DENIED));
        assert_eq!(effective.check_read("input.user.3.name"), Ok(()));
        assert_eq!(effective.check_read("input.text"), Ok(()));
        assert_eq!(effective.check_read("output"), Err(NOT_GRANTED));
    }

    #[test]
    fn a_denied_host_is_nobodys_inside_of_a_wider_grant() {
        let http = |hosts: &str| {
            grants(&format!("http = [{{ hosts = [{hosts}], methods = ['GET'], paths = ['/*'] }}]"))
        };
        let effective = http("'*.a.example'").denying(&http("'evil.a.example'"));
        let check = |url: &str| effective.check_http(HttpMethod::Get, &url.parse().unwrap());
        assert_eq!(check("https://x.a.example/"), Ok(Reach::Public));
        assert_eq!(check("https://evil.a.example/"), Err(DENIED));
        assert_eq!(check("https://b.example/"), Err(NOT_GRANTED));
        let key = |name: &str| {
            grants(&format!("secrets = [{{ name = '{name}', header = 'X', hosts = ['a.example'] }}]"))
        };
        let (header, url) = ("x".parse().unwrap(), "https://a.example/".parse().unwrap());
        let effective = key("k").union(&key("l")).denying(&key("k"));
        assert_eq!(effective.check_secret("k", &header, &url), Err(DENIED));
        assert_eq!(effective.check_secret("l", &header, &url), Ok(()));
    }

    #[test]
    fn a_denial_of_a_folder_takes_away_what_its_mode_names() {
        let effective = |mode: &str| {
            let denied = grants(&format!("fs = [{{ path = 'data:', mode = '{mode}' }}]"));
            grants("fs = [{ path = 'data:', mode = 'rw' }]").denying(&denied)
        };
        let (read, write) = (FolderMode::Read, FolderMode::ReadWrite);
        assert_eq!(effective("rw").check_folder(Folder::Data, read), Err(DENIED));
        assert_eq!(effective("rw").check_folder(Folder::Data, write), Err(DENIED));
        assert_eq!(effective("r").check_folder(Folder::Data, read), Err(DENIED));
        assert_eq!(effective("r").check_folder(Folder::Data, write), Ok(()));
    }
}
