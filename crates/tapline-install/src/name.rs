use std::collections::BTreeMap;

/// The names of a package's files and folders, among which no system takes one for another.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// By the name in lower case.
    seen: BTreeMap<String, (String, Kind)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
}

/// The name of a file is no longer than this, in bytes: so many fit into the oldest form of an archive.
pub(crate) const LONGEST: usize = 100;

/// Whether a name leads to the same place below a folder on every system, and nowhere else.
pub(crate) fn is_portable(name: &str) -> bool {
    name.len() <= LONGEST && name.split('/').all(is_portable_part)
}

fn is_portable_part(part: &str) -> bool {
    let starts_well = part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    let goes_on_well = part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    starts_well && goes_on_well && !part.ends_with('.')
}

impl Names {
    /// Takes up a name and the folders that it stands in, or gives the name that is in its way.
    pub(crate) fn add(&mut self, name: &str, kind: Kind) -> Result<(), String> {
        for (end, _) in name.match_indices('/') {
            self.add_one(&name[..end], Kind::Folder)?;
        }
        self.add_one(name, kind)
    }

    fn add_one(&mut self, name: &str, kind: Kind) -> Result<(), String> {
        let entry = (name.to_owned(), kind);
        match self.seen.get(&name.to_ascii_lowercase()) {
            Some(seen) if *seen == entry && kind == Kind::Folder => Ok(()),
            Some((seen, _)) => Err(seen.clone()),
            None => {
                self.seen.insert(name.to_ascii_lowercase(), entry);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a22_a_name_that_some_system_takes_for_another_place_is_none() {
        for name in ["plugin.toml", "schemas/web_search.json", "_a/b-c/D.e", &"a".repeat(LONGEST)] {
            assert!(is_portable(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "/",
            "/a",
            "a/",
            "a//b",
            "a/./b",
            "a/../b",
            "../../etc/x",
            "C:\\x",
            "C:x",
            "a\\b",
            "a\0b",
            "a\n",
            ".hidden",
            "a/.b",
            "a.",
            "a/b.",
            "-rf",
            "a b",
            "é",
            "e\u{301}",
            "plugin\u{200b}.toml",
            &"a".repeat(LONGEST + 1),
        ] {
            assert!(!is_portable(name), "{name:?}");
        }
    }

    #[track_caller]
    fn check(names: &[(&str, Kind)], expected: Result<(), &str>) {
        let mut seen = Names::default();
        let added = names.iter().try_for_each(|(name, kind)| seen.add(name, *kind));
        assert_eq!(added, expected.map_err(str::to_owned));
    }

    #[test]
    fn a27_names_that_are_the_same_on_some_system_are_refused() {
        use Kind::{File, Folder};
        check(&[("a", Folder), ("a/b", File), ("a/c", File), ("d/e/f", File), ("d/e", Folder)], Ok(()));
        check(&[("README", File), ("Readme", File)], Err("README"));
        check(&[("a/x", File), ("A/y", File)], Err("a"));
        check(&[("a", File), ("a", File)], Err("a"));
        check(&[("a", File), ("a/b", File)], Err("a"));
        check(&[("a/b", File), ("a", File)], Err("a"));
    }
}
