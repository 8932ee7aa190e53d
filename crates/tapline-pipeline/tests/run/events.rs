//! What whoever watches a run is told.

use std::sync::Arc;

use expect_test::expect;
use tapline_pipeline::RunSettings;

use crate::support::{Notes, definition, run_with};

#[tokio::test(start_paused = true)]
async fn a_run_tells_of_itself_in_one_stream() {
    let text = "nodes:
  talk: { type: speak, with: { pieces: [a, b] } }
  again: { type: fail, with: { until: 2 }, retry: 1, needs: [talk] }
  rest: { type: pick, map: { over: [1, 2] }, with: { bad: \"{{ item == 2 }}\" }, on_error: skip, needs: [again] }
outputs: { n: \"{{ rest.count }}\" }
";
    let notes = Arc::new(Notes::default());
    run_with(definition(text), RunSettings::default().observer(notes.clone())).await;
    expect![[r#"
        {"event":"run-started","pipeline":"test","run":null,"nodes":3,"resumed":false}
        {"event":"node-started","node":"talk"}
        {"event":"token","node":"talk","path":"talk","piece":"a"}
        {"event":"token","node":"talk","path":"talk","piece":"b"}
        {"event":"node-finished","node":"talk","type":"speak","state":"done","items":null,"tolerated":0,"reused":0}
        {"event":"node-started","node":"again"}
        {"event":"retry","node":"again","path":"again","attempt":1,"error":"attempt 1 had no luck"}
        {"event":"node-finished","node":"again","type":"fail","state":"done","items":null,"tolerated":0,"reused":0}
        {"event":"node-started","node":"rest"}
        {"event":"progress","node":"rest","done":1,"total":2}
        {"event":"tolerated","node":"rest","path":"rest[1]","error":"it is bad"}
        {"event":"progress","node":"rest","done":2,"total":2}
        {"event":"node-finished","node":"rest","type":"pick","state":"done","items":2,"tolerated":1,"reused":0}
        {"event":"run-finished","outputs":{"n":1},"error":null}
    "#]].assert_eq(&notes.text());
}
