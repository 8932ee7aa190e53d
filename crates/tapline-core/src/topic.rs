use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// The name of a kind of events: dotted tokens, as in `run.started`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(Arc<str>);

/// The topics that a subscription or a grant is about. `*` stands for any one token, and `>` at the end for one token or
/// more, as in NATS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct TopicPattern(Arc<str>);

/// A set of patterns. The empty set covers nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct TopicSet(Vec<TopicPattern>);

/// A text that is no topic, or no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: {rule}")]
pub struct TopicError {
    text: String,
    kind: &'static str,
    rule: &'static str,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What kind of thing.
    pub topic: Topic,
    /// What is to be known of it.
    pub payload: Value,
}

fn is_token(token: &str) -> bool {
    !token.is_empty() && !token.contains(['*', '>']) && !token.contains(char::is_whitespace)
}

impl Topic {
    /// Checks a topic.
    ///
    /// # Errors
    /// When a token is empty, or one that only patterns have.
    pub fn new(topic: &str) -> Result<Self, TopicError> {
        let rule = "tokens joined by dots, as in `run.started`, without `*` and `>`";
        let refused = || TopicError { text: topic.into(), kind: "topic", rule };
        topic.split('.').all(is_token).then(|| Self(topic.into())).ok_or_else(refused)
    }

    /// The topic as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicPattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// When a token is empty or mixes a wildcard with other characters, or `>` is not the last.
    pub fn new(pattern: &str) -> Result<Self, TopicError> {
        let rule = "tokens joined by dots, where `*` stands for one token and `>`, at the end, for the rest";
        let refused = || TopicError { text: pattern.into(), kind: "topic pattern", rule };
        let (begin, last) =
            pattern.rsplit_once('.').map_or((None, pattern), |(begin, last)| (Some(begin), last));
        let is_one = |token: &str| token == "*" || is_token(token);
        let is_valid =
            begin.is_none_or(|begin| begin.split('.').all(is_one)) && (last == ">" || is_one(last));
        is_valid.then(|| Self(pattern.into())).ok_or_else(refused)
    }

    /// Whether a topic is one of those that the pattern is about.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        self.covers_tokens(&topic.0)
    }

    /// Whether every topic that the other pattern is about is one that this one is about.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.covers_tokens(&other.0)
    }

    fn covers_tokens(&self, other: &str) -> bool {
        let mut theirs = other.split('.');
        for ours in self.0.split('.') {
            match (ours, theirs.next()) {
                (">", Some(_)) => return true,
                (_, None | Some(">")) => return false,
                ("*", Some(_)) => {}
                (ours, Some(theirs)) if ours == theirs => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicSet {
    /// The set of the given patterns.
    ///
    /// # Errors
    /// When one of them is no pattern.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, TopicError> {
        patterns.into_iter().map(TopicPattern::new).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a pattern, unless it is there.
    pub fn insert(&mut self, pattern: TopicPattern) {
        if !self.0.contains(&pattern) {
            self.0.push(pattern);
        }
    }

    /// Whether any pattern is about the topic.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        self.0.iter().any(|pattern| pattern.matches(topic))
    }

    /// Whether one pattern covers all that another is about.
    #[must_use]
    pub fn covers(&self, other: &TopicPattern) -> bool {
        self.0.iter().any(|pattern| pattern.covers(other))
    }

    /// The topics that a pattern of each is about, where one of the two covers the other.
    ///
    /// It is never about more than both sets are. Of two patterns that only overlap, as `a.*` and `*.b`, it keeps
    /// nothing: it has no more patterns than both sets together, however often it is done.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self(self.0.iter().filter(|pattern| other.covers(pattern)).cloned().collect());
        other
            .0
            .iter()
            .filter(|pattern| self.covers(pattern))
            .for_each(|pattern| both.insert(pattern.clone()));
        both
    }

    /// The patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &TopicPattern> {
        self.0.iter()
    }

    /// Whether nothing is covered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a type that is a checked text has in common with the others.
macro_rules! checked_text {
    ($($type:ty),*) => {
        $(
            impl TryFrom<String> for $type {
                type Error = TopicError;

                fn try_from(text: String) -> Result<Self, TopicError> {
                    Self::new(&text)
                }
            }

            impl From<$type> for String {
                fn from(checked: $type) -> Self {
                    checked.0.to_string()
                }
            }

            impl fmt::Display for $type {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(&self.0)
                }
            }

            impl fmt::Debug for $type {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(&self.0)
                }
            }
        )*
    };
}

checked_text! { Topic, TopicPattern }

impl fmt::Debug for TopicSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, topic: &str, matches: bool) {
        let (pattern, topic) = (TopicPattern::new(pattern).unwrap(), Topic::new(topic).unwrap());
        assert_eq!(pattern.matches(&topic), matches, "{pattern} {topic}");
    }

    #[test]
    fn b01_patterns_match_whole_tokens_as_in_nats() {
        check("run.started", "run.started", true);
        check("run.started", "run", false);
        check("run.started", "run.started.late", false);
        check("run.started", "run.starting", false);
        check("run.*", "run.started", true);
        check("run.*", "run", false);
        check("run.*", "run.node.started", false);
        check("*.started", "run.started", true);
        check("*", "run", true);
        check("*", "run.started", false);
        check("run.>", "run.started", true);
        check("run.>", "run.node.started", true);
        check("run.>", "run", false);
        check(">", "run.node.started", true);
        check("*.node.>", "run.node.started", true);
        check("*.node.>", "run.node", false);
    }

    #[test]
    fn a_pattern_covers_another_when_it_is_about_all_of_its_topics() {
        let covers = |one: &str, other: &str| {
            TopicPattern::new(one).unwrap().covers(&TopicPattern::new(other).unwrap())
        };
        assert!(covers("run.>", "run.*") && covers("run.>", "run.node.>") && covers("run.*", "run.*"));
        assert!(
            !covers("run.*", "run.>") && !covers("run.started", "run.*") && !covers("run.*", "*.started")
        );
    }

    #[test]
    fn what_is_no_topic_and_no_pattern_is_refused() {
        for text in ["", ".", "run.", "run.*", "run.>", "run started", "r*n"] {
            assert!(Topic::new(text).is_err(), "{text}");
        }
        for text in ["", ".", "run.", ">.run", "run.>.x", "r*n", "run >"] {
            assert!(TopicPattern::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_intersection_keeps_the_narrower_of_two_patterns() {
        let both = |one: &str, other: &str| {
            let sets = [one, other].map(|text| TopicSet::new(text.split(' ')).unwrap());
            format!("{:?}", sets[0].intersection(&sets[1]))
        };
        assert_eq!(both("run.>", "run.* node.*"), "[run.*]");
        assert_eq!(both("run.*", "run.>"), "[run.*]");
        assert_eq!(both("run.*", "node.*"), "[]");
    }
}
