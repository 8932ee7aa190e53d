//! The words of a file of cases.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use tapline::Value;
use tapline::pipeline::Code;

use super::mistakes::Mistakes;

/// A whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CasesFile {
    pub(super) cases: Vec<Case>,
}

/// One case: what the pipeline is given, what answers in the place of nodes and providers, and what is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) inputs: Named<Value>,
    /// What nodes answer instead of being run.
    #[serde(default)]
    pub(super) mocks: Named<Mock>,
    /// The file with what providers have answered.
    #[serde(default)]
    pub(super) replay: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub(super) expect: Expect,
}

/// What a node answers.
#[derive(Debug, Clone)]
pub(super) enum Mock {
    /// Whenever it is asked.
    Always(Answer),
    /// Call after call.
    InTurn(Vec<Answer>),
}

/// One answer: an output, or the text of an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(default, deserialize_with = "present")]
    pub(super) output: Option<Value>,
    #[serde(default)]
    pub(super) error: Option<String>,
}

/// What is expected. What is left out may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    /// These outputs of the pipeline, among whatever others.
    pub(super) outputs: Named<Value>,
    /// A part of the error with which the run fails.
    pub(super) error: Option<Spanned<String>>,
    pub(super) nodes: Named<ExpectedNode>,
}

/// What is expected of a node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedNode {
    #[serde(default)]
    pub(super) state: Option<State>,
    #[serde(default, deserialize_with = "present")]
    pub(super) output: Option<Value>,
}

/// How far a node is expected to come.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Waiting,
    Done,
    Skipped,
    Failed,
}

/// Values by name, in the order in which they are written; each name has its place.
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) Vec<(Spanned<String>, T)>);

impl CasesFile {
    /// Reads a file; `None` when it is none of cases.
    pub(super) fn parse(mistakes: &mut Mistakes) -> Option<Self> {
        let options = serde_saphyr::options! { strict_booleans: true };
        match serde_saphyr::from_str_with_options::<Self>(mistakes.text(), options) {
            Ok(file) if file.cases.is_empty() => {
                mistakes.add_at_start(Code::MissingKey, "there is no case");
                None
            }
            Ok(file) => Some(file),
            Err(error) => {
                mistakes.add_unread(&error);
                None
            }
        }
    }
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

impl Mock {
    pub(super) fn answers(&self) -> &[Answer] {
        match self {
            Self::Always(answer) => std::slice::from_ref(answer),
            Self::InTurn(answers) => answers,
        }
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Named<T>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Mock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Mock;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("an answer, as in `{ output: 1 }` or `{ error: busy }`, or a list of answers")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Mock, M::Error> {
                Answer::deserialize(MapAccessDeserializer::new(map)).map(Mock::Always)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, list: S) -> Result<Mock, S::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Mock::InTurn)
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}

/// A value that is given, `null` included.
pub(super) fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}
