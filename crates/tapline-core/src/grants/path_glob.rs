use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

/// The paths of a URL that a grant is about: `/v1/search`, `/repos/*/issues` (any one segment, and not an empty one),
/// `/v1/*` (everything below), or `/*` (every path).
///
/// Segments are compared with their percent-encoding taken away, so that no other spelling gets through.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct PathGlob {
    segments: Vec<Segment>,
    /// Whether at least one more segment follows.
    has_rest: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    Exactly(Box<[u8]>),
    Any,
}

/// A text that names no paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no paths: write it as in `/v1/search`, `/repos/*/issues` or `/v1/*`, where `*` is a whole segment"
)]
pub struct PathGlobError(String);

/// The path of a request, taken apart.
#[derive(Debug)]
pub(super) struct RequestPath(Vec<Box<[u8]>>);

/// What would be read as something else than a part of a segment.
const SPECIAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'*')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\');

impl RequestPath {
    /// Takes a path apart; `None` for one that servers may read as another, because a `..` is hidden in it.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let path = url.path().strip_prefix('/')?;
        let mut segments = path.split('/');
        segments.clone().all(is_plain).then(|| Self(segments.by_ref().map(decoded).collect()))
    }
}

fn decoded(segment: &str) -> Box<[u8]> {
    percent_decode_str(segment).collect()
}

/// Whether a segment stays one however often it is decoded, and whatever a server takes for a separator.
fn is_plain(segment: &str) -> bool {
    let mut text = segment.to_owned();
    loop {
        let is_up = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
        if text.contains(char::is_control) || text.split(['/', '\\']).any(is_up) {
            return false;
        }
        let once_more = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if once_more == text {
            return true;
        }
        text = once_more;
    }
}

impl PathGlob {
    /// Whether the path is one of these.
    pub(super) fn covers(&self, RequestPath(path): &RequestPath) -> bool {
        let has_length =
            if self.has_rest { path.len() > self.segments.len() } else { path.len() == self.segments.len() };
        has_length && self.segments.iter().zip(path).all(|(segment, wanted)| segment.covers(wanted))
    }

    /// Whether these are all paths of the other.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.intersection(other).as_ref() == Some(other)
    }

    /// The paths of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (short, long) =
            if self.segments.len() <= other.segments.len() { (self, other) } else { (other, self) };
        let has_length = match (short.has_rest, long.has_rest) {
            (true, true) => true,
            (true, false) => long.segments.len() > short.segments.len(),
            (false, true) => false,
            (false, false) => long.segments.len() == short.segments.len(),
        };
        if !has_length {
            return None;
        }
        let (begin, end) = long.segments.split_at(short.segments.len());
        let begin = short.segments.iter().zip(begin).map(|(one, other)| one.intersection(other));
        let segments = begin.chain(end.iter().cloned().map(Some)).collect::<Option<_>>()?;
        Some(Self { segments, has_rest: short.has_rest && long.has_rest })
    }
}

impl Segment {
    fn covers(&self, wanted: &[u8]) -> bool {
        match self {
            Self::Exactly(segment) => **segment == *wanted,
            Self::Any => !wanted.is_empty(),
        }
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, Self::Any) => Some(Self::Any),
            (Self::Exactly(segment), pattern) | (pattern, Self::Exactly(segment)) => {
                pattern.covers(segment).then(|| Self::Exactly(segment.clone()))
            }
        }
    }
}

impl FromStr for PathGlob {
    type Err = PathGlobError;

    fn from_str(text: &str) -> Result<Self, PathGlobError> {
        let refused = || PathGlobError(text.into());
        let path = text.strip_prefix('/').ok_or_else(refused)?;
        if path.contains(['?', '#', '\\']) {
            return Err(refused());
        }
        let mut texts: Vec<_> = path.split('/').collect();
        let has_rest = texts.last() == Some(&"*");
        if has_rest {
            texts.pop();
        }
        let segment = |text: &str| match text {
            "*" => Some(Segment::Any),
            text if !text.contains('*') && is_plain(text) => Some(Segment::Exactly(decoded(text))),
            _ => None,
        };
        let segments = texts.into_iter().map(segment).collect::<Option<_>>().ok_or_else(refused)?;
        Ok(Self { segments, has_rest })
    }
}

impl TryFrom<String> for PathGlob {
    type Error = PathGlobError;

    fn try_from(text: String) -> Result<Self, PathGlobError> {
        text.parse()
    }
}

impl From<PathGlob> for String {
    fn from(glob: PathGlob) -> Self {
        glob.to_string()
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Exactly(segment) => write!(formatter, "/{}", percent_encode(segment, SPECIAL))?,
                Segment::Any => formatter.write_str("/*")?,
            }
        }
        formatter.write_str(if self.has_rest { "/*" } else { "" })
    }
}

impl fmt::Debug for PathGlob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(glob: &str, path: &str, expected: bool) {
        let url = Url::parse(&format!("https://a.example{path}")).unwrap();
        let glob: PathGlob = glob.parse().unwrap();
        let covers = RequestPath::of(&url).is_some_and(|path| glob.covers(&path));
        assert_eq!(covers, expected, "{glob} {path}");
    }

    #[test]
    fn a_glob_covers_what_it_names_and_no_more() {
        check("/v1/search", "/v1/search", true);
        check("/v1/search", "/v1/search/", false);
        check("/v1/search", "/v1/Search", false);
        check("/v1/search", "/v1/se%61rch?q=x", true);
        check("/v1/*", "/v1/a/b", true);
        check("/v1/*", "/v1/", true);
        check("/v1/*", "/v1", false);
        check("/v1/*", "/v10/a", false);
        check("/*", "", true);
        check("/*", "/a//b", true);
        check("/", "/", true);
        check("/", "/a", false);
        check("/repos/*/issues", "/repos/x/issues", true);
        check("/repos/*/issues", "/repos//issues", false);
        check("/repos/*/issues", "/repos/x/y/issues", false);
        check("/projects/*", "/projects/group%2Fname", true);
    }

    #[test]
    fn a_way_up_that_is_hidden_leads_nowhere() {
        for path in [
            "/v1/../admin",
            "/v1/%2e%2e/admin",
            "/v1/..%2fadmin",
            "/v1/%2e%2e%2fadmin",
            "/v1/%252e%252e/admin",
            "/v1/..%5cadmin",
            "/v1/..;/admin",
            "/v1/x%00",
        ] {
            check("/v1/*", path, false);
        }
    }

    #[test]
    fn what_names_no_paths_is_refused() {
        for text in ["", "*", "v1", "/v*", "/v1/**", "/v1?x", "/v1#x", "/../x", "/a/%2e%2e", "/a\\b"] {
            assert!(text.parse::<PathGlob>().is_err(), "{text}");
        }
        for text in ["/", "/*", "/v1/*", "/a/*/b", "/a/", "/a%2Fb", "/a%2Ab"] {
            assert_eq!(text.parse::<PathGlob>().unwrap().to_string(), text);
        }
    }
}
