use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compress, FlushCompress};
use proptest::prelude::*;

use super::*;
use crate::contents::{LARGEST_CONTENTS, MOST_FILES};

/// A header with these bytes as its name, and of this kind, with a checksum that is right.
fn header(name: &[u8], kind: u8, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

/// A header and its content, filled up to whole blocks.
fn entry(header: &Header, content: &[u8]) -> Vec<u8> {
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    entry(&header(name.as_bytes(), b'0', content.len() as u64), content)
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap()
}

/// An archive of entries, with its end.
fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    zipped(&[entries.concat(), vec![0; 1024]].concat())
}

#[track_caller]
fn refused(archive: &[u8], expected: &str) {
    let told = unpacked(archive).unwrap_err().to_string();
    assert!(told.contains(expected), "{told}");
}

#[track_caller]
fn refused_entry(header: &Header, expected: &str) {
    refused(&archive(&[file("plugin.toml", b"x"), entry(header, b"")]), expected);
}

#[test]
fn what_is_packed_is_unpacked_as_it_was_and_packed_as_the_same_bytes() {
    let folder = entry(&header(b"schemas/", b'5', 0), b"");
    let files = [file("schemas/x.json", b"{}"), folder, file("README", b""), file("a", &[7; 1000])];
    let contents = unpacked(&archive(&files)).unwrap();
    let mut gnu = Header::new_gnu();
    gnu.as_old_mut().name[..4].copy_from_slice(b"made");
    gnu.set_mode(0o755);
    gnu.set_size(0);
    gnu.set_cksum();
    assert!(unpacked(&archive(&[entry(&gnu, b"")])).unwrap().files().contains_key("made"));
    assert_eq!(contents.files().keys().collect::<Vec<_>>(), ["README", "a", "schemas/x.json"]);
    let bytes = packed(&contents).unwrap();
    let again = unpacked(&bytes).unwrap();
    assert_eq!(again.files(), contents.files());
    assert_eq!(packed(&again).unwrap(), bytes);
    // No time, no name of a file, and no operating system.
    assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
}

#[test]
fn a21_a_name_that_leads_out_is_refused() {
    for name in ["../../etc/x", "..", "a/../../x", "a/.."] {
        refused_entry(&header(name.as_bytes(), b'0', 0), &format!("`{name}` is no name for a file"));
        refused_entry(&header(name.as_bytes(), b'5', 0), &format!("`{name}` is no name for a file"));
    }
    // In two parts, of which neither leads out.
    let mut split = header(b"./x", b'0', 0);
    split.as_ustar_mut().unwrap().prefix[..2].copy_from_slice(b"..");
    split.set_cksum();
    refused_entry(&split, "`.././x` is no name for a file");
}

#[test]
fn a22_a_name_that_is_absolute_or_another_elsewhere_is_refused() {
    for name in ["/etc/x", "C:\\x", "C:/x", "\\\\server\\x", "a/./b", "a//b", "./a", "a\u{1b}[2J", "a/", ".x"]
    {
        refused_entry(&header(name.as_bytes(), b'0', 0), "is no name for a file");
    }
    refused_entry(&header(b"plugin.wasm\0.txt", b'0', 0), "`plugin.wasm` is no name for a file");
    refused_entry(&header(b"\xff", b'0', 0), "is no name for a file");
    let mut long = header(&[b'b'; 100], b'0', 0);
    long.as_ustar_mut().unwrap().prefix[..100].fill(b'a');
    long.set_cksum();
    refused_entry(&long, "at most 100 in all");
}

#[test]
fn a24_what_is_no_regular_file_is_refused() {
    let kinds = [
        (b'1', "a hard link"),
        (b'2', "a link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'7', "of no kind"),
        (b'S', "a file with holes"),
        (b'D', "of no kind"),
    ];
    for (kind, told) in kinds {
        refused_entry(&header(b"x", kind, 0), &format!("`x` is {told}"));
    }
    for mode in [0o4755, 0o2755, 0o1777] {
        let mut special = header(b"x", b'0', 0);
        special.set_mode(mode);
        special.set_cksum();
        refused_entry(&special, "`x` is setuid, setgid or sticky");
    }
    let full = entry(&header(b"x", b'5', 3), b"abc");
    refused(&archive(&[full]), "`x` is a folder with a content");
}

#[test]
fn a24_a_header_that_says_something_else_of_the_next_is_refused() {
    let pax = |kind| entry(&header(b"x", kind, 22), b"22 path=../../etc/pas\n");
    for kind in [b'x', b'g'] {
        refused(&archive(&[pax(kind), file("plugin.toml", b"x")]), "a header of the PAX form");
    }
    for kind in [b'L', b'K'] {
        refused(&archive(&[pax(kind), file("plugin.toml", b"x")]), "a header with a longer name");
    }
}

#[test]
fn a25_more_than_fits_is_refused_before_it_is_unpacked() {
    let ten_gigabytes = 10 << 30;
    refused(&zeros(&header(b"plugin.wasm", b'0', ten_gigabytes), ten_gigabytes), "more than 272 MiB");
    let half = vec![0; usize::try_from(LARGEST_CONTENTS / 2 + 1).unwrap()];
    refused(&archive(&[file("a", &half), file("b", &half)]), "more than 272 MiB");
    let mut huge = header(b"a", b'0', 0);
    huge.as_old_mut().size = [0xff; 12];
    huge.set_cksum();
    refused_entry(&huge, "");
    refused(&archive(&[file("a", b""), vec![0; 100_000]]), "something follows on the end");
}

/// A header and zeros, as small as they can be packed: one piece of compressed zeros, again and again.
fn zeros(header: &Header, count: u64) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut compress = Compress::new(Compression::best(), false);
    bytes.reserve(1 << 10);
    compress.compress_vec(header.as_bytes(), &mut bytes, FlushCompress::Full).unwrap();
    let (piece, mut packed) = (vec![0; 16 << 20], Vec::with_capacity(1 << 20));
    compress.compress_vec(&piece, &mut packed, FlushCompress::Full).unwrap();
    for _ in 0..count / piece.len() as u64 {
        bytes.extend(&packed);
    }
    bytes
}

