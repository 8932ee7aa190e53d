use std::fmt;

use similar::{ChangeTag, TextDiff};
use tapline::Value;
use tapline::core::Event;

use super::file::{Called, Expect, Publish, Requested};
use crate::rig::{Seen, SeenCall, SeenRequest};

/// Something that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    what: String,
    /// Lines, each marked as expected (`-`), as found (`+`), or as neither.
    lines: Vec<String>,
}

impl Mismatch {
    /// That something is not as expected, in words.
    pub fn other(what: &str, said: impl Into<String>) -> Self {
        Self { what: what.to_owned(), lines: vec![said.into()] }
    }

    /// How two values differ, as JSON line by line; `None` when they do not.
    #[must_use]
    pub fn values(what: &str, expected: &Value, found: &Value) -> Option<Self> {
        (expected != found).then(|| Self::difference(what, &pretty(expected), &pretty(found)))
    }

    /// How two texts differ, line by line.
    #[must_use]
    pub fn difference(what: &str, expected: &str, found: &str) -> Self {
        let difference = TextDiff::from_lines(expected, found);
        let lines = difference.iter_all_changes().map(|change| {
            let mark = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            format!("{mark} {}", change.value().trim_end_matches('\n'))
        });
        Self { what: format!("{what} (- expected, + found)"), lines: lines.collect() }
    }

    fn missing(what: &str, expected: &str, found: &[String]) -> Self {
        let mut lines = vec![format!("- {expected}")];
        lines.extend(found.iter().map(|line| format!("  {line}")));
        Self { what: format!("{what} (- expected, and not there in its turn)"), lines }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "    {}:", self.what)?;
        self.lines.iter().try_for_each(|line| writeln!(formatter, "      {line}"))
    }
}

/// Holds an answer, or the code and the text of an error, against what is expected.
pub(super) fn check_answer(expect: &Expect, answer: Result<Value, (String, String)>) -> Vec<Mismatch> {
    match (answer, &expect.error) {
        (Ok(output), None) => {
            expect.output.as_ref().and_then(|expected| Mismatch::values("output", expected, &output))
        }
        (Ok(output), Some(_)) => Some(Mismatch::other("no error, but an output", pretty(&output))),
        (Err((code, message)), Some(expected)) => {
            let is_right = code == expected.code && message.contains(&expected.message);
            let found = format!("{code}: {message}");
            (!is_right).then(|| {
                Mismatch::difference("error", &format!("{}: {}", expected.code, expected.message), &found)
            })
        }
        (Err((code, message)), None) => Some(Mismatch::other("an error", format!("{code}: {message}"))),
    }
    .into_iter()
    .collect()
}

/// Holds what reached the inside of a hook against what is expected.
pub(super) fn check_reached(expect: &Expect, reached: Vec<Value>) -> Option<Mismatch> {
    let expected = expect.reached.as_ref()?;
    Mismatch::values("what reached the inside", &expected.clone().into(), &reached.into())
}

/// Whether everything has been seen that is told in passing, and may come later than an answer.
pub(super) fn is_told(expect: &Expect, seen: &Seen) -> bool {
    expect.calls.as_ref().is_none_or(|expected| calls(expected, &seen.calls()).is_none())
        && expect.requests.as_ref().is_none_or(|expected| requests(expected, &seen.requests()).is_none())
        && first_missing(&expect.events, &seen.events(), is_event).is_none()
        && first_missing(&expect.log, &log(seen), contains).is_none()
        && first_missing(&expect.audit, &seen.audit(), contains).is_none()
}

/// Holds what the plugin did against what is expected.
pub(super) fn check_seen(expect: &Expect, seen: &Seen) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if let Some(expected) = &expect.calls {
        mismatches.extend(calls(expected, &seen.calls()));
    }
    if let Some(expected) = &expect.requests {
        mismatches.extend(requests(expected, &seen.requests()));
    }
    if let Some(missing) = first_missing(&expect.events, &seen.events(), is_event) {
        let found: Vec<_> =
            seen.events().iter().map(|event| line(event.topic.as_str(), &event.payload)).collect();
        mismatches.push(Mismatch::missing("events", &line(&missing.topic, &missing.payload), &found));
    }
    if let Some(missing) = first_missing(&expect.log, &log(seen), contains) {
        mismatches.push(Mismatch::missing("log", missing, &log(seen)));
    }
    if let Some(missing) = first_missing(&expect.audit, &seen.audit(), contains) {
        mismatches.push(Mismatch::missing("audit", missing, &seen.audit()));
    }
    mismatches
}

fn calls(expected: &[Called], found: &[SeenCall]) -> Option<Mismatch> {
    let is_same = |(expected, found): (&Called, &SeenCall)| {
        expected.target == found.target
            && expected.method == found.method
            && expected.request.as_ref().is_none_or(|request| *request == found.request)
    };
    let are_same = expected.len() == found.len() && expected.iter().zip(found).all(is_same);
    let told = |call: &Called| {
        let request =
            call.request.as_ref().map_or_else(String::new, |request| format!(" {}", request.to_json()));
        format!("{} of {}{request}\n", call.method, call.target)
    };
    let expected: String = expected.iter().map(told).collect();
    let found =
        found.iter().map(|call| format!("{} of {} {}\n", call.method, call.target, call.request.to_json()));
    (!are_same).then(|| Mismatch::difference("calls", &expected, &found.collect::<String>()))
}

fn requests(expected: &[Requested], found: &[SeenRequest]) -> Option<Mismatch> {
    let is_same = |(expected, found): (&Requested, &SeenRequest)| {
        let has_header = |(name, value): (&String, &String)| {
            found.headers.iter().any(|(given, sent)| given.eq_ignore_ascii_case(name) && sent == value)
        };
        expected.method == found.method
            && expected.url == found.url
            && expected.headers.iter().all(has_header)
            && expected.body.as_ref().is_none_or(|body| *body == found.body)
            && expected
                .json
                .as_ref()
                .is_none_or(|json| Value::from_json(&found.body).ok().as_ref() == Some(json))
    };
    let are_same = expected.len() == found.len() && expected.iter().zip(found).all(is_same);
    let told = |request: &Requested| {
        let body = request.json.as_ref().map(Value::to_json).or_else(|| request.body.clone());
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        shown(&request.method, &request.url, &headers, &body.unwrap_or_default())
    };
    let expected: String = expected.iter().map(told).collect();
    let found =
        found.iter().map(|request| shown(&request.method, &request.url, &request.headers, &request.body));
    (!are_same).then(|| Mismatch::difference("requests", &expected, &found.collect::<String>()))
}

fn shown(method: &str, url: &str, headers: &[(String, String)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
    format!("{method} {url}\n{headers}  {body}\n")
}

/// The first that is expected and does not come, after those before it, among what was found.
fn first_missing<'a, E, F>(expected: &'a [E], found: &[F], is_it: impl Fn(&E, &F) -> bool) -> Option<&'a E> {
    let mut found = found.iter();
    expected.iter().find(|expected| !found.any(|one| is_it(expected, one)))
}

fn is_event(expected: &Publish, found: &Event) -> bool {
    expected.topic == found.topic.as_str() && expected.payload == found.payload
}

fn contains(expected: &impl AsRef<str>, line: &impl AsRef<str>) -> bool {
    line.as_ref().contains(expected.as_ref())
}

fn log(seen: &Seen) -> Vec<String> {
    seen.log().into_iter().map(|(_, line)| line).collect()
}

fn line(topic: &str, payload: &Value) -> String {
    format!("{topic} {}", payload.to_json())
}

/// As JSON over several lines.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_json()) + "\n"
}
