//! What a process of a plugin reaches past the host, behind the walls that the command has: nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use assert_cmd::cargo::cargo_bin;
use tapline::process::{ProcessRuntime, Wall, Walls};
use tapline::{Host, Limits, Policy, Value};
use tapline_test_kit::Peer;

/// The walls of the command, and a plugin behind them; says it where something is missing.
fn behind(more: &str) -> Option<(Walls, Peer)> {
    let walls = Walls::new(
        cargo_bin("tapline"),
        ["confine-process"],
        [Peer::path(), vec!["/usr/bin".into()]].concat(),
    );
    let missing: Vec<_> = walls.standing().into_iter().filter_map(|standing| standing.missing).collect();
    if let Some(reason) = missing.first() {
        eprintln!("skipped: the walls do not stand here: {reason}");
        return None;
    }
    Some((walls.required(true), Peer::asking("peer", "well", more)?))
}

async fn ask(more: &str, policy: Policy, method: &str, request: Value) -> Option<Value> {
    let (walls, peer) = behind(more)?;
    let host = Host::builder().runtime(ProcessRuntime::builder(walls).path(Peer::path()).build());
    let limits = Limits { memory: "256MiB".parse().unwrap(), ..Limits::default() };
    let host = host.limits(limits).policy(policy).build();
    host.load(peer.load()).await.unwrap();
    Some(peer.ask(&host, method, request).await.unwrap())
}

/// Everything that is past the walls, at a socket, a port and a file of this process.
async fn reaching(more: &str, policy: Policy) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let (socket, file) = (folder.path().join("socket"), folder.path().join("file"));
    let _socket = UnixListener::bind(&socket).unwrap();
    let name = format!("tapline-{}", std::process::id());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(&file, "secret").unwrap();
    let request = Value::from_iter([
        ("socket", Value::from(socket.to_str().unwrap())),
        ("abstract", Value::from(name)),
        ("port", u64::from(port.local_addr().unwrap().port()).into()),
        ("file", file.to_str().unwrap().into()),
        ("host", u64::from(std::process::id()).into()),
    ]);
    ask(more, policy, "reaching", request).await
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).unwrap().as_str().unwrap()
}

#[tokio::test]
async fn a62_a_process_gets_no_more_than_its_limits() {
    let Some(hungry) = ask("", Policy::default(), "hungry", Value::Null).await else { return };
    assert_eq!(text(&hungry, "memory"), "no memory");
    assert_eq!(text(&hungry, "file"), "File too large");
    assert_eq!(text(&hungry, "files"), "Too many open files");
    assert_eq!(text(&hungry, "forks"), "Operation not permitted");
}

#[tokio::test]
async fn a65_and_a66_a_process_reaches_nothing_past_its_walls() {
    let Some(reached) = reaching("", Policy::default()).await else { return };
    let refused = "Operation not permitted";
    for action in
        ["socket of a path", "abstract socket", "ptrace", "io_uring", "memfd", "bpf", "user namespace"]
    {
        assert_eq!(text(&reached, action), refused, "{action}");
    }
    assert_eq!(text(&reached, "file of the host"), "No such file or directory");
    assert_eq!(text(&reached, "network"), "Connection refused");
}

#[tokio::test]
async fn a_network_that_was_granted_is_there_and_nothing_else_is() {
    let policy = Policy::default().allow(&tapline::core::Grants { network: true, ..Default::default() });
    let Some(reached) = reaching("[requires]\nnetwork = true\n", policy).await else { return };
    assert_eq!(text(&reached, "network"), "done");
    assert_eq!(text(&reached, "abstract socket"), "Operation not permitted");
    assert_eq!(text(&reached, "file of the host"), "No such file or directory");
}

#[tokio::test]
async fn a16_a_process_has_no_files_of_the_host_open_and_sees_its_own_alone() {
    let Some(here) = ask("", Policy::default(), "here", Value::Null).await else { return };
    assert_eq!(here.get("files").unwrap().to_json(), "[0,1,2,3,4]");
    assert_eq!(here.get("folder").unwrap().to_json(), "[\"peer.py\"]");
    assert!(here.get("id").unwrap().as_i64().unwrap() < 100, "it sees the processes of the host");
}

#[tokio::test]
async fn a63_nothing_that_a_process_has_started_outlives_it() {
    let Some((walls, peer)) = behind("[requires]\nprocesses = true\n") else { return };
    let policy = Policy::default().allow(&tapline::core::Grants { processes: true, ..Default::default() });
    let host = Host::builder().runtime(ProcessRuntime::builder(walls).path(Peer::path()).build());
    let host = host.policy(policy).build();
    host.load(peer.load()).await.unwrap();
    // A time to sleep that no other process sleeps.
    let time = format!("9{}", std::process::id());
    peer.ask(&host, "leaves", time.as_str()).await.unwrap();
    while !is_running(&time) {
        tokio::task::yield_now().await;
    }
    host.unload("peer").await.unwrap();
    while is_running(&time) {
        tokio::task::yield_now().await;
    }
}

/// Whether a process on this machine sleeps for such a time.
fn is_running(time: &str) -> bool {
    let command = format!("sleep\0{time}\0");
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path().join("cmdline")));
    processes.into_iter().any(|file| fs::read(file).is_ok_and(|bytes| bytes == command.as_bytes()))
}

#[tokio::test]
async fn walls_that_are_required_and_missing_refuse_a_plugin() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let walls = Walls::none().required(true);
    assert_eq!(walls.standing().len(), Wall::ALL.len());
    let host = Host::builder().runtime(ProcessRuntime::new(walls)).build();
    let error = host.load(peer.load()).await.unwrap_err().to_string();
    assert!(error.contains("`bwrap` is not installed"), "{error}");
}
