use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Reads a file whole, if it is one and not too large: a device or a pipe, as a link may lead to, would never end.
///
/// # Errors
/// When it cannot be read, is no regular file, or has more bytes than `limit`.
pub fn read_file(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // To open a pipe would wait for who writes into it.
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut content = Vec::new();
    File::open(file)?.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(content)
}

/// That there are more bytes than may be.
pub(crate) fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes"))
}

/// Puts a file in its place, or in the place of another, in one step: whole or not at all.
///
/// # Errors
/// When it cannot be written; then there is what was there before.
pub fn write_file(file: &Path, content: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut whole = created_in(folder)?;
    whole.write_all(content)?;
    whole.as_file().sync_all()?;
    whole.persist(file)?;
    Ok(())
}

#[cfg(unix)]
fn created_in(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    // As any new file: the umask takes away from it.
    tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o666)).tempfile_in(folder)
}

#[cfg(not(unix))]
fn created_in(folder: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_what_never_ends_and_a_file_that_is_too_large_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "four").unwrap();
        assert_eq!(read_file(&file, 4).unwrap(), b"four");
        assert_eq!(read_file(&file, 3).unwrap_err().to_string(), "it has more than 3 bytes");
        let endless = folder.path().join("endless");
        std::os::unix::fs::symlink("/dev/zero", &endless).unwrap();
        assert_eq!(read_file(&endless, 4).unwrap_err().to_string(), "it is not a regular file");
    }
}
