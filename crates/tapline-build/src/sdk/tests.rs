use super::*;

#[test]
fn an_sdk_of_another_version_is_replaced_and_one_that_is_whole_is_left_alone() {
    let project = tempfile::tempdir().unwrap();
    let sdk = Sdk::unpack(project.path()).unwrap();
    let (stamp, stray) = (sdk.folder.join(STAMP), sdk.folder.join("stray"));
    assert!(sdk.rust().join("Cargo.toml").is_file());

    fs::write(&stray, "").unwrap();
    Sdk::unpack(project.path()).unwrap();
    assert!(stray.is_file());

    fs::write(&stamp, "of another version").unwrap();
    Sdk::unpack(project.path()).unwrap();
    assert!(!stray.exists());
    assert_eq!(fs::read_to_string(&stamp).unwrap(), DIGEST);
}

#[test]
fn it_holds_no_tests() {
    assert!(FILES.iter().all(|(path, _)| !path.contains("tests")));
}
