use crate::support::Workplace;

#[test]
fn what_init_writes_is_without_mistakes_and_runs() {
    let workplace = Workplace::new();
    assert_eq!(workplace.tapline("init hello").code, 0);
    assert_eq!(workplace.tapline("check hello/pipeline.yaml").code, 0);
    let said = workplace.tapline("run hello/pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("report\n"), "{}", said.out);
}

#[test]
fn init_overwrites_nothing() {
    let workplace = Workplace::with("mine");
    let said = workplace.tapline("init");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("pipeline.yaml is there already, and nothing was written"), "{}", said.err);
    assert_eq!(workplace.read("pipeline.yaml"), "mine");
    assert!(!workplace.path("messages.jsonl").exists());
}
