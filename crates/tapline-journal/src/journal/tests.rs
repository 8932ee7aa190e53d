use super::*;

#[tokio::test]
async fn a_name_that_is_taken_is_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let record = |pipeline: &str| {
        let (file, text, inputs) = ("".into(), "".into(), tapline_core::Object::default());
        Arc::new(RunRecord { pipeline: pipeline.into(), file, text, inputs, began: SystemTime::now() })
    };
    let begin =
        async |pipeline| journal.begin_as("k3vk3vk3".into(), &record(pipeline), &"{}".into()).await.unwrap();
    let first = begin("first").await;
    assert!(first.is_some());
    assert!(begin("second").await.is_none(), "it is under way");
    drop(first);
    assert!(begin("third").await.is_none(), "it can be resumed");
    let (kept, run) = journal.resume("k3v").await.unwrap();
    assert_eq!(&*kept.run.pipeline, "first");
    run.end(tapline_pipeline::RunEnding::Done(Default::default())).await.unwrap();
    assert!(begin("fourth").await.is_none(), "it can be looked at");
}
