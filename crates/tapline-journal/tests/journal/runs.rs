//! Runs begin, keep their steps, end and are resumed.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tapline_core::Value;
use tapline_pipeline::{Journal as _, JournalError, RunEnding, StepRecord, StepState};

use crate::support::{Place, begun, paths, record, refusal, step};

#[tokio::test]
async fn a_run_is_resumed_with_what_it_was_given_and_the_last_record_of_each_path() {
    let place = Place::new();
    let run = begun(&place.journal()).await;
    let failed = StepRecord {
        state: StepState::Failed,
        output: Value::Null,
        error: Some("the server answers 503".into()),
        ..step("answer[1]")
    };
    let skipped = StepRecord { state: StepState::Skipped, output: Value::Null, ..step("mail") };
    for step in [step("load"), failed, step("answer[0]"), skipped.clone()] {
        run.step(step).await.unwrap();
    }
    let again = StepRecord { took: Duration::from_secs(9), input: [8; 32], ..step("answer[1]") };
    run.step(again.clone()).await.unwrap();
    let id = run.id().to_owned();
    drop(run);

    let (kept, run) = place.journal().resume(&id).await.unwrap();
    assert_eq!(run.id(), id);
    assert_eq!(kept.steps, [step("load"), step("answer[0]"), skipped, again]);
    let (found, given) = (kept.run, record());
    assert_eq!((found.pipeline, found.file, found.text), (given.pipeline, given.file, given.text));
    assert_eq!((found.inputs, found.began), (given.inputs, given.began));
}

#[tokio::test]
async fn a_step_that_failed_is_kept_with_its_error() {
    let place = Place::new();
    let journal = place.journal();
    let run = begun(&journal).await;
    let failed =
        StepRecord { state: StepState::Failed, error: Some("no \"way\"\0".into()), ..step("answer") };
    run.step(failed.clone()).await.unwrap();
    run.end(RunEnding::Failed("`answer` failed".into())).await.unwrap();
    assert_eq!(journal.resume(run.id()).await.unwrap().0.steps, [failed]);
}

#[tokio::test]
async fn a_value_comes_back_as_the_very_one_that_was_kept() {
    let place = Place::new();
    let journal = place.journal();
    let run = begun(&journal).await;
    let text = r#"{"z": [0.1, 5e-324, 1.7976931348623157e308, 0.30000000000000004, 123456789.12345679, -0.0, 1.0, 1],
        "a": {"": null, "\u0000ä\u2028": "\u0000\ud83d\ude00"}, "n": [18446744073709551615, -9223372036854775808]}"#;
    let mut step = StepRecord { output: Value::from_json(text).unwrap(), ..step("load") };
    // Numbers whose digits are hard to read.
    let numbers = (0..10_000).map(|_| f64::from_bits(fastrand::u64(..)));
    let numbers: Vec<Value> = numbers.filter(|number| number.is_finite()).map(Value::from).collect();
    run.step(step.clone()).await.unwrap();
    let id = run.id().to_owned();
    let many = StepRecord { output: numbers.into(), ..crate::support::step("many") };
    run.step(many.clone()).await.unwrap();
    drop(run);
    let (kept, _run) = journal.resume(&id).await.unwrap();
    assert_eq!(kept.steps[1], many);
    assert_eq!(kept.steps[0].output.to_json(), step.output.to_json(), "keys keep their order");
    step.output = kept.steps[0].output.clone();
    assert_eq!(kept.steps[0], step);
}

#[tokio::test]
async fn a_value_that_could_not_be_read_again_is_refused_and_the_run_goes_on() {
    let place = Place::new();
    let journal = place.journal();
    let run = begun(&journal).await;
    let nested = |levels| (0..levels).fold(Value::Null, |inner, _| vec![inner].into());
    let deepest = StepRecord { output: nested(127), ..step("deepest") };
    run.step(deepest.clone()).await.unwrap();
    let error = run.step(StepRecord { output: nested(128), ..step("deeper") }).await.unwrap_err();
    assert!(error.to_string().ends_with("a value is nested more than 127 levels deep"), "{error}");
    run.end(RunEnding::Interrupted).await.unwrap();
    assert_eq!(journal.resume(run.id()).await.unwrap().0.steps, [deepest]);
}

