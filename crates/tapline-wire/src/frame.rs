use std::io::Cursor;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are no message, or a message cannot be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A frame is longer than the other side takes.
    #[error("a frame of {length} bytes is longer than the {limit} that are taken")]
    TooLong {
        /// What it has, in bytes.
        length: u64,
        /// What it may have.
        limit: u32,
    },
    /// The content of a frame is no message.
    #[error("a frame is no message: {reason}")]
    NoMessage {
        /// What is wrong with it.
        reason: String,
    },
    /// There is something after the message of a frame.
    #[error("a frame has {count} bytes after its message")]
    Trailing {
        /// How many.
        count: u64,
    },
    /// What is to be sent cannot be expressed.
    #[error("it cannot be expressed as a message: {reason}")]
    NotExpressed {
        /// Why.
        reason: String,
    },
}

/// As deep as a value may be, and the message around it.
const DEEPEST: usize = 256;
/// The length before each message.
const PREFIX: usize = size_of::<u32>();

/// Adds a message to what is to be sent, as a frame. What was there before stays as it is when it fails.
///
/// # Errors
/// When the message is longer than `limit`, in bytes, or cannot be expressed.
pub fn encode<T: Serialize>(message: &T, limit: u32, bytes: &mut Vec<u8>) -> Result<(), WireError> {
    let begin = bytes.len();
    bytes.extend([0; PREFIX]);
    let written = rmp_serde::encode::write_named(bytes, message);
    let length = (bytes.len() - begin - PREFIX) as u64;
    let checked = match (written, u32::try_from(length)) {
        (Err(error), _) => Err(WireError::NotExpressed { reason: error.to_string() }),
        (Ok(()), Ok(length)) if length <= limit => Ok(length),
        (Ok(()), _) => Err(WireError::TooLong { length, limit }),
    };
    match checked {
        Ok(length) => {
            bytes[begin..begin + PREFIX].copy_from_slice(&length.to_le_bytes());
            Ok(())
        }
        Err(error) => {
            bytes.truncate(begin);
            Err(error)
        }
    }
}

/// Makes messages of bytes as they come.
#[derive(Debug)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// What of them has been read.
    read: usize,
    limit: u32,
}

impl Decoder {
    /// A decoder that takes frames of so many bytes at most.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { bytes: Vec::new(), read: 0, limit }
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// How many bytes of a message that is not whole are there.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.bytes.len() - self.read
    }

    /// The next message, if all of it is there.
    ///
    /// # Errors
    /// When the bytes are none; nothing that comes after them can be trusted.
    #[expect(clippy::should_implement_trait, reason = "a message may come after there was none")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        self.frame()?.map(decode).transpose()
    }

    /// The content of the next frame, if all of it is there, for whoever wants to know what it was meant to be when it
    /// cannot be [decoded](decode).
    ///
    /// # Errors
    /// When it is longer than what is taken.
    pub fn frame(&mut self) -> Result<Option<&[u8]>, WireError> {
        let bytes = &self.bytes[self.read..];
        let Some((prefix, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let length = u32::from_le_bytes(*prefix);
        if length > self.limit {
            return Err(WireError::TooLong { length: length.into(), limit: self.limit });
        }
        if rest.len() < length as usize {
            return Ok(None);
        }
        let begin = self.read + PREFIX;
        self.read = begin + length as usize;
        Ok(Some(&self.bytes[begin..self.read]))
    }
}

/// The message that is the content of a frame.
///
/// # Errors
/// When it is none.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, WireError> {
    // The one over a slice does not tell how far it has come.
    let mut deserializer = rmp_serde::Deserializer::new(Cursor::new(body));
    deserializer.set_max_depth(DEEPEST);
    let message = T::deserialize(&mut deserializer);
    let message = message.map_err(|error| WireError::NoMessage { reason: error.to_string() })?;
    let count = body.len() as u64 - deserializer.position();
    if count > 0 {
        return Err(WireError::Trailing { count });
    }
    Ok(message)
}
