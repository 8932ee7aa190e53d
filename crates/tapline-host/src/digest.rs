use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What tells the files of one package from those of any other: SHA-256, written `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest: `sha256:` and 64 hex digits in lower case")]
pub struct DigestError(String);

const PREFIX: &str = "sha256:";

impl Digest {
    /// The digest of some bytes as they are.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of files, by their names. Names and lengths count, so that nothing can move from one file to another.
    pub(crate) fn of(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut hash = Sha256::new();
        for (name, content) in files {
            for part in [name.as_bytes(), content] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.strip_prefix(PREFIX).and_then(|digits| HEXLOWER.decode(digits.as_bytes()).ok());
        let bytes = digits.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| DigestError(text.into()))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::loader::Loader;

    fn of(files: &[(&str, &str)]) -> Digest {
        Digest::of(
            &files.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect(),
        )
    }

    #[test]
    fn no_two_packages_share_a_digest() {
        let digests = [
            of(&[("a", "bc")]),
            of(&[("ab", "c")]),
            of(&[("a", "b"), ("c", "")]),
            of(&[("a", ""), ("bc", "")]),
            of(&[]),
        ];
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{place}");
        }
    }

    #[test]
    fn a_digest_reads_back_as_it_is_written() {
        let text = of(&[]).to_string();
        assert_eq!(text, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(text.parse::<Digest>().unwrap(), of(&[]));
        for wrong in [&text[..70], &text.to_uppercase(), &text.replace("sha256", "md5"), "", "sha256:"] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_files_of_a_package_count_and_nothing_else_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let digest = || Loader::digest(folder.path()).unwrap();
        let manifest = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n\
            [[provides]]\npoint = 'node'\nkey = 'a'\nschema = 'a.json'\n";
        write("plugin.toml", manifest);
        write("plugin.wasm", "code");
        write("a.json", "{}");
        let first = digest();
        write("README.md", "words");
        assert_eq!(digest(), first);
        for (name, text) in [("plugin.wasm", "coda"), ("a.json", "{ }"), ("plugin.toml", "#\n")] {
            let before = digest();
            write(name, &if name == "plugin.toml" { format!("{manifest}{text}") } else { text.into() });
            assert_ne!(digest(), before, "{name}");
        }
    }
}
