use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapline_core::{
    Act, BoxFuture, Call, CallContext, CallError, Event, Failure, Grants, HttpCall, HttpClient, HttpRequest,
    HttpResponse, Level, Object, PluginId, Services, Value,
};
use tapline_http::{Resolve, WebClient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server on this machine that gives each request the answer that belongs to its path.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn on(address: &str, answers: &[(&'static str, String)]) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (server, answers) = (Self { port, seen }, Arc::new(answers.to_vec()));
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().answer(stream, Arc::clone(&answers)));
            }
        });
        server
    }

    async fn answer(self, mut stream: TcpStream, answers: Arc<Vec<(&'static str, String)>>) {
        let (mut request, mut piece) = (Vec::new(), [0; 4096]);
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut piece).await {
                Ok(count) if count > 0 => request.extend(&piece[..count]),
                _ => break,
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        self.seen.lock().unwrap().push(request);
        let answer = answers.iter().find(|(known, _)| *known == path).map(|(_, answer)| answer);
        let _ = stream.write_all(answer.map_or(NOTHING, |answer| answer).as_bytes()).await;
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

const NOTHING: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// An answer after which the connection is closed, so that the next request needs another one.
pub(crate) fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Answers with what it was told, each answer once and the last one again and again, and writes down who was asked for.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<(Answers, Vec<String>)>>);

/// What is still to be answered for each host.
type Answers = BTreeMap<String, VecDeque<Vec<IpAddr>>>;

impl Names {
    pub(crate) fn know(self, host: &str, answers: &[&[&str]]) -> Self {
        let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().unwrap().0.insert(host.into(), answers.iter().map(addresses).collect());
        self
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut names = self.0.lock().unwrap();
        names.1.push(host.to_owned());
        let answers = names.0.get_mut(host);
        let answer = answers.and_then(|answers| match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        });
        let answer = answer.ok_or_else(|| io::Error::other("there is no such host"));
        Box::pin(std::future::ready(answer))
    }
}

/// A plugin with grants, and a client behind it.
pub(crate) struct Bench {
    context: CallContext,
    audit: Arc<Mutex<Vec<String>>>,
}

struct Behind {
    client: WebClient,
    audit: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub(crate) fn new(grants: &str, client: WebClient) -> Self {
        let grants: Grants = toml::from_str(grants).unwrap();
        let audit = Arc::<Mutex<Vec<String>>>::default();
        let services = Arc::new(Behind { client, audit: Arc::clone(&audit) });
        let plugin = PluginId::new("p").unwrap();
        Self { context: CallContext::new(plugin, Arc::new(grants), services, Object::new()), audit }
    }

    pub(crate) async fn send(&self, request: HttpRequest) -> Result<(HttpResponse, String), CallError> {
        let mut answer = self.context.http(request).await?;
        let body = answer.bytes().await?;
        Ok((answer, String::from_utf8(body).unwrap()))
    }

    pub(crate) async fn get(&self, url: &str) -> Result<String, CallError> {
        self.send(HttpRequest::get(url)).await.map(|(_, body)| body)
    }

    #[track_caller]
    pub(crate) fn code(answer: Result<String, CallError>) -> String {
        answer.unwrap_err().to_failure().code().to_owned()
    }

    pub(crate) fn audited(&self) -> Vec<String> {
        std::mem::take(&mut self.audit.lock().unwrap())
    }
}

impl Services for Behind {
    fn audit(&self, act: &Act<'_>) {
        let outcome = if act.refusal.is_none() { "granted" } else { "refused" };
        self.audit.lock().unwrap().push(format!("{outcome}: {} {}", act.action, act.target));
    }

    fn log(&self, _: &PluginId, _: Level, _: &str) {}

    fn publish(&self, _: &Event) -> Result<usize, Failure> {
        Ok(0)
    }

    fn call(&self, _: Call, _: Option<Duration>) -> BoxFuture<'static, Result<Value, CallError>> {
        Box::pin(std::future::ready(Err(CallError::Cancelled)))
    }

    fn cast(&self, _: Call) -> Result<(), CallError> {
        Err(CallError::Cancelled)
    }

    fn time(&self) -> Duration {
        Duration::ZERO
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn http(&self, call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        self.client.send(call)
    }

    fn secret(&self, name: &str) -> Option<String> {
        (name == "key").then(|| "s3cret-value".to_owned())
    }
}
