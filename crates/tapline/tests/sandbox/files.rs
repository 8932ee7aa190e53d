//! Files: what was granted, and nothing beside it. Each holds for sandboxed and for native plugins.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use tapline::Host;
use tapline::core::{Caller, Folder, FolderGrant, FolderMode, Grants, PluginId};
use tempfile::TempDir;

use crate::support::{allowing, host, keepers, told, told_by};

/// Hosts that each have loaded the plugin, one of each kind, and the folders that they give.
struct Bench {
    hosts: Vec<Host>,
    scratch: TempDir,
    data: TempDir,
    audit: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    async fn new() -> Self {
        let (scratch, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let audit: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut hosts = Vec::new();
        for (kind, load) in keepers().into_iter().enumerate() {
            let lines = Arc::clone(&audit);
            let host = allowing().scratch(scratch.path().join(kind.to_string())).data(data.path());
            let host = host.audit(move |act| {
                let refusal = act.refusal.map(|reason| format!(": {reason}")).unwrap_or_default();
                lines.lock().unwrap().push(format!("{} {}{refusal}", act.action, act.target));
            });
            let host = host.build();
            host.load(load).await.unwrap();
            hosts.push(host);
        }
        Self { hosts, scratch, data, audit }
    }

    /// What was audited since, once for each kind of plugin.
    fn audited(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.audit.lock().unwrap());
        let (one, other) = lines.split_at(lines.len() / 2);
        assert_eq!(one, other);
        one.to_vec()
    }

