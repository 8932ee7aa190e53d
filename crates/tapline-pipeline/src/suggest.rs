/// The bytes of the longest name that is compared.
const MAX_LENGTH: usize = 100;

/// How many names are compared, so that a file of nothing but mistakes is checked in time.
const MAX_NAMES: usize = 1000;

/// The sentence `did you mean ...?`, if one of the known names is close to what was written.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// That sentence, or else all names that would have done.
pub(crate) fn did_you_mean_or_list<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    introduction: &str,
) -> Option<String> {
    let known = known.into_iter();
    did_you_mean(written, known.clone()).or_else(|| {
        let names: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| format!("{introduction} {}", names.join(", ")))
    })
}

fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long text is no typing error of a short name, and comparing it would cost its length squared.
    if written.len() > MAX_LENGTH {
        return None;
    }
    let lower = written.to_lowercase();
    let near = known.into_iter().take(MAX_NAMES).filter(|name| *name != written && name.len() <= MAX_LENGTH);
    let close_enough = near.filter_map(|name| {
        let allowed = (1 + written.len().max(name.len()) / 4).min(name.chars().count().saturating_sub(1));
        let distance = || strsim::osa_distance(&lower, &name.to_lowercase());
        (written.len().abs_diff(name.len()) <= allowed + 2)
            .then(distance)
            .filter(|it| *it <= allowed)
            .map(|it| (it, name))
    });
    close_enough.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["nodes", "inputs", "outputs", "name"];
        assert_eq!(closest("node", known), Some("nodes"));
        assert_eq!(closest("Inputs", known), Some("inputs"));
        assert_eq!(closest("ouptuts", known), Some("outputs"));
        assert_eq!(closest("retries", known), None);
        assert_eq!(closest("b", ["a"]), None);
    }
}