#[test]
fn a27_names_that_are_one_on_some_systems_are_refused() {
    refused(&archive(&[file("README", b"a"), file("Readme", b"b")]), "`Readme` and `README` are one file");
    refused(&archive(&[file("schemas/a", b"a"), file("Schemas/b", b"b")]), "`Schemas/b` and `schemas`");
    refused(&archive(&[file("x", b"a"), file("x", b"b")]), "`x` and `x` are one file");
    // Composed and decomposed, and neither: such names are none.
    for name in ["caf\u{e9}", "cafe\u{301}", "\u{212a}"] {
        refused(&archive(&[file(name, b"")]), "is no name for a file");
    }
}

#[test]
fn what_is_no_whole_archive_is_refused() {
    let whole = archive(&[file("plugin.toml", b"some words"), file("plugin.wasm", &[1; 3000])]);
    unpacked(&whole).unwrap();
    for length in 0..whole.len() {
        refused(&whole[..length], "");
    }
    refused(&whole[..whole.len() / 2], "the archive is cut off");
    refused(b"", "the archive is cut off");
    refused(b"no archive at all", "it is no archive that can be read, a `.tar.gz`: invalid gzip header");
    refused(&zipped(&[7; 2000]), "it is no archive that can be read");
    refused(&[&whole[..], b"more"].concat(), "something follows on the end");
    refused(&[&whole[..], &whole].concat(), "something follows on the end");
    let entries = file("a", b"words");
    refused(&zipped(&entries), "the archive is cut off");
    refused(&zipped(&[&entries[..], &[0; 512]].concat()), "the archive is cut off");
    refused(&zipped(&[&entries[..], &[0; 1024], &file("b", b"")].concat()), "something follows on the end");
    unpacked(&zipped(&[&entries[..], &[0; 10_240]].concat())).unwrap();
}

#[test]
fn too_many_files_are_refused() {
    let many: Vec<_> = (0..=MOST_FILES).map(|place| file(&format!("f{place}"), b"")).collect();
    refused(&archive(&many), "more than 1000 files and folders");
    assert_eq!(unpacked(&archive(&many[1..])).unwrap().files().len(), MOST_FILES);
    // One folder, again and again.
    let folders = vec![entry(&header(b"a/", b'5', 0), b""); MOST_FILES + 1];
    refused(&archive(&folders), "more than 1000 files and folders");
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = unpacked(&bytes);
        let _ = unpacked(&zipped(&bytes));
    }

    #[test]
    fn whatever_is_changed_in_an_archive_its_names_stay_below_the_folder(
        changes in prop::collection::vec((0..2600_usize, any::<u8>()), 1..20),
        mends in any::<bool>(),
    ) {
        let mut tar = [file("plugin.toml", b"words"), file("schemas/a.json", &[1; 600]), vec![0; 1024]].concat();
        for (place, byte) in changes {
            let length = tar.len();
            tar[place % length] = byte;
        }
        if mends {
            mend(&mut tar);
        }
        if let Ok(contents) = unpacked(&zipped(&tar)) {
            for name in contents.files().keys() {
                prop_assert!(crate::name::is_portable(name));
            }
            let again = unpacked(&packed(&contents).unwrap()).unwrap();
            prop_assert_eq!(again.files(), contents.files());
        }
    }
}

/// Makes the checksums of the two headers right, so that what was changed in them counts.
fn mend(tar: &mut [u8]) {
    for place in [0, 1024] {
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(&tar[place..place + 512]);
        header.set_cksum();
        tar[place..place + 512].copy_from_slice(header.as_bytes());
    }
}
