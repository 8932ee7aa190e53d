use std::sync::Arc;

use super::CallContext;
use crate::call_error::CallError;
use crate::http::{HttpCall, HttpRequest, HttpResponse, Rights};

impl CallContext {
    /// Makes a request over http, and answers as soon as the headers of the answer are there. Dropping the future, or the
    /// body of the answer, ends the request.
    ///
    /// # Errors
    /// `denied` without a grant for the request, for a secret in it, or for where it is redirected; `not-available` where
    /// the application has no client, or a secret no value; `invalid-request`; and what comes instead of an answer.
    pub async fn http(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let rights = Rights {
            plugin: self.plugin.clone(),
            grants: Arc::clone(&self.grants),
            services: Arc::clone(&self.services),
        };
        let call = HttpCall::new(rights, request)?;
        self.services.http(call).await
    }
}
