use super::{Folder, check, json};
use crate::IoError;
use crate::source::{LARGEST, LONGEST};

fn many(byte: u8, count: u64) -> Vec<u8> {
    vec![byte; usize::try_from(count).unwrap()]
}

#[test]
fn a_line_of_50_mb_is_refused_at_its_place() {
    let content = [b"1\n".to_vec(), many(b' ', 50 << 20), b"2\n3\n".to_vec()].concat();
    let folder = Folder::with("x.jsonl", content);
    let message = "the line has more than 16777216 bytes: keep what is large in a file of its own";
    for read in [folder.read(r#"{"path": "x.jsonl"}"#).err(), folder.pages(r#"{"path": "x.jsonl"}"#).err()] {
        assert_eq!(read.unwrap().to_string(), format!("x.jsonl:2:16777217: {message}"));
    }
    let output = folder.read(r#"{"path": "x.jsonl", "on_error": "skip"}"#).unwrap();
    let expected =
        format!(r#"{{"items": [1, 3], "count": 2, "skipped": [{{"line": 2, "message": "{message}"}}]}}"#);
    assert_eq!(output, json(&expected));
}

#[test]
fn a_line_of_16_mib_is_read() {
    let text = many(b'a', LONGEST - 2);
    let folder = Folder::with("x.jsonl", [b"\"".to_vec(), text, b"\"".to_vec()].concat());
    assert!(folder.read(r#"{"path": "x.jsonl"}"#).is_ok());
}

#[test]
fn a_record_that_goes_on_and_on_is_refused_where_its_quote_begins() {
    let lines = "some text\n".repeat(2 << 20);
    let folder = Folder::with("x.csv", format!("a,b\n1,2\n3,\"4\n{lines}"));
    let message = "x.csv:3:2: the record has more than 16777216 bytes: is a quote missing?";
    for read in [folder.read(r#"{"path": "x.csv"}"#).err(), folder.pages(r#"{"path": "x.csv"}"#).err()] {
        assert_eq!(read.unwrap().to_string(), message);
    }
    let folder = Folder::with("x.csv", [b"a\n1\n".to_vec(), many(b'b', LONGEST + 9)].concat());
    let error = folder.read(r#"{"path": "x.csv"}"#).unwrap_err();
    assert_eq!(error.to_string(), "x.csv:3:1: the record has more than 16777216 bytes: is a quote missing?");
}

#[test]
fn what_becomes_one_value_is_bounded_and_the_error_says_what_to_do() {
    for name in ["x.txt", "x.json", "x.yaml", "x.jsonl", "x.csv"] {
        let folder = Folder::with(name, "");
        let file = std::fs::File::create(folder.folder.path().join(name)).unwrap();
        file.set_len(LARGEST + 1).unwrap();
        let error = folder.read(&format!(r#"{{"path": "{name}"}}"#)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "`{name}` has 67108865 bytes, but what is read as one value has at most 67108864: JSONL and CSV are \
                 read page by page"
            )
        );
    }
}

#[test]
fn a_folder_is_no_file() {
    let folder = Folder::new();
    std::fs::create_dir(folder.folder.path().join("x.txt")).unwrap();
    let error = folder.read(r#"{"path": "x.txt"}"#).unwrap_err();
    assert_eq!(error.to_string(), "`x.txt` is a folder, not a file");
}

#[cfg(unix)]
#[test]
fn nobody_waits_for_the_other_end_of_a_pipe() {
    let folder = Folder::new();
    let pipe = folder.folder.path().join("x.txt");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let error = folder.read(r#"{"path": "x.txt"}"#).unwrap_err();
    assert_eq!(error.to_string(), "`x.txt` is a pipe or a device, not a file");
    assert!(matches!(error, IoError::NoFile { .. }));
}

#[test]
fn an_empty_file_is_empty_in_every_format() {
    for name in ["x.jsonl", "x.csv"] {
        check(name, "", "", r#"{"items": [], "count": 0, "skipped": []}"#);
        check(name, "\u{feff}", "", r#"{"items": [], "count": 0, "skipped": []}"#);
    }
    check("x.txt", "", "", r#"{"text": ""}"#);
    check("x.yaml", "\u{feff}", "", r#"{"value": null}"#);
    let error = Folder::with("x.json", "").read(r#"{"path": "x.json"}"#).unwrap_err();
    assert_eq!(error.to_string(), "x.json:1:1: EOF while parsing a value");
}
