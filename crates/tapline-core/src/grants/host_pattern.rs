use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::value::Value;

/// The hosts that a grant is about, each with its scheme and its port: `api.example.com` (https on 443),
/// `*.example.com` (whole labels below it, and never the bare domain), `api.example.com:8443`,
/// `http://localhost:8080`, `[2001:db8::1]`, or `${config:base_url}`, the origin in the plugin's configuration.
///
/// Names are compared as they are looked up: in lower case, and in the ASCII form of IDNA.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(Which);

#[derive(Clone, PartialEq, Eq)]
enum Which {
    Origin {
        scheme: Scheme,
        /// Whether the names below the host are meant, and not the host.
        is_below: bool,
        host: Arc<str>,
        port: u16,
    },
    /// A place of the plugin's configuration.
    Configured(Arc<str>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// A text that names no hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no host: {rule}")]
pub struct HostPatternError {
    text: String,
    rule: &'static str,
}

/// A host or a secret of the plugin's configuration that cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`requires` names the {what} of `{key}` in the configuration, {reason}")]
pub struct ConfiguredHostError {
    what: &'static str,
    key: String,
    reason: &'static str,
}

const SHAPE: &str = "write it as in `api.example.com`, `*.example.com`, `api.example.com:8443`, `http://localhost:8080` or `[2001:db8::1]`";
const TOO_WIDE: &str = "`*.` stands before at least two labels, as in `*.example.com`";
const NOT_AS_READ: &str = "an address is written in full, as in `127.0.0.1`";
const CONFIGURED: (&str, char) = ("${config:", '}');
const HOST: &str = "host";

/// The place of the configuration that a text stands for: `base_url` of `${config:base_url}`.
pub(super) fn configured_key(text: &str) -> Option<&str> {
    text.strip_prefix(CONFIGURED.0)?.strip_suffix(CONFIGURED.1)
}

/// Whether a text can be the place of a configuration.
pub(super) fn is_key(key: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    key.split('.').all(is_part)
}

impl HostPattern {
    /// Whether a request to the address goes to one of these hosts.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        let (Which::Origin { scheme, is_below, host, port }, Some(wanted)) = (&self.0, url.host_str()) else {
            return false;
        };
        let is_host = if *is_below { is_below_domain(wanted, host) } else { wanted == &**host };
        url.scheme() == scheme.name() && url.port_or_known_default() == Some(*port) && is_host
    }

    /// Whether these are all hosts of the other pattern. One that is still to be looked up in a configuration is included
    /// by itself alone.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let (
            Which::Origin { scheme, is_below, host, port },
            Which::Origin {
                scheme: other_scheme,
                is_below: others_below,
                host: other_host,
                port: other_port,
            },
        ) = (&self.0, &other.0)
        else {
            return self == other;
        };
        let is_host = match (is_below, others_below) {
            (true, false) => is_below_domain(other_host, host),
            (true, true) => other_host == host || is_below_domain(other_host, host),
            (false, true) => false,
            (false, false) => other_host == host,
        };
        scheme == other_scheme && port == other_port && is_host
    }

    /// The place of the configuration at which the host still has to be looked up.
    #[must_use]
    pub fn configured(&self) -> Option<&str> {
        match &self.0 {
            Which::Configured(key) => Some(key),
            Which::Origin { .. } => None,
        }
    }

    /// The same pattern, or the host in the configuration that it stands for; `None` when the configuration has none.
    pub(super) fn resolved(&self, config: &Value) -> Result<Option<Self>, ConfiguredHostError> {
        let Which::Configured(key) = &self.0 else { return Ok(Some(self.clone())) };
        let wrong = |reason| ConfiguredHostError { what: HOST, key: key.to_string(), reason };
        match config.at(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let url = value.as_str().and_then(|text| Url::parse(text).ok());
                let url = url.ok_or_else(|| wrong("and there is no URL"))?;
                Self::of(&url).map(Some).ok_or_else(|| wrong("and its URL is not one of http or https"))
            }
        }
    }

    /// The host that a request to the address goes to.
    fn of(url: &Url) -> Option<Self> {
        let scheme = Scheme::of(url.scheme())?;
        let (host, port) = (url.host_str()?.into(), url.port_or_known_default()?);
        Some(Self(Which::Origin { scheme, is_below: false, host, port }))
    }
}

