use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolving};
use tapline_core::BoxFuture;

/// Looks up the addresses of hosts.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host. It is asked once for each connection.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug)]
pub(crate) struct SystemResolver;

/// Which addresses may be reached without a grant for private ones.
pub(crate) type IsPublic = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Looks up hosts, and gives away no address that may not be reached: what it has not looked at, nobody connects to.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(crate) resolver: Arc<dyn Resolve>,
    /// `None` where all may be reached.
    pub(crate) is_public: Option<IsPublic>,
}

/// A host at an address that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{REFUSED}")]
pub(crate) struct Refused;

/// Why a request to such a host is denied.
pub(crate) const REFUSED: &str =
    "its host lies at an address that is not public, and `private` was not granted";

impl Checked {
    /// Refuses a host if one of its addresses may not be reached: what answers with both is not to be trusted.
    pub(crate) fn check(&self, addresses: &[IpAddr]) -> Result<(), Refused> {
        match &self.is_public {
            Some(is_public) if !addresses.iter().all(|address| is_public(*address)) => Err(Refused),
            _ => Ok(()),
        }
    }
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (checked, addresses) = (self.clone(), self.resolver.resolve(name.as_str()));
        Box::pin(async move {
            let addresses = addresses.await?;
            checked.check(&addresses)?;
            // The port is that of the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Checked").finish_non_exhaustive()
    }
}
