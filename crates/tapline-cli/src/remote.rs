//! What is asked of a server that `tapline serve` has started.

use std::fmt::Display;

use anyhow::{Context as _, Result, bail};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::arguments::ServerArguments;
use crate::error::visible;
use crate::output::Output;
use crate::run::variable;
use crate::serve::Problem;

mod event;
mod plugins;
mod run;

pub(crate) use plugins::{load, reload, swap, unload};
pub(crate) use run::run;

/// A server, and the token that it wants.
struct Remote {
    client: Client,
    url: Url,
    token: String,
}

/// The variable of the environment that may hold the token.
const TOKEN: &str = "TAPLINE_TOKEN";

impl Remote {
    fn new(server: &ServerArguments) -> Result<Self> {
        let url = server.url.clone();
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            bail!("`{url}` is no address of a server; write it as http://127.0.0.1:7878");
        }
        let token = match (&server.token_file, variable(TOKEN)) {
            (None, Some(token)) => token,
            (file, _) => {
                let file = file.clone().unwrap_or_else(crate::serve::token_here);
                let hint = || {
                    let file = file.display();
                    format!(
                        "the token of the server in {file}; name its file with `--token-file`, or the token in {TOKEN}"
                    )
                };
                std::fs::read_to_string(&file).with_context(hint)?
            }
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tapline::http::tls()?)
            // The token goes to nobody else.
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, url, token: token.trim().to_owned() })
    }

    /// A request to a path, each part of which is written as it is.
    fn request<'a>(&self, method: Method, path: impl IntoIterator<Item = &'a str>) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().push("v1").extend(path);
        }
        self.client.request(method, url).bearer_auth(&self.token)
    }

    async fn get<'a, T: DeserializeOwned>(&self, path: impl IntoIterator<Item = &'a str>) -> Result<T> {
        self.json(self.request(Method::GET, path)).await
    }

    async fn post<'a, T: DeserializeOwned>(
        &self,
        path: impl IntoIterator<Item = &'a str>,
        body: &impl Serialize,
    ) -> Result<T> {
        self.json(self.request(Method::POST, path).json(body)).await
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let answer = self.answer(request).await?;
        answer
            .json()
            .await
            .with_context(|| format!("{} does not answer as a server of this version does", self.url))
    }

    /// The answer, if the server did what it was asked; otherwise what it says about that.
    async fn answer(&self, request: RequestBuilder) -> Result<Response> {
        let answer = request.send().await.with_context(|| format!("{} cannot be reached", self.url))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        match answer.json::<Problem>().await {
            Ok(problem) => Err(refused(problem)),
            Err(_) => bail!("{} answers with {status}, and is no server of this version", self.url),
        }
    }
}

/// What a server says, as an error with its causes.
fn refused(problem: Problem) -> anyhow::Error {
    let mut causes = problem.because.into_iter().rev().map(anyhow::Error::msg);
    match causes.next() {
        None => anyhow::Error::msg(problem.detail),
        Some(innermost) => {
            let error = causes.fold(innermost, |error, cause| error.context(cause.to_string()));
            error.context(problem.detail)
        }
    }
}

/// Says something that a server has said.
fn say(text: impl Display) {
    Output::Error.line(visible(text));
}

/// Does something that waits.
fn waiting<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}
