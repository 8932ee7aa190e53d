//! The command where it is killed at a system call: it crashes at just that step, or does not make it.

use std::process::Output;
use std::thread;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::packages::{INSTALLED, below, done, locked, packed};
use crate::support::Workplace;

/// Starts the command where it is killed as soon as it makes one of these system calls.
fn killed_at(calls: &[i64], workplace: &Workplace, words: &str) -> Output {
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let calls = calls.iter().map(|call| (*call, Vec::new())).collect();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::KillProcess, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    let mut command = workplace.command();
    command.args(words.split_whitespace());
    // It holds for this thread, and for what is started from it.
    let started = thread::spawn(move || {
        apply_filter(&program).unwrap();
        command.output().unwrap()
    });
    started.join().unwrap()
}

/// Starts the command where whoever opens a connection is killed at once.
fn without_network(workplace: &Workplace, words: &str) -> Output {
    killed_at(&[libc::SYS_socket], workplace, words)
}

#[test]
fn a_crash_at_any_step_leaves_all_or_nothing_and_the_next_cleans_up() {
    // In their order: the first file is on the disk, all of it is, and all is done but for what was left over.
    for (calls, is_there) in [
        (&[libc::SYS_fsync][..], false),
        (&[libc::SYS_rename], false),
        (&[libc::SYS_unlinkat, libc::SYS_rmdir], true),
    ] {
        let workplace = packed("");
        assert_eq!(killed_at(calls, &workplace, "plugin install x").status.code(), None);
        assert!(
            below(&workplace, "plugins").iter().any(|name| name.starts_with("plugins/.tapline-staging/"))
        );
        assert_eq!(done(&workplace, "plugin list").out.contains("plugins/x-1.0.0"), is_there);
        done(&workplace, "plugin install x");
        done(&workplace, "plugin verify x");
        done(&workplace, "plugin remove x");
        assert_eq!(killed_at(&[libc::SYS_rename], &workplace, "plugin install x").status.code(), None);
        done(&workplace, "plugin install x");
        assert_eq!(below(&workplace, "plugins"), INSTALLED);
        // What is removed is gone whole, or there whole.
        assert_eq!(killed_at(calls, &workplace, "plugin remove x").status.code(), None);
        assert_eq!(
            done(&workplace, "plugin list").out.contains("plugins/x-1.0.0"),
            calls == [libc::SYS_rename]
        );
    }
}

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
