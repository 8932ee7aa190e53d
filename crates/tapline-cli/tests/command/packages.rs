//! Packages to install: honest ones, hostile ones, and a server that has them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use crate::support::{Said, Workplace};

/// A component that does nothing.
pub(crate) const NOTHING: &str =
    r#"(component (instance $nothing) (export "tapline:plugin/lifecycle@1.0.0" (instance $nothing)))"#;

/// The manifest of a plugin, with more in its first table and after it.
pub(crate) fn manifest(id: &str, version: &str, more: &str) -> String {
    format!("[plugin]\nid = '{id}'\nversion = '{version}'\nhost = '^1'\nruntime = 'wasm'\n{more}\n")
}

pub(crate) fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Writes the package of a plugin that does nothing to a folder.
pub(crate) fn package(workplace: &Workplace, folder: &str, id: &str, version: &str, more: &str) {
    workplace.write(&format!("{folder}/plugin.toml"), manifest(id, version, more));
    workplace.write(&format!("{folder}/plugin.wasm"), component(NOTHING));
}

/// One entry of an archive: its name, its kind, its content.
pub(crate) type Entry<'a> = (&'a str, u8, &'a [u8]);

/// An archive of these entries, whatever they are.
pub(crate) fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(EntryType::new(*kind));
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        zip.write_all(header.as_bytes()).unwrap();
        zip.write_all(content).unwrap();
        zip.write_all(&vec![0; content.len().next_multiple_of(512) - content.len()]).unwrap();
    }
    zip.write_all(&[0; 1024]).unwrap();
    zip.finish().unwrap()
}

/// What an update may ask for in addition.
pub(crate) const CLOCK: &str = "[requires]\nclock = 'coarse'";

/// A place with the archive of a package.
pub(crate) fn packed(more: &str) -> Workplace {
    let workplace = Workplace::new();
    package(&workplace, "x", "x", "1.0.0", more);
    done(&workplace, "plugin pack x");
    workplace
}

/// What is there when the package of [`packed`] is installed.
pub(crate) const INSTALLED: [&str; 4] = [
    "plugins/x-1.0.0",
    "plugins/x-1.0.0/.installed.toml",
    "plugins/x-1.0.0/plugin.toml",
    "plugins/x-1.0.0/plugin.wasm",
];

/// A pipeline that uses the package, locked.
pub(crate) fn locked(more: &str) -> Workplace {
    let workplace = packed(more);
    workplace.write("pipeline.yaml", "name: x\nplugins: { x: {} }\nnodes: { a: { type: transform, with: { value: { a: 1 }, set: { b: '1' } } } }\n");
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins']\n");
    done(&workplace, "plugin install x");
    done(&workplace, "lock pipeline.yaml");
    workplace
}

/// All that lies below a folder, by name; nothing where there is no folder.
pub(crate) fn below(workplace: &Workplace, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(workplace.path(folder)).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(workplace, &name));
        }
        found.push(name);
    }
    found.sort();
    found
}

/// Does what has to end well.
#[track_caller]
pub(crate) fn done(workplace: &Workplace, words: &str) -> Said {
    let said = workplace.tapline(words);
    assert_eq!(said.code, 0, "{words}: {}{}", said.out, said.err);
    said
}

/// Does what has to be refused before anything begins, with a message in which this stands.
#[track_caller]
pub(crate) fn refused(workplace: &Workplace, words: &str, told: &str) {
    let said = workplace.tapline(words);
    assert_eq!(said.code, 2, "{words}: {}{}", said.out, said.err);
    assert!(said.err.contains(told), "{words}: {}", said.err);
}

/// A server on this machine that gives each request the answer that belongs to its path, and ends with the test.
pub(crate) struct Server {
    port: u16,
    answers: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = Arc::<Mutex<BTreeMap<String, Vec<u8>>>>::default();
        let known = Arc::clone(&answers);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.find(String::is_empty);
                let path = request.split(' ').nth(1).unwrap_or_default();
                let answer = known.lock().unwrap().get(path).cloned();
                let _ = stream.write_all(&answer.unwrap_or_else(|| head("404 Not Found", "", 0)));
            }
        });
        Self { port, answers }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn has(&self, path: &str, content: &[u8]) {
        self.answers(path, [&head("200 OK", "", content.len()), content].concat());
    }

    pub(crate) fn redirects(&self, path: &str, to: &str) {
        self.answers(path, head("302 Found", &format!("location: {to}\r\n"), 0));
    }

    pub(crate) fn answers(&self, path: &str, answer: Vec<u8>) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }
}

/// The head of an answer after which the connection is closed.
pub(crate) fn head(status: &str, more: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n").into_bytes()
}
