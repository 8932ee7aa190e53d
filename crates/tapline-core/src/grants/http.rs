use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use super::host_pattern::{ConfiguredHostError, HostPattern, configured_key, is_key};
use super::path_glob::{PathGlob, RequestPath};
use crate::value::Value;

/// Requests that a plugin may make. It does not protect against a host that does harm with what it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct HttpGrant {
    /// The hosts that they go to, with their schemes and ports; none where there is none.
    #[serde(deserialize_with = "at_least_one")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub hosts: Vec<HostPattern>,
    /// Their methods.
    #[serde(deserialize_with = "at_least_one")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub methods: Vec<HttpMethod>,
    /// Their paths; `/*` says all.
    #[serde(deserialize_with = "at_least_one")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub paths: Vec<PathGlob>,
    /// Whether the hosts may lie at addresses that are not public: this machine, its networks, and what a cloud tells
    /// its machines.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private: bool,
    /// What for, to whoever has to decide about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// A secret whose value the host puts into a header for a plugin, which never sees it.
///
/// It does not protect against a host that sends the value back in a form in which nobody finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct SecretGrant {
    /// The secret's name, or `${config:api_key}`: the one that the configuration names there, as in `${secret:name}`.
    #[serde(deserialize_with = "secret_name")]
    pub name: String,
    /// The header that may hold it.
    pub header: HeaderName,
    /// The hosts that it may be sent to.
    #[serde(deserialize_with = "at_least_one")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub hosts: Vec<HostPattern>,
    /// What for, to whoever has to decide about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// A representation of what is there.
    Get,
    /// What is known of it without it.
    Head,
    /// That what is sent is processed.
    Post,
    /// That what is sent takes its place.
    Put,
    /// That it is changed in part.
    Patch,
    /// That it is removed.
    Delete,
    /// What can be asked for.
    Options,
}

/// A text that is no method that plugins can be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")]
pub struct HttpMethodError(String);

/// The name of a header that plugins may set, in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct HeaderName(Box<str>);

/// A text that is no header that plugins may set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {rule}")]
pub struct HeaderNameError {
    text: String,
    rule: &'static str,
}

/// The addresses that a request may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Public ones.
    Public,
    /// All.
    Private,
}

impl HttpGrant {
    /// How far a request may go; `None` when it is not granted.
    fn allow(&self, method: HttpMethod, url: &Url, path: &RequestPath) -> Option<Reach> {
        let is_granted = self.methods.contains(&method)
            && self.hosts.iter().any(|host| host.covers(url))
            && self.paths.iter().any(|glob| glob.covers(path));
        is_granted.then_some(if self.private { Reach::Private } else { Reach::Public })
    }

    /// Whether all that it grants is granted by one of these, host by host, method by method, path by path.
    #[must_use]
    pub fn is_within(&self, grants: &[Self]) -> bool {
        let may = |host: &HostPattern, method: &HttpMethod, path: &PathGlob| {
            grants.iter().any(|grant| {
                grant.private >= self.private
                    && grant.methods.contains(method)
                    && grant.hosts.iter().any(|wide| wide.includes(host))
                    && grant.paths.iter().any(|wide| wide.includes(path))
            })
        };
        self.hosts.iter().all(|host| {
            self.methods.iter().all(|method| self.paths.iter().all(|path| may(host, method, path)))
        })
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        let both = Self {
            hosts: both(&self.hosts, &other.hosts, narrower_host),
            methods: self.methods.iter().copied().filter(|method| other.methods.contains(method)).collect(),
            paths: both(&self.paths, &other.paths, PathGlob::intersection),
            private: self.private && other.private,
            why: self.why.clone(),
        };
        (!both.hosts.is_empty() && !both.methods.is_empty() && !both.paths.is_empty()).then_some(both)
    }
}

impl SecretGrant {
    /// Whether the secret is still to be named by a configuration.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        configured_key(&self.name).is_some()
    }

    /// The grant of the secret that the configuration names, if it names one: a server of one's own may need none.
    pub(super) fn named_by(&self, config: &Value) -> Result<Option<Self>, ConfiguredHostError> {
        let Some(key) = configured_key(&self.name) else { return Ok(Some(self.clone())) };
        let name = match config.at(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value.as_str().and_then(|text| text.strip_prefix("${secret:")?.strip_suffix('}')),
        };
        let name = name.filter(|name| is_secret_name(name));
        let name = name.ok_or_else(|| ConfiguredHostError::no_secret(key))?;
        Ok(Some(Self { name: name.to_owned(), ..self.clone() }))
    }

    /// Whether all that it grants is granted by one of these, host by host.
    #[must_use]
    pub fn is_within(&self, grants: &[Self]) -> bool {
        let may = |host: &HostPattern| {
            grants.iter().any(|grant| {
                grant.name == self.name
                    && grant.header == self.header
                    && grant.hosts.iter().any(|wide| wide.includes(host))
            })
        };
        self.hosts.iter().all(may)
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        let hosts = both(&self.hosts, &other.hosts, narrower_host);
        let is_same = self.name == other.name && self.header == other.header;
        (is_same && !hosts.is_empty()).then(|| Self { hosts, ..self.clone() })
    }
}

