//! What goes wrong with a server, and whether it may be otherwise a little later.

use std::time::Duration;

use tapline_pdk::prelude::*;

/// Why an attempt gave no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Asking again would change nothing.
    Final(Failure),
    /// It may be otherwise a little later: when the server says, or after the usual time.
    Passing { failure: Failure, wait: Option<Duration> },
}

/// So much of what a server says is told, in characters.
const TOLD: usize = 300;

/// An answer that is none.
pub(crate) fn invalid(why: &str) -> Failure {
    Failure::new("invalid-answer", format!("the server's answer cannot be read: {why}"))
}

/// A server that did not answer.
pub(crate) fn of_connection(failure: Failure) -> Trouble {
    match failure.code() {
        "unreachable" | "invalid-response" => Trouble::Passing { failure, wait: None },
        _ => Trouble::Final(failure),
    }
}

/// A server that answered with an error.
pub(crate) fn of_status(status: u16, body: &str, after: Option<&str>, date: Option<&str>) -> Trouble {
    let (code, what) = match status {
        400 | 422 => ("invalid-request", "the server does not accept the request"),
        401 => (
            "unauthorized",
            "the server does not accept the key: see `api_key`, and the secret that it names",
        ),
        403 => ("forbidden", "the key may not do this"),
        404 => ("not-found", "the server knows no such model or address: see `base_url` and `model`"),
        408 | 504 => ("server-timeout", "the server took too long"),
        409 | 425 => ("conflict", "the server cannot do this now"),
        429 => ("rate-limited", "the server is asked too often, or its quota is used up"),
        500..=599 => ("server-error", "the server failed"),
        _ => ("http-status", "the server did not do what it was asked"),
    };
    let said = said(body);
    let colon = if said.is_empty() { "" } else { ": " };
    let wait = after.and_then(|after| wait(after, date));
    let mut details = vec![("status", i64::from(status).into())];
    details.extend(wait.map(|wait| ("retry_after_seconds", wait.as_secs_f64().into())));
    let failure = Failure::new(code, format!("{what} (status {status}){colon}{said}"))
        .with_details(Value::from_iter(details));
    match status {
        // An account without money has the status of one that asks too often.
        429 if body.contains("insufficient_quota") => Trouble::Final(failure),
        408 | 409 | 425 | 429 | 500 | 502..=504 => Trouble::Passing { failure, wait },
        _ => Trouble::Final(failure),
    }
}

/// What an error says, in one line.
fn said(body: &str) -> String {
    let value = Value::from_json(body).unwrap_or_default();
    let message =
        [&["error", "message"][..], &["message"], &["error"], &["detail"]].into_iter().find_map(|path| {
            let found = path.iter().try_fold(&value, |value, key| value.get(key))?;
            found.as_str().map(str::to_owned)
        });
    let text = message.unwrap_or_else(|| body.to_owned());
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// How long the server wants to be left alone: seconds, or a time, which is told by the server's own clock.
fn wait(after: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = after.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(after).ok()?;
    let now = httpdate::parse_http_date(date?).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(after: &str, date: Option<&str>) -> Option<Duration> {
        match of_status(429, "", Some(after), date) {
            Trouble::Passing { wait, .. } => wait,
            Trouble::Final(_) => None,
        }
    }

    #[test]
    fn a_server_says_when_to_ask_again_in_seconds_or_by_its_own_clock() {
        let date = Some("Fri, 27 Nov 2026 08:00:00 GMT");
        assert_eq!(waits("2", None), Some(Duration::from_secs(2)));
        assert_eq!(waits("0.5", None), Some(Duration::from_millis(500)));
        assert_eq!(waits("Fri, 27 Nov 2026 08:01:30 GMT", date), Some(Duration::from_secs(90)));
        assert_eq!(waits("Fri, 27 Nov 2026 07:00:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(waits("Fri, 27 Nov 2026 08:01:30 GMT", None), None);
        assert_eq!(waits("-1", None), None);
        assert_eq!(waits("soon", None), None);
    }

    #[test]
    fn what_a_server_says_is_told_in_one_line() {
        assert_eq!(said(r#"{"error":{"message":"No\n such  model"}}"#), "No such model");
        assert_eq!(said(r#"{"detail":"Not here"}"#), "Not here");
        assert_eq!(said("<html>\n<h1>Bad Gateway"), "<html> <h1>Bad Gateway");
        assert_eq!(said(&"ä".repeat(301)).chars().count(), 301);
        assert_eq!(said(""), "");
    }

    #[test]
    fn a_quota_that_is_used_up_is_not_waited_for() {
        let body = r#"{"error":{"code":"insufficient_quota","message":"No money"}}"#;
        assert!(matches!(of_status(429, body, Some("1"), None), Trouble::Final(_)));
    }
}
