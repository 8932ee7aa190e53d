use std::fmt;

use serde::{Deserialize, Serialize};

/// A set of places in a call's context: dotted tokens, where `*` stands for any one token.
///
/// A pattern covers the place that it names and everything below: `input.user` covers `input.user.name`, and
/// neither `input` nor `input.username`. The empty set covers nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PathSet(Vec<PathPattern>);

/// A place in a call's context: dotted tokens, as in `input.user`, where `*` stands for any one token.
///
/// It covers what lies below, too.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(String);

/// A text that is no path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path: tokens joined by dots, as in `input.user`, where `*` stands for one token")]
pub struct PathError(String);

impl PathPattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// When a token is empty or mixes `*` with other characters, so that nothing means everything by accident.
    pub fn new(pattern: &str) -> Result<Self, PathError> {
        let valid = pattern.split('.').enumerate().all(|(place, token)| match token {
            "" => false,
            "*" => place > 0,
            token => !token.contains('*') && !token.contains(char::is_whitespace),
        });
        if valid { Ok(Self(pattern.into())) } else { Err(PathError(pattern.into())) }
    }

    /// Whether `path` is the place named or lies below it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let mut tokens = path.split('.');
        self.0.split('.').all(|wanted| match tokens.next() {
            None | Some("") => false,
            Some(token) => wanted == "*" || wanted == token,
        })
    }
}

impl PathSet {
    /// The set of the given patterns.
    ///
    /// # Errors
    /// When one of them is no pattern.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, PathError> {
        patterns.into_iter().map(PathPattern::new).collect::<Result<_, _>>().map(Self)
    }

    /// Whether any pattern covers the path.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.covers(path))
    }

    /// Whether any pattern names the path, something below it, or something that holds it.
    #[must_use]
    pub fn touches(&self, path: &str) -> bool {
        // Values are reached without empty tokens, and an element of an array by any writing of its number.
        let number = |token: &str| token.parse::<usize>().ok();
        let is_same = |wanted: &str, token: &str| {
            wanted == "*" || wanted == token || number(wanted).is_some_and(|one| number(token) == Some(one))
        };
        self.0.iter().any(|pattern| {
            let tokens = path.split('.').filter(|token| !token.is_empty());
            pattern.0.split('.').zip(tokens).all(|(wanted, token)| is_same(wanted, token))
        })
    }

    /// The patterns that are not taken out.
    pub(crate) fn without(&self, is_out: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|pattern| !is_out(&pattern.0)).cloned().collect())
    }

    /// Adds the patterns of another set.
    pub(crate) fn extend(&mut self, other: &Self) {
        let new: Vec<_> = other.0.iter().filter(|pattern| !self.0.contains(pattern)).cloned().collect();
        self.0.extend(new);
    }

    /// The places that a pattern of each covers, where one of the two covers the other.
    ///
    /// It never covers more than both sets do. Of two patterns that only overlap, as `a.*.c` and `a.b.*`, it keeps
    /// nothing: it has no more patterns than both sets together, however often it is done.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let kept = |ours: &Self, theirs: &Self| {
            ours.0.iter().filter(|pattern| theirs.covers(&pattern.0)).cloned().collect::<Vec<_>>()
        };
        let mut both = kept(self, other);
        both.extend(kept(other, self).into_iter().filter(|pattern| !self.0.contains(pattern)));
        Self(both)
    }

    /// The patterns, as written.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.0.as_str())
    }

    /// Whether nothing is covered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for PathPattern {
    type Error = PathError;

    fn try_from(pattern: String) -> Result<Self, PathError> {
        Self::new(&pattern)
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.0
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for PathSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &[&str], path: &str, covered: bool) {
        assert_eq!(
            PathSet::new(patterns.iter().copied()).unwrap().covers(path),
            covered,
            "{patterns:?} {path}"
        );
    }

    #[test]
    fn a_grant_covers_whole_tokens_and_what_lies_below_and_no_more() {
        check(&["input.user"], "input.user", true);
        check(&["input.user"], "input.user.name", true);
        check(&["input.user"], "input.username", false);
        check(&["input.user"], "input", false);
        check(&["input.user"], "", false);
        check(&["input.items.*.text"], "input.items.3.text", true);
        check(&["input.items.*.text"], "input.items.3.id", false);
        check(&["input.items.*.text"], "input.items..text", false);
        check(&[], "input", false);
    }

    #[test]
    fn no_pattern_means_everything() {
        for pattern in ["", "*", ".", "input.", "input.*x", "*.input"] {
            assert!(PathPattern::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn an_intersection_keeps_the_narrower_of_two_patterns() {
        let wide = PathSet::new(["input", "node.id"]).unwrap();
        let narrow = PathSet::new(["input.text", "output"]).unwrap();
        assert_eq!(wide.intersection(&narrow), PathSet::new(["input.text"]).unwrap());
        assert_eq!(narrow.intersection(&wide), PathSet::new(["input.text"]).unwrap());
        assert!(wide.intersection(&PathSet::default()).is_empty());
    }
}
