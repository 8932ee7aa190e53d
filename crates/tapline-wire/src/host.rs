use serde::{Deserialize, Serialize};

use crate::ask::Answer;
use crate::plugin::present;

/// What a host says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
#[serde(rename_all = "kebab-case")]
pub enum FromHost<V> {
    /// The first message of all.
    Hello(HostHello),
    /// The plugin is to do something.
    Call(Call<V>),
    /// What came of something that the plugin asked for.
    Answer {
        /// The call in which it asked.
        call: u64,
        /// The number that it gave to what it asked.
        ask: u64,
        /// What came of it.
        with: Answer<V>,
    },
    /// Nobody waits for a call any more: it is to end soon, with whatever it likes.
    Cancel {
        /// The call.
        call: u64,
    },
    /// The plugin is to say that it is there.
    Ping {
        /// What it repeats.
        number: u64,
    },
}

/// What a host says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostHello {
    /// The versions of the protocol that it speaks, the oldest and the newest.
    pub versions: (u32, u32),
    /// The plugin that it believes to have started.
    pub plugin: String,
    /// The longest frame that it takes and sends, in bytes.
    pub frame: u32,
    /// How many things may be asked for at once in one call.
    pub asks: u32,
    /// How long it waits for the answer to this, in milliseconds.
    pub within: u64,
}

/// Something that a plugin is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
pub struct Call<V> {
    /// Its number, which no other call to this process has.
    pub call: u64,
    /// What is to be done.
    pub operation: Operation,
    /// What it is about, as the plugin may read it at `input`. Left out where the plugin has to ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub input: Option<V>,
    /// The plugin that makes the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Whether somebody reads the answer while it is made.
    #[serde(default, skip_serializing_if = "is_false")]
    pub streamed: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Make itself ready; the input is its configuration. The first call of a process, and the only one until it is done.
    Init,
    /// Begin its work.
    Start,
    /// End its work.
    Stop,
    /// Say whether it is well.
    Health,
    /// Hand over its state, as the output.
    ExportState,
    /// Take over a state, which is the input.
    ImportState {
        /// The version of the plugin that has handed it over.
        from: String,
    },
    /// Run a before hook.
    Before {
        /// The hook's name.
        hook: String,
    },
    /// Run an after hook.
    After {
        /// The hook's name.
        hook: String,
    },
    /// Run an around hook.
    Around {
        /// The hook's name.
        hook: String,
    },
    /// Run a replace hook.
    Replace {
        /// The hook's name.
        hook: String,
    },
    /// Run an answer hook.
    Answer {
        /// The hook's name.
        hook: String,
    },
    /// Take an event, which is the input.
    Event {
        /// The subscription's name.
        subscription: String,
    },
    /// Answer a request, which is the input.
    Handle {
        /// The contribution, as `point/key`.
        contribution: String,
        /// What is asked of it.
        method: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
