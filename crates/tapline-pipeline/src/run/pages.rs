//! Nodes whose lists are too long for memory: they are done page by page.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use tapline_core::{Name, Object, Value};
use tokio::time::Instant;

use super::error::{Ended, RunError, StepError, with_causes};
use super::event::RunEvent;
use super::frame::Frame;
use super::list::{ListWriter, PagedList, Pages};
use super::path::Path;
use super::steps::{Outcome, Steps};
use crate::definition::{CallDefinition, Step};

static ITEMS: Name = Name::new(|| "items".into());
static PAGE: Name = Name::new(|| "page".into());

/// Where the pages of a node come from.
enum Feed {
    /// The node makes them: with this it goes on.
    Cursor(Value),
    /// They are those of another node's list, read one ahead so that the last is known.
    List { name: Arc<str>, rest: Object, pages: Pages, ahead: Option<Vec<Value>> },
}

/// What the pages of a node have yielded so far: in memory as long as there is one.
#[derive(Default)]
struct Collected {
    first: Option<Value>,
    writer: Option<ListWriter>,
    rest: Object,
}

impl Steps {
    /// Does a node page by page; one that makes a single page is as any other.
    pub(super) async fn paged(
        &self,
        step: &Step,
        call: &CallDefinition,
        list: Option<(Arc<str>, Arc<PagedList>)>,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Outcome, Ended> {
        self.meter.step().map_err(|exceeded| Ended::Run(RunError::Limit { exceeded }))?;
        let mut asked = self.rendered(step, path, self.asked(step, frame))?;
        if let Some((_, list)) = &list {
            // The rows are not in the settings; their digest stands for them.
            let digest = list.to_record();
            asked = [("asked", asked), ("list", digest)].into_iter().collect();
        }
        let keeper = self.shared.keeper.keeps_runs().then_some(&self.shared.keeper);
        let asked = keeper.map(|keeper| keeper.asked(&self.shared.host, call, &asked));
        if let (Some(keeper), Some(asked)) = (keeper, asked)
            && let Some(known) =
                keeper.known(&path, asked, None).await.map_err(RunError::Journal).map_err(Ended::Run)?
            && let Some(outcome) = self.outcome_of(known)
        {
            self.reused.fetch_add(1, Ordering::Relaxed);
            return Ok(outcome);
        }
        let began = (SystemTime::now(), Instant::now());
        let total = list.as_ref().map(|(_, list)| list.count);
        let feed = match list {
            None => Feed::Cursor(Value::Null),
            Some((name, list)) => {
                let mut pages = self.io(step, path, list.pages())?;
                let ahead = self.io(step, path, pages.next())?;
                Feed::List { name, rest: list.rest.clone(), pages, ahead }
            }
        };
        let outcome = self.pages(step, feed, total, path, frame).await;
        if let (Some(keeper), Some(asked)) = (keeper, asked) {
            let record = match &outcome {
                Ok(Outcome::Done(output)) => Ok(output.clone()),
                Ok(Outcome::List(list)) => Ok(list.to_record()),
                Ok(_) => Ok(Value::Null),
                Err(Ended::Run(_)) => return outcome,
                Err(Ended::Failed(failure)) => Err(with_causes(&**failure)),
            };
            let kept = keeper.keep_output(step, &path, asked, began, record).await;
            kept.map_err(|error| Ended::Run(RunError::Journal(error)))?;
        }
        outcome
    }

    async fn pages(
        &self,
        step: &Step,
        mut feed: Feed,
        total: Option<usize>,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Outcome, Ended> {
        let mut collected = Collected::default();
        let mut done = 0;
        for index in 0.. {
            tokio::task::coop::consume_budget().await;
            let (frame, page, is_last) = self.io(step, path, feed.next(index, frame))?;
            let mut input = self.rendered(step, path, self.asked(step, &frame))?;
            if let Value::Object(input) = &mut input {
                Arc::make_mut(input).insert(PAGE.shared(), page);
            }
            let output = self.tried(step, input, path, &frame).await?;
            done += output.get("items").and_then(Value::as_array).map_or(0, <[Value]>::len);
            let (next, is_last) = feed.after(&output, is_last);
            if !is_last || index > 0 {
                let total = total.unwrap_or(done);
                self.shared.observer.event(&RunEvent::Progress {
                    node: path.node(),
                    done: done.min(total),
                    total,
                });
            }
            let (folder, name) = self.list_file(path);
            collected =
                self.io(step, path, blocking(move || collected.add(output, is_last, folder, &name)).await)?;
            if is_last {
                break;
            }
            feed = next;
        }
        self.io(step, path, blocking(move || collected.finish()).await)
    }

    /// The output that a record holds; nothing when its list is gone.
    fn outcome_of(&self, record: Value) -> Option<Outcome> {
        if !PagedList::is_record(&record) {
            return Some(Outcome::Done(record));
        }
        let list = PagedList::from_record(&record, self.shared.lists.as_deref()?)?;
        Some(Outcome::List(Arc::new(list)))
    }

    /// Where the list of a node lies.
    fn list_file(&self, path: Path<'_>) -> (Option<PathBuf>, String) {
        (self.shared.lists.clone(), format!("{}.jsonl", path.to_string().replace('/', "-")))
    }

    /// What the system has answered about a list on disk.
    pub(super) fn io<T>(&self, step: &Step, path: Path<'_>, done: io::Result<T>) -> Result<T, Ended> {
        done.map_err(|error| self.failed(step, path, 1, StepError::List { message: error.to_string() }))
    }
}

/// Does what may wait for the disk where nobody else waits for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl Feed {
    /// What the node is asked next: its variables, which page it is, and whether it is known to be the last.
    fn next(&mut self, index: usize, frame: &Frame) -> io::Result<(Frame, Value, bool)> {
        let index = ("index", Value::from(index));
        match self {
            Self::Cursor(cursor) => {
                let page = [index, ("cursor", cursor.clone())].into_iter().collect();
                Ok((frame.clone(), page, false))
            }
            Self::List { name, rest, pages, ahead } => {
                let rows = ahead.take().unwrap_or_default();
                *ahead = pages.next()?;
                let is_last = ahead.is_none();
                let mut output = rest.clone();
                output.insert(ITEMS.shared(), rows.into());
                let page = [index, ("last", is_last.into())].into_iter().collect();
                Ok((frame.with(name, output.into()), page, is_last))
            }
        }
    }

    /// Where the next page comes from, and whether there is none.
    fn after(self, output: &Value, is_last: bool) -> (Self, bool) {
        match self {
            Self::Cursor(_) => {
                let next = output.get("next").cloned().unwrap_or_default();
                let is_last = next.is_null();
                (Self::Cursor(next), is_last)
            }
            list @ Self::List { .. } => (list, is_last),
        }
    }
}

impl Collected {
    /// Takes a page; from the second on, rows go to the disk.
    fn add(mut self, output: Value, is_last: bool, folder: Option<PathBuf>, name: &str) -> io::Result<Self> {
        if is_last && self.first.is_none() && self.writer.is_none() {
            self.first = Some(output);
            return Ok(self);
        }
        let Value::Object(output) = output else {
            return Err(io::Error::other("a page must be an object with `items`"));
        };
        let mut rest = Arc::unwrap_or_clone(output);
        let rows = rest.shift_remove("items").unwrap_or_default();
        rest.shift_remove("next");
        match &mut self.writer {
            Some(writer) => writer.write(rows.as_array().unwrap_or_default())?,
            None => {
                let folder =
                    folder.ok_or_else(|| io::Error::other("the run was given no folder for lists"))?;
                let mut writer = ListWriter::new(&folder, name)?;
                writer.write(rows.as_array().unwrap_or_default())?;
                self.writer = Some(writer);
            }
        }
        add_up(&mut self.rest, rest);
        Ok(self)
    }