#[tokio::test]
async fn a_run_under_way_is_taken_and_one_that_is_done_is_done() {
    let place = Place::new();
    let (journal, other) = (place.journal(), place.journal());
    let mut run = begun(&journal).await;
    let id = run.id().to_owned();
    for ending in [RunEnding::Failed("it broke".into()), RunEnding::Interrupted] {
        for journal in [&journal, &other] {
            assert!(matches!(refusal(journal, &id).await, JournalError::Taken { id: taken } if *taken == id));
        }
        run.end(ending).await.unwrap();
        (_, run) = other.resume(&id).await.unwrap();
    }
    run.end(RunEnding::Done(record().inputs)).await.unwrap();
    for journal in [&journal, &other] {
        assert!(matches!(refusal(journal, &id).await, JournalError::Done { id: done } if *done == id));
    }
    let files = std::fs::read_dir(place.folder.join("runs")).unwrap();
    assert_eq!(files.count(), 1, "a run that is done leaves no file");
}

#[tokio::test]
async fn a_run_that_has_ended_takes_no_more() {
    let place = Place::new();
    let run = begun(&place.journal()).await;
    run.end(RunEnding::Interrupted).await.unwrap();
    for refused in [run.step(step("late")).await, run.end(RunEnding::Interrupted).await] {
        assert!(refused.unwrap_err().to_string().ends_with("has ended"));
    }
}

#[tokio::test]
async fn a_run_is_found_by_the_beginning_of_its_name_where_that_is_clear() {
    let place = Place::new();
    let journal = place.journal();
    let mut ids = Vec::new();
    // More than there are first letters.
    for _ in 0..33 {
        ids.push(begun(&journal).await.id().to_owned());
    }
    let same = |letter: char| ids.iter().filter(move |id| id.starts_with(letter));
    let twice =
        ids.iter().filter_map(|id| id.chars().next()).find(|letter| same(*letter).count() > 1).unwrap();
    let JournalError::Ambiguous { id, runs } = refusal(&journal, &twice.to_string()).await else {
        panic!("one of several is resumed");
    };
    let mut meant: Vec<_> = same(twice).cloned().collect();
    meant.sort();
    assert_eq!((&*id, runs), (&*twice.to_string(), meant));
    for id in &ids {
        let only = (1..8).find(|end| ids.iter().filter(|other| other.starts_with(&id[..*end])).count() == 1);
        let (_, run) = journal.resume(&id[..only.unwrap()].to_uppercase()).await.unwrap();
        assert_eq!(run.id(), id);
    }
    for none in ["", "u", "%", "~", "../../etc/passwd", "k3vk3vk3vk3v"] {
        let error = refusal(&journal, none).await;
        assert!(matches!(&error, JournalError::Unknown { id } if **id == *none), "{error}");
    }
}

#[tokio::test]
async fn steps_at_the_same_time_are_all_kept_and_dropped_ones_are_in_nobody_s_way() {
    let place = Place::new();
    let journal = place.journal();
    let run = begun(&journal).await;
    let wanted: Vec<String> = (0..500).map(|number| format!("answer[{number}]")).collect();
    for number in 0..200 {
        // More than may wait.
        drop(run.step(step(&format!("dropped[{number}]"))).now_or_never());
    }
    let steps = wanted.iter().map(|path| run.step(step(path)));
    assert!(join_all(steps).await.into_iter().all(|kept| kept.is_ok()));
    run.end(RunEnding::Interrupted).await.unwrap();
    let (kept, _run) = journal.resume(run.id()).await.unwrap();
    let mut found = paths(&kept);
    found.retain(|path| path.starts_with("answer"));
    found.sort_by_key(|path| wanted.iter().position(|wanted| wanted == path));
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_run_outlives_its_journal_and_journals_share_a_folder() {
    let place = Place::new();
    let (one, other) = (begun(&place.journal()).await, begun(&place.journal()).await);
    for number in 0..50 {
        one.step(step(&format!("one[{number}]"))).await.unwrap();
        other.step(step(&format!("other[{number}]"))).await.unwrap();
    }
    for run in [one, other] {
        run.end(RunEnding::Interrupted).await.unwrap();
        let (kept, _run) = place.journal().resume(run.id()).await.unwrap();
        assert_eq!(kept.steps.len(), 50);
    }
}
