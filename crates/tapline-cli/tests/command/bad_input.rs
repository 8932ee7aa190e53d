//! A file that is no pipeline gets an error with its place, exit code 2, and nothing begins.

use crate::support::Workplace;

#[track_caller]
fn refused(content: &[u8], expected: &str) {
    let workplace = Workplace::new();
    workplace.write("p.yaml", content);
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "p.yaml"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{verb}: {}", said.err);
        assert!(said.err.contains(expected), "{verb}: {}", said.err);
        assert!(said.err.contains("p.yaml:"), "{verb}: {}", said.err);
    }
}

#[test]
fn an_empty_file() {
    refused(b"", "error[");
}

#[test]
fn a_truncated_file() {
    let whole = std::fs::read(crate::support::repository().join("examples/triage/pipeline.yaml")).unwrap();
    refused(&whole[..whole.len() / 3], "error[");
    refused(b"name: x\nnodes: { load: { type: read", "error[");
}

#[test]
fn a_file_that_is_not_utf_8() {
    refused(b"name: caf\xe9\n", "p.yaml:1:10");
}

#[test]
fn a30_two_hundred_kilobytes_of_nested_brackets() {
    refused("[".repeat(200_000).as_bytes(), "error[");
}

#[test]
fn a30_an_alias_bomb() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let aliases =
            [format!("*a{}", level - 1)].iter().cycle().take(10).cloned().collect::<Vec<_>>().join(", ");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    refused(bomb.as_bytes(), "error[");
}

#[test]
fn keys_that_are_given_twice() {
    refused(b"name: x\nname: y\nnodes: {}\n", "error[");
}
