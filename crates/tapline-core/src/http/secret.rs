//! `${secret:name}` in the value of a header.

const BEGIN: &str = "${secret:";

/// The names of the secrets in a value.
pub(super) fn names(value: &str) -> impl Iterator<Item = &str> {
    value.split(BEGIN).skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// The value with each secret in the place of its name, or the first name that has none.
pub(super) fn filled(value: &str, secret: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut parts = value.split(BEGIN);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((name, rest)) => filled += &(secret(name).ok_or_else(|| name.to_owned())? + rest),
            None => filled += &format!("{BEGIN}{part}"),
        }
    }
    Ok(filled)
}
