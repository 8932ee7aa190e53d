//! Packages are installed whole, from folders, files and addresses, after it was said what they ask for.

use crate::packages::{CLOCK, INSTALLED, below, done, locked, package, packed, refused};
use crate::support::Workplace;

fn sha256(workplace: &Workplace, which: &str) -> String {
    let said = done(workplace, "plugin pack x -o again.tar.gz");
    let line = said.out.lines().find(|line| line.starts_with(which)).unwrap();
    line.split("sha256:").nth(1).unwrap().to_owned()
}

#[test]
fn a_package_is_packed_as_the_same_bytes_again_with_what_counts_and_what_people_read() {
    let workplace = packed("");
    for (name, content) in
        [("README.md", "words"), ("src/lib.rs", "code"), ("LICENSE-MIT", "terms"), (".x", "")]
    {
        workplace.write(&format!("x/{name}"), content);
    }
    let said = done(&workplace, "plugin pack x -o one.tar.gz");
    assert!(
        said.out.ends_with("\n  LICENSE-MIT\n  README.md\n  plugin.toml\n  plugin.wasm\n"),
        "{}",
        said.out
    );
    std::fs::rename(workplace.path("x"), workplace.path("moved")).unwrap();
    done(&workplace, "plugin pack moved --output two.tar.gz");
    let read = |name| std::fs::read(workplace.path(name)).unwrap();
    assert_eq!(read("one.tar.gz"), read("two.tar.gz"));
    refused(&workplace, "plugin pack nowhere", "error: cannot read nowhere\n");
}

#[test]
fn a_folder_and_an_archive_are_installed_as_the_same_and_once() {
    let workplace = packed(CLOCK);
    let said = done(&workplace, "plugin install x-1.0.0.tar.gz");
    for told in ["`x` 1.0.0\n", "goes to  plugins/x-1.0.0\n", "coarse time", "package  sha256:"] {
        assert!(said.out.contains(told), "{told}: {}", said.out);
    }
    assert!(said.out.ends_with("installed `x` 1.0.0 in plugins/x-1.0.0\n"), "{}", said.out);
    assert_eq!(below(&workplace, "plugins"), INSTALLED);
    for source in ["x", "x-1.0.0.tar.gz"] {
        let said = done(&workplace, &format!("plugin install {source}"));
        assert!(said.out.ends_with("it is there already, in plugins/x-1.0.0\n"), "{}", said.out);
    }
    done(&workplace, "plugin install x --folder other");
    let read = |folder: &str| workplace.read(&format!("{folder}/x-1.0.0/plugin.toml"));
    assert_eq!(read("plugins"), read("other"));
    assert!(done(&workplace, "plugin list").out.contains("plugins/x-1.0.0"));
}

#[test]
fn a_dry_run_tells_all_of_it_and_writes_nothing() {
    let workplace = packed("authors = ['Ada', 'Bert']\ndescription = 'Does nothing.'");
    let said = done(&workplace, "plugin install x --dry-run");
    let told = "`x` 1.0.0, by Ada, Bert\nDoes nothing.\nfrom     x\n";
    assert!(said.out.starts_with(told) && said.out.ends_with("nothing was written: this is a dry run\n"));
    assert!(said.out.contains("it asks for nothing\n"), "{}", said.out);
    assert!(!workplace.path("plugins").exists());
}

#[test]
fn the_same_version_with_other_files_is_refused() {
    let workplace = packed("");
    done(&workplace, "plugin install x");
    let before = workplace.read("plugins/x-1.0.0/plugin.toml");
    workplace.write("x/plugin.toml", before.clone() + "# another\n");
    refused(
        &workplace,
        "plugin install x --accept",
        "`x` 1.0.0 is there with other files, in plugins/x-1.0.0: sha256:",
    );
    assert_eq!(workplace.read("plugins/x-1.0.0/plugin.toml"), before);
    // Whatever its folder is called.
    std::fs::rename(workplace.path("plugins/x-1.0.0"), workplace.path("plugins/mine")).unwrap();
    refused(&workplace, "plugin install x", "is there with other files, in plugins/mine");
    std::fs::remove_dir_all(workplace.path("plugins/mine")).unwrap();
    workplace.write("plugins/x-1.0.0/notes", "not a package");
    let said = workplace.tapline("plugin install x");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("plugins/x-1.0.0 is there, and is not this package"), "{}", said.err);
    assert_eq!(workplace.read("plugins/x-1.0.0/notes"), "not a package");
}

