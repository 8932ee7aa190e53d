//! Packages are installed whole, from folders, files and addresses, after it was said what they ask for.

use crate::packages::{Server, below, done, head, package, refused};
use crate::support::Workplace;

const CLOCK: &str = "[requires]\nclock = 'coarse'";

/// A place with the archive of a package.
fn packed(more: &str) -> Workplace {
    let workplace = Workplace::new();
    package(&workplace, "x", "x", "1.0.0", more);
    done(&workplace, "plugin pack x");
    workplace
}

fn sha256(workplace: &Workplace, which: &str) -> String {
    let said = done(workplace, "plugin pack x -o again.tar.gz");
    let line = said.out.lines().find(|line| line.starts_with(which)).unwrap();
    line.split("sha256:").nth(1).unwrap().to_owned()
}

const INSTALLED: [&str; 4] = [
    "plugins/x-1.0.0",
    "plugins/x-1.0.0/.installed.toml",
    "plugins/x-1.0.0/plugin.toml",
    "plugins/x-1.0.0/plugin.wasm",
];

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
    let told = "compared with 1.0.0, it wants to know the coarse time; it does without leave to have random numbers\n";
    assert!(said.out.contains(told), "{}", said.out);
    package(&workplace, "x", "x", "1.2.0", "");
    done(&workplace, "plugin install x");
    package(&workplace, "x", "x", "1.3.0", "");
    let said = done(&workplace, "plugin install x");
    assert!(said.out.contains("compared with 1.2.0, it asks for the same or less\n"), "{}", said.out);
}

/// A pipeline that uses the package, locked.
fn locked(more: &str) -> Workplace {
    let workplace = packed(more);
    workplace.write("pipeline.yaml", "name: x\nplugins: { x: {} }\nnodes: { a: { type: transform, with: { value: { a: 1 }, set: { b: '1' } } } }\n");
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins']\n");
    done(&workplace, "plugin install x");
    done(&workplace, "lock pipeline.yaml");
    workplace
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
    done(&workplace, "plugin install x --accept");
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

#[test]
fn an_archive_is_fetched_from_an_address() {
    let (workplace, server) = (packed(""), Server::new());
    server.has("/x.tar.gz", &std::fs::read(workplace.path("x-1.0.0.tar.gz")).unwrap());
    server.redirects("/moved", "/x.tar.gz?key=1");
    server.has("/x.tar.gz?key=1", &std::fs::read(workplace.path("x-1.0.0.tar.gz")).unwrap());
    done(&workplace, &format!("plugin install {}", server.url("/x.tar.gz")));
    assert_eq!(below(&workplace, "plugins"), INSTALLED);
    done(&workplace, &format!("plugin install {} --folder more", server.url("/moved")));
    done(&workplace, &format!("plugin install {} --folder key", server.url("/x.tar.gz?key=1")));
    assert!(!workplace.read("key/x-1.0.0/.installed.toml").contains("key"));
    let wrong = "1".repeat(64);
    let words = format!("plugin install {} --folder none --sha256 {wrong}", server.url("/x.tar.gz"));
    refused(&workplace, &words, "was expected");
    assert!(!workplace.path("none").exists());
}

#[test]
fn what_an_address_gives_instead_of_an_archive_is_refused() {
    let (workplace, server) = (Workplace::new(), Server::new());
    server.redirects("/elsewhere", "http://127.0.0.2:1/x");
    server.redirects("/file", "file:///etc/passwd");
    server.redirects("/circle", "/circle");
    server.answers("/large", head("200 OK", "", 1 << 30));
    server.answers("/short", [head("200 OK", "", 100), b"half".to_vec()].concat());
    server.answers("/endless", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nno archive".to_vec());
    for (path, told) in [
        ("/nowhere", "answers with the status 404"),
        ("/elsewhere", "leads to http://127.0.0.2:1/x, and a redirect is followed to https or"),
        ("/file", "leads to file:///etc/passwd"),
        ("/circle", "five times at most"),
        ("/large", "has more than 276 MiB"),
        ("/short", "cannot fetch http://127.0.0.1:"),
        ("/endless", "it is no archive that can be read"),
    ] {
        refused(&workplace, &format!("plugin install {}", server.url(path)), told);
    }
    for (url, told) in [
        ("http://plugins.example/x.tar.gz", "is not fetched over plain http unless its digest is given"),
        ("http://localhost.example/x", "is not fetched over plain http"),
        ("http://ada:word@localhost/x", "`http://localhost/x` is no address from which a package is fetched"),
        ("ftp://localhost/x", "it is neither http nor https"),
        ("http://", "it is no address"),
    ] {
        refused(&workplace, &format!("plugin install {url}"), told);
    }
    assert_eq!(below(&workplace, "."), [""; 0]);
}

/// Starts the command where whoever opens a connection is ended at once.
#[cfg(target_os = "linux")]
fn without_network(workplace: &Workplace, words: &str) -> std::process::Output {
    use seccompiler::{SeccompAction, SeccompFilter, apply_filter};
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let socket = [(libc::SYS_socket, Vec::new())].into_iter().collect();
    let filter = SeccompFilter::new(socket, SeccompAction::Allow, SeccompAction::KillProcess, arch).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    let mut command = workplace.command();
    command.args(words.split_whitespace());
    // It holds for this thread, and for what is started from it.
    let started = std::thread::spawn(move || {
        apply_filter(&program).unwrap();
        command.output().unwrap()
    });
    started.join().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_opens_no_connection_and_says_who_would_install_what_is_missing() {
    let workplace = locked("");
    let ended = without_network(&workplace, "plugin install http://127.0.0.1:1/x");
    assert_eq!(ended.status.code(), None, "the command is ended where it opens a connection");
    let ended = without_network(&Workplace::triage(), "run pipeline.yaml");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    done(&workplace, "plugin remove x --force");
    for plugins in ["x: {}", "x: { path: plugins/x-1.0.0 }"] {
        workplace.write("pipeline.yaml", format!("name: x\nplugins: {{ {plugins} }}\nnodes: {{}}\n"));
        for verb in ["run", "check"] {
            let ended = without_network(&workplace, &format!("{verb} pipeline.yaml"));
            let told = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(2), "{told}");
            assert!(told.contains("`tapline plugin install`"), "{told}");
        }
    }
}
