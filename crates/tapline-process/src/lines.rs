use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tapline_core::{CallContext, Level};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The last lines that a process wrote to its standard error, which say why it ended.
#[derive(Debug, Default)]
pub struct LastWords(Mutex<VecDeque<String>>);

/// So many lines are kept.
const KEPT: usize = 8;
/// A longer line is cut, in bytes.
const LONGEST: usize = 2 << 10;

impl LastWords {
    fn keep(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// What was written last, on lines of its own.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Writes what comes to the log, line by line, until the other end is closed.
pub async fn log_lines(
    mut pipe: impl AsyncRead + Unpin,
    level: Level,
    context: Arc<CallContext>,
    words: Arc<LastWords>,
) {
    let mut line = Vec::new();
    let mut piece = [0; 4096];
    let tell = |line: &mut Vec<u8>| {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if !text.is_empty() {
            context.log(level, text);
            if level == Level::Warn {
                words.keep(text);
            }
        }
        line.clear();
    };
    while let Ok(count @ 1..) = pipe.read(&mut piece).await {
        for byte in &piece[..count] {
            match byte {
                b'\n' => tell(&mut line),
                _ if line.len() < LONGEST => line.push(*byte),
                _ => {}
            }
        }
    }
    tell(&mut line);
}
