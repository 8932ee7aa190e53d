use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::manifest::RuntimeKind;

/// How much a plugin may use.
///
/// They bound what a plugin costs its host; they do not protect against a plugin that computes wrong values
/// within them. Native plugins are part of the application: what their code computes, holds and moves is theirs, and
/// `wall`, `calls`, `log` and `events` alone are enforced for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all instances of the plugin together: linear memories, tables, and what their calls have left with the
    /// host so far.
    pub memory: Bytes,
    /// Time that one call may compute, without what it spends in `next` or waits for the host.
    pub cpu: Duration,
    /// Time that one call may take, without what it spends in `next`.
    pub wall: Duration,
    /// Calls that may be inside the plugin at once.
    pub calls: u32,
    /// What one call may take from the host: values of the context, answers, files.
    pub input: Bytes,
    /// What one call may leave with the host: values of the context, requests, events, log lines.
    pub output: Bytes,
    /// Log lines in a second, all instances together; what is beyond is dropped, and counted.
    pub log: Bytes,
    /// Events that it may publish in a second, all instances together; what is beyond is refused, and counted.
    pub events: u32,
    /// Handles that one instance may hold at once: resources of the component model.
    pub handles: u32,
}

/// The limits that a manifest asks for; the host takes the smaller of these and its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LimitsAsked {
    /// Memory of all instances of the plugin together, as in `"64MiB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Time that one call may compute, as in `"2s"` or `"500ms"`; what it spends in `next` does not count.
    #[serde(skip_serializing_if = "Option::is_none", with = "optional_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub cpu: Option<Duration>,
    /// Time that one call may take, as in `"30s"`; what it spends in `next` does not count.
    #[serde(skip_serializing_if = "Option::is_none", with = "optional_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub wall: Option<Duration>,
    /// Calls that may be inside the plugin at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u32>,
    /// What one call may take from the host: values of the context, answers, files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Bytes>,
    /// What one call may leave with the host: values of the context, requests, events, log lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Bytes>,
    /// Log lines in a second, as in `"64KiB"`; what is beyond is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Bytes>,
    /// Events that it may publish in a second; what is beyond is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u32>,
    /// Handles that one instance may hold at once: resources of the component model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handles: Option<u32>,
}

/// A number of bytes, written with a binary unit: `"64MiB"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9]+ *(B|KiB|MiB|GiB)$")))]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub u64);

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size: a whole number and B, KiB, MiB or GiB, as in `64MiB`")]
pub struct BytesError(String);

impl Default for Limits {
    /// 512 MiB, 2 s of computing, 5 minutes in all, 128 calls at once, 64 MiB in and out of a call, 64 KiB of log and 1,000
    /// events in a second, 1,024 handles.
    fn default() -> Self {
        Self {
            memory: Bytes(512 << 20),
            cpu: Duration::from_secs(2),
            wall: Duration::from_secs(300),
            calls: 128,
            input: Bytes(64 << 20),
            output: Bytes(64 << 20),
            log: Bytes(64 << 10),
            events: 1000,
            handles: 1024,
        }
    }
}

impl Limits {
    /// The smaller of these limits and those that a manifest asks for.
    #[must_use]
    pub fn narrowed(&self, asked: &LimitsAsked) -> Self {
        fn smaller<T: Copy + Ord>(own: T, asked: Option<T>) -> T {
            asked.map_or(own, |asked| asked.min(own))
        }
        Self {
            memory: smaller(self.memory, asked.memory),
            cpu: smaller(self.cpu, asked.cpu),
            wall: smaller(self.wall, asked.wall),
            calls: smaller(self.calls, asked.calls),
            input: smaller(self.input, asked.input),
            output: smaller(self.output, asked.output),
            log: smaller(self.log, asked.log),
            events: smaller(self.events, asked.events),
            handles: smaller(self.handles, asked.handles),
        }
    }
}

impl LimitsAsked {
    /// The first limit that cannot be kept for plugins of a kind. What the code of a native plugin does is the
    /// application's own, and what a process computes is not known call by call.
    #[must_use]
    pub fn unkept(&self, runtime: RuntimeKind) -> Option<&'static str> {
        let (is_native, is_sandboxed) = (runtime == RuntimeKind::Native, runtime == RuntimeKind::Wasm);
        let asked = [
            ("memory", self.memory.is_some(), !is_native),
            ("cpu", self.cpu.is_some(), is_sandboxed),
            ("input", self.input.is_some(), !is_native),
            ("output", self.output.is_some(), !is_native),
            ("handles", self.handles.is_some(), is_sandboxed),
        ];
        asked.into_iter().find_map(|(name, is_asked, is_kept)| (is_asked && !is_kept).then_some(name))
    }

    /// The first limit that is zero, with which nothing could run.
    #[must_use]
    pub fn zero(&self) -> Option<&'static str> {
        let asked = [
            ("memory", self.memory == Some(Bytes(0))),
            ("cpu", self.cpu == Some(Duration::ZERO)),
            ("wall", self.wall == Some(Duration::ZERO)),
            ("calls", self.calls == Some(0)),
        ];
        asked.into_iter().find_map(|(name, is_zero)| is_zero.then_some(name))
    }
}

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        UNITS
            .iter()
            .find_map(|(unit, size)| {
                text.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(*size)
            })
            .map(Self)
            .ok_or_else(|| BytesError(text.into()))
    }
}

impl TryFrom<String> for Bytes {
    type Error = BytesError;

    fn try_from(text: String) -> Result<Self, BytesError> {
        text.parse()
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.to_string()
    }
}

/// Shows the size in the largest unit that divides it.
impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| self.0 > 0 && self.0.is_multiple_of(*size))
            .unwrap_or(("B", 1));
        write!(formatter, "{}{unit}", self.0 / size)
    }
}

/// Durations as people write them: `2s`, `1m 30s`, `500ms`.
pub(crate) mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(duration) => serializer.collect_str(&humantime::format_duration(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Some).map_err(|error| {
            serde::de::Error::custom(format!("`{text}` is not a duration such as `2s` or `500ms`: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_back_as_they_are_written() {
        for text in ["0B", "1B", "1500B", "64KiB", "64MiB", "3GiB"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
        for text in ["", "64", "64MB", "-1B", "99999999999GiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_manifest_can_only_lower_a_limit() {
        let asked = LimitsAsked {
            memory: Some(Bytes(1 << 40)),
            cpu: Some(Duration::from_millis(5)),
            ..LimitsAsked::default()
        };
        let limits = Limits::default().narrowed(&asked);
        assert_eq!(limits, Limits { cpu: Duration::from_millis(5), ..Limits::default() });
    }
}
