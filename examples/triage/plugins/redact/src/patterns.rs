use std::borrow::Cow;

use regex_lite::Regex;
use tapline_pdk::{Failure, Result};

/// What personal data looks like, and what stands in its place.
#[derive(Debug)]
pub(crate) struct Patterns(Vec<(Regex, String)>);

/// In this order, because groups of digits in an account number look like a telephone number.
const KINDS: [(&str, &str); 5] = [
    ("token", r"\b(?:hbr_live_[A-Za-z0-9]{24}|ghp_[A-Za-z0-9]{24,40}|sk-[A-Za-z0-9-]{24,64})\b"),
    ("email", r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"),
    ("iban", r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("card", r"\b(?:[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5})\b"),
    (
        "phone",
        concat!(
            r"\+[0-9]{8,15}\b|\+[0-9]{1,3}(?:[ .()-]{1,2}[0-9]{1,5}){2,6}\b",
            r"|\b0[0-9]{4}[ -][0-9]{6}\b|\b0[0-9]{1,3}[ /-][0-9]{3,5}[ -][0-9]{3,4}\b",
            r"|\b0[1-9](?:[ .][0-9]{2}){4}\b|(?:\([0-9]{3}\) ?|\b[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}\b",
            "|０[０-９]{1,2}−[０-９]{4}−[０-９]{4}",
        ),
    ),
];

impl Patterns {
    /// The names of the kinds.
    pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().map(|(kind, _)| kind)
    }

    /// The patterns of the kinds asked for.
    pub(crate) fn new(kinds: &[String]) -> Result<Self> {
        if let Some(unknown) = kinds.iter().find(|kind| Self::kinds().all(|known| known != **kind)) {
            let known = Self::kinds().collect::<Vec<_>>().join(", ");
            return Err(Failure::new(
                "invalid-config",
                format!("`{unknown}` is no kind of data; known are {known}"),
            ));
        }
        let wanted = KINDS.into_iter().filter(|(kind, _)| kinds.iter().any(|wanted| wanted == kind));
        wanted
            .map(|(kind, pattern)| Ok((Regex::new(pattern)?, format!("[{kind}]"))))
            .collect::<Result<_, regex_lite::Error>>()
            .map(Self)
            .map_err(|error| Failure::from_error("invalid-pattern", error))
    }

    /// The text without personal data; `None` when it has none.
    pub(crate) fn redact(&self, text: &str) -> Option<String> {
        let mut redacted = Cow::Borrowed(text);
        for (pattern, replacement) in &self.0 {
            if let Cow::Owned(changed) = pattern.replace_all(&redacted, replacement.as_str()) {
                redacted = Cow::Owned(changed);
            }
        }
        matches!(redacted, Cow::Owned(_)).then(|| redacted.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let patterns = Patterns::new(&Patterns::kinds().map(Into::into).collect::<Vec<_>>()).unwrap();
        assert_eq!(patterns.redact(text).as_deref(), expected);
    }

    #[test]
    fn personal_data_is_replaced_by_its_kind() {
        check("write to ada@mail.example.com", Some("write to [email]"));
        check("call +44 20 7946 0123 or (202) 555-0123", Some("call [phone] or [phone]"));
        check("card 4242 4242 4242 4242", Some("card [card]"));
        check("key hbr_live_abcdefghijklmnopqrstuvwx", Some("key [token]"));
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        check("order HB-204518, invoice INV-2026-00418, harbor-cli@5.2.1", None);
        check("", None);
    }

    #[test]
    fn an_unknown_kind_is_refused_with_the_known_ones() {
        let error = Patterns::new(&["emial".into()]).unwrap_err();
        assert_eq!(error.message(), "`emial` is no kind of data; known are token, email, iban, card, phone");
    }
}