    #[track_caller]
    fn check(
        &self,
        method: &'static str,
        request: &'static str,
        expected: Result<&'static str, &'static str>,
    ) -> impl Future<Output = ()> + '_ {
        let place = std::panic::Location::caller();
        async move {
            for host in &self.hosts {
                let answer = told(host, method, request).await;
                assert_eq!(answer.as_deref().map_err(String::as_str), expected, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn a_plugin_uses_the_files_of_the_folders_that_it_was_granted_and_each_act_is_audited() {
    let bench = Bench::new().await;
    fs::write(bench.data.path().join("in.txt"), "given").unwrap();
    bench.check("read", r#"{"path": "data:/in.txt"}"#, Ok("\"given\"")).await;
    bench.check("write", r#"{"path": "scratch:/a/b.txt", "text": "one"}"#, Ok("null")).await;
    bench.check("append", r#"{"path": "scratch:/a/b.txt", "text": "two"}"#, Ok("null")).await;
    bench.check("read", r#"{"path": "scratch:a/b.txt"}"#, Ok("\"onetwo\"")).await;
    bench.check("list", r#"{"path": "scratch:/a"}"#, Ok(r#"[["b.txt",6]]"#)).await;
    bench.check("remove", r#"{"path": "scratch:/a/b.txt"}"#, Ok("null")).await;
    bench.check("read", r#"{"path": "scratch:/a/b.txt"}"#, Err("no-such-file")).await;
    let mut lines = bench.audit.lock().unwrap().clone();
    lines.dedup();
    assert_eq!(
        lines,
        [
            "read data:/in.txt",
            "write scratch:/a/b.txt",
            "append to scratch:/a/b.txt",
            "read scratch:/a/b.txt",
            "list scratch:/a",
            "remove scratch:/a/b.txt",
            "read scratch:/a/b.txt",
        ]
    );
}

#[tokio::test]
async fn a_folder_that_was_granted_for_reading_is_not_written() {
    let bench = Bench::new().await;
    bench.check("write", r#"{"path": "data:/new.txt", "text": "x"}"#, Err("denied")).await;
    let refusal = "its manifest did not ask for it, or the policy did not grant it";
    assert_eq!(bench.audited(), [format!("write data:/new.txt: {refusal}")]);
    assert_eq!(fs::read_dir(bench.data.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a28_no_path_and_no_link_leads_out_of_the_folder_and_each_attempt_is_audited() {
    let bench = Bench::new().await;
    for kind in ["0", "1"] {
        let own = bench.scratch.path().join(kind).join("keeper");
        fs::create_dir_all(&own).unwrap();
        symlink("/etc", own.join("link")).unwrap();
    }
    bench.check("read", r#"{"path": "scratch:/link/passwd"}"#, Err("denied")).await;
    let lines = ["read scratch:/link/passwd", "read scratch:/link/passwd: it leads out of the folder"];
    assert_eq!(bench.audited(), lines);
    for method in ["list", "write", "append", "remove"] {
        bench.check(method, r#"{"path": "scratch:/link/new"}"#, Err("denied")).await;
        assert_eq!(bench.audited().len(), 2, "{method}");
    }
    for request in [
        r#"{"path": "scratch:/a/../.."}"#,
        r#"{"path": "scratch://etc/passwd"}"#,
        r#"{"path": "/etc/passwd"}"#,
        r#"{"path": "../keeper"}"#,
        r#"{"path": "scratch:/a\u0000b"}"#,
    ] {
        bench.check("read", request, Err("denied")).await;
        assert_eq!(bench.audited().len(), 1, "{request}");
    }
    for host in &bench.hosts {
        let long = format!(r#"{{"path": "scratch:/{}"}}"#, "a".repeat(1 << 20));
        assert_eq!(told(host, "read", &long).await, Err("denied".into()));
    }
    assert!(bench.audited()[0].len() < 300);
}

#[tokio::test]
async fn a_plugin_holds_no_more_than_its_max_and_an_endless_file_is_not_read() {
    let bench = Bench::new().await;
    bench.check("write", r#"{"path": "scratch:/a", "text": "x", "times": 65536}"#, Ok("null")).await;
    bench.check("append", r#"{"path": "scratch:/a", "text": "x"}"#, Err("no-space")).await;
    bench.check("write", r#"{"path": "scratch:/b", "text": "x"}"#, Err("no-space")).await;
    bench.check("remove", r#"{"path": "scratch:/a"}"#, Ok("null")).await;
    bench.check("write", r#"{"path": "scratch:/b", "text": "x"}"#, Ok("null")).await;
    let large = fs::File::create(bench.data.path().join("large")).unwrap();
    large.set_len(1 << 40).unwrap();
    bench.check("read", r#"{"path": "data:/large"}"#, Err("too-large")).await;
}

#[tokio::test]
async fn what_is_kept_in_a_folder_of_the_application_is_there_after_the_plugin_was_loaded_anew() {
    let bench = Bench::new().await;
    bench.check("write", r#"{"path": "scratch:/a", "text": "kept"}"#, Ok("null")).await;
    for (host, load) in bench.hosts.iter().zip(keepers()) {
        host.unload("keeper").await.unwrap();
        host.load(load).await.unwrap();
    }
    bench.check("read", r#"{"path": "scratch:/a"}"#, Ok("\"kept\"")).await;
}

#[tokio::test]
async fn unless_the_application_says_where_there_is_a_new_folder_for_each_load_and_no_other() {
    for load in keepers() {
        let host = allowing().build();
        host.load(load.clone()).await.unwrap();
        told(&host, "write", r#"{"path": "scratch:/a", "text": "gone"}"#).await.unwrap();
        host.unload("keeper").await.unwrap();
        host.load(load).await.unwrap();
        let read = |path| told(&host, "read", path);
        assert_eq!(read(r#"{"path": "scratch:/a"}"#).await, Err("no-such-file".into()));
        assert_eq!(read(r#"{"path": "data:/a"}"#).await, Err("no-such-folder".into()));
    }
}

#[tokio::test]
async fn a41_files_are_reached_for_a_caller_only_if_the_caller_was_granted_them_too() {
    let bench = Bench::new().await;
    fs::write(bench.data.path().join("in.txt"), "given").unwrap();
    let caller = |fs| {
        let grants = Arc::new(Grants { fs, ..Grants::default() });
        Some(Caller { plugin: PluginId::new("low").unwrap(), grants })
    };
    let read = FolderGrant::new(Folder::Data, FolderMode::Read);
    for host in &bench.hosts {
        let request = r#"{"path": "data:/in.txt"}"#;
        assert_eq!(told_by(host, "read", request, caller(vec![])).await, Err("denied".into()));
        let both = told_by(host, "read", request, caller(vec![read.clone()])).await;
        assert_eq!(both, Ok("\"given\"".into()));
    }
}

#[tokio::test]
async fn a_sandboxed_plugin_that_asks_for_more_than_the_policy_allows_is_refused_by_name() {
    let [sandboxed, _] = keepers();
    let error = host().load(sandboxed).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "plugin `keeper` may not read and write `scratch:`: the policy does not allow this folder; \
         plugin `keeper` may not read `data:`: the policy does not allow this folder; \
         plugin `keeper` may not use `random`: the policy does not allow random numbers"
    );
}
