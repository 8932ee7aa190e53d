use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime;

/// A model server that speaks the OpenAI API, on a thread of its own.
///
/// It answers how long it has kept a request, in nanoseconds: whoever asks takes that away from what it has waited, and so
/// the timer does not count. Where pieces are asked for, the first of them says so.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    address: SocketAddr,
}

impl Model {
    /// Serves until the process ends; each answer takes so long.
    ///
    /// # Panics
    /// When there is no port to be had.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
    pub fn start(thinks: Duration) -> Self {
        let (told, address) = mpsc::channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, thinks).await;
            });
        });
        Self { address: address.recv().unwrap() }
    }

    /// Where it is, as in `http://127.0.0.1:4000`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve(listener: TcpListener, thinks: Duration) {
    while let Ok((connection, _)) = listener.accept().await {
        let _ = connection.set_nodelay(true);
        let answering = service_fn(move |request| answer(request, thinks));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), answering));
    }
}

async fn answer(request: Request<Incoming>, thinks: Duration) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let begun = Instant::now();
    let asked = request.into_body().collect().await?.to_bytes();
    let is_streamed = String::from_utf8_lossy(&asked).replace(": ", ":").contains("\"stream\":true");
    tokio::time::sleep(thinks).await;
    let kept = begun.elapsed().as_nanos();
    let (kind, body) =
        if is_streamed { ("text/event-stream", pieces(kept)) } else { ("application/json", whole(kept)) };
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

const USAGE: &str = r#"{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}"#;

fn whole(kept: u128) -> String {
    let message = format!(r#"{{"role":"assistant","content":"{kept}"}}"#);
    let choice = format!(r#"{{"index":0,"message":{message},"finish_reason":"stop"}}"#);
    format!(
        r#"{{"id":"1","object":"chat.completion","created":1,"model":"small","choices":[{choice}],"usage":{USAGE}}}"#
    )
}

fn pieces(kept: u128) -> String {
    let words = [format!("{kept} "), "more ".to_owned(), "words".to_owned()];
    let choices =
        words.map(|word| format!(r#"[{{"index":0,"delta":{{"role":"assistant","content":"{word}"}}}}]"#));
    let end = r#"[{"index":0,"delta":{},"finish_reason":"stop"}]"#.to_owned();
    let piece = |choices: String| {
        format!(
            "data: {{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"small\",\"choices\":{choices},\"usage\":null}}\n\n"
        )
    };
    choices.into_iter().chain([end]).map(piece).collect::<String>() + "data: [DONE]\n\n"
}
