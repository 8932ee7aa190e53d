//! The way of spans to a collector: counted, in batches, over http with the host's own runtime.

use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context as TraceContext;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tapline_pdk::prelude::*;
use tokio::runtime::Handle;

use crate::config::{TracesConfig, invalid};

/// So many spans wait to be sent; those that come when all places are taken are lost.
const WAITING: usize = 16_384;
/// How often spans are sent, unless a batch is full before.
const OFTEN: Duration = Duration::from_secs(1);
/// How long the collector may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How many spans have ended, and how many of them did not arrive.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    ended: AtomicU64,
    sent: AtomicU64,
    failed: AtomicU64,
    /// What the last request came to, when it came to nothing.
    reason: Mutex<Option<String>>,
    is_told: AtomicBool,
}

impl Losses {
    /// How many spans have arrived.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many spans are known to have been lost.
    pub(crate) fn lost(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Counts what is still on its way as lost: nothing is sent any more.
    pub(crate) fn settle(&self) {
        let on_their_way = self.ended.load(Ordering::Relaxed).saturating_sub(self.sent() + self.lost());
        if on_their_way > 0 {
            self.lose(on_their_way);
        }
    }

    /// Counts a loss, and tells the first one: a collector that is down is down for all spans.
    pub(crate) fn lose(&self, spans: u64) {
        self.failed.fetch_add(spans, Ordering::Relaxed);
        if self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reason = reason.unwrap_or_else(|| "more come than can be sent in time".to_owned());
        tracing::warn!(target: "tapline::plugin", plugin = "telemetry", "spans are lost, {spans} so far: {reason}");
    }

    fn note(&self, reason: String) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

/// Sends spans to the collector, in batches, from a thread of its own.
pub(crate) fn processor(config: &TracesConfig, losses: Arc<Losses>) -> Result<impl SpanProcessor + use<>> {
    let endpoint = config.endpoint()?;
    let client = Client { client: client()?, runtime: Handle::current(), losses: Arc::clone(&losses) };
    let exporter = OtlpExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint.as_str())
        .with_headers(config.headers.clone().into_iter().collect())
        .with_timeout(ANSWER)
        .build()
        .map_err(|error| invalid("traces", &error))?;
    let batches = BatchConfigBuilder::default().with_max_queue_size(WAITING).with_scheduled_delay(OFTEN);
    let exporter = Counted { inner: exporter, losses: Arc::clone(&losses) };
    let inner = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
    Ok(Counted { inner, losses })
}

fn client() -> Result<reqwest::Client> {
    let unusable = |error: &dyn Error| Failure::new("unusable", format!("no requests can be made: {error}"));
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(rustls::ConfigBuilder::with_platform_verifier)
        .map_err(|error| unusable(&error))?
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(ANSWER);
    client.build().map_err(|error| unusable(&error))
}

/// Something that spans go through, and that counts them.
#[derive(Debug)]
struct Counted<T> {
    inner: T,
    losses: Arc<Losses>,
}

impl SpanProcessor for Counted<BatchSpanProcessor> {
    fn on_start(&self, span: &mut Span, context: &TraceContext) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.losses.ended.fetch_add(1, Ordering::Relaxed);
        self.inner.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl SpanExporter for Counted<OtlpExporter> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let sent = self.inner.export(batch).await;
        match &sent {
            Ok(()) => _ = self.losses.sent.fetch_add(spans, Ordering::Relaxed),
            Err(_) => self.losses.lose(spans),
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Makes requests within the host's runtime, because the thread that asks for them has none.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
    losses: Arc<Losses>,
}

type Sending<'s> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 's>>;

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(&'life0 self, request: Request<Bytes>) -> Sending<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let sent = self.runtime.spawn(send(self.client.clone(), request));
        Box::pin(async move {
            let answer = sent.await.unwrap_or_else(|error| Err(error.into()));
            match &answer {
                Ok(answer) if !answer.status().is_success() => {
                    self.losses.note(format!("the collector answers with {}", answer.status()));
                }
                Ok(_) => {}
                Err(error) => self.losses.note(with_causes(&**error)),
            }
            answer
        })
    }
}

async fn send(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut given = Response::builder().status(answer.status());
    if let Some(headers) = given.headers_mut() {
        std::mem::swap(headers, answer.headers_mut());
    }
    Ok(given.body(answer.bytes().await?)?)
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
