use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::plugin::{WireFailure, present};

/// What a plugin asks the host for. What each does, and how it fails, is in the contract of sandboxed plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
#[serde(rename_all = "kebab-case")]
pub enum Ask<V> {
    /// The value at a path. Answered by `value`, or by `nothing` where there is none.
    Get {
        /// The path.
        path: String,
    },
    /// The values at several paths. Answered by `values`.
    GetMany {
        /// The paths.
        paths: Vec<String>,
    },
    /// Puts a value at a path. Answered by `nothing`.
    Set {
        /// The path.
        path: String,
        /// The value.
        value: V,
    },
    /// Whether nobody waits for the answer any more. Answered by `flag`.
    IsGivenUp,
    /// Runs what is inside an around hook. Answered by `nothing`.
    Next,
    /// Gives a piece of the answer to whoever reads along. Answered by `nothing` when there is room for more.
    Emit {
        /// The piece.
        piece: V,
    },
    /// Writes a line to the log. Answered by `nothing`.
    Log {
        /// How much it matters.
        level: Level,
        /// The line.
        message: String,
    },
    /// Ends the plugin once the call is done. Answered by `nothing`.
    Exit {
        /// Why it cannot go on; left out, it is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<WireFailure<V>>,
    },
    /// Waits. Answered by `nothing` after so long.
    Sleep {
        /// How long.
        milliseconds: u64,
    },
    /// Calls another plugin. Answered by `value`.
    Call {
        /// `point/key`, a plugin's id, or `capability:name`.
        target: String,
        /// What is asked of it.
        method: String,
        /// The request.
        request: V,
        /// How long it waits, in milliseconds; five seconds unless said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<u64>,
        /// Whether whoever reads along with this plugin's answer reads along with that one.
        #[serde(default)]
        relays: bool,
    },
    /// Calls another plugin and waits for nothing. Answered by `nothing`.
    Cast {
        /// `point/key`, a plugin's id, or `capability:name`.
        target: String,
        /// What is asked of it.
        method: String,
        /// The request.
        request: V,
    },
    /// Publishes an event. Answered by `number`: for how many subscriptions it was queued.
    Publish {
        /// The topic.
        topic: String,
        /// What there is to know of it.
        payload: V,
    },
    /// All bytes of a file. Answered by `bytes`.
    ReadFile {
        /// The path.
        path: String,
    },
    /// Writes a file whole or not at all. Answered by `nothing`.
    WriteFile {
        /// The path.
        path: String,
        /// What is in it then.
        content: ByteBuf,
    },
    /// Adds to the end of a file. Answered by `nothing`.
    AppendFile {
        /// The path.
        path: String,
        /// What is added.
        content: ByteBuf,
    },
    /// What is in a folder. Answered by `entries`.
    ListFolder {
        /// The path.
        path: String,
    },
    /// Removes a file or an empty folder. Answered by `nothing`.
    RemoveFile {
        /// The path.
        path: String,
    },
    /// The time, in nanoseconds since 1970. Answered by `number`.
    Now,
    /// The time since the plugin was loaded, in nanoseconds. Answered by `number`.
    Elapsed,
    /// Random bytes. Answered by `bytes`.
    Random {
        /// How many.
        count: u32,
    },
    /// A request over http and all of its answer. Answered by `reply`.
    HttpSend(Request),
    /// A request over http and the begin of its answer. Answered by `reply` with the number of its body.
    HttpOpen(Request),
    /// The next piece of a body. Answered by `bytes`, or by `nothing` at its end.
    HttpRead {
        /// The number of the body.
        body: u32,
    },
    /// Reads no more of a body. Answered by `nothing`.
    HttpClose {
        /// The number of the body.
        body: u32,
    },
}

/// What came of something that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
#[serde(rename_all = "kebab-case")]
pub enum Answer<V> {
    /// It is done, or there is none.
    Nothing,
    /// A value.
    Value(V),
    /// Values, each in a list of one, or an empty list where there is none.
    Values(Vec<Slot<V>>),
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(u64),
    /// Bytes.
    Bytes(ByteBuf),
    /// What is in a folder.
    Entries(Vec<Entry>),
    /// An answer over http.
    Reply(Reply),
    /// It failed.
    Failure(WireFailure<V>),
}

/// A value, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
pub struct Slot<V> {
    /// The value, be it nil.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<V>,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For whoever looks for a bug.
    Debug,
    /// For whoever follows what happens.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something is wrong.
    Error,
}

/// The name and the value of a header.
pub type Header = (String, String);

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name within the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The length of a file in bytes; 0 for a folder.
    pub size: u64,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// A request over http.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET` and its like.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// What is sent.
    #[serde(default)]
    pub body: ByteBuf,
    /// How long it may take, in milliseconds; 30 seconds unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How many bytes the body of the answer may have; 8 MiB unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// An answer over http.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<Header>,
    /// All of the body; empty where it is read piece by piece.
    #[serde(default)]
    pub content: ByteBuf,
    /// The number under which the body is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<u32>,
}
