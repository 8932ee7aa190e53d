use std::io;
use std::path::PathBuf;

use cap_std::fs::Dir;
use tapline_core::{Bytes, FileError};

use super::confined::failure;

/// How much a plugin holds, and how much it may.
pub(super) struct Quota {
    max: u64,
    /// `None` when it has to be counted.
    held: Option<u64>,
}

/// Whatever has a name takes this much at least: any number of empty files would fill a disk, too.
const BLOCK: u64 = 4096;

impl Quota {
    pub(super) const fn new(max: u64) -> Self {
        Self { max, held: None }
    }

    /// Takes account of what is about to be written, and of what it takes the place of.
    pub(super) fn reserve(
        &mut self,
        growth: u64,
        release: u64,
        measured: impl FnOnce() -> Result<u64, FileError>,
    ) -> Result<(), FileError> {
        let held = match self.held {
            Some(held) => held,
            None => measured()?,
        };
        let after = held.saturating_sub(release).saturating_add(growth);
        self.held = Some(held);
        if after > self.max && after > held {
            let (max, held) = (Bytes(self.max), Bytes(held));
            return Err(failure("no-space", format!("it may hold {max} in its folder, and holds {held}")));
        }
        self.held = Some(after);
        Ok(())
    }

    pub(super) const fn release(&mut self, freed: u64) {
        if let Some(held) = self.held {
            self.held = Some(held.saturating_sub(freed));
        }
    }

    /// Has it counted anew when it is needed next.
    pub(super) const fn forget(&mut self) {
        self.held = None;
    }
}

/// What a file of this length takes; a folder takes what an empty file does.
pub(super) const fn cost(length: u64) -> u64 {
    match length.div_ceil(BLOCK) {
        0 => BLOCK,
        blocks => blocks.saturating_mul(BLOCK),
    }
}

/// What everything in a folder takes, without following links.
pub(super) fn measured(dir: &Dir) -> io::Result<u64> {
    let (mut sum, mut folders) = (0_u64, vec![PathBuf::from(".")]);
    while let Some(folder) = folders.pop() {
        for entry in dir.read_dir(&folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(folder.join(entry.file_name()));
            }
            sum = sum.saturating_add(if metadata.is_dir() { cost(0) } else { cost(metadata.len()) });
        }
    }
    Ok(sum)
}
