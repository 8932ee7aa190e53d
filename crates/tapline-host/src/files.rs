use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tapline_core::{
    BoxFuture, Failure, FileChange, FileError, FilePath, Files, Folder, FolderEntry, Grants, PluginId,
};
use tempfile::TempDir;
use tokio::sync::Mutex;

mod confined;
mod quota;

use confined::Confined;
use quota::Quota;

/// Where the folders lie that plugins may be granted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// Each plugin has its own folder in here; `None` for a temporary one each time that it is loaded.
    pub(crate) scratch: Option<PathBuf>,
    pub(crate) data: Option<PathBuf>,
}

/// The files of one plugin. What it does with them is done one after the other, on a thread that may block.
pub(crate) struct PluginFiles(Arc<Mutex<Folders>>);

/// The folders of one plugin, opened when they are first used.
struct Folders {
    plugin: PluginId,
    places: Places,
    /// What the plugin may hold in its scratch folder, in bytes.
    max: u64,
    open: BTreeMap<Folder, Confined>,
    /// Removed with the plugin.
    temporary: Option<TempDir>,
}

impl PluginFiles {
    pub(crate) fn new(plugin: PluginId, places: Places, grants: &Grants) -> Self {
        let scratch = grants.fs.iter().filter(|grant| grant.path == Folder::Scratch);
        let max = scratch.filter_map(|grant| grant.max).max().map_or(0, |max| max.0);
        let folders = Folders { plugin, places, max, open: BTreeMap::new(), temporary: None };
        Self(Arc::new(Mutex::new(folders)))
    }

    /// Does something where waiting for a disk holds nobody up. Once it has begun it comes to its end.
    fn act<T: Send + 'static>(
        &self,
        path: FilePath,
        act: impl FnOnce(&mut Confined, &str) -> Result<T, FileError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, FileError>> {
        let folders = Arc::clone(&self.0);
        Box::pin(async move {
            let mut folders = folders.lock_owned().await;
            let done =
                tokio::task::spawn_blocking(move || act(folders.opened(path.folder)?, &path.inside)).await;
            // It breaks off only when the runtime ends.
            done.unwrap_or_else(|error| Err(FileError::Failed(Failure::from_error("io", error))))
        })
    }
}

impl Files for PluginFiles {
    fn read(&self, path: FilePath) -> BoxFuture<'static, Result<Vec<u8>, FileError>> {
        self.act(path, |folder, path| folder.read(path))
    }

    fn list(&self, path: FilePath) -> BoxFuture<'static, Result<Vec<FolderEntry>, FileError>> {
        self.act(path, |folder, path| folder.list(path))
    }

    fn change(&self, path: FilePath, change: FileChange) -> BoxFuture<'static, Result<(), FileError>> {
        self.act(path, move |folder, path| match &change {
            FileChange::Write(bytes) => folder.write(path, bytes),
            FileChange::Append(bytes) => folder.append(path, bytes),
            FileChange::Remove => folder.remove(path),
        })
    }
}

impl Folders {
    fn opened(&mut self, folder: Folder) -> Result<&mut Confined, FileError> {
        if !self.open.contains_key(&folder) {
            let opened = match folder {
                Folder::Data => self.open_data(),
                Folder::Scratch => self.open_scratch(),
            };
            let opened = opened.map_err(|error| self.not_opened(folder, &error))?;
            self.open.insert(folder, opened);
        }
        self.open.get_mut(&folder).ok_or_else(|| no_such_folder(folder))
    }

    fn open_data(&self) -> io::Result<Confined> {
        let place = self.places.data.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok(Confined::new(Dir::open_ambient_dir(place, ambient_authority())?, Folder::Data, None))
    }

    fn open_scratch(&mut self) -> io::Result<Confined> {
        let dir = if let Some(place) = &self.places.scratch {
            std::fs::create_dir_all(place)?;
            let all = Dir::open_ambient_dir(place, ambient_authority())?;
            // A link in its place would lead elsewhere, and is not followed out of the folder.
            all.create_dir_all(self.plugin.as_str())?;
            all.open_dir(self.plugin.as_str())?
        } else {
            let temporary = tempfile::Builder::new().prefix("tapline-").tempdir()?;
            let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority())?;
            self.temporary = Some(temporary);
            dir
        };
        Ok(Confined::new(dir, Folder::Scratch, Some(Quota::new(self.max))))
    }

    /// Where the folder lies is no business of the plugin's.
    fn not_opened(&self, folder: Folder, error: &io::Error) -> FileError {
        let is_given = folder == Folder::Scratch || self.places.data.is_some();
        if is_given {
            tracing::error!(plugin = %self.plugin, %folder, %error, "a folder cannot be opened");
        }
        no_such_folder(folder)
    }
}

fn no_such_folder(folder: Folder) -> FileError {
    FileError::Failed(Failure::new("no-such-folder", format!("there is no folder `{folder}` here")))
}

#[cfg(test)]
mod tests;
