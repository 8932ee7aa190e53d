//! Packages are fetched when somebody installs them, and at no other time.

use crate::packages::{INSTALLED, Server, below, done, head, packed, refused};
use crate::support::Workplace;

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
