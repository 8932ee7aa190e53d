use serde::{Deserialize, Deserializer, Serialize};

use crate::ask::{Ask, Level};

/// What a plugin says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
#[serde(rename_all = "kebab-case")]
pub enum FromPlugin<V> {
    /// The answer to the host's hello, before anything else.
    Hello(PluginHello),
    /// It asks the host for something, within a call that it has not ended.
    Ask {
        /// The call.
        call: u64,
        /// A number that none of what is being asked for in this call has.
        ask: u64,
        /// What it asks for.
        what: Ask<V>,
    },
    /// A call has come to its end.
    Done(Done<V>),
    /// A line for the log that belongs to no call.
    Log {
        /// How much it matters.
        level: Level,
        /// The line.
        message: String,
    },
    /// It is there.
    Pong {
        /// What the ping said.
        number: u64,
    },
}

/// What a plugin says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginHello {
    /// The version of the protocol that both will speak, one of those that the host offers.
    pub version: u32,
    /// What it is made with, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sdk: String,
}

/// How a call has ended. Without a failure or a fault it has ended well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
pub struct Done<V> {
    /// The call.
    pub call: u64,
    /// What is to stand at `output`; left out, it is what stands there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub output: Option<V>,
    /// How the call goes on after a before hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// The error that it answers with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<WireFailure<V>>,
    /// What broke: an error that nobody meant. It counts against the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// How a call goes on after a before hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// As if the hook were not there.
    Proceed,
    /// It ends with the output.
    Finish,
}

/// An error that is answered on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
pub struct WireFailure<V> {
    /// A short constant for programs.
    pub code: String,
    /// What went wrong, for people.
    pub message: String,
    /// More for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<V>,
}

/// Reads a value that is there, be it nil.
pub(crate) fn present<'de, D, V>(deserializer: D) -> Result<Option<V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    V::deserialize(deserializer).map(Some)
}
