use std::sync::Arc;

use serde::de::IgnoredAny;
use tapline_core::{CallContext, CallError, Failure, Fault, Level, Value};
use tapline_wire::{
    Decoder, Done, FromHost, FromPlugin, HostHello, Operation, PluginHello, VERSIONS, WireError, decode,
    encode,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::asks::{level_of, refused, wire_failure};
use crate::calls::{Calls, Misplaced, Said};
use crate::ending::Ending;
use crate::group::Group;
use crate::lines::log_lines;
use crate::outbox::Outbox;
use crate::runtime::Launch;
use crate::spawn::{Spawned, spawn};

/// The process of a plugin, for as long as it answers.
pub(crate) struct Process {
    pub(crate) launch: Arc<Launch>,
    pub(crate) outbox: Outbox,
    pub(crate) calls: Calls,
    pub(crate) ending: Arc<Ending>,
    /// The last ping that it has answered.
    answered: watch::Sender<u64>,
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
        let ending = Arc::new(Ending::of(""));
        let words = ending.words();
        if let Some(pipe) = child.stdout.take() {
            tokio::spawn(log_lines(pipe, Level::Info, Arc::clone(context), Arc::clone(words)));
        }
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(log_lines(pipe, Level::Warn, Arc::clone(context), Arc::clone(words)));
        }
        let process = Arc::new(Self {
            launch: Arc::clone(launch),
            outbox: Outbox::new(to),
            calls: Calls::default(),
            ending,
            answered: watch::Sender::default(),
        });
        let (hello, greeted) = oneshot::channel();
        tokio::spawn(Arc::clone(&process).watch(Group::new(child)));
        tokio::spawn({
            let process = Arc::clone(&process);
            async move { process.outbox.run().await }
        });
        tokio::spawn(Arc::clone(&process).read(from, hello, Arc::clone(context)));
        // Whoever gives up waiting for it ends it.
        let unready = process.ending.unless_ready();
        process.greet(greeted).await?;
        process.call(Operation::Init, context).await?;
        unready.ready();
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
            self.ending
                .end(format!("its process did not say hello within {}", humantime::format_duration(within)));
            return Err(self.ending.fault());
        };
        let hello = answer.map_err(|_| self.ending.fault())?;
        if hello.version != VERSIONS.1 {
            self.ending.end(format!(
                "its process speaks version {} of the protocol, and this host {}",
                hello.version, VERSIONS.1
            ));
            return Err(self.ending.fault());
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
        self.ending.end(reason);
    }

    /// Waits for the process to exit or to be told to, and leaves nothing of it behind.
    async fn watch(self: Arc<Self>, mut group: Group) {
        tokio::select! {
            () = group.exited() => {}
            () = self.ending.wanted() => {}
            () = self.deaf() => {}
        }
        let grace = self.launch.grace;
        if self.ending.reason().as_deref() == Some(CLOSED) {
            // Its last words and how it ended are worth a moment; calls do not wait longer for them.
            let _ = timeout(grace / 8, group.exited()).await;
        }
        self.ending.end(CLOSED);
        self.outbox.close();
        self.calls.close();
        match group.end(grace).await {
            Ok(status) => tracing::debug!(plugin = self.launch.plugin, %status, "a process has ended"),
            Err(error) => {
                tracing::warn!(plugin = self.launch.plugin, %error, "how a process ended is not known")
            }
        }
    }

    /// Asks once in a while whether the process is there, until it does not answer.
    async fn deaf(&self) {
        let within = self.launch.alive;
        for number in 1.. {
            sleep(within).await;
            let patience = self.launch.patience();
            self.tell(&FromHost::Ping { number });
            let mut answered = self.answered.subscribe();
            if timeout(within, answered.wait_for(|answered| *answered == number)).await.is_err() {
                let within = humantime::format_duration(within);
                self.ending.end(format!("its process did not answer a ping within {within}"));
                return;
            }
            drop(patience);
        }
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
                process.ending.end("its process did not end a call that was given up".to_owned());
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
        let said = |error: WireError| error.to_string();
        while let Some(body) = decoder.frame().map_err(said)? {
            match decode(body) {
                Ok(message) => self.one(message, body.len())?,
                Err(error) => self.unspeakable(body, &error)?,
            }
        }
        Ok(())
    }

    /// Fails what a message was for that would be one if its values were values.
    fn unspeakable(&mut self, body: &[u8], error: &WireError) -> Result<(), String> {
        let failure = Failure::new("wrong-type", error.to_string());
        match decode::<FromPlugin<IgnoredAny>>(body) {
            Ok(FromPlugin::Ask { call, ask, .. }) => {
                let with = refused(&failure.into());
                self.process.tell(&FromHost::Answer { call, ask, with });
                Ok(())
            }
            Ok(FromPlugin::Done(Done { call, .. })) => {
                let failure = Some(wire_failure(&failure));
                let done = Done { call, output: None, flow: None, failure, fault: None };
                self.of_call(call, Said::Done { done, bytes: body.len() }, None)
            }
            _ => Err(error.to_string()),
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
            FromPlugin::Pong { number } => {
                self.process.answered.send_replace(number);
                Ok(())
            }
        }
    }

    /// Hands on what belongs to a call, and to no other.
    fn of_call(&mut self, call: u64, said: Said, ask: Option<u64>) -> Result<(), String> {
        match (self.process.calls.hand_on(call, said, ASKS), ask) {
            (Ok(false), Some(ask)) => {
                let with = refused(&CallError::Cancelled);
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
