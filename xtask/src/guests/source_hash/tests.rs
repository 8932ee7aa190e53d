use tempfile::TempDir;

use super::*;

/// A checkout of one crate.
struct Checkout {
    folder: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let checkout = Self { folder: tempfile::tempdir().unwrap() };
        checkout.write("guest/Cargo.toml", "[package]\n");
        checkout.write("guest/src/lib.rs", "mod inner;\n");
        checkout.write("guest/src/inner/deep.rs", "fn deep() {}\n");
        checkout
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn hash(&self) -> String {
        digest(self.root(), &sources(&self.root().join("guest")).unwrap()).unwrap()
    }
}

#[track_caller]
fn check_changes(name: &str, content: &str) {
    let checkout = Checkout::new();
    let before = checkout.hash();

    checkout.write(name, content);

    assert_ne!(checkout.hash(), before);
}

#[track_caller]
fn check_keeps(name: &str, content: &str) {
    let checkout = Checkout::new();
    let before = checkout.hash();

    checkout.write(name, content);

    assert_eq!(checkout.hash(), before);
}

#[test]
fn two_checkouts_of_the_same_sources_agree() {
    assert_eq!(Checkout::new().hash(), Checkout::new().hash());
}

#[test]
fn the_hash_outlives_a_change_of_xtask() {
    // Computed by another program from the same three files; a change of it makes every committed component stale.
    let expected = "b6d9a5a0381c7b8125b886ca52b498bc857d6c1134cacf82a0f7b565fd7a4801";
    assert_eq!(Checkout::new().hash(), expected);
}

#[test]
fn a_changed_file_changes_the_hash() {
    check_changes("guest/src/inner/deep.rs", "fn deep() -> u8 { 1 }\n");
}

#[test]
fn a_new_file_changes_the_hash() {
    check_changes("guest/src/other.rs", "");
}

#[test]
fn a_changed_cargo_toml_changes_the_hash() {
    check_changes("guest/Cargo.toml", "[package]\nname = \"x\"\n");
}

#[test]
fn content_that_moves_to_the_next_file_changes_the_hash() {
    let checkout = Checkout::new();
    checkout.write("guest/src/a.rs", "one");
    checkout.write("guest/src/b.rs", "two");
    let before = checkout.hash();

    checkout.write("guest/src/a.rs", "onet");
    checkout.write("guest/src/b.rs", "wo");

    assert_ne!(checkout.hash(), before);
}

#[test]
fn line_ends_of_windows_do_not_change_the_hash() {
    check_keeps("guest/src/inner/deep.rs", "fn deep() {}\r\n");
}

#[test]
fn a_built_component_does_not_change_the_hash() {
    check_keeps("guest/plugin.wasm", "\0asm");
}

#[test]
fn an_editors_hidden_file_does_not_change_the_hash() {
    check_keeps("guest/src/.lib.rs.swp", "");
}
