//! What a future is running inside of: the calls and plugins around it, and their deadlines.
//!
//! A future that is polled by another runs inside of whatever that one runs inside of; tasks that are spawned do not.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::Either;
use pin_project_lite::pin_project;

use crate::call_error::CallError;
use crate::id::PluginId;
use crate::sync;
use crate::value::Object;

/// One thing that the current future is inside of.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A call of a hook point, or a request to a contribution.
    Call(Arc<str>),
    /// The code of a plugin.
    Plugin(Arc<str>),
    /// A call that holds the one instance of a plugin.
    Holding(PluginId),
    /// The beginning or the end of a plugin.
    Lifecycle,
    /// A time by which it has to be done.
    Deadline(Instant),
    /// Something of the application's own.
    Ambient(Ambient),
    /// What is left for hooks and handlers further inside.
    Carried(Carried),
}

/// What an application has put around calls, for its own hooks to find.
#[derive(Clone)]
pub(crate) struct Ambient(Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Ambient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ambient").finish_non_exhaustive()
    }
}

/// Something that is left for plugins further inside: hooks and handlers that are entered there find it in their
/// context under `carried`, as far as they are granted to read it.
pub trait Carry: Send + Sync {
    /// What is carried, by names. Made anew whenever a plugin asks, so that it costs nothing where none does.
    fn carried(&self) -> Object;
}

impl Carry for Object {
    fn carried(&self) -> Object {
        self.clone()
    }
}

/// What is carried from one place on.
#[derive(Clone)]
pub(crate) struct Carried(Arc<dyn Carry>);

impl fmt::Debug for Carried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Carried").finish_non_exhaustive()
    }
}

/// As deep as a call may be nested in calls of the same point: hooks that call their own point would exhaust the stack.
const DEEPEST: usize = 16;

sync::thread_local! {
    /// The places from the outermost inward, for as long as a future is polled there.
    static PLACES: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

impl Place {
    /// A call nested in the current ones.
    ///
    /// # Errors
    /// When it is nested too deep in calls of the same.
    pub(crate) fn call(of: &Arc<str>) -> Result<Self, CallError> {
        PLACES.with(|places| {
            let places = places.borrow();
            let same = places.iter().filter(|place| matches!(place, Self::Call(outer) if outer == of));
            if same.count() < DEEPEST {
                return Ok(Self::Call(Arc::clone(of)));
            }
            let path = places.iter().filter_map(Self::name).chain([of.to_string()]).collect();
            Err(CallError::DepthExceeded { path })
        })
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Call(name) => Some(name.to_string()),
            Self::Plugin(name) => Some(format!("({name})")),
            Self::Holding(_) | Self::Lifecycle | Self::Deadline(_) | Self::Ambient(_) | Self::Carried(_) => {
                None
            }
        }
    }
}

/// The time by which the current calls have to be done, if there is one.
#[must_use]
pub fn deadline() -> Option<Instant> {
    let deadline = |place: &Place| if let Place::Deadline(deadline) = place { Some(*deadline) } else { None };
    PLACES.with(|places| places.borrow().iter().filter_map(deadline).min())
}

/// Whether the current future runs inside code of a plugin.
#[must_use]
pub fn is_inside(plugin: &PluginId) -> bool {
    let is_it = |place: &Place| matches!(place, Place::Plugin(name) if **name == *plugin.as_str());
    PLACES.with(|places| places.borrow().iter().any(is_it))
}

/// Whether a call of a plugin, which the current future makes, lies inside another call of it.
#[must_use]
pub fn is_inside_again(plugin: &PluginId) -> bool {
    let is_it = |place: &&Place| matches!(place, Place::Plugin(name) if **name == *plugin.as_str());
    PLACES.with(|places| places.borrow().iter().filter(is_it).nth(1).is_some())
}

/// The plugins whose one instance the calls around the current future hold, from the outermost inward.
#[must_use]
pub fn held() -> Vec<PluginId> {
    let held = |place: &Place| if let Place::Holding(plugin) = place { Some(plugin.clone()) } else { None };
    PLACES.with(|places| places.borrow().iter().filter_map(held).collect())
}

/// Whether the current future runs inside of the beginning or the end of a plugin.
#[must_use]
pub fn is_in_lifecycle() -> bool {
    PLACES.with(|places| places.borrow().iter().any(|place| matches!(place, Place::Lifecycle)))
}

/// What the application has put innermost around the current future, of one type.
#[must_use]
pub fn ambient<T: Any + Send + Sync>() -> Option<Arc<T>> {
    let ambient = |place: &Place| match place {
        Place::Ambient(Ambient(value)) => Arc::clone(value).downcast().ok(),
        _ => None,
    };
    PLACES.with(|places| places.borrow().iter().rev().find_map(ambient))
}

