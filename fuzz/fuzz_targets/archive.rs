//! The bytes of a package's archive, read and installed.

#![no_main]

use std::fs;
use std::io::Write as _;
use std::path::{Component, Path};

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use tapline_install::{LARGEST_CONTENTS, MOST_FILES, Parcel, PluginsFolder, Record};
use tapline_wasm::Interfaces;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&zipped(bytes));
    check(&zipped(&mended(bytes)));
});

fn check(archive: &[u8]) {
    let name = Path::new("x.tar.gz");
    let parcel = match Parcel::of_archive(name, archive, &Interfaces::inspect) {
        Ok(parcel) => parcel,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let size: usize = parcel.files().values().map(Vec::len).sum();
    assert!(parcel.files().len() <= MOST_FILES && size as u64 <= LARGEST_CONTENTS);
    for name in parcel.files().keys() {
        let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(is_inside && !name.contains(['\\', ':', '\0']), "{name:?} leads elsewhere");
    }
    let packed = parcel.packed().expect("what was unpacked can be packed");
    let again = Parcel::of_archive(name, &packed, &Interfaces::inspect).expect("it is a package still");
    assert_eq!((again.files(), again.digest()), (parcel.files(), parcel.digest()));
    install(&parcel);
}

fn install(parcel: &Parcel) {
    let root = tempfile::tempdir().expect("there is a place to install to");
    let plugins = PluginsFolder::new(root.path().join("plugins"));
    let place = plugins.put(parcel).expect("a parcel can be installed");
    assert_eq!(Record::differences(&place).expect("it has a record"), []);
    for (folder, name) in [(root.path(), "plugins"), (plugins.path(), parcel.name().as_str())] {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let names: Vec<_> = entries.map(|entry| entry.expect("it is readable").file_name()).collect();
        assert_eq!(names, [name]);
    }
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(bytes).expect("it is written to memory");
    zip.finish().expect("it is written to memory")
}

/// The bytes with the checksums that headers of `tar` should have, and with an end.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut tar = bytes.to_vec();
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}
