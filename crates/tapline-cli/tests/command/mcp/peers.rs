//! Servers that others have written, as they have published them.

use std::io::Write as _;
use std::path::PathBuf;

use super::{add, run};
use crate::support::{Said, Workplace, repository};

/// A program among the servers that `cargo xtask test --all` installs; without it, the test says that it was skipped.
#[expect(clippy::disallowed_methods, reason = "the test runner says where they are")]
fn program(name: &str) -> Option<PathBuf> {
    let beside = || repository().join("target/peers");
    let peers = std::env::var("TAPLINE_PEERS").map_or_else(|_| beside(), PathBuf::from);
    let places = ["mcp/node_modules/.bin", "mcp-python/bin"].map(|place| peers.join(place).join(name));
    let program =
        places.into_iter().find_map(|place| std::path::absolute(place).ok().filter(|place| place.exists()));
    if program.is_none() {
        let message = format!("SKIPPED: {name} is not installed; `cargo xtask test --all` brings it\n");
        std::io::stderr().write_all(message.as_bytes()).unwrap();
    }
    program
}

/// A workplace with a server.
fn with(id: &str, name: &str, flags: &str, arguments: &str) -> Option<Workplace> {
    let program = program(name)?;
    let workplace = Workplace::new();
    add(&workplace, &format!("{id} {flags} -- {} {arguments}", program.display()));
    Some(workplace)
}

#[track_caller]
fn says(said: &Said, text: &str) {
    assert!(said.code == 0 && said.out.contains(text), "{}{}", said.out, said.err);
}

#[test]
#[ignore = "needs servers that others have written"]
fn everything() {
    let Some(workplace) = with("everything", "mcp-server-everything", "", "") else { return };
    says(&run(&workplace, "everything.echo", "{ message: hello }", ""), "answer: Echo: hello");
    says(&run(&workplace, "everything.get-sum", "{ a: 2, b: 3 }", ""), "5");
    let structured = run(&workplace, "everything.get-structured-content", "{ location: New York }", "");
    says(&structured, r#""temperature":"#);
    let long = "{ duration: 0.3, steps: 3 }";
    says(&run(&workplace, "everything.trigger-long-running-operation", long, "--events events.jsonl"), "3");
    assert!(workplace.read("events.jsonl").contains(r#""piece":{"progress":1.0,"total":3.0"#));
    says(&run(&workplace, "everything.resources", "{}", ""), "uri");
    let wrong = run(&workplace, "everything.get-sum", "{ a: two, b: 3 }", "");
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}

#[test]
#[ignore = "needs servers that others have written"]
fn filesystem() {
    let Some(program) = program("mcp-server-filesystem") else { return };
    let workplace = Workplace::new();
    workplace.write("notes/one.txt", "a note");
    let notes = workplace.path("notes").canonicalize().unwrap().display().to_string();
    add(&workplace, &format!("files --folder {notes}:rw -- {} {notes}", program.display()));
    says(&run(&workplace, "files.read_text_file", &format!("{{ path: {notes}/one.txt }}"), ""), "a note");
    let write = format!("{{ path: {notes}/two.txt, content: another }}");
    says(&run(&workplace, "files.write_file", &write, ""), "two.txt");
    assert_eq!(workplace.read("notes/two.txt"), "another");
    let outside = run(&workplace, "files.read_text_file", "{ path: /etc/hostname }", "");
    assert!(outside.code == 1 && outside.err.contains("Access denied"), "{}{}", outside.out, outside.err);
}

#[test]
#[ignore = "needs servers that others have written"]
fn memory() {
    let Some(program) = program("mcp-server-memory") else { return };
    let workplace = Workplace::new();
    workplace.write("kept/.keep", "");
    let kept = workplace.path("kept").canonicalize().unwrap().display().to_string();
    let env = format!("--env MEMORY_FILE_PATH={kept}/memory.json");
    add(&workplace, &format!("memory {env} --folder {kept}:rw -- {}", program.display()));
    let entities = "{ entities: [{ name: Ada, entityType: person, observations: [writes programs] }] }";
    says(&run(&workplace, "memory.create_entities", entities, ""), "Ada");
    says(&run(&workplace, "memory.search_nodes", "{ query: programs }", ""), "Ada");
}

#[test]
#[ignore = "needs servers that others have written"]
fn time() {
    let flags = "--local-timezone Europe/Berlin";
    let Some(workplace) = with("time", "mcp-server-time", "", flags) else { return };
    let with = "{ source_timezone: Europe/Berlin, time: '12:00', target_timezone: Asia/Tokyo }";
    says(&run(&workplace, "time.convert_time", with, ""), "+");
    let wrong = run(&workplace, "time.get_current_time", "{ timezone: Mars/Olympus }", "");
    assert!(wrong.code == 1 && wrong.err.contains("Mars/Olympus"), "{}{}", wrong.out, wrong.err);
}

#[test]
#[ignore = "needs servers that others have written"]
fn git() {
    let repository = repository().canonicalize().unwrap().display().to_string();
    let Some(workplace) = with("git", "mcp-server-git", &format!("--processes --folder {repository}"), "")
    else {
        return;
    };
    let branches =
        run(&workplace, "git.git_branch", &format!("{{ repo_path: {repository}, branch_type: local }}"), "");
    assert!(matches!(branches.code, 0 | 1), "{}{}", branches.out, branches.err);
}
