use std::fs::{self, DirEntry};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use tempfile::NamedTempFile;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Digest;

/// Compiled components in a folder that nobody but the host can write: what lies there is run as it is.
///
/// A file is named after the component that it was made of and the engine that made it, so none is ever out of date.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// What two engines have in common that can run each other's code.
    engine: u64,
}

/// So many components lie in the folder; those that were used least lately make way.
const KEPT: usize = 256;
const ENDING: &str = "cwasm";

impl Cache {
    /// Opens a folder, and makes it where there is none.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> io::Result<Self> {
        create_private(folder)?;
        // What is checked is the folder itself, wherever links lead.
        let folder = folder.canonicalize()?;
        check_private(&folder)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { folder, engine: hasher.finish() })
    }

    /// The component of this digest, if it was compiled before. A file that cannot be used is as good as none.
    pub(crate) fn get(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let file = self.file(digest);
        if !file.exists() {
            return None;
        }
        match component_in(engine, &file) {
            Ok(component) => {
                // The time says that it was used; nothing is lost where it cannot be set.
                let _ = fs::File::options()
                    .write(true)
                    .open(&file)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                Some(component)
            }
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a compiled component cannot be used, and is compiled again");
                let _ = fs::remove_file(&file);
                None
            }
        }
    }

    /// Keeps the code of a component. Where it cannot be kept it is compiled again the next time.
    pub(crate) fn put(&self, digest: &Digest, code: &[u8]) {
        if let Err(error) = self.write(digest, code) {
            tracing::warn!(folder = %self.folder.display(), %error, "a compiled component cannot be kept");
        }
    }

    fn write(&self, digest: &Digest, code: &[u8]) -> io::Result<()> {
        self.make_room()?;
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(code)?;
        file.persist(self.file(digest))?;
        Ok(())
    }

    fn make_room(&self) -> io::Result<()> {
        let entries = fs::read_dir(&self.folder)?.collect::<io::Result<Vec<_>>>()?;
        let is_code = |entry: &DirEntry| entry.path().extension().is_some_and(|ending| ending == ENDING);
        let mut files: Vec<_> = entries.into_iter().filter(is_code).collect();
        if files.len() < KEPT {
            return Ok(());
        }
        files.sort_by_cached_key(|entry| entry.metadata().and_then(|metadata| metadata.modified()).ok());
        for file in &files[..=files.len() - KEPT] {
            // Another host may have removed it.
            let _ = fs::remove_file(file.path());
        }
        Ok(())
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}-{:016x}.{ENDING}", HEXLOWER.encode(digest), self.engine))
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Refuses a folder that others can write: their code would run as the host's.
#[cfg(unix)]
fn check_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(folder)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    if is_own && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let message = format!(
        "others than this user can write in {}, and what lies there is run; take it from them (chmod 700)",
        folder.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
const fn check_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The component of compiled code.
#[expect(unsafe_code, reason = "compiled code cannot be checked, only trusted")]
pub(super) fn component(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the code comes from the host's own compiler; no author can give any.
    unsafe { Component::deserialize(engine, code) }
}

#[expect(unsafe_code, reason = "compiled code cannot be checked, only trusted")]
fn component_in(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: only this user can write in the folder, and only the host writes there; files appear whole, and are
    // replaced and removed but never changed.
    unsafe { Component::deserialize_file(engine, file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine::default()
    }

    const DIGEST: Digest = [7; 32];

    fn code(engine: &Engine) -> Vec<u8> {
        Component::new(engine, wat::parse_str("(component)").unwrap()).unwrap().serialize().unwrap()
    }

    #[test]
    fn what_is_put_is_got_and_is_apart_for_every_component_and_engine() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(&folder.path().join("new"), &engine).unwrap();
        assert!(cache.get(&engine, &DIGEST).is_none());
        cache.put(&DIGEST, &code(&engine));
        assert!(cache.get(&engine, &DIGEST).is_some());
        assert!(cache.get(&engine, &[8; 32]).is_none());
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(true);
        let other = Engine::new(&config).unwrap();
        assert!(Cache::open(&folder.path().join("new"), &other).unwrap().get(&other, &DIGEST).is_none());
    }

    #[test]
    fn a_file_that_is_broken_is_as_good_as_none() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), &engine).unwrap();
        let code = code(&engine);
        for broken in [&b""[..], b"code", &code[..code.len() / 2]] {
            cache.put(&DIGEST, broken);
            assert!(cache.get(&engine, &DIGEST).is_none());
            assert!(!cache.file(&DIGEST).exists());
        }
    }

    #[test]
    fn the_folder_does_not_grow_without_end() {
        let (folder, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = Cache::open(folder.path(), &engine).unwrap();
        for number in 0..KEPT + 20 {
            let mut digest = DIGEST;
            digest[..8].copy_from_slice(&(number as u64).to_le_bytes());
            cache.put(&digest, b"code");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), KEPT);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_in_which_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).unwrap();
        let error = Cache::open(folder.path(), &engine()).unwrap_err();
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }
}
