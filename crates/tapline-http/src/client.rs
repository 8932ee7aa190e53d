use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tapline_core::{BoxFuture, CallError, HttpCall, HttpClient, HttpResponse, Reach};

use crate::address::is_public;
use crate::exchange::exchange;
use crate::resolve::{Checked, IsPublic, Resolve, SystemResolver};

/// Makes the requests of plugins.
///
/// It speaks HTTP/1.1 with TLS by the certificates that the operating system trusts, keeps no cookies, knows no proxy,
/// whatever the environment says, and decodes nothing. Connections are kept for further requests to the same host, those
/// that may lead to private addresses apart from the others.
#[derive(Debug, Clone)]
pub struct WebClient {
    public: Route,
    private: Route,
}

/// How requests get to where they may go.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) client: reqwest::Client,
    pub(crate) addresses: Checked,
}

/// Settings of [`WebClient`].
pub struct ClientBuilder {
    resolver: Arc<dyn Resolve>,
    is_public: IsPublic,
}

/// Why this machine cannot make requests.
#[derive(Debug, thiserror::Error)]
#[error("requests over http cannot be made on this machine")]
pub struct ClientError(#[source] Box<dyn std::error::Error + Send + Sync>);

const CONNECT: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("tapline/", env!("CARGO_PKG_VERSION"));

impl WebClient {
    /// Makes requests with the resolver and the certificates of the operating system.
    ///
    /// # Errors
    /// When its certificates cannot be read.
    pub fn new() -> Result<Self, ClientError> {
        Self::builder().build()
    }

    /// The settings, to be changed.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder { resolver: Arc::new(SystemResolver), is_public: Arc::new(is_public) }
    }

    async fn send(self, mut call: HttpCall) -> Result<HttpResponse, CallError> {
        loop {
            let route = match call.reach() {
                Reach::Public => &self.public,
                Reach::Private => &self.private,
            };
            let answer = exchange(route, &call).await?;
            match call.redirected(answer.status(), answer.location())? {
                Some(next) => call = next,
                None => return Ok(answer.into_response()),
            }
        }
    }
}

impl HttpClient for WebClient {
    fn send(&self, call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        Box::pin(self.clone().send(call))
    }
}

impl ClientBuilder {
    /// Looks hosts up here.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Says which addresses need no grant for private ones, instead of [`is_public`].
    #[must_use]
    pub fn public(mut self, is_public: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        self.is_public = Arc::new(is_public);
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// When the certificates of the operating system cannot be read.
    pub fn build(self) -> Result<WebClient, ClientError> {
        let tls = tls()?;
        let route = |is_public| {
            let addresses = Checked { resolver: Arc::clone(&self.resolver), is_public };
            Ok(Route { client: client(tls.clone(), addresses.clone())?, addresses })
        };
        Ok(WebClient { public: route(Some(Arc::clone(&self.is_public)))?, private: route(None)? })
    }
}

/// TLS with the certificates that the operating system trusts, without a C library.
///
/// # Errors
/// When the certificates cannot be read.
pub fn tls() -> Result<rustls::ClientConfig, ClientError> {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(rustls::ConfigBuilder::with_platform_verifier)
        .map_err(|error| ClientError(error.into()))?;
    Ok(config.with_no_client_auth())
}

fn client(tls: rustls::ClientConfig, addresses: Checked) -> Result<reqwest::Client, ClientError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(addresses))
        // Redirects are followed by whoever knows the grants.
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT)
        .user_agent(AGENT)
        .build()
        .map_err(|error| ClientError(error.into()))
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}
