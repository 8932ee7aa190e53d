use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use blake3::Hash;

/// The token that whoever calls the server has to name.
pub(crate) struct Token(Hash);

/// So many random bytes make a token.
const LENGTH: usize = 32;
/// A token that somebody chose and is shorter could be guessed.
const SHORTEST: usize = 16;
const LONGEST: usize = 1024;

impl Token {
    /// Reads the token of a file, which is made where there is none; nobody else may be able to read it.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Self::make(file),
            read => read.with_context(|| format!("the token {}", file.display()))?,
        };
        refuse_readable(file)?;
        let text = text.trim();
        if !(SHORTEST..=LONGEST).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(
                "the token in {} has to be of {SHORTEST} to {LONGEST} letters, digits and signs; remove the file, and one is made",
                file.display()
            );
        }
        Ok(Self(blake3::hash(text.as_bytes())))
    }

    fn make(file: &Path) -> Result<Self> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).context("the system gives no random bytes for a token")?;
        let text = Hash::from(bytes).to_hex();
        if let Some(folder) = file.parent() {
            private_folder(folder).with_context(|| folder.display().to_string())?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(file).and_then(|mut file| {
            writeln!(file, "{text}")?;
            file.sync_all()
        });
        written.with_context(|| format!("the token {}", file.display()))?;
        Ok(Self(blake3::hash(text.as_bytes())))
    }

    /// Whether a token is this one; how long that takes tells nothing of it, because digests are compared, and all of them.
    pub(crate) fn is(&self, token: &str) -> bool {
        blake3::hash(token.as_bytes()) == self.0
    }
}

/// Makes a folder that nobody else looks into.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

#[cfg(unix)]
fn refuse_readable(file: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = fs::metadata(file).with_context(|| file.display().to_string())?.mode();
    if mode & 0o077 != 0 {
        bail!("others can read the token {0}; `chmod 600 {0}` keeps it to you", file.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_readable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_others_are_not_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/token");
        Token::of(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.trim().len(), 2 * LENGTH);
        let again = Token::of(&file).unwrap();
        assert!(again.is(text.trim()));
        assert!(!again.is(&text) && !again.is("") && !again.is(&text[..10]));
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_or_guess_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "correct horse battery staple").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(format!("{:#}", Token::of(&file).err().unwrap()).contains("chmod 600"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(format!("{:#}", Token::of(&file).err().unwrap()).contains("has to be of"));
        fs::write(&file, "correct-horse-battery-staple\n").unwrap();
        assert!(Token::of(&file).unwrap().is("correct-horse-battery-staple"));
    }
}