fn is_below_domain(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

impl Scheme {
    fn of(name: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| scheme.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let refused = |rule| HostPatternError { text: text.into(), rule };
        if let Some(key) = configured_key(text) {
            let key = Some(key).filter(|key| is_key(key));
            let key = key.ok_or_else(|| refused("write `${config:base_url}`, with dots between keys"))?;
            return Ok(Self(Which::Configured(key.into())));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or((Scheme::Https.name(), text));
        let scheme = Scheme::of(scheme).ok_or_else(|| refused(SHAPE))?;
        let (is_below, rest) = rest.strip_prefix("*.").map_or((false, rest), |domain| (true, domain));
        // Whatever a URL has around its host would be read as something else, or left out.
        let is_foreign = |c: char| c.is_whitespace() || c.is_control() || "/?#@\\%*".contains(c);
        if rest.is_empty() || rest.contains(is_foreign) {
            return Err(refused(SHAPE));
        }
        let url = Url::parse(&format!("{}://{rest}/", scheme.name())).map_err(|_| refused(SHAPE))?;
        match url.host() {
            Some(Host::Domain(domain)) if domain.ends_with('.') => return Err(refused(SHAPE)),
            Some(Host::Domain(domain)) if is_below && !domain.contains('.') => return Err(refused(TOO_WIDE)),
            Some(Host::Domain(_)) => {}
            Some(Host::Ipv4(address)) if !rest.starts_with(&address.to_string()) => {
                return Err(refused(NOT_AS_READ));
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) if !is_below => {}
            _ => return Err(refused(SHAPE)),
        }
        let mut pattern = Self::of(&url).ok_or_else(|| refused(SHAPE))?;
        if let Which::Origin { is_below: below, .. } = &mut pattern.0 {
            *below = is_below;
        }
        Ok(pattern)
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostPatternError;

    fn try_from(text: String) -> Result<Self, HostPatternError> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, is_below, host, port) = match &self.0 {
            Which::Configured(key) => return write!(formatter, "{}{key}{}", CONFIGURED.0, CONFIGURED.1),
            Which::Origin { scheme, is_below, host, port } => (*scheme, *is_below, host, *port),
        };
        if scheme == Scheme::Http {
            formatter.write_str("http://")?;
        }
        formatter.write_str(if is_below { "*." } else { "" })?;
        formatter.write_str(host)?;
        if port == scheme.port() { Ok(()) } else { write!(formatter, ":{port}") }
    }
}

impl fmt::Debug for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl ConfiguredHostError {
    /// A host without which nothing would be left of a grant.
    pub(super) fn absent(key: &str) -> Self {
        Self { what: HOST, key: key.to_owned(), reason: "and there is none" }
    }

    /// Text that names no secret, and may be one: it is not told.
    pub(super) fn no_secret(key: &str) -> Self {
        let reason = "and what stands there names none: write `${secret:name}`, with a name of your own";
        Self { what: "secret", key: key.to_owned(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, url: &str, expected: bool) {
        let (pattern, url): (HostPattern, Url) = (pattern.parse().unwrap(), url.parse().unwrap());
        assert_eq!(pattern.covers(&url), expected, "{pattern} {url}");
    }

    #[test]
    fn a_pattern_covers_its_host_on_its_port_by_its_scheme() {
        check("api.example.com", "https://api.example.com/x", true);
        check("api.example.com", "https://API.Example.com:443/x", true);
        check("api.example.com", "http://api.example.com/x", false);
        check("api.example.com", "https://api.example.com:8443/x", false);
        check("api.example.com", "https://api.example.com./x", false);
        check("api.example.com:8443", "https://api.example.com:8443/x", true);
        check("http://localhost:8080", "http://localhost:8080/x", true);
        check("http://localhost:8080", "https://localhost:8080/x", false);
        check("[2001:DB8:0::1]", "https://[2001:db8::1]/", true);
        check("bücher.example", "https://xn--bcher-kva.example/", true);
        check("ｅxample.com", "https://example.com/", true);
    }

    #[test]
    fn a_wildcard_stands_for_whole_labels_below_its_domain() {
        check("*.example.com", "https://a.example.com/", true);
        check("*.example.com", "https://a.b.example.com/", true);
        check("*.example.com", "https://example.com/", false);
        check("*.example.com", "https://evilexample.com/", false);
        check("*.example.com", "https://a.example.com.evil/", false);
    }

    #[test]
    fn a07_what_only_looks_like_the_host_is_another() {
        for url in [
            "https://a.example@evil/",
            "https://a.example.evil/",
            "https://[::ffff:10.0.0.1]/",
            "https://0x7f.1/",
            "https://а.example/",
        ] {
            check("a.example", url, false);
        }
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "*.com",
            "a.*.com",
            "a.example/",
            "a.example/path",
            "user@a.example",
            "a.example?x",
            "a.example#x",
            "a.exa\tmple",
            "a.example.",
            "ftp://a.example",
            "HTTP://a.example",
            "0x7f.1",
            "127.1",
            "*.0.0.1",
            "a%2eexample",
            "a.example:99999",
            "[::1",
            "${config:}",
            "${config:a..b}",
            "${env:HOME}",
        ] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_read_back_as_they_are_written() {
        for text in [
            "api.example.com",
            "*.example.com",
            "a.example:8443",
            "http://localhost",
            "http://*.a.example:81",
            "[2001:db8::1]:444",
            "${config:llm.base_url}",
        ] {
            assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
        }
        assert_eq!("https://A.example:443".parse::<HostPattern>().unwrap().to_string(), "a.example");
    }

    #[test]
    fn a_host_of_the_configuration_is_nobodys_until_it_is_looked_up() {
        let pattern: HostPattern = "${config:base_url}".parse().unwrap();
        assert!(!pattern.covers(&"https://a.example".parse().unwrap()) && pattern.includes(&pattern));
        assert!(!"*.a.example".parse::<HostPattern>().unwrap().includes(&pattern));
        let config = |url: &str| Value::from_iter([("base_url", url.into())]);
        let found = pattern.resolved(&config("http://A.example:81/v1?x")).unwrap().unwrap();
        assert_eq!(found.to_string(), "http://a.example:81");
        assert_eq!(pattern.resolved(&Value::Null).unwrap(), None);
        assert!(pattern.resolved(&config("a.example")).is_err());
        assert!(pattern.resolved(&config("file:///etc/passwd")).is_err());
    }
}
