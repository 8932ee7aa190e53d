use std::time::{Duration, Instant};

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::{Host, Url};

use crate::archive::LARGEST_ARCHIVE;
use crate::error::FetchError;

const CONNECT: Duration = Duration::from_secs(10);
/// A server that sends nothing for so long is given up.
const SILENT: Duration = Duration::from_secs(30);
/// No archive takes longer.
const WITHIN: Duration = Duration::from_secs(600);
const REDIRECTS: usize = 5;
const AGENT: &str = concat!("tapline/", env!("CARGO_PKG_VERSION"));

/// An address from which a package can be fetched.
pub(crate) fn address(text: &str) -> Result<Url, FetchError> {
    let refused = |reason| FetchError::Address { url: text.to_owned(), reason };
    let url = Url::parse(text).map_err(|_| refused("it is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it is neither http nor https"));
    }
    // It would be kept, and shown.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Address { url: hidden(url), reason: "it has a user name in it" });
    }
    Ok(url)
}

/// The address without who asks.
fn hidden(mut url: Url) -> String {
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The bytes at an address. It knows no proxy, keeps no cookies, and decodes nothing.
///
/// What comes over plain http is taken from this machine alone, or when its digest is known.
pub(crate) async fn fetched(url: &Url, is_digest_known: bool) -> Result<Vec<u8>, FetchError> {
    if url.scheme() != "https" && !is_digest_known && !is_this_machine(url) {
        return Err(FetchError::Plain(url.clone()));
    }
    let client = client().map_err(|source| FetchError::Failed { url: url.clone(), source })?;
    let (mut url, mut redirects) = (url.clone(), 0);
    // For all of it, wherever it is redirected to.
    let until = Instant::now() + WITHIN;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let answer =
            client.get(url.clone()).timeout(left).send().await.map_err(|error| failed(&url, error))?;
        if !answer.status().is_redirection() {
            return body(&url, answer).await;
        }
        redirects += 1;
        url = redirected(&url, &answer, redirects)?;
    }
}

fn client() -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let tls = rustls::ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT)
        .read_timeout(SILENT)
        .user_agent(AGENT);
    Ok(client.build()?)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Where an answer leads, if that is no worse than where it came from.
fn redirected(from: &Url, answer: &Response, redirects: usize) -> Result<Url, FetchError> {
    let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let refused = || FetchError::Redirect {
        from: from.clone(),
        to: location.map_or("nowhere", |location| location).escape_debug().to_string(),
    };
    location.filter(|_| redirects <= REDIRECTS).and_then(|to| leads(from, to)).ok_or_else(refused)
}

fn leads(from: &Url, to: &str) -> Option<Url> {
    let to = from.join(to).ok().filter(|to| to.username().is_empty() && to.password().is_none())?;
    let is_no_worse = to.scheme() == "https" || (to.scheme() == from.scheme() && to.host() == from.host());
    is_no_worse.then_some(to)
}

async fn body(url: &Url, mut answer: Response) -> Result<Vec<u8>, FetchError> {
    if !answer.status().is_success() {
        return Err(FetchError::Status { url: url.clone(), status: answer.status().as_u16() });
    }
    let too_large = || FetchError::TooLarge(url.clone());
    if answer.content_length().is_some_and(|length| length > LARGEST_ARCHIVE) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(url, error))? {
        if (bytes.len() + chunk.len()) as u64 > LARGEST_ARCHIVE {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn failed(url: &Url, error: reqwest::Error) -> FetchError {
    FetchError::Failed { url: url.clone(), source: error.without_url().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_https_or_stays_within_its_host() {
        let leads = |from: &str, to: &str| leads(&from.parse().unwrap(), to).map(String::from);
        for (from, to, end) in [
            ("https://a.example/x", "https://b.example/y", "https://b.example/y"),
            ("https://a.example/x", "/y", "https://a.example/y"),
            ("https://a.example/x", "//b.example/y", "https://b.example/y"),
            ("http://127.0.0.1:1/x", "http://127.0.0.1:2/y", "http://127.0.0.1:2/y"),
            ("http://127.0.0.1:1/x", "https://b.example/y", "https://b.example/y"),
        ] {
            assert_eq!(leads(from, to).as_deref(), Some(end));
        }
        for (from, to) in [
            ("https://a.example/x", "http://a.example/x"),
            ("https://a.example/x", "http://127.0.0.1/x"),
            ("http://127.0.0.1/x", "http://127.0.0.2/x"),
            ("http://localhost/x", "http://localhost.example/x"),
            ("http://localhost/x", "file:///etc/passwd"),
            ("https://a.example/x", "https://ada:word@b.example/x"),
            ("https://a.example/x", "https://"),
        ] {
            assert_eq!(leads(from, to), None, "{from} {to}");
        }
    }

    #[test]
    fn this_machine_is_told_by_its_addresses_and_its_name_alone() {
        for (url, expected) in [
            ("http://127.0.0.1/x", true),
            ("http://127.9.9.9:80/x", true),
            ("http://0x7f.1/x", true),
            ("http://[::1]/x", true),
            ("http://localhost/x", true),
            ("http://LOCALHOST/x", true),
            ("http://localhost.example/x", false),
            ("http://10.0.0.1/x", false),
            ("http://0.0.0.0/x", false),
            ("http://127.0.0.1.example/x", false),
        ] {
            assert_eq!(is_this_machine(&address(url).unwrap()), expected, "{url}");
        }
    }
}
