//! The one form of a package on its way: a `.tar.gz` of regular files, and folders.

use std::io::{self, Read, Write as _};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, Entry, EntryType, Header};

use crate::contents::{Contents, LARGEST_CONTENTS};
use crate::error::PackageError;
use crate::name::Kind;

/// An archive larger than this is not read, in bytes: there is room for the largest package, though nothing gets smaller.
pub const LARGEST_ARCHIVE: u64 = LARGEST_CONTENTS + (4 << 20);

/// So many zeros may follow on the last file: `tar` fills its last record of 10 KiB up, and others larger ones.
const LONGEST_END: u64 = 64 << 10;
/// The mark of the end is two blocks of zeros, of which the first is read with the files.
const SHORTEST_END: u64 = 512;
/// The bits of a mode that make a program act for somebody else, or that keep a folder's files from being removed.
const SPECIAL_MODE: u32 = 0o7000;

/// Reads all files of an archive into memory. What is more than a file or a folder is not interpreted but refused, so
/// that nobody who reads the same archive finds other files in it.
pub(crate) fn unpacked(archive: &[u8]) -> Result<Contents, PackageError> {
    let mut tar = Archive::new(GzDecoder::new(archive));
    let mut contents = Contents::default();
    // Raw: no header changes what another one says.
    for entry in tar.entries().map_err(PackageError::damaged)?.raw(true) {
        add(&mut contents, entry.map_err(PackageError::damaged)?)?;
    }
    let mut end = tar.into_inner();
    check_end(&mut end)?;
    if end.into_inner().is_empty() { Ok(contents) } else { Err(PackageError::Trailing) }
}

fn add(contents: &mut Contents, mut entry: Entry<'_, impl Read>) -> Result<(), PackageError> {
    let header = entry.header();
    let name = name(header)?;
    let refused = |kind| Err(PackageError::Kind { name: name.clone(), kind });
    if header.as_ustar().is_none() && header.as_gnu().is_none() {
        return refused("of no kind that is known");
    }
    let mode = header.mode().map_err(PackageError::damaged)?;
    let size = header.entry_size().map_err(PackageError::damaged)?;
    match header.entry_type() {
        _ if mode & SPECIAL_MODE != 0 => refused("setuid, setgid or sticky"),
        EntryType::Regular => {
            contents.enter(&name, Kind::File)?;
            contents.fill(&name, size, &mut entry)
        }
        EntryType::Directory if size == 0 => {
            contents.enter(name.strip_suffix('/').unwrap_or(&name), Kind::Folder)
        }
        EntryType::Directory => refused("a folder with a content"),
        other => refused(described(other)),
    }
}

fn described(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a file with holes",
        EntryType::XHeader | EntryType::XGlobalHeader => "a header of the PAX form",
        EntryType::GNULongName | EntryType::GNULongLink => "a header with a longer name",
        _ => "of no kind that is known",
    }
}

/// The name that a header says, with nothing hidden behind its end.
fn name(header: &Header) -> Result<String, PackageError> {
    let name = header.path_bytes();
    let text = || PackageError::Name { name: String::from_utf8_lossy(&name).into_owned() };
    let fields =
        header.as_ustar().map_or([&header.as_old().name[..], &[]], |ustar| [&ustar.name, &ustar.prefix]);
    let is_hiding = |field: &[u8]| field.iter().skip_while(|byte| **byte != 0).any(|byte| *byte != 0);
    if fields.iter().any(|field| is_hiding(field)) {
        return Err(text());
    }
    std::str::from_utf8(&name).map(str::to_owned).map_err(|_| text())
}

/// Reads what follows on the files, to the end of what was compressed, whose checksum is compared then.
fn check_end(end: &mut impl Read) -> Result<(), PackageError> {
    let mut zeros = Vec::new();
    end.take(LONGEST_END + 1).read_to_end(&mut zeros).map_err(PackageError::damaged)?;
    let length = zeros.len() as u64;
    if length > LONGEST_END || zeros.iter().any(|byte| *byte != 0) {
        return Err(PackageError::Trailing);
    }
    if length < SHORTEST_END { Err(PackageError::CutOff) } else { Ok(()) }
}

/// The archive of some files: the same files make the same bytes, wherever and whenever they are packed.
pub(crate) fn packed(contents: &Contents) -> io::Result<Vec<u8>> {
    // Neither a time nor an operating system stands in the head, unless said.
    let mut tar = Builder::new(GzBuilder::new().write(Vec::new(), Compression::best()));
    for (name, content) in contents.files() {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_size(content.len() as u64);
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        tar.append(&header, content.as_slice())?;
    }
    let mut zip = tar.into_inner()?;
    zip.flush()?;
    zip.finish()
}

#[cfg(test)]
mod tests;
