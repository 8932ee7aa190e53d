//! Disks that are full, and power that is cut.

use std::fs;
use std::io::Write as _;
use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::join_all;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tapline_core::Value;
use tapline_journal::{History, SqliteJournal};
use tapline_pipeline::{Journal as _, JournalError, RunEnding, RunJournal, RunRecord, StepRecord};

use crate::child::Other;
use crate::mount::{Mount, image};
use crate::support::{Place, assert_intact, begun, paths, record, step};

/// Keeps steps of 16 KB, four at a time, until one finds no room; the paths of those that did.
async fn fill(run: &dyn RunJournal) -> Vec<String> {
    let large = "x".repeat(16_000);
    let large = |path: &str| StepRecord { output: large.as_str().into(), ..step(path) };
    let mut kept = Vec::new();
    for number in 0.. {
        let paths: Vec<String> = (0..4).map(|which| format!("answer[{number}]#{which}")).collect();
        let outcomes = join_all(paths.iter().map(|path| run.step(large(path)))).await;
        let is_full = outcomes.iter().any(Result::is_err);
        for (path, outcome) in paths.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => kept.push(path),
                Err(error) => assert!(matches!(error, JournalError::Full { .. }), "{error}"),
            }
        }
        if is_full {
            break;
        }
    }
    kept
}

fn lost(folder: &Path, id: &str, kept: &[String]) -> Option<String> {
    let found = History::open(folder).unwrap().show(id).unwrap().steps;
    kept.iter().find(|path| !found.iter().any(|step| *step.path == ***path)).cloned()
}

async fn check_full(disk: &Mount) {
    let (folder, ballast) = (disk.folder(), disk.path().join("ballast"));
    fs::write(&ballast, vec![1; 3 << 20]).unwrap();
    let journal = SqliteJournal::open(&folder).unwrap();
    let run = begun(&journal).await;
    let mut kept = fill(&*run).await;
    assert!(!kept.is_empty());
    assert_eq!(lost(&folder, run.id(), &kept), None);
    // There is no room left for what is larger than what the last step has left in the log.
    let mut rest = fs::File::create(disk.path().join("rest")).unwrap();
    while rest.write(&[1; 512]).is_ok() {}
    let large: Arc<str> = "x".repeat(500_000).into();
    let refusals = [
        run.end(RunEnding::Failed(large.clone())).await.err(),
        journal.begin(RunRecord { text: large.clone(), ..record() }).await.err(),
        journal.cache([1; 32], Value::String(large), SystemTime::now()).await.err(),
        SqliteJournal::open(&disk.path().join("other")).err(),
    ];
    for (number, error) in refusals.iter().enumerate() {
        assert!(matches!(error, Some(JournalError::Full { .. })), "{number}: {error:?}");
    }

    fs::remove_file(&ballast).unwrap();
    for path in ["more", "and more"] {
        run.step(step(path)).await.unwrap();
        kept.push(path.to_owned());
    }
    run.end(RunEnding::Interrupted).await.unwrap();
    let id = run.id().to_owned();
    drop((run, journal));
    let (_, _run) = SqliteJournal::open(&folder).unwrap().resume(&id).await.unwrap();
    assert_eq!(lost(&folder, &id, &kept), None);
    assert_intact(&folder);
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing_and_the_same_journal_goes_on_when_there_is_room() {
    if let Some(disk) = Mount::in_memory("6m") {
        check_full(&disk).await;
    }
}

#[tokio::test]
async fn a_full_disk_with_a_log_of_its_own_is_told_and_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    if let Some(disk) = image(place.path()).and_then(|image| Mount::of_image(&image)) {
        fs::write(disk.path().join("much"), vec![1; 40 << 20]).unwrap();
        check_full(&disk).await;
    }
}

/// Stops a process and waits until it stands.
fn stop(other: &Other) {
    let process = Pid::from_child(&other.process);
    kill_process(process, Signal::STOP).unwrap();
    let (_, status) = waitpid(Some(process), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
}

#[tokio::test]
async fn a_power_cut_loses_no_step_that_was_acknowledged() {
    let place = Place::new();
    let place = place.folder.parent().unwrap().parent().unwrap();
    let Some(image) = image(place) else { return };
    let Some(disk) = Mount::of_image(&image) else { return };
    let mut interrupted = String::new();
    for round in 0..3 {
        let mut other = Other::start("write", &disk.folder(), &format!("{round} {interrupted}"));
        let id = other.hears("run ").unwrap();
        let moment = fastrand::usize(1..500);
        let mut kept: Vec<String> = iter::from_fn(|| other.hears("kept ")).take(moment).collect();
        stop(&other);
        // Each a file of its own: a disk that goes away may still be written to.
        let copy = place.join(format!("copy-{round}"));
        // What the disk has at this moment, and not what is only in memory.
        fs::copy(&image, &copy).unwrap();
        other.kill();
        kept.extend(iter::from_fn(|| other.hears("kept ")));

        let after = Mount::of_image(&copy).unwrap();
        let (found, _run) = SqliteJournal::open(&after.folder()).unwrap().resume(&id).await.unwrap();
        let found = paths(&found);
        let lost = kept.iter().find(|path| !found.contains(&path.as_str()));
        assert_eq!(lost, None, "round {round}, {} were kept", kept.len());
        assert_intact(&after.folder());
        interrupted = id;
    }
}
