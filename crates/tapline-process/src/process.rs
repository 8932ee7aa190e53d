use std::sync::{Arc, Mutex, PoisonError};

use tapline_core::{CallContext, CallError, Fault, Level, Value};
use tapline_wire::{Decoder, FromHost, FromPlugin, HostHello, Operation, PluginHello, VERSIONS, encode};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use crate::asks::level_of;
use crate::calls::{Calls, Misplaced, Said};
use crate::ending::Group;
use crate::lines::{LastWords, log_lines};
use crate::outbox::Outbox;
use crate::runtime::Launch;
use crate::spawn::{Spawned, spawn};

/// The process of a plugin, for as long as it answers.
pub(crate) struct Process {
    pub(crate) launch: Arc<Launch>,
    pub(crate) outbox: Outbox,
    pub(crate) calls: Calls,
    /// Why it has ended, once it has.
    reason: Mutex<Option<String>>,
    /// That it is to end.
    end: Notify,
    /// What it said before it ended.
    words: Arc<LastWords>,
}

/// So many things that are against the protocol are passed over, because they may have crossed with a call's end.
const STRIKES: u32 = 8;
/// What is known of a process that says no more.
const CLOSED: &str = "its process ended";
/// So many things may be asked for at once in one call.
const ASKS: u32 = 64;

impl Process {
    /// Starts a process, and lets the plugin in it make itself ready.
    pub(crate) async fn start(
        launch: &Arc<Launch>,
        context: &Arc<CallContext>,
    ) -> Result<Arc<Self>, CallError> {
        let broken = |message: String| CallError::from(Fault::Process { message });
        let Spawned { mut child, to, from } =
            spawn(launch).map_err(|error| broken(format!("its process cannot be started: {error}")))?;
        let words = Arc::new(LastWords::default());
        if let Some(pipe) = child.stdout.take() {
            tokio::spawn(log_lines(pipe, Level::Info, Arc::clone(context), Arc::clone(&words)));
        }
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(log_lines(pipe, Level::Warn, Arc::clone(context), Arc::clone(&words)));
        }
        let process = Arc::new(Self {
            launch: Arc::clone(launch),
            outbox: Outbox::new(to),
            calls: Calls::default(),
            reason: Mutex::default(),
            end: Notify::new(),
            words,
        });
        let (hello, greeted) = oneshot::channel();
        tokio::spawn(Arc::clone(&process).watch(Group::new(child)));
        tokio::spawn({
            let process = Arc::clone(&process);
            async move { process.outbox.run().await }
        });
        tokio::spawn(Arc::clone(&process).read(from, hello, Arc::clone(context)));
        // Whoever gives up waiting for it ends it.
        let mut ending = EndUnlessReady(Some(Arc::clone(&process)));
        process.greet(greeted).await?;
        process.call(Operation::Init, context).await?;
        ending.0 = None;
        Ok(process)
    }

    /// Says hello, and waits for the answer.
    async fn greet(&self, greeted: oneshot::Receiver<PluginHello>) -> Result<(), CallError> {
        let within = self.launch.hello;
        let hello = FromHost::<Value>::Hello(HostHello {
            versions: VERSIONS,
            plugin: self.launch.plugin.clone(),
            frame: self.launch.frame,
            asks: ASKS,
            within: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
        });
        self.tell(&hello);
        let patience = self.launch.patience();
        let answer = timeout(within, greeted).await;
        drop(patience);
        let Ok(answer) = answer else {
            self.end(format!("its process did not say hello within {}", humantime::format_duration(within)));
            return Err(self.ended());
        };
        let hello = answer.map_err(|_| self.ended())?;
        if hello.version != VERSIONS.1 {
            self.end(format!(
                "its process speaks version {} of the protocol, and this host {}",
                hello.version, VERSIONS.1
            ));
            return Err(self.ended());
        }
        tracing::debug!(plugin = self.launch.plugin, sdk = hello.sdk, "a process has said hello");
        Ok(())
    }

    /// Reads what the process says, until it says no more or what cannot be understood.
    async fn read(
        self: Arc<Self>,
        mut pipe: pipe::Receiver,
        hello: oneshot::Sender<PluginHello>,
        context: Arc<CallContext>,
    ) {
        let mut decoder = Decoder::new(self.launch.frame);
        let mut reading = Reading { process: &self, hello: Some(hello), strikes: 0, context: &context };
        let mut piece = vec![0; 64 << 10];
        let reason = loop {
            match pipe.read(&mut piece).await {
                Ok(0) if decoder.waiting() > 0 => {
                    break "its process ended in the middle of a message".to_owned();
                }
                Ok(0) => break CLOSED.to_owned(),
                Ok(count) => decoder.push(&piece[..count]),
                Err(error) => break format!("nothing more can be read from its process: {error}"),
            }
            if let Err(reason) = reading.all(&mut decoder) {
                break format!("its process broke the protocol: {reason}");
            }
        };
        self.end(reason);
    }

    /// Has the process end, if it is not about to anyway.
    pub(crate) fn end(&self, reason: String) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.end.notify_one();
    }

    /// Waits for the process to exit or to be told to, and leaves nothing of it behind.
    async fn watch(self: Arc<Self>, mut group: Group) {
        tokio::select! {
            () = group.exited() => {}
            () = self.end.notified() => {}
        }
        let grace = self.launch.grace;
        if self.has_closed() {
            // Its last words and how it ended are worth a moment; calls do not wait longer for them.
            let _ = timeout(grace / 8, group.exited()).await;
        }
        self.end(CLOSED.to_owned());
        self.outbox.close();
        self.calls.close();
        match group.end(grace).await {
            Ok(status) => tracing::debug!(plugin = self.launch.plugin, %status, "a process has ended"),
            Err(error) => {
                tracing::warn!(plugin = self.launch.plugin, %error, "how a process ended is not known")
            }
        }
    }

    /// Why there is no answer from the process any more.
    pub(crate) fn ended(&self) -> CallError {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut message = reason.unwrap_or_else(|| "its process has ended".to_owned());
        let words = self.words.text();
        if !words.is_empty() {
            message = format!("{message}; the last that it wrote:\n{words}");
        }
        Fault::Process { message }.into()
    }

    fn has_closed(&self) -> bool {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(CLOSED)
    }

    /// Whether the process has ended, or is about to.
    pub(crate) fn has_ended(&self) -> bool {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Says something short that waits for nothing.
    fn tell(&self, message: &FromHost<Value>) {
        let mut frame = Vec::new();
        if encode(message, self.launch.frame, &mut frame).is_ok() {
            // A process that has ended needs to be told nothing.
            let _ = self.outbox.send_now(frame);
        }
    }

    /// Tells the process that nobody waits for a call; one that does not end it in time is ended.
    pub(crate) fn cancel(self: &Arc<Self>, call: u64) {
        self.tell(&FromHost::Cancel { call });
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let process = Arc::clone(self);
        runtime.spawn(async move {
            sleep(process.launch.grace).await;
            if process.calls.is_open(call) {
                process.end("its process did not end a call that was given up".to_owned());
            }
        });
    }
}