/// Runs a future inside of something of the application's own, which hooks of the application find with [`ambient`]
/// however deep the calls are nested.
pub fn within_ambient<F: Future>(
    value: Arc<dyn Any + Send + Sync>,
    future: F,
) -> impl Future<Output = F::Output> {
    within(Place::Ambient(Ambient(value)), future)
}

/// What those around the current future have left for it, the innermost last; `None` when that is nothing.
pub(crate) fn carried() -> Option<Object> {
    PLACES.with(|places| {
        let places = places.borrow();
        let mut carried =
            places.iter().filter_map(|place| if let Place::Carried(it) = place { Some(&it.0) } else { None });
        let outermost = carried.next()?.carried();
        Some(carried.fold(outermost, |mut all, further_in| {
            all.extend(further_in.carried());
            all
        }))
    })
}

/// Runs a future for which something is carried: plugins that are entered inside find it, and what was carried further
/// out under other names.
pub fn within_carried<F: Future>(carried: Arc<dyn Carry>, future: F) -> impl Future<Output = F::Output> {
    within(Place::Carried(Carried(carried)), future)
}

/// Runs a future as the beginning or the end of a plugin.
pub fn in_lifecycle<F: Future>(future: F) -> impl Future<Output = F::Output> {
    within(Place::Lifecycle, future)
}

/// Runs a future that holds the one instance of a plugin.
pub fn holding<F: Future>(plugin: PluginId, future: F) -> impl Future<Output = F::Output> {
    within(Place::Holding(plugin), future)
}

/// What a future runs inside of, to be taken along into a task of its own.
#[derive(Debug, Clone)]
pub struct Scope(Vec<Place>);

impl Scope {
    /// What the current future runs inside of.
    #[must_use]
    pub fn current() -> Self {
        Self(PLACES.with(|places| places.borrow().clone()))
    }

    /// Leaves the deadlines out: whoever waits for the future has looked at them.
    #[must_use]
    pub fn without_deadlines(mut self) -> Self {
        self.0.retain(|place| !matches!(place, Place::Deadline(_)));
        self
    }

    /// Runs a future inside of it, wherever the future is polled.
    pub async fn run<F: Future>(self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let mut places = self.0;
        std::future::poll_fn(move |task| {
            let count = places.len();
            PLACES.with(|current| current.borrow_mut().append(&mut places));
            let _taken_back = TakenBack { places: &mut places, count };
            future.as_mut().poll(task)
        })
        .await
    }
}

/// Takes places back when dropped, by a panic too.
struct TakenBack<'a> {
    places: &'a mut Vec<Place>,
    count: usize,
}

impl Drop for TakenBack<'_> {
    fn drop(&mut self) {
        PLACES.with(|current| {
            let mut current = current.borrow_mut();
            let begin = current.len().saturating_sub(self.count);
            self.places.extend(current.drain(begin..));
        });
    }
}

/// Runs a future as code of a plugin.
pub fn within_plugin<F: Future>(plugin: &PluginId, future: F) -> impl Future<Output = F::Output> + use<F> {
    within(Place::Plugin(plugin.shared()), future)
}

/// Runs a request within the calls that it is nested in.
///
/// # Errors
/// When it is nested too deep in requests of the same; otherwise what the request answers.
pub(crate) fn nested<T>(
    of: &Arc<str>,
    request: impl Future<Output = Result<T, CallError>>,
) -> impl Future<Output = Result<T, CallError>> {
    match Place::call(of) {
        Ok(place) => Either::Left(within(place, request)),
        Err(error) => Either::Right(std::future::ready(Err(error))),
    }
}

/// Runs a future inside a deadline: what it calls inherits it. Whoever waits for the future has to look at the time.
pub fn within_deadline<F: Future>(deadline: Instant, future: F) -> impl Future<Output = F::Output> {
    within(Place::Deadline(deadline), future)
}

/// Runs a future inside a place.
pub(crate) const fn within<F: Future>(place: Place, future: F) -> Within<F> {
    Within { place: Some(place), future }
}

pin_project! {
    /// A future inside a place. An `async fn` would hold its argument twice, and what is nested would double each time.
    pub(crate) struct Within<F> {
        place: Option<Place>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(this.place);
        this.future.poll(task)
    }
}

/// Puts a place among the current ones, and takes it back when dropped, by a panic too.
struct Entered<'a>(&'a mut Option<Place>);

impl<'a> Entered<'a> {
    fn new(place: &'a mut Option<Place>) -> Self {
        PLACES.with(|places| places.borrow_mut().extend(place.take()));
        Self(place)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.0 = PLACES.with(|places| places.borrow_mut().pop());
    }
}
