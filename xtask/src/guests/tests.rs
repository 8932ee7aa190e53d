use super::*;

#[test]
fn a_component_that_names_a_folder_of_this_machine_is_refused() {
    let paths = [("/home/someone/tapline", "/tapline")];

    refuse_machine_paths(b"panicked at /tapline/src/lib.rs", &paths).unwrap();
    let error = refuse_machine_paths(b"panicked at /home/someone/tapline/src/lib.rs", &paths).unwrap_err();

    assert_eq!(error.to_string(), "the component names /home/someone/tapline, a folder of this machine");
}

#[test]
fn a_file_that_is_right_already_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap().join("package").join(MANIFEST);
    write_if_changed(&path, b"one").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();

    write_if_changed(&path, b"one").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);

    write_if_changed(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
}
