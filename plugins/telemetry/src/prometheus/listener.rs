use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Serves the metrics over http, until it is closed.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

type Exposition = dyn Fn() -> String + Send + Sync;

/// So many connections may be open at once; those that come when all places are taken wait.
const CONNECTIONS: usize = 32;
/// How long a client may take to say what it wants.
const HEAD: Duration = Duration::from_secs(10);
/// How long it waits when no connection can be taken, as without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Begins to serve.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub(crate) async fn open(
        address: SocketAddr,
        exposition: impl Fn() -> String + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(serve(listener, Arc::new(exposition)));
        Ok(Self { address, serving })
    }

    /// Where it is.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections; the address is free when this returns.
    pub(crate) async fn close(self) {
        self.serving.abort();
        // That it was aborted is known.
        drop(self.serving.await);
    }
}

/// Takes connections; they end with it.
async fn serve(listener: TcpListener, exposition: Arc<Exposition>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => _ = connections.spawn(answer(TokioIo::new(stream), Arc::clone(&exposition))),
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(stream: TokioIo<tokio::net::TcpStream>, exposition: Arc<Exposition>) {
    let service =
        service_fn(|request| std::future::ready(Ok::<_, Infallible>(respond(&request, &*exposition))));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    // A client that breaks off is nobody's concern but its own.
    drop(server.serve_connection(stream, service).await);
}

fn respond(request: &Request<Incoming>, exposition: &Exposition) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            (StatusCode::OK, prometheus_text::CONTENT_TYPE, exposition())
        }
        (_, "/metrics") => {
            (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "metrics are fetched with GET\n".to_owned())
        }
        _ => (StatusCode::NOT_FOUND, PLAIN, "the metrics are at /metrics\n".to_owned()),
    };
    let response = Response::builder().status(status).header(CONTENT_TYPE, kind);
    response.body(Full::new(text.into())).unwrap_or_default()
}

const PLAIN: &str = "text/plain; charset=utf-8";
