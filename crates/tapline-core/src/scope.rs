//! What a future is running inside of: the calls and plugins around it, and their deadline.
//!
//! It follows a future through every poll, not through tasks that it spawns.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::failure::CallError;
use crate::id::PluginId;
use crate::sync;

/// One call or plugin that the current future is inside of.
#[derive(Debug)]
pub(crate) struct Frame {
    parent: Option<Arc<Self>>,
    place: Place,
    deadline: Option<Instant>,
}

#[derive(Debug)]
enum Place {
    /// A call of a hook point, or a request to a contribution.
    Call { of: Arc<str>, depth: usize },
    /// The code of a plugin.
    Plugin(Arc<str>),
    /// A deadline alone.
    Deadline,
}

/// As deep as a call may be nested in calls of the same point: hooks that call their own point would exhaust the stack.
const DEEPEST: usize = 16;

sync::thread_local! {
    static CURRENT: Cell<Option<Arc<Frame>>> = const { Cell::new(None) };
}

impl Frame {
    /// A call nested in the current ones.
    ///
    /// # Errors
    /// When it is nested too deep in calls of the same.
    pub(crate) fn call(of: &Arc<str>) -> Result<Arc<Self>, CallError> {
        let parent = current();
        let outer = frames(parent.as_ref()).find_map(|frame| match &frame.place {
            Place::Call { of: outer, depth } if outer == of => Some(*depth),
            _ => None,
        });
        let depth = outer.map_or(0, |depth| depth + 1);
        if depth >= DEEPEST {
            return Err(CallError::DepthExceeded { path: path(parent.as_ref(), of) });
        }
        Ok(Self::new(parent, Place::Call { of: Arc::clone(of), depth }, None))
    }

    /// The code of a plugin, inside the current calls.
    pub(crate) fn plugin(name: &Arc<str>) -> Arc<Self> {
        Self::new(current(), Place::Plugin(Arc::clone(name)), None)
    }

    /// A deadline for what is inside, which ends no later than that of the current calls.
    pub(crate) fn deadline(deadline: Instant) -> Arc<Self> {
        Self::new(current(), Place::Deadline, Some(deadline))
    }

    fn new(parent: Option<Arc<Self>>, place: Place, deadline: Option<Instant>) -> Arc<Self> {
        let inherited = parent.as_ref().and_then(|parent| parent.deadline);
        let deadline = deadline.into_iter().chain(inherited).min();
        Arc::new(Self { parent, place, deadline })
    }
}

/// The time by which the current calls have to be done, if there is one.
#[must_use]
pub fn deadline() -> Option<Instant> {
    current().and_then(|frame| frame.deadline)
}

/// Whether the current future runs inside code of a plugin.
#[must_use]
pub fn is_inside(plugin: &PluginId) -> bool {
    let current = current();
    frames(current.as_ref())
        .any(|frame| matches!(&frame.place, Place::Plugin(name) if **name == *plugin.as_str()))
}

/// Runs a request within the calls that it is nested in.
///
/// # Errors
/// When it is nested too deep in requests of the same; otherwise what the request answers.
pub async fn nested<T>(
    of: &Arc<str>,
    request: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    within(Frame::call(of)?, request).await
}

/// Runs a future inside a frame.
pub(crate) const fn within<F: Future>(frame: Arc<Frame>, future: F) -> Within<F> {
    Within { frame: Some(frame), future }
}

pin_project! {
    /// A future inside a frame. An `async fn` would hold its argument twice, and what is nested would double each time.
    pub(crate) struct Within<F> {
        frame: Option<Arc<Frame>>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(this.frame);
        this.future.poll(task)
    }
}

/// Puts a frame in the place of the current one, and takes it back when dropped, by a panic too.
struct Entered<'a> {
    frame: &'a mut Option<Arc<Frame>>,
    outer: Option<Arc<Frame>>,
}

impl<'a> Entered<'a> {
    fn new(frame: &'a mut Option<Arc<Frame>>) -> Self {
        let outer = CURRENT.with(|current| current.replace(frame.take()));
        Self { frame, outer }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.frame = CURRENT.with(|current| current.replace(self.outer.take()));
    }
}

fn current() -> Option<Arc<Frame>> {
    CURRENT.with(|current| {
        let frame = current.take();
        current.set(frame.clone());
        frame
    })
}

fn frames(innermost: Option<&Arc<Frame>>) -> impl Iterator<Item = &Frame> {
    std::iter::successors(innermost.map(|frame| &**frame), |frame| frame.parent.as_deref())
}

/// The calls from the outermost to the one that went too deep.
fn path(innermost: Option<&Arc<Frame>>, last: &Arc<str>) -> Vec<String> {
    let calls = frames(innermost).filter_map(|frame| match &frame.place {
        Place::Call { of, .. } => Some(of.to_string()),
        Place::Plugin(name) => Some(format!("({name})")),
        Place::Deadline => None,
    });
    let mut path: Vec<_> = std::iter::once(last.to_string()).chain(calls).collect();
    path.reverse();
    path
}
