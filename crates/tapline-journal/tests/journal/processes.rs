//! Several processes, some of which are killed.

use std::iter;

use tapline_journal::{History, RunStatus};
use tapline_pipeline::Journal as _;

use crate::child::Other;
use crate::support::{Place, assert_intact, begun, paths, refusal};

fn rounds() -> usize {
    if std::env::var_os("TAPLINE_LONG").is_some() { 1_000 } else { 20 }
}

#[tokio::test]
async fn kill_9_at_any_moment_loses_no_step_that_was_acknowledged() {
    let place = Place::new();
    let mut interrupted = String::new();
    for round in 0..rounds() {
        let mut other = Other::start("write", &place.folder, &format!("{round} {interrupted}"));
        let moment = fastrand::usize(..300);
        let id = if moment > 0 { other.hears("run ") } else { None };
        let mut kept: Vec<String> = iter::from_fn(|| other.hears("kept ")).take(moment).collect();
        other.kill();
        kept.extend(iter::from_fn(|| other.hears("kept ")));
        let journal = place.journal();
        if let Some(id) = &id {
            let (found, _run) = journal.resume(id).await.unwrap();
            let found = paths(&found);
            let lost = kept.iter().find(|path| !found.contains(&path.as_str()));
            assert_eq!(lost, None, "round {round}, {} were kept", kept.len());
        }
        assert_intact(&place.folder);
        // Every other run is gone on with.
        interrupted = id.filter(|_| round % 2 == 0).unwrap_or_default();
        History::open(&place.folder).unwrap().keep_newest(1).unwrap();
    }
}

#[tokio::test]
async fn processes_that_write_at_the_same_time_lose_nothing() {
    let place = Place::new();
    let mut others: Vec<_> = (0..4).map(|_| Other::start("write", &place.folder, "0 ")).collect();
    let ids: Vec<_> = others.iter_mut().map(|other| other.hears("run ").unwrap()).collect();
    for (other, id) in others.iter_mut().zip(ids) {
        let kept: Vec<_> = iter::from_fn(|| other.hears("kept ")).take(100).collect();
        other.kill();
        let (found, _run) = place.journal().resume(&id).await.unwrap();
        assert!(kept.iter().all(|path| paths(&found).contains(&path.as_str())));
    }
    assert_intact(&place.folder);
}

#[tokio::test]
async fn of_several_processes_that_resume_a_run_one_has_it_until_it_is_killed() {
    let place = Place::new();
    let journal = place.journal();
    let id = begun(&journal).await.id().to_owned();
    let history = History::open(&place.folder).unwrap();
    let status = || history.show(&id).unwrap().summary.status;
    for _ in 0..5 {
        let mut others: Vec<_> = (0..4).map(|_| Other::start("resume", &place.folder, &id)).collect();
        others.iter_mut().for_each(|other| assert!(other.hears("ready").is_some()));
        assert_eq!(status(), RunStatus::Killed);
        others.iter_mut().for_each(Other::tell);
        let told: Vec<_> = others.iter_mut().map(|other| other.hears("told ").unwrap()).collect();
        assert_eq!(told.iter().filter(|told| *told == "won").count(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|told| *told == "taken").count(), 3, "{told:?}");
        assert_eq!(status(), RunStatus::Running);
        assert!(refusal(&journal, &id).await.to_string().contains("under way in another process"));
        others.iter_mut().for_each(Other::kill);
        assert_eq!(status(), RunStatus::Killed);
    }
}

#[tokio::test]
async fn looking_at_a_run_is_never_in_the_way_of_resuming_it() {
    let place = Place::new();
    let journal = place.journal();
    let id = begun(&journal).await.id().to_owned();
    let (done, is_over) = std::sync::mpsc::channel::<()>();
    let folder = place.folder.clone();
    let looking = std::thread::spawn(move || {
        let history = History::open(&folder).unwrap();
        while is_over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            history.list(10).unwrap();
        }
    });
    for _ in 0..300 {
        journal.resume(&id).await.unwrap();
    }
    drop(done);
    looking.join().unwrap();
}