/// What is known while the words of a process are read.
struct Reading<'a> {
    process: &'a Arc<Process>,
    hello: Option<oneshot::Sender<PluginHello>>,
    strikes: u32,
    context: &'a Arc<CallContext>,
}

impl Reading<'_> {
    fn all(&mut self, decoder: &mut Decoder) -> Result<(), String> {
        loop {
            let before = decoder.waiting();
            let message = decoder.next::<FromPlugin<Value>>().map_err(|error| error.to_string())?;
            let Some(message) = message else { return Ok(()) };
            self.one(message, before - decoder.waiting())?;
        }
    }

    fn one(&mut self, message: FromPlugin<Value>, bytes: usize) -> Result<(), String> {
        if let Some(hello) = self.hello.take() {
            let FromPlugin::Hello(answer) = message else { return Err("it did not say hello first".into()) };
            // Whoever waited may have given up.
            let _ = hello.send(answer);
            return Ok(());
        }
        match message {
            FromPlugin::Hello(_) => Err("it said hello twice".into()),
            FromPlugin::Ask { call, ask, what } => {
                self.of_call(call, Said::Ask { ask, what, bytes }, Some(ask))
            }
            FromPlugin::Done(done) => self.of_call(done.call, Said::Done { done, bytes }, None),
            FromPlugin::Log { level, message } => {
                self.context.log(level_of(level), &message);
                Ok(())
            }
            FromPlugin::Pong { .. } => Ok(()),
        }
    }

    /// Hands on what belongs to a call, and to no other.
    fn of_call(&mut self, call: u64, said: Said, ask: Option<u64>) -> Result<(), String> {
        match (self.process.calls.hand_on(call, said, ASKS), ask) {
            (Ok(false), Some(ask)) => {
                let error = CallError::Cancelled;
                let with = crate::asks::refused(&error);
                self.process.tell(&FromHost::Answer { call, ask, with });
                self.process.calls.answered(call);
                Ok(())
            }
            (Ok(_), _) => Ok(()),
            (Err(Misplaced::TooMany), _) => Err(format!("it asked for more than {ASKS} things at once")),
            (Err(Misplaced::NoSuchCall), _) => {
                self.strikes += 1;
                tracing::warn!(
                    plugin = self.process.launch.plugin,
                    call,
                    "a process spoke of a call that it has not"
                );
                if self.strikes < STRIKES { Ok(()) } else { Err("it spoke of calls that it has not".into()) }
            }
        }
    }
}

/// Ends a process whose plugin has not made itself ready.
struct EndUnlessReady(Option<Arc<Process>>);

impl Drop for EndUnlessReady {
    fn drop(&mut self) {
        if let Some(process) = self.0.take() {
            process.end("it did not make itself ready".to_owned());
        }
    }
}