    fn finish(self) -> io::Result<Outcome> {
        match (self.first, self.writer) {
            (Some(output), _) => Ok(Outcome::Done(without_next(output))),
            (None, None) => Ok(Outcome::Done(self.rest.into())),
            (None, Some(writer)) if writer.is_empty() => Ok(Outcome::Done(self.rest.into())),
            (None, Some(writer)) => writer.finish(self.rest).map(Outcome::List),
        }
    }
}

/// Numbers are added up, lists put together, and of anything else the last is kept.
fn add_up(whole: &mut Object, page: Object) {
    for (key, value) in page {
        let known = whole.get(&key);
        let sum = match (known, &value) {
            (Some(Value::Number(known)), Value::Number(more)) => {
                known.as_i64().zip(more.as_i64()).map(|(known, more)| Value::from(known.saturating_add(more)))
            }
            (Some(Value::Array(known)), Value::Array(more)) => {
                Some(known.iter().chain(more.iter()).cloned().collect())
            }
            _ => None,
        };
        whole.insert(key, sum.unwrap_or(value));
    }
}

fn without_next(output: Value) -> Value {
    match output {
        Value::Object(mut fields) if fields.contains_key("next") => {
            Arc::make_mut(&mut fields).shift_remove("next");
            Value::Object(fields)
        }
        output => output,
    }
}
