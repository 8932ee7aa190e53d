use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::{HttpRequest, secret};
use crate::audit::Act;
use crate::call_error::CallError;
use crate::context::Services;
use crate::failure::Failure;
use crate::grants::{Denied, Grants, HeaderName, HttpMethod, NOT_GRANTED, Reach};
use crate::id::PluginId;

/// A request that a plugin may make: checked, audited, and with the values of its secrets in their places.
///
/// There is no other way to one than through the grants of a plugin, and none to where a redirect leads.
#[derive(Clone)]
pub struct HttpCall {
    pub(super) rights: Rights,
    pub(super) parts: Parts,
    headers: Vec<HttpHeader>,
    reach: Reach,
}

/// On whose authority a request is made.
#[derive(Clone)]
pub(crate) struct Rights {
    pub(crate) plugin: PluginId,
    pub(crate) grants: Arc<Grants>,
    pub(crate) services: Arc<dyn Services>,
}

/// What is asked for, with secrets by their names.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) method: HttpMethod,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Arc<[u8]>,
    timeout: Option<Duration>,
    limit: u64,
    /// How many redirects have led here.
    pub(super) redirects: usize,
}

/// A header as it is sent.
#[derive(Clone)]
pub struct HttpHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: String,
    /// Whether there is a secret in the value.
    pub is_secret: bool,
}

const REQUEST: &str = "request";
/// How large the body of an answer may be unless the plugin says it.
const LIMIT: u64 = 8 << 20;
/// A longer address is none that servers read.
const LONGEST_URL: usize = 8 << 10;
/// More bytes of headers are none that servers read.
const LARGEST_HEADERS: usize = 64 << 10;

impl HttpCall {
    /// Checks a request against the grants of a plugin, and has it audited.
    pub(crate) fn new(rights: Rights, request: HttpRequest) -> Result<Self, CallError> {
        Self::admitted(rights, Parts::read(request)?)
    }

    pub(super) fn admitted(rights: Rights, parts: Parts) -> Result<Self, CallError> {
        let reach = rights.reach(&parts)?;
        let secrets = rights.secrets(&parts)?;
        let headers = parts.headers.iter().map(|(name, value)| rights.header(name, value));
        let headers = headers.collect::<Result<_, Failure>>()?;
        rights.services.audit(&Act::granted(&rights.plugin, REQUEST, &parts.target()));
        for secret in &secrets {
            rights.services.audit(&Act::granted(&rights.plugin, USE, secret));
        }
        Ok(Self { rights, parts, headers, reach })
    }

    /// The plugin for which it is made.
    #[must_use]
    pub const fn plugin(&self) -> &PluginId {
        &self.rights.plugin
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> HttpMethod {
        self.parts.method
    }

    /// The address, of http or https, without a user name, a password and a fragment.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.parts.url
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &[HttpHeader] {
        &self.headers
    }

    /// What is sent.
    #[must_use]
    pub const fn body(&self) -> &Arc<[u8]> {
        &self.parts.body
    }

    /// The addresses to which it may be sent.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// How long it may take, if the plugin says it.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.parts.timeout
    }

    /// How many bytes the body of the answer may have.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.parts.limit
    }

    /// Refuses the request for what its client has found, and has the refusal audited.
    #[must_use]
    pub fn refused(&self, reason: &'static str) -> CallError {
        self.rights.denied(REQUEST, self.parts.target(), reason)
    }
}

const USE: &str = "use the secret";

impl Rights {
    fn reach(&self, parts: &Parts) -> Result<Reach, CallError> {
        let refused = |reason| self.denied(REQUEST, parts.target(), reason);
        if !matches!(parts.url.scheme(), "http" | "https") {
            return Err(refused("only http and https are requested"));
        }
        if !parts.url.username().is_empty() || parts.url.password().is_some() {
            return Err(refused("its address has a user name or a password"));
        }
        self.grants.check_http(parts.method, &parts.url).map_err(refused)
    }

    /// What is audited of the secrets that a request uses.
    fn secrets(&self, parts: &Parts) -> Result<Vec<String>, CallError> {
        let host = parts.url.host_str().unwrap_or_default();
        let used = parts.headers.iter().flat_map(|(header, value)| {
            secret::names(value).map(move |name| (header, name, format!("{name} at {host}")))
        });
        let checked =
            used.map(|(header, name, target)| match self.grants.check_secret(name, header, &parts.url) {
                Ok(()) => Ok(target),
                Err(NOT_GRANTED) => {
                    Err(self.denied(USE, target, "it was not granted for this header and this host"))
                }
                Err(reason) => Err(self.denied(USE, target, reason)),
            });
        checked.collect()
    }

    fn header(&self, name: &HeaderName, value: &str) -> Result<HttpHeader, Failure> {
        let is_secret = secret::names(value).next().is_some();
        let value = secret::filled(value, |name| self.services.secret(name)).map_err(|name| {
            Failure::new(
                "not-available",
                format!("the secret `{name}` was granted, and it has no value here"),
            )
        })?;
        Ok(HttpHeader { name: name.clone(), value, is_secret })
    }

    fn denied(&self, action: &'static str, target: String, reason: &'static str) -> CallError {
        let denied = Denied { plugin: self.plugin.to_string(), action, target, reason };
        self.services.audit(&Act::refused(&self.plugin, &denied));
        denied.into()
    }
}

impl Parts {
    fn read(request: HttpRequest) -> Result<Self, Failure> {
        let HttpRequest { method, url, headers, body, timeout, limit } = request;
        let invalid = |message: String| Failure::new("invalid-request", message);
        if url.len() > LONGEST_URL {
            return Err(invalid(format!("the address has more than {LONGEST_URL} bytes")));
        }
        let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > LARGEST_HEADERS {
            return Err(invalid(format!("the headers have more than {LARGEST_HEADERS} bytes")));
        }
        let mut url = Url::parse(&url).map_err(|error| invalid(format!("the address is no URL: {error}")))?;
        url.set_fragment(None);
        let headers = headers.into_iter().map(|(name, value)| {
            let name = name.parse::<HeaderName>().map_err(|error| invalid(error.to_string()))?;
            // RFC 9110, section 5.5; a line break would begin another header.
            let is_value = |c: char| c == '\t' || !c.is_control();
            if value.chars().all(is_value) {
                return Ok((name, value));
            }
            Err(invalid(format!("the value of the header `{name}` has control characters in it")))
        });
        Ok(Self {
            method: method.parse().map_err(|error| Failure::from_error("invalid-request", error))?,
            headers: headers.collect::<Result<_, _>>()?,
            url,
            body: body.into(),
            timeout,
            limit: limit.unwrap_or(LIMIT),
            redirects: 0,
        })
    }

    /// What is audited: neither the query nor a password.
    fn target(&self) -> String {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or_default());
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{} {scheme}://{host}{port}{}", self.method, self.url.path())
    }
}

/// Shows neither headers nor body.
impl fmt::Debug for HttpCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HttpCall").field(&self.plugin()).field(&self.parts.target()).finish()
    }
}

impl fmt::Debug for HttpHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HttpHeader").field(&self.name).finish()
    }
}
