use super::*;

#[test]
fn it_is_unpacked_once_for_all_projects_and_shown_to_each() {
    let (cache, project) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());

    let sdk = Sdk::unpack(cache.path()).unwrap();
    let again = Sdk::unpack(cache.path()).unwrap();
    sdk.show_to(project.path()).unwrap();
    sdk.show_to(project.path()).unwrap();

    assert_eq!(sdk, again);
    assert!(sdk.rust().join("Cargo.toml").is_file());
    assert!(project.path().join(PLACE).join("crates/tapline-pdk/Cargo.toml").is_file());
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1, "nothing is left of the unpacking");
}

#[test]
fn a_project_of_another_version_is_shown_this_one() {
    let (cache, project) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = Sdk { folder: cache.path().join("other") };
    fs::create_dir(&other.folder).unwrap();
    other.show_to(project.path()).unwrap();

    Sdk::unpack(cache.path()).unwrap().show_to(project.path()).unwrap();

    assert!(fs::read_link(project.path().join(PLACE)).unwrap().ends_with(DIGEST));
}

#[test]
fn one_that_was_cleaned_away_in_part_is_unpacked_anew() {
    let cache = tempfile::tempdir().unwrap();
    let sdk = Sdk::unpack(cache.path()).unwrap();
    fs::remove_file(sdk.rust().join("Cargo.toml")).unwrap();

    Sdk::unpack(cache.path()).unwrap();

    assert!(sdk.rust().join("Cargo.toml").is_file());
}

#[test]
fn it_holds_no_tests() {
    assert!(FILES.iter().all(|(path, _)| !path.contains("tests")));
}
