use std::time::{Duration, Instant};

use reqwest::Response;
use tapline::Value;
use tapline::core::BoxFuture;
use tapline_benches::Proxy;

use crate::{Until, Way, nanoseconds};

/// Without a host.
pub(super) struct Plain {
    client: reqwest::Client,
    url: String,
}

impl Plain {
    pub(super) fn new(host: &str) -> Self {
        // It wants one, though nothing here is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tcp_nodelay(true).build().unwrap();
        Self { client, url: format!("{host}/v1/chat/completions") }
    }
}

impl Way for Plain {
    fn ask(&self, until: Until) -> BoxFuture<'static, (Duration, Duration)> {
        let stream = if matches!(until, Until::FirstToken) { r#","stream":true"# } else { "" };
        let body = format!(r#"{{"model":"small","messages":[{{"role":"user","content":"Hello"}}]{stream}}}"#);
        let request = self.client.post(&self.url).bearer_auth(Proxy::KEY).body(body);
        let request = request.header("content-type", "application/json");
        Box::pin(async move {
            let begun = Instant::now();
            let answer = request.send().await.unwrap().error_for_status().unwrap();
            match until {
                Until::Whole => {
                    let kept = whole(answer).await;
                    (begun.elapsed(), kept)
                }
                Until::FirstToken => first_token(begun, answer).await,
            }
        })
    }
}

async fn whole(answer: Response) -> Duration {
    let answer = answer.bytes().await.unwrap();
    let answer = Value::from_json(std::str::from_utf8(&answer).unwrap()).unwrap();
    let choice = &answer.get("choices").unwrap().as_array().unwrap()[0];
    nanoseconds(choice.get("message").unwrap().get("content").unwrap().as_str().unwrap())
}

/// Reads to the end, so that the connection can be used again.
async fn first_token(begun: Instant, mut answer: Response) -> (Duration, Duration) {
    let (mut said, mut first) = (Vec::new(), None);
    while let Some(chunk) = answer.chunk().await.unwrap() {
        said.extend(chunk);
        first = first.or_else(|| first_piece(&said).map(|kept| (begun.elapsed(), kept)));
    }
    first.unwrap()
}

/// What the first piece with a text says.
fn first_piece(said: &[u8]) -> Option<Duration> {
    let whole = said.iter().rposition(|byte| *byte == b'\n')?;
    let pieces =
        std::str::from_utf8(&said[..whole]).ok()?.lines().filter_map(|line| line.strip_prefix("data: "));
    pieces.filter_map(|piece| Value::from_json(piece).ok()).find_map(|piece| {
        let choice = piece.get("choices")?.as_array()?.first()?.clone();
        let text = choice.get("delta")?.get("content")?.as_str()?;
        (!text.is_empty()).then(|| nanoseconds(text))
    })
}
