//! Messages of JSON-RPC on the standard pipes of a process, each on a line of its own.

use std::io;
use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tapline_core::{CallContext, Level};
use tapline_process::Ending;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::Mutex;

/// The pipes of a server.
pub(crate) struct Lines {
    reader: ChildStdout,
    writer: Arc<Mutex<Option<ChildStdin>>>,
    /// What was read of the lines to come, and how much of it has no end of a line.
    buffer: Vec<u8>,
    scanned: usize,
    /// The most bytes of a line.
    longest: usize,
    strikes: u32,
    ending: Arc<Ending>,
    context: Arc<CallContext>,
}

/// So many lines that are no messages are passed over: some servers greet whoever starts them.
const STRIKES: u32 = 16;
/// How much of such a line is shown, in characters.
const SHOWN: usize = 200;

impl Lines {
    pub(crate) fn new(
        (reader, writer): (ChildStdout, ChildStdin),
        longest: usize,
        ending: Arc<Ending>,
        context: Arc<CallContext>,
    ) -> Self {
        let writer = Arc::new(Mutex::new(Some(writer)));
        Self { reader, writer, buffer: Vec::new(), scanned: 0, longest, strikes: 0, ending, context }
    }

    /// The next line; a reason when there is none. Cancel safe.
    async fn line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(end) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.scanned + end + 1);
                self.scanned = 0;
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            self.scanned = self.buffer.len();
            if self.buffer.len() > self.longest {
                return Err(format!("it sent a message of more than {} bytes", self.longest));
            }
            match self.reader.read_buf(&mut self.buffer).await {
                Ok(0) => return Err("its process ended".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("nothing more can be read from its process: {error}")),
            }
        }
    }

    async fn message(&mut self) -> Result<ServerJsonRpcMessage, String> {
        loop {
            let line = self.line().await?;
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let error = match serde_json::from_slice(line) {
                Ok(message) => return Ok(message),
                Err(error) => error,
            };
            // Somebody may wait for what this was meant to say.
            if line.starts_with(b"{\"") {
                return Err(format!("it sent a message that cannot be read: {error}"));
            }
            let text: String = String::from_utf8_lossy(line).chars().take(SHOWN).collect();
            self.context.log(Level::Warn, &format!("not a message of the protocol: {text}"));
            self.strikes += 1;
            if self.strikes >= STRIKES {
                return Err(format!("it wrote {STRIKES} lines that are no messages, the last one `{text}`"));
            }
        }
    }
}

impl Transport<RoleClient> for Lines {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let writer = Arc::clone(&self.writer);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut writer = writer.lock().await;
            let pipe = writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            pipe.write_all(&line).await?;
            pipe.flush().await
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        match self.message().await {
            Ok(message) => Some(message),
            Err(reason) => {
                self.ending.end(reason);
                None
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        // A server ends when there is nothing more to read for it.
        if let Ok(mut writer) = self.writer.try_lock() {
            writer.take();
        }
        Ok(())
    }
}