/// How far a request may go by any of these grants.
pub(super) fn allow_http(grants: &[HttpGrant], method: HttpMethod, url: &Url) -> Option<Reach> {
    let path = RequestPath::of(url)?;
    grants.iter().filter_map(|grant| grant.allow(method, url, &path)).max()
}

/// Whether a secret may stand in a header of a request to the address by any of these grants.
pub(super) fn allow_secret(grants: &[SecretGrant], name: &str, header: &HeaderName, url: &Url) -> bool {
    let is_it = |grant: &SecretGrant| grant.name == name && grant.header == *header;
    grants.iter().any(|grant| is_it(grant) && grant.hosts.iter().any(|host| host.covers(url)))
}

pub(super) fn both_http(one: &[HttpGrant], other: &[HttpGrant]) -> Vec<HttpGrant> {
    both(one, other, HttpGrant::intersection)
}

pub(super) fn both_secrets(one: &[SecretGrant], other: &[SecretGrant]) -> Vec<SecretGrant> {
    both(one, other, SecretGrant::intersection)
}

/// What each of these has in common with each of those, once.
fn both<T: PartialEq>(one: &[T], other: &[T], intersection: impl Fn(&T, &T) -> Option<T>) -> Vec<T> {
    let mut both = Vec::new();
    for (one, other) in one.iter().flat_map(|one| other.iter().map(move |other| (one, other))) {
        both.extend(intersection(one, other).filter(|common| !both.contains(common)));
    }
    both
}

fn narrower_host(one: &HostPattern, other: &HostPattern) -> Option<HostPattern> {
    if other.includes(one) { Some(one.clone()) } else { one.includes(other).then(|| other.clone()) }
}

/// Grants with their hosts looked up in a configuration; one of which no host is left, because the configuration has
/// none, is an error.
pub(super) fn resolved<T: Clone>(
    grants: &[T],
    config: &Value,
    hosts: impl Fn(&mut T) -> &mut Vec<HostPattern>,
) -> Result<Vec<T>, ConfiguredHostError> {
    let resolved = grants.iter().map(|grant| {
        let mut grant = grant.clone();
        let asked = std::mem::take(hosts(&mut grant));
        for host in &asked {
            hosts(&mut grant).extend(host.resolved(config)?);
        }
        match asked.iter().find_map(HostPattern::configured) {
            Some(key) if hosts(&mut grant).is_empty() => Err(ConfiguredHostError::absent(key)),
            _ => Ok(grant),
        }
    });
    resolved.collect()
}

/// Whether an operator could have given a secret this name.
fn is_secret_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// A name, or the place of a configuration that has one.
fn secret_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if configured_key(&name).is_some_and(is_key) || is_secret_name(&name) {
        return Ok(name);
    }
    let rule = "letters, digits, `_` and `-`, or `${config:api_key}`, with dots between keys";
    Err(serde::de::Error::custom(format!("`{name}` is not the name of a secret: {rule}")))
}

/// A list that says something: an empty one would be read as all by some, and as none by others.
fn at_least_one<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(serde::de::Error::custom(
            "the list is empty: name what is meant, and nothing stands for all",
        ));
    }
    Ok(list)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl HttpMethod {
    const ALL: [Self; 7] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options];

    /// The method as it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

impl FromStr for HttpMethod {
    type Err = HttpMethodError;

    fn from_str(text: &str) -> Result<Self, HttpMethodError> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| HttpMethodError(text.into()))
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Headers that say how a message is carried, which is for the host to say.
const THE_HOSTS_OWN: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

impl HeaderName {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = HeaderNameError;

    fn from_str(text: &str) -> Result<Self, HeaderNameError> {
        let refused = |rule| HeaderNameError { text: text.into(), rule };
        // RFC 9110, section 5.6.2: a token.
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if text.is_empty() || !text.chars().all(is_token) {
            return Err(refused("is not the name of a header"));
        }
        let name = text.to_ascii_lowercase();
        if THE_HOSTS_OWN.contains(&&*name) {
            return Err(refused("is a header that the host sets itself"));
        }
        Ok(Self(name.into()))
    }
}

impl TryFrom<String> for HeaderName {
    type Error = HeaderNameError;

    fn try_from(text: String) -> Result<Self, HeaderNameError> {
        text.parse()
    }
}

impl From<HeaderName> for String {
    fn from(name: HeaderName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `GET, POST /v1/* at api.example.com`.
impl fmt::Display for HttpGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let private = if self.private { ", private addresses too" } else { "" };
        let (methods, paths) = (joined(&self.methods), joined(&self.paths));
        write!(formatter, "{methods} {paths} at {}{private}", joined(&self.hosts))
    }
}

/// `search_key in authorization at api.example.com`.
impl fmt::Display for SecretGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {} at {}", self.name, self.header, joined(&self.hosts))
    }
}

fn joined(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
