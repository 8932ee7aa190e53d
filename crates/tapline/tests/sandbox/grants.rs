//! What was not granted is not reached.

use tapline::core::{ContextGrants, Grants, PathSet};
use tapline::{HookPoint, Load};

use crate::support::{Probed, host, probe};

#[tokio::test]
async fn a_path_that_was_not_granted_is_denied_for_reading_and_for_writing() {
    let probed = Probed::new().await;
    for what in ["peek", "poke"] {
        let failure = probed.told(what).await.unwrap_err().to_failure();
        assert_eq!(failure.code(), "denied", "{what}");
        assert!(failure.message().contains("`secret`"), "{failure}");
    }
}

#[tokio::test]
async fn a_narrowed_grant_takes_away_what_the_manifest_asks_for() {
    let host = host();
    let point: HookPoint<String, String> = host.hook_point("do").unwrap();
    let read = PathSet::new(["input"]).unwrap();
    let narrowed =
        Grants { context: ContextGrants { read, ..ContextGrants::default() }, ..Grants::default() };
    host.load(probe().narrow(narrowed)).await.unwrap();
    let answer = point.call("count".to_owned(), |input| async { Ok(input) }).await;
    let failure = answer.unwrap_err().to_failure();
    assert_eq!(failure.code(), "denied");
    assert!(failure.message().contains("write `output`"), "{failure}");
}

#[tokio::test]
async fn an_empty_grant_grants_nothing() {
    let host = host();
    let point: HookPoint<String, String> = host.hook_point("do").unwrap();
    host.load(probe().narrow(Grants::default())).await.unwrap();
    let answer = point.call("count".to_owned(), |input| async { Ok(input) }).await;
    assert_eq!(answer.unwrap_err().to_failure().code(), "denied");
}

#[tokio::test]
async fn the_request_to_a_contribution_needs_no_grant() {
    let host = host();
    host.load(probe().narrow(Grants::default())).await.unwrap();
    let request = tapline::core::Request::new("echo", "probe", "handle", "hello".into());
    assert_eq!(host.request(request).await.unwrap(), "hello".into());
}

#[tokio::test]
async fn a_call_that_the_policy_does_not_allow_refuses_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = std::fs::read_to_string(tapline_test_kit::guest("probe").join("plugin.toml")).unwrap();
    let asking =
        manifest.replace("[requires.context]", "[requires]\ncall = ['provider/*']\n\n[requires.context]");
    std::fs::write(folder.path().join("plugin.toml"), asking).unwrap();
    std::fs::copy(tapline_test_kit::guest("probe").join("plugin.wasm"), folder.path().join("plugin.wasm"))
        .unwrap();
    let error = host().load(Load::folder(folder.path())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "plugin `probe` may not call `provider/*`: the policy does not allow this call"
    );
}
