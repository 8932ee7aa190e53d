use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

/// The connections of the server, of which there are never more than so many: where another one comes, the one goes that
/// has been idle for longest.
pub(crate) struct Connections {
    places: Arc<Semaphore>,
    limit: u32,
    idle: Mutex<Idle>,
}

/// Connections on which no request is under way.
#[derive(Default)]
struct Idle {
    /// In the order in which they became so.
    connections: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// A connection on which no request is under way, for as long as that is so.
struct Resting<'a> {
    connections: &'a Connections,
    number: u64,
}

/// How long a connection may take to send the head of a request, the time between two requests included.
const SLOWEST_HEAD: Duration = Duration::from_secs(60);
/// How long a client may read nothing of what is there for it.
const SLOWEST_READER: Duration = Duration::from_secs(30);
/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// How long to wait when the system can give no connection.
const RECOVERY: Duration = Duration::from_millis(100);

impl Connections {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limit as usize));
        Arc::new(Self { places, limit, idle: Mutex::default() })
    }

    /// Waits until nobody is connected. Cancel safe.
    pub(crate) async fn all_left(&self) {
        // The semaphore is never closed.
        let _ = self.places.acquire_many(self.limit).await;
    }

    /// Answers connections until that is to end, and then lets those go that are left, each when its request is answered.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        router: Router,
        ended: watch::Receiver<bool>,
    ) {
        let mut end = ended.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = end.wait_for(|ended| *ended) => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "no connection could be taken");
                    tokio::time::sleep(RECOVERY).await;
                    continue;
                }
            };
            let Some(place) = self.place().await else { return };
            let (connections, router, ended) = (Arc::clone(&self), router.clone(), ended.clone());
            tokio::spawn(async move {
                let _place = place;
                connections.answer(stream, router, ended).await;
            });
        }
    }

    /// A place for a connection; where there is none, the one that has been idle for longest makes room.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        if let Some((_, longest)) = self.idle().connections.pop_first() {
            longest.notify_one();
        }
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    async fn answer(&self, stream: TcpStream, router: Router, mut ended: watch::Receiver<bool>) {
        // Events are short, and are to arrive when they happen.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(SLOWEST_READER));
        let leave = Arc::new(Notify::new());
        let resting = Mutex::new(Some(self.rest(&leave)));
        let service = service_fn(|request: Request<Incoming>| {
            let _ = take(&resting);
            let answer = answered(router.clone(), request);
            let (resting, leave) = (&resting, &leave);
            async move {
                let answer = answer.await;
                *lock(resting) = Some(self.rest(leave));
                answer
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(SLOWEST_HEAD).max_buf_size(LONGEST_HEAD);
        let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let mut connection = std::pin::pin!(connection);
        let mut is_leaving = false;
        loop {
            tokio::select! {
                _ = &mut connection => return,
                () = leave.notified(), if !is_leaving => {}
                _ = ended.wait_for(|ended| *ended), if !is_leaving => {}
            }
            is_leaving = true;
            connection.as_mut().graceful_shutdown();
        }
    }

    /// Notes that a connection has nothing to do.
    fn rest(&self, leave: &Arc<Notify>) -> Resting<'_> {
        let mut idle = self.idle();
        let number = idle.next;
        idle.next += 1;
        idle.connections.insert(number, Arc::clone(leave));
        Resting { connections: self, number }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        lock(&self.idle)
    }
}

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.connections.idle().connections.remove(&self.number);
    }
}

async fn answered(mut router: Router, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    tower_service::Service::call(&mut router, request).await
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    lock(place).take()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the process have as many files open as it may, and says how many.
pub(crate) fn raise_open_files() -> io::Result<u32> {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)?;
    Ok(limit.maximum.and_then(|most| most.try_into().ok()).unwrap_or(u32::MAX))
}