#[test]
fn an_update_that_asks_for_more_stops_until_it_is_accepted() {
    let workplace = packed("[requires]\nrandom = true");
    done(&workplace, "plugin install x");
    package(&workplace, "x", "x", "1.1.0", CLOCK);
    let told =
        "error: `x` 1.1.0 asks for more than 1.0.0 does; nothing was written, and `--accept` agrees to it\n";
    refused(&workplace, "plugin install x", told);
    assert_eq!(below(&workplace, "plugins"), INSTALLED);
    let said = done(&workplace, "plugin install x --accept");
    let told =
        "compared with 1.0.0, it now asks to know the coarse time, and no longer to have random numbers\n";
    assert!(said.out.contains(told), "{}", said.out);
    package(&workplace, "x", "x", "1.2.0", "");
    let said = done(&workplace, "plugin install x");
    let told = "compared with 1.1.0, it no longer asks to know the coarse time\n";
    assert!(said.out.contains(told), "{}", said.out);
    package(&workplace, "x", "x", "1.3.0", "");
    let said = done(&workplace, "plugin install x");
    assert!(said.out.contains("compared with 1.2.0, it asks for the same or less\n"), "{}", said.out);
}

#[test]
fn a_plugin_that_is_built_in_comes_before_and_it_is_said() {
    let workplace = Workplace::new();
    package(&workplace, "io", "io", "9.0.0", "");
    let said = done(&workplace, "plugin install io");
    assert_eq!(said.err, "warning: a plugin of this id is built in, and comes before those in folders\n");
}

#[test]
fn a_first_plugin_makes_the_folder_that_the_settings_name() {
    let workplace = packed(CLOCK);
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins']\n");
    let said = done(&workplace, "plugin install x");
    assert!(said.out.contains("it asks to know the coarse time\n"), "{}", said.out);
    assert!(said.err.starts_with("warning: what of it is granted is not known: tapline.toml:2:12: "));
    assert!(done(&workplace, "plugin list").out.contains("plugins/x-1.0.0"));
}

#[test]
fn what_the_lock_says_decides() {
    let workplace = locked("");
    let lock = workplace.read("tapline.lock");
    done(&workplace, "check pipeline.yaml --locked");
    done(&workplace, "plugin remove x --force");
    // On another machine: what the lock holds is fetched anew, and nothing else.
    workplace.edit("x/plugin.toml", "id = 'x'", "id = 'x' # another");
    let told = "error: tapline.lock holds `x` 1.0.0 with other files, sha256:";
    refused(&workplace, "plugin install x", told);
    done(&workplace, "plugin install x-1.0.0.tar.gz");
    done(&workplace, "check pipeline.yaml --locked");
    package(&workplace, "x", "x", "2.0.0", CLOCK);
    refused(&workplace, "plugin install x", "error: `x` 2.0.0 asks for more than 1.0.0 does");
    let said = done(&workplace, "plugin install x --accept");
    let told = "tapline.lock holds 1.0.0, until `tapline lock --update` chooses anew\n";
    assert!(said.out.ends_with(told), "{}", said.out);
    // What is locked goes on until somebody says otherwise, and it is said in one place.
    assert_eq!(workplace.read("tapline.lock"), lock);
    done(&workplace, "check pipeline.yaml --locked");
    done(&workplace, "lock pipeline.yaml --update");
    assert!(workplace.read("tapline.lock").contains("plugins/x-2.0.0"));
    workplace.write("tapline.lock", "version = 9\n");
    refused(&workplace, "plugin install x", "error: tapline.lock:1:11: it was written by a newer tapline");
}

#[test]
fn another_digest_than_the_one_that_is_given_is_refused() {
    let workplace = packed("");
    let (archive, package) = (sha256(&workplace, "archive"), sha256(&workplace, "package"));
    let wrong = "0".repeat(64);
    for source in ["x", "x-1.0.0.tar.gz"] {
        let told = format!("and sha256:{wrong} was expected");
        refused(&workplace, &format!("plugin install {source} --sha256 {wrong}"), &told);
    }
    assert!(!workplace.path("plugins").exists());
    done(&workplace, &format!("plugin install x --sha256 sha256:{package}"));
    done(&workplace, &format!("plugin install x-1.0.0.tar.gz --sha256 {}", archive.to_uppercase()));
    refused(&workplace, "plugin install x --sha256 12", "write it as 64 hex digits");
}
