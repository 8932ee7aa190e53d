//! What is told of runs afterwards.

use std::fs;
use std::time::Duration;

use tapline_core::Value;
use tapline_journal::{History, RunStatus};
use tapline_pipeline::{Journal as _, JournalError, RunEnding, RunRecord, StepRecord, StepState};

use crate::support::{Place, begun, record, step, time};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn runs_are_listed_newest_first_with_where_they_are() {
    let place = Place::new();
    let journal = place.journal();
    let mut ids = Vec::new();
    let outputs = record().inputs;
    for ending in [RunEnding::Done(outputs), RunEnding::Failed("no way".into()), RunEnding::Interrupted] {
        let run = begun(&journal).await;
        run.step(step("load")).await.unwrap();
        run.step(StepRecord { state: StepState::Skipped, ..step("mail") }).await.unwrap();
        run.end(ending).await.unwrap();
        ids.push(run.id().to_owned());
    }
    ids.push(begun(&journal).await.id().to_owned());
    let running = begun(&journal).await;
    ids.push(running.id().to_owned());

    let history = History::open(&place.folder).unwrap();
    let mut runs = history.list(usize::MAX).unwrap();
    assert_eq!(history.list(2).unwrap(), runs[..2]);
    runs.reverse();
    assert_eq!(runs.iter().map(|run| run.id.to_string()).collect::<Vec<_>>(), ids);
    let told: Vec<_> = runs.iter().map(|run| format!("{} {}", run.status, run.steps_done)).collect();
    assert_eq!(told, ["done 1", "failed 1", "interrupted 1", "killed 0", "running 0"]);
    assert_eq!((&*runs[0].pipeline, &*runs[0].file, runs[0].began), ("triage", "pipeline.yaml", time()));
}

#[tokio::test]
async fn a_run_is_shown_with_all_that_is_kept_of_it() {
    let place = Place::new();
    let journal = place.journal();
    let outputs: tapline_core::Object = [("report".into(), Value::from(3_u64))].into_iter().collect();
    let (done, failed) = (begun(&journal).await, begun(&journal).await);
    done.step(step("load")).await.unwrap();
    done.step(step("answer")).await.unwrap();
    done.end(RunEnding::Done(outputs.clone())).await.unwrap();
    failed.end(RunEnding::Failed("no way".into())).await.unwrap();

    let history = History::open(&place.folder).unwrap();
    let shown = history.show(done.id()).unwrap();
    assert_eq!((shown.inputs, shown.outputs, shown.error), (record().inputs, Some(outputs), None));
    assert_eq!(shown.steps, [step("load"), step("answer")]);
    assert_eq!(shown.summary, history.list(2).unwrap()[1]);
    let shown = history.show(failed.id()).unwrap();
    assert_eq!((shown.outputs, shown.error.as_deref()), (None, Some("no way")));
    assert!(matches!(history.show("u"), Err(JournalError::Unknown { .. })));
    // What is resumed has no error any more.
    let (_, _run) = journal.resume(failed.id()).await.unwrap();
    assert_eq!(history.show(failed.id()).unwrap().error, None);
}

#[tokio::test]
async fn the_time_in_which_nobody_had_a_run_under_way_does_not_count() {
    let place = Place::new();
    let journal = place.journal();
    let long_ago = std::time::SystemTime::now() - 3600 * SECOND;
    let run = journal.begin(RunRecord { began: long_ago, ..record() }).await.unwrap();
    let first = StepRecord { began: long_ago + SECOND, took: 2 * SECOND, ..step("load") };
    run.step(first).await.unwrap();
    let id = run.id().to_owned();
    drop(run);
    let history = History::open(&place.folder).unwrap();
    let took = || history.show(&id).unwrap().summary.took;
    assert_eq!(took(), 3 * SECOND);
    let (_, run) = journal.resume(&id).await.unwrap();
    assert_eq!(took(), 3 * SECOND);
    run.end(RunEnding::Interrupted).await.unwrap();
    assert!((3 * SECOND..600 * SECOND).contains(&took()), "{:?}", took());
}

#[test]
fn where_nothing_is_kept_nothing_is_made() {
    let place = Place::new();
    let history = History::open(&place.folder).unwrap();
    assert_eq!(history.list(10).unwrap(), []);
    assert!(matches!(history.show("k3v"), Err(JournalError::Unknown { .. })));
    assert_eq!(history.keep_newest(0).unwrap(), 0);
    assert!(!place.folder.exists());
}

#[tokio::test]
async fn old_runs_are_removed_but_those_under_way() {
    let place = Place::new();
    let journal = place.journal();
    let running = begun(&journal).await;
    let large = "x".repeat(100_000);
    for days in 0..20 {
        let began = time() + days * 86_400 * SECOND;
        let run = journal.begin(RunRecord { began, ..record() }).await.unwrap();
        run.step(StepRecord { output: large.as_str().into(), ..step("load") }).await.unwrap();
        run.end(RunEnding::Interrupted).await.unwrap();
    }
    let history = History::open(&place.folder).unwrap();
    let left = || history.list(100).unwrap().len();
    assert_eq!(history.keep_since(time() + 5 * 86_400 * SECOND).unwrap(), 5);
    assert_eq!(left(), 16);
    assert_eq!(history.keep_newest(3).unwrap(), 12);
    assert_eq!(left(), 4);
    assert_eq!(history.keep_newest(0).unwrap(), 3);
    assert_eq!(history.list(100).unwrap()[0].status, RunStatus::Running);
    assert_eq!(fs::read_dir(place.folder.join("runs")).unwrap().count(), 2);
    running.step(step("load")).await.unwrap();
    running.end(RunEnding::Interrupted).await.unwrap();
    drop((running, journal, history));
    History::open(&place.folder).unwrap().keep_newest(0).unwrap();
    let size = fs::metadata(place.folder.join("runs.db")).unwrap().len();
    assert!(size < 200_000, "the disk has its room again: {size}");
}
