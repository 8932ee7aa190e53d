use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
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
    /// A connection has become idle.
    rested: Notify,
}

/// Connections on which no request is under way.
#[derive(Default)]
struct Idle {
    /// How each is told to leave, in the order in which they became idle.
    connections: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// A connection, as the others see it.
struct Seat {
    connections: Arc<Connections>,
    /// Its place among the idle ones, for as long as it is one.
    idle: Mutex<Option<u64>>,
    leave: Arc<Notify>,
}

/// An answer that is being given; when it is dropped, its connection is idle.
struct Busy(Arc<Seat>);

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
        Arc::new(Self { places, limit, idle: Mutex::default(), rested: Notify::new() })
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
                answer(&Seat::new(connections), stream, router, ended).await;
            });
        }
    }

    /// A place for a connection; where there is none, the one that has been idle for longest makes room, as soon as there is
    /// such a one.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return Some(place);
            }
            if let Some((_, longest)) = self.idle().connections.pop_first() {
                longest.notify_one();
            }
            tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => return place.ok(),
                () = self.rested.notified() => {}
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        lock(&self.idle)
    }
}

/// Answers the requests of a connection, one after the other.
async fn answer(seat: &Arc<Seat>, stream: TcpStream, router: Router, mut ended: watch::Receiver<bool>) {
    // Events are short, and are to arrive when they happen.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(SLOWEST_READER));
    let service = service_fn(|request: Request<Incoming>| {
        let busy = seat.begin();
        let answer = tower_service::Service::call(&mut router.clone(), request);
        async move {
            let answer: Result<Response<Body>, Infallible> = answer.await;
            answer.map(|answer| answer.map(|body| Answer { body, _busy: busy }))
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
            // Nothing is lost with one that has not asked for anything, though it may have begun to.
            () = seat.leave.notified(), if !is_leaving => if seat.is_idle() { return },
            _ = ended.wait_for(|ended| *ended), if !is_leaving => {}
        }
        is_leaving = true;
        connection.as_mut().graceful_shutdown();
    }
}

impl Seat {
    /// A connection that has not asked for anything yet.
    fn new(connections: Arc<Connections>) -> Arc<Self> {
        let seat = Self { connections, idle: Mutex::default(), leave: Arc::default() };
        seat.rest();
        Arc::new(seat)
    }

    /// Notes that it is asked for something.
    fn begin(self: &Arc<Self>) -> Busy {
        self.rise();
        Busy(Arc::clone(self))
    }

    /// Notes that it has nothing to do.
    fn rest(&self) {
        let mut idle = self.connections.idle();
        let number = idle.next;
        idle.next += 1;
        idle.connections.insert(number, Arc::clone(&self.leave));
        drop(idle);
        *lock(&self.idle) = Some(number);
        self.connections.rested.notify_one();
    }

    fn rise(&self) {
        if let Some(number) = lock(&self.idle).take() {
            self.connections.idle().connections.remove(&number);
        }
    }

    fn is_idle(&self) -> bool {
        lock(&self.idle).is_some()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.rise();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.rest();
    }
}

pin_project_lite::pin_project! {
    /// The body of an answer, as long as it is being given.
    struct Answer {
        #[pin]
        body: Body,
        _busy: Busy,
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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
