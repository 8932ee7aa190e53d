use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tapline_core::{
    Act, Call, CallContext, Event, Failure, Grants, HttpRequest, Level, Object, PluginId, Services, Value,
};

use super::*;

/// A server that does what the path of a request says.
#[derive(Default)]
struct Scripted {
    /// How many requests are under way, and how many have been at once.
    now: Arc<AtomicUsize>,
    most: AtomicUsize,
}

/// Says something for so many times, and is a request under way as long as it is there.
struct Saying(&'static [u8], usize, Arc<AtomicUsize>);

impl Drop for Saying {
    fn drop(&mut self) {
        self.2.fetch_sub(1, Ordering::SeqCst);
    }
}

impl HttpBody for Saying {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, CallError>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let Some(left) = self.1.checked_sub(1) else { return Ok(None) };
            self.1 = left;
            Ok(Some(self.0.to_vec()))
        })
    }
}

impl HttpClient for Scripted {
    fn send(&self, call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let body = match call.url().path() {
            "/endless" => Saying(b"endless ", usize::MAX, Arc::clone(&self.now)),
            "/echo" => Saying(b"s3cret-value", 1, Arc::clone(&self.now)),
            _ => Saying(b"short", 1, Arc::clone(&self.now)),
        };
        let headers = call.headers().iter().map(|header| (header.name.to_string(), header.value.clone()));
        let headers = headers.collect();
        Box::pin(async move { Ok(HttpResponse { status: 200, headers, body: Box::new(body) }) })
    }
}

/// What a plugin reaches of its host, without the host.
struct Alone {
    http: Http,
    turns: Arc<Semaphore>,
    audit: Mutex<Vec<String>>,
}

impl Services for Alone {
    fn audit(&self, act: &Act<'_>) {
        self.audit.lock().unwrap().push(act.target.to_owned());
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
        self.http.clone().send(call, Arc::clone(&self.turns))
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.http.secrets.get(name).map(str::to_owned)
    }
}

/// So many requests may be under way at once.
const TURNS: usize = 8;

fn context(client: Option<Arc<Scripted>>) -> CallContext {
    let grants: Grants = toml::from_str(
        "http = [{ hosts = ['a.example'], methods = ['GET'], paths = ['/*'] }]\n\
         secrets = [{ name = 'key', header = 'X-Key', hosts = ['a.example'] }]",
    )
    .unwrap();
    let secrets = Secrets::new([("key", "s3cret-value".to_owned())]).unwrap();
    let http = Http { client: client.map(|client| client as Arc<dyn HttpClient>), secrets };
    let services = Alone { http, turns: Arc::new(Semaphore::new(TURNS)), audit: Mutex::default() };
    let plugin = PluginId::new("p").unwrap();
    CallContext::new(plugin, Arc::new(grants), Arc::new(services), Object::new())
}

fn get(path: &str) -> HttpRequest {
    HttpRequest::get(format!("https://a.example{path}"))
}

async fn whole(context: &CallContext, request: HttpRequest) -> Result<Vec<u8>, CallError> {
    context.http(request).await?.bytes().await
}

fn code<T: std::fmt::Debug>(answer: Result<T, CallError>) -> String {
    answer.unwrap_err().to_failure().code().to_owned()
}

#[tokio::test]
async fn a_host_without_a_client_has_no_http() {
    assert_eq!(code(whole(&context(None), get("/")).await), "not-available");
}

#[tokio::test(start_paused = true)]
async fn a10_an_endless_answer_is_cut_at_its_limit() {
    let context = context(Some(Arc::default()));
    assert_eq!(code(whole(&context, get("/endless").limit(1000)).await), "too-large");
    assert_eq!(whole(&context, get("/").limit(5)).await.unwrap(), b"short");
    assert_eq!(code(whole(&context, get("/").limit(4)).await), "too-large");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_end_in_time_is_given_up() {
    let context = context(Some(Arc::default()));
    let request = get("/endless").timeout(Duration::from_millis(50));
    assert_eq!(code(whole(&context, request).await), "deadline-exceeded");
    let around = Instant::now() + Duration::from_millis(20);
    let begun = Instant::now();
    let answer = tapline_core::within_deadline(around.into_std(), whole(&context, get("/endless"))).await;
    assert_eq!(code(answer), "deadline-exceeded");
    assert!(begun.elapsed() < Duration::from_millis(30));
}

#[tokio::test(start_paused = true)]
async fn a11_ten_thousand_requests_are_as_many_at_once_as_they_have_turns_and_the_others_wait() {
    let client = Arc::new(Scripted::default());
    let context = context(Some(Arc::clone(&client)));
    let answers = join_all((0..10_000).map(|_| whole(&context, get("/")))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((client.most.load(Ordering::SeqCst), client.now.load(Ordering::SeqCst)), (TURNS, 0));

    let held = join_all((0..TURNS).map(|_| context.http(get("/endless")))).await;
    let waiting = context.http(get("/").timeout(Duration::from_millis(10))).await.unwrap_err();
    assert!(matches!(waiting, CallError::DeadlineExceeded { phase: Phase::Queued, .. }));
    drop(held);
    assert!(whole(&context, get("/")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a13_what_a_server_echoes_of_a_secret_is_taken_out() {
    let context = context(Some(Arc::default()));
    let mut answer = context.http(get("/echo").header("X-Key", "Key ${secret:key}")).await.unwrap();
    assert_eq!(answer.headers, [("x-key".to_owned(), "Key «secret:key»".to_owned())]);
    assert_eq!(answer.bytes().await.unwrap(), "«secret:key»".as_bytes());
}
