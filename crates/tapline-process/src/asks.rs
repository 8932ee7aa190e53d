use std::sync::Arc;
use std::time::Duration;

use serde_bytes::ByteBuf;
use tapline_core::{
    Bytes, CallContext, CallError, Calling, EntryKind, Exit, Failure, FileChange, HttpRequest, HttpResponse,
    Level, Value,
};
use tapline_wire::{self as wire, Answer, Ask, Entry, Reply, Request, Slot, WireFailure};

use crate::bodies::Bodies;

/// What a call may ask for, and what it has open.
pub(crate) struct Asked<'a> {
    pub(crate) context: &'a Arc<CallContext>,
    pub(crate) bodies: &'a Bodies,
    /// What a whole answer over http may have.
    pub(crate) most: Bytes,
}

/// What comes of something that is asked for.
pub(crate) enum Outcome {
    /// It is answered.
    Answered(Answer<Value>),
    /// It has to be waited for.
    Waits(Ask<Value>),
}

impl Asked<'_> {
    /// Answers at once what needs no waiting, and gives back what does.
    pub(crate) fn at_once(&self, ask: Ask<Value>) -> Outcome {
        let context = self.context;
        let answer = match ask {
            Ask::Get { path } => context
                .get(&path)
                .map(|value| value.map_or(Answer::Nothing, Answer::Value))
                .map_err(Into::into),
            Ask::GetMany { paths } => {
                let slots = paths.iter().map(|path| Ok(Slot { value: context.get(path)? }));
                slots.collect::<Result<_, CallError>>().map(Answer::Values)
            }
            Ask::Set { path, value } => context.set(&path, value).map(|()| Answer::Nothing),
            Ask::IsGivenUp => Ok(Answer::Flag(context.is_given_up())),
            Ask::Log { level, message } => {
                context.log(level_of(level), &message);
                Ok(Answer::Nothing)
            }
            Ask::Exit { error } => {
                context.exit(error.map_or(Exit::Normal, |error| Exit::Error(failure(error))));
                Ok(Answer::Nothing)
            }
            Ask::Cast { target, method, request } => {
                context.cast(&target, &method, request).map(|()| Answer::Nothing)
            }
            Ask::Publish { topic, payload } => {
                context.publish(&topic, payload).map(|count| Answer::Number(count as u64))
            }
            Ask::Now => context.now().map(|now| Answer::Number(nanoseconds(now))),
            Ask::Elapsed => context.elapsed().map(|elapsed| Answer::Number(nanoseconds(elapsed))),
            Ask::Random { count } => {
                context.random(count as usize).map(|bytes| Answer::Bytes(ByteBuf::from(bytes)))
            }
            waits => return Outcome::Waits(waits),
        };
        Outcome::Answered(answer.unwrap_or_else(|error| refused(&error)))
    }

    /// Answers what may have to be waited for, under the number that it was asked for with.
    pub(crate) async fn numbered(&self, number: u64, ask: Ask<Value>) -> (u64, Answer<Value>) {
        (number, self.done(ask).await.unwrap_or_else(|error| refused(&error)))
    }

    async fn done(&self, ask: Ask<Value>) -> Result<Answer<Value>, CallError> {
        let context = self.context;
        let nothing = |()| Answer::Nothing;
        match ask {
            Ask::Next => Ok(context.next().await.map(nothing)?),
            Ask::Emit { piece } => Ok(context.emit(piece).await.map(nothing)?),
            Ask::Sleep { milliseconds } => {
                context.sleep(Duration::from_millis(milliseconds)).await;
                Ok(Answer::Nothing)
            }
            Ask::Call { target, method, request, within, relays } => {
                let calling = Calling { within: within.map(Duration::from_millis), relays };
                context.call(&target, &method, request, calling).await.map(Answer::Value)
            }
            Ask::ReadFile { path } => {
                context.read_file(&path).await.map(|content| Answer::Bytes(ByteBuf::from(content)))
            }
            Ask::WriteFile { path, content } => {
                context.change_file(&path, FileChange::Write(content.into_vec())).await.map(nothing)
            }
            Ask::AppendFile { path, content } => {
                context.change_file(&path, FileChange::Append(content.into_vec())).await.map(nothing)
            }
            Ask::ListFolder { path } => {
                let entries = context.list_folder(&path).await?.into_iter();
                Ok(Answer::Entries(
                    entries
                        .map(|entry| Entry { name: entry.name, kind: kind(entry.kind), size: entry.size })
                        .collect(),
                ))
            }
            Ask::RemoveFile { path } => context.change_file(&path, FileChange::Remove).await.map(nothing),
            Ask::HttpSend(request) => self.send(request).await.map(Answer::Reply),
            Ask::HttpOpen(request) => {
                self.bodies.check_room().await?;
                let HttpResponse { status, headers, body } = context.http(outgoing(request)).await?;
                let body = Some(self.bodies.add(body).await);
                Ok(Answer::Reply(Reply { status, headers, content: ByteBuf::new(), body }))
            }
            Ask::HttpRead { body } => {
                let piece = self.bodies.read(body).await?;
                Ok(piece.map_or(Answer::Nothing, |piece| Answer::Bytes(ByteBuf::from(piece))))
            }
            Ask::HttpClose { body } => {
                self.bodies.close(body).await;
                Ok(Answer::Nothing)
            }
            // What is answered at once does not come here.
            _ => Ok(Answer::Nothing),
        }
    }

    async fn send(&self, request: Request) -> Result<Reply, CallError> {
        let HttpResponse { status, headers, mut body } = self.context.http(outgoing(request)).await?;
        let mut content = Vec::new();
        while let Some(piece) = body.chunk().await? {
            content.extend(piece);
            if content.len() as u64 > self.most.0 {
                let message = format!("the answer has more than the {} that one call may take", self.most);
                return Err(Failure::new("too-large", message).into());
            }
        }
        Ok(Reply { status, headers, content: ByteBuf::from(content), body: None })
    }
}

/// An error as the protocol has it.
pub(crate) fn refused(error: &CallError) -> Answer<Value> {
    Answer::Failure(wire_failure(&error.to_failure()))
}

pub(crate) fn wire_failure(failure: &Failure) -> WireFailure<Value> {
    let details = Some(failure.details().clone()).filter(|details| *details != Value::Null);
    WireFailure { code: failure.code().into(), message: failure.message().into(), details }
}

/// An error that a plugin answers with.
pub(crate) fn failure(wire: WireFailure<Value>) -> Failure {
    Failure::new(wire.code, wire.message).with_details(wire.details.unwrap_or_default())
}

pub(crate) const fn level_of(level: wire::Level) -> Level {
    match level {
        wire::Level::Debug => Level::Debug,
        wire::Level::Info => Level::Info,
        wire::Level::Warn => Level::Warn,
        wire::Level::Error => Level::Error,
    }
}

const fn kind(kind: EntryKind) -> wire::EntryKind {
    match kind {
        EntryKind::File => wire::EntryKind::File,
        EntryKind::Folder => wire::EntryKind::Folder,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn outgoing(request: Request) -> HttpRequest {
    let Request { method, url, headers, body, timeout, limit } = request;
    HttpRequest {
        method,
        url,
        headers,
        body: body.into_vec(),
        timeout: timeout.map(Duration::from_millis),
        limit,
    }
}
