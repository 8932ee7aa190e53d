//! Disks that are small, or can be copied while they are in use.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system that goes away with this.
pub(crate) struct Mount {
    root: TempDir,
}

impl Mount {
    /// A disk in memory. `None`, and it is said, where this user may not mount one.
    pub(crate) fn in_memory(size: &str) -> Option<Self> {
        Self::new(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
    }

    /// The disk of an image. `None`, and it is said, where this user may not mount one.
    ///
    /// Nothing gets to the disk by itself: only what somebody waits for.
    pub(crate) fn of_image(image: &Path) -> Option<Self> {
        Self::new(&["-t", "ext4", "-o", "loop,commit=300", &image.display().to_string()])
    }

    fn new(what: &[&str]) -> Option<Self> {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().display().to_string();
        if succeeds("mount", &[what, &[&place]].concat()) {
            return Some(Self { root });
        }
        eprintln!("skipped: this user cannot mount disks here");
        None
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join(".tapline")
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A thread of a journal may still be at its end.
        succeeds("umount", &["--lazy", &self.root.path().display().to_string()]);
    }
}

/// An empty disk of 64 MB in a file. `None`, and it is said, where there is nothing to make one.
pub(crate) fn image(folder: &Path) -> Option<PathBuf> {
    let image = folder.join("disk");
    std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
    if succeeds("mkfs.ext4", &["-q", "-F", &image.display().to_string()]) {
        return Some(image);
    }
    eprintln!("skipped: there is no mkfs.ext4");
    None
}

#[expect(clippy::disallowed_methods, reason = "only programs of the system can mount disks")]
fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|ended| ended.status.success())
}
