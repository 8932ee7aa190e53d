//! A collector that takes spans over OTLP and keeps them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use tokio::net::TcpListener;

/// How the collector answers.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    With(StatusCode),
    Never,
}

#[derive(Default)]
struct Taken {
    requests: Vec<(HeaderMap, String)>,
    resources: Vec<ResourceSpans>,
}

/// A collector that is there as long as the runtime.
pub(crate) struct Collector {
    pub(crate) address: String,
    taken: Arc<Mutex<Taken>>,
}

impl Collector {
    pub(crate) async fn open() -> Self {
        Self::answering(Answer::With(StatusCode::OK)).await
    }

    pub(crate) async fn answering(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::<Mutex<Taken>>::default();
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let taken = Arc::clone(&kept);
                let service = service_fn(move |request| take(request, Arc::clone(&taken), answer));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, taken }
    }

    /// The configuration that has spans sent here, and `rest` besides, which begins with a comma.
    pub(crate) fn config(&self, rest: &str) -> String {
        format!(r#"{{"traces": {{"otlp": "{}"}}{rest}}}"#, self.address)
    }

    /// What has come, in the order of their begins.
    pub(crate) fn spans(&self) -> Spans {
        let taken = self.taken.lock().unwrap();
        let scopes = taken.resources.iter().flat_map(|resource| &resource.scope_spans);
        let mut spans: Vec<_> = scopes.flat_map(|scope| scope.spans.clone()).collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        Spans(spans)
    }

    /// The headers and paths of the requests.
    pub(crate) fn requests(&self) -> Vec<(HeaderMap, String)> {
        self.taken.lock().unwrap().requests.clone()
    }

    pub(crate) fn resources(&self) -> Vec<ResourceSpans> {
        self.taken.lock().unwrap().resources.clone()
    }
}

async fn take(
    request: Request<Incoming>,
    taken: Arc<Mutex<Taken>>,
    answer: Answer,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let export = ExportTraceServiceRequest::decode(body).unwrap();
    {
        let mut taken = taken.lock().unwrap();
        taken.requests.push((head.headers, head.uri.to_string()));
        taken.resources.extend(export.resource_spans);
    }
    match answer {
        Answer::With(status) => Ok(Response::builder().status(status).body(Full::default()).unwrap()),
        Answer::Never => std::future::pending().await,
    }
}

/// Spans that have come.
pub(crate) struct Spans(pub(crate) Vec<Span>);

impl Spans {
    /// The one span of a name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> &Span {
        let found = self.all(name);
        assert_eq!(
            found.len(),
            1,
            "{name} among {:?}",
            self.0.iter().map(|span| &span.name).collect::<Vec<_>>()
        );
        found[0]
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&Span> {
        self.0.iter().filter(|span| span.name == name).collect()
    }

    /// Each name below its parents, in order: `run test > node a`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let by_id: HashMap<_, _> = self.0.iter().map(|span| (&span.span_id, span)).collect();
        let path = |span: &Span| {
            let mut names = vec![span.name.clone()];
            let mut parent = &span.parent_span_id;
            while let Some(above) = by_id.get(parent) {
                assert_eq!(above.trace_id, span.trace_id, "a tree is one trace");
                names.insert(0, above.name.clone());
                parent = &above.parent_span_id;
            }
            names.join(" > ")
        };
        let mut paths: Vec<_> = self.0.iter().map(path).collect();
        paths.sort();
        paths
    }
}

/// An attribute of a span, as text.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref().map(text)
}

fn text(value: &AnyValue) -> String {
    match value.value.as_ref().unwrap() {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        Any::DoubleValue(number) => number.to_string(),
        Any::BoolValue(is_it) => is_it.to_string(),
        Any::ArrayValue(items) => items.values.iter().map(text).collect::<Vec<_>>().join(","),
        other => format!("{other:?}"),
    }
}
