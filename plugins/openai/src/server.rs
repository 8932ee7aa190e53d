//! Requests to the server, made again where that can help.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tapline_pdk::prelude::*;
use tapline_pdk::{HttpRequest, HttpStream};

use crate::config::Config;
use crate::trouble::{Trouble, invalid, of_connection, of_status};

/// The wait before the first time that a request is made again; then it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// A server that wants longer is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How much of an error is read, in bytes.
const LARGEST_ERROR: usize = 64 << 10;
/// How much an answer may have, in bytes: a batch of long vectors.
const LARGEST_ANSWER: u64 = 48 << 20;

impl Config {
    /// Asks, and reads the whole answer.
    pub(crate) async fn asked<T: DeserializeOwned>(
        &self,
        context: &Context,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T> {
        self.retried(context, || async {
            let stream = self.opened(context, path, body).await?;
            let text = whole(stream).await?;
            let value = Value::from_json(&text).map_err(|error| error.to_string());
            let answer = value.and_then(|value| value.to().map_err(|error| error.to_string()));
            answer.map_err(|error| Trouble::Final(invalid(&error)))
        })
        .await
    }

    /// Does it until it succeeds, has failed for good, or has been tried often enough.
    pub(crate) async fn retried<T, F>(&self, context: &Context, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, Trouble>> + Send,
    {
        let mut usual = FIRST_WAIT;
        for left in (0..=self.retries).rev() {
            let (failure, wanted) = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Passing { failure, wait }) => (failure, wait),
            };
            let wait = wanted.unwrap_or(usual);
            if left == 0 || wait > LONGEST_WAIT {
                return Err(failure);
            }
            context.log(Level::Info, &format!("{}; asking again in {wait:?}", failure.message()));
            context.sleep(wait).await;
            usual = (usual * 2).min(LONGEST_WAIT);
        }
        Err(Failure::new("not-asked", "the server was not asked"))
    }

    /// Asks, and waits for the begin of an answer that is no error.
    pub(crate) async fn opened(
        &self,
        context: &Context,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> std::result::Result<HttpStream, Trouble> {
        let request = HttpRequest::post(format!("{}/{path}", self.base_url))
            .timeout(self.timeout)
            .limit(LARGEST_ANSWER)
            .json(body)
            .map_err(Trouble::Final)?;
        let request = match &self.api_key {
            Some(key) => request.header("Authorization", format!("Bearer {key}")),
            None => request,
        };
        let stream = context.http_stream(request).await.map_err(of_connection)?;
        if (200..300).contains(&stream.status) {
            return Ok(stream);
        }
        let status = stream.status;
        let [after, date] = ["retry-after", "date"].map(|name| stream.header(name).map(str::to_owned));
        let body = beginning(stream).await;
        Err(of_status(status, &body, after.as_deref(), date.as_deref()))
    }
}

async fn whole(mut stream: HttpStream) -> std::result::Result<String, Trouble> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.chunk().await.map_err(of_connection)? {
        bytes.extend(chunk);
    }
    String::from_utf8(bytes).map_err(|_| Trouble::Final(invalid("it is no UTF-8")))
}

/// As much of an error as is worth reading.
async fn beginning(mut stream: HttpStream) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < LARGEST_ERROR
        && let Ok(Some(chunk)) = stream.chunk().await
    {
        bytes.extend(chunk);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
