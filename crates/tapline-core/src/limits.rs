use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much a plugin may use.
///
/// They bound what a plugin costs its host; they do not protect against a plugin that computes wrong values
/// within them. Native plugins are part of the application: only `wall` is enforced for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all instances of the plugin together: linear memories and tables.
    pub memory: Bytes,
    /// Time that one call may compute, without what it spends in `next` or waits for the host.
    pub cpu: Duration,
    /// Time that one call may take, without what it spends in `next`.
    pub wall: Duration,
}

/// The limits that a manifest asks for; the host takes the smaller of these and its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsAsked {
    /// See [`Limits::memory`]; written as `"64MiB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// See [`Limits::cpu`]; written as `"2s"` or `"500ms"`.
    #[serde(skip_serializing_if = "Option::is_none", with = "optional_duration")]
    pub cpu: Option<Duration>,
    /// See [`Limits::wall`]; written as `"30s"`.
    #[serde(skip_serializing_if = "Option::is_none", with = "optional_duration")]
    pub wall: Option<Duration>,
}

/// A number of bytes, written with a binary unit: `"64MiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub u64);

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size: a whole number and B, KiB, MiB or GiB, as in `64MiB`")]
pub struct BytesError(String);

impl Default for Limits {
    /// 64 MiB, 2 s of computing, 30 s in all.
    fn default() -> Self {
        Self { memory: Bytes(64 << 20), cpu: Duration::from_secs(2), wall: Duration::from_secs(30) }
    }
}

impl Limits {
    /// The smaller of these limits and those that a manifest asks for.
    #[must_use]
    pub fn narrowed(&self, asked: &LimitsAsked) -> Self {
        Self {
            memory: asked.memory.map_or(self.memory, |memory| memory.min(self.memory)),
            cpu: asked.cpu.map_or(self.cpu, |cpu| cpu.min(self.cpu)),
            wall: asked.wall.map_or(self.wall, |wall| wall.min(self.wall)),
        }
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
mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(duration) => serializer.collect_str(&humantime::format_duration(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
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
        let asked =
            LimitsAsked { memory: Some(Bytes(1 << 40)), cpu: Some(Duration::from_millis(5)), wall: None };
        let limits = Limits::default().narrowed(&asked);
        assert_eq!(limits, Limits { cpu: Duration::from_millis(5), ..Limits::default() });
    }
}
