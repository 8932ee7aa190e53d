use super::call::{HttpCall, Parts};
use super::secret;
use crate::call_error::CallError;
use crate::failure::Failure;
use crate::grants::{HeaderName, HttpMethod};

/// So many redirects of one request are followed.
const REDIRECTS: usize = 5;
/// What may be told to another host that the plugin did not address. All others may be meant for the first alone.
const HARMLESS: [&str; 5] = ["accept", "accept-language", "content-language", "content-type", "user-agent"];

impl HttpCall {
    /// The request to which an answer redirects this one, checked as the first was; `None` for an answer that does not
    /// redirect.
    ///
    /// The method changes as RFC 9110, section 15.4, has it. To another origin, headers that tell nothing go along, and
    /// those with secrets that were granted for it.
    ///
    /// # Errors
    /// When it leads to where the plugin may not go, to nowhere, or has done so too often.
    pub fn redirected(&self, status: u16, location: Option<&str>) -> Result<Option<Self>, CallError> {
        let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) else { return Ok(None) };
        if self.parts.redirects == REDIRECTS {
            let message = format!("the request was redirected more than {REDIRECTS} times");
            return Err(Failure::new("too-many-redirects", message).into());
        }
        let nowhere =
            |_| Failure::new("invalid-response", "the answer redirects to something that is no URL");
        let mut url = self.parts.url.join(location).map_err(nowhere)?;
        url.set_fragment(None);
        let is_elsewhere = url.origin() != self.parts.url.origin();
        let mut parts = self.parts.clone();
        parts.url = url;
        parts.redirects += 1;
        match (status, parts.method) {
            (303, method) if method != HttpMethod::Head => parts.ask_again(),
            (301 | 302, HttpMethod::Post) => parts.ask_again(),
            _ => {}
        }
        if is_elsewhere {
            let headers = std::mem::take(&mut parts.headers).into_iter();
            parts.headers = headers.filter(|(name, value)| self.may_follow(name, value, &parts)).collect();
        }
        Self::admitted(self.rights.clone(), parts).map(Some)
    }

    fn may_follow(&self, header: &HeaderName, value: &str, to: &Parts) -> bool {
        let mut secrets = secret::names(value).peekable();
        if secrets.peek().is_none() {
            return HARMLESS.contains(&header.as_str());
        }
        secrets.all(|name| self.rights.grants.check_secret(name, header, &to.url).is_ok())
    }
}

impl Parts {
    /// Asks for what is there, with nothing to send.
    fn ask_again(&mut self) {
        self.method = HttpMethod::Get;
        self.body = [].into();
        self.headers.retain(|(name, _)| !name.as_str().starts_with("content-"));
    }
}
