//! What becomes of servers that behave, and of those that do not.

use std::time::Duration;

use crate::rig::{How, json, python};
use tapline_core::{Request, Value};
use tapline_mcp::Offer;

fn how() -> Option<How> {
    python().map(How::new)
}

#[tokio::test]
async fn each_tool_is_a_node_type_with_its_schema_and_a_tool_for_models() {
    let Some(how) = how() else { return };
    let offer = how.offer().await;
    assert_eq!((&*offer.name, offer.tools.len(), offer.has_resources), ("mock", 17, true));
    let manifest = offer.accepted(&how.manifest());
    let keys: Vec<_> = manifest.provides.iter().map(|one| format!("{}/{}", one.point, one.key)).collect();
    assert_eq!(keys[..4], ["node/mock.echo", "tool/mock_echo", "node/mock.sum_all", "tool/mock_sum_all"]);
    assert_eq!(keys[keys.len() - 2..], ["node/mock.resources", "plugin/mock"]);
    assert!(manifest.provides[0].schema.as_ref().unwrap().contains("additionalProperties"));

    let rig = how.load(&manifest).await.unwrap();
    let echo = rig.call("echo", json(r#"{"text":"hello"}"#)).await;
    assert_eq!(echo, Ok("hello".into()));
    let sum = rig.call("sum_all", json(r#"{"numbers":[1,2.5]}"#)).await;
    assert_eq!(sum, Ok(json(r#"{"sum":3.5}"#)));
    let image = rig.call("image", json("{}")).await.unwrap();
    assert_eq!(image.at("1.mimeType"), Some(&"image/png".into()));
    let outline = rig.ask("tool", "mock_echo", "describe", Value::Null).await.unwrap();
    assert_eq!(outline.get("description"), Some(&"Says it again.".into()));
    let called = rig.ask("tool", "mock_echo", "call", json(r#"{"text":"by a model"}"#)).await;
    assert_eq!(called, Ok("by a model".into()));
}

#[tokio::test]
async fn a_tool_that_fails_fails_the_call_with_its_text() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    let failed = rig.call("fail", json(r#"{"text":"there is no such city"}"#)).await.unwrap_err();
    assert!(failed.contains("there is no such city"), "{failed}");
    let refused = rig.call("refuse", json("{}")).await.unwrap_err();
    assert!(refused.contains("refused it with -32602: not with these arguments"), "{refused}");
}

#[tokio::test]
async fn resources_are_listed_and_read() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    let listed = rig.call("resources", json("{}")).await.unwrap();
    assert_eq!(listed.at("0.uri"), Some(&"mock://one".into()));
    let read = rig.call("resources", json(r#"{"uri":"mock://one"}"#)).await;
    assert_eq!(read, Ok("content of mock://one".into()));
}

#[tokio::test]
async fn how_far_a_call_has_come_is_told_while_it_runs() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    let request = Request::new("node", "mock.slow", "handle", json(r#"{"with":{"steps":3}}"#));
    let (mut pieces, answer) = rig.host.request_streamed(request);
    let answer = tokio::spawn(answer);
    let mut told = Vec::new();
    while let Some(piece) = pieces.next().await {
        told.push(piece);
    }
    assert_eq!(answer.await.unwrap().unwrap(), "done".into());
    assert_eq!(told.len(), 3);
    assert_eq!(told[0], json(r#"{"progress":1.0,"total":3.0,"message":"on it"}"#));
}

#[tokio::test]
async fn a73_a_tool_that_was_changed_after_it_was_accepted_is_not_called_and_others_are() {
    let Some(how) = how() else { return };
    let rig = how.clone().with(&["changed"]).accepted().await;
    let refused = rig.call("echo", json(r#"{"text":"x"}"#)).await.unwrap_err();
    assert!(refused.contains("tool `echo` of plugin `mock` is not the one that was accepted"), "{refused}");
    assert!(refused.contains("its description has changed"), "{refused}");
    assert!(refused.contains("`tapline mcp update mock`"), "{refused}");
    let outline = rig.ask("tool", "mock_echo", "describe", Value::Null).await.unwrap();
    assert_eq!(outline.get("description"), Some(&"Says it again.".into()), "models read what was accepted");
    rig.call("image", json("{}")).await.unwrap();
}

#[tokio::test]
async fn a73_a_tool_that_changes_while_the_server_runs_is_not_called_from_then_on() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    rig.call("echo", json("{}")).await.unwrap();
    rig.call("change", json("{}")).await.unwrap();
    let refused = rig.call("echo", json("{}")).await.unwrap_err();
    assert!(refused.contains("its description has changed"), "{refused}");
    rig.call("image", json("{}")).await.unwrap();
}

#[tokio::test]
async fn a74_a_tool_that_appears_is_not_there_until_it_is_accepted() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    rig.call("grow", json("{}")).await.unwrap();
    let unknown = rig.call("extra", json("{}")).await.unwrap_err();
    assert!(unknown.contains("nothing provides `mock.extra` at `node`"), "{unknown}");
    let offered: Offer = rig.ask("plugin", "mock", "tools", Value::Null).await.unwrap().to().unwrap();
    assert!(offered.tools.iter().any(|tool| tool.name == "extra"));
}

#[tokio::test]
async fn a76_a_server_that_asks_for_sampling_elicitation_or_roots_is_refused() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    let asked = rig.call("ask", json("{}")).await.unwrap();
    for (method, what) in [
        ("sampling/createMessage", "sampling"),
        ("elicitation/create", "elicitation"),
        ("roots/list", "roots"),
    ] {
        let answer = asked.get(method).and_then(Value::as_str).unwrap();
        assert_eq!(answer, format!("{what} is not granted to this server"));
        assert!(
            rig.log().contains(&format!("the server asked for {what}, and was refused")),
            "{}",
            rig.log()
        );
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled_at_the_server_which_goes_on() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    let given_up = tokio::time::timeout(Duration::from_millis(200), rig.call("hang", json("{}"))).await;
    assert!(given_up.is_err());
    let cancelled = rig.call("cancelled", json("{}")).await;
    assert_eq!(cancelled, Ok(json(r#"{"reasons":["nobody waits for it any more"]}"#)));
}

#[tokio::test]
async fn a_call_takes_no_longer_than_was_chosen_without_a_word_and_in_all() {
    let Some(how) = how() else { return };
    let rig = how.clone().mcp("idle = '100ms'").accepted().await;
    let silent = rig.call("hang", json("{}")).await.unwrap_err();
    assert!(silent.contains("the tool said nothing within 100ms"), "{silent}");
    let rig = how.mcp("total = '150ms'").accepted().await;
    let long = rig.call("slow", json(r#"{"steps":1000}"#)).await.unwrap_err();
    assert!(long.contains("the tool was not done within 150ms"), "{long}");
    assert_eq!(rig.call("echo", json("{}")).await, Ok("".into()));
}

#[tokio::test]
async fn a_server_that_ends_fails_the_calls_with_its_last_words_and_is_started_again() {
    let Some(how) = how() else { return };
    let rig = how.accepted().await;
    let ended = rig.call("exit", json(r#"{"text":"the disk is full"}"#)).await.unwrap_err();
    assert!(ended.contains("`mock`") && ended.contains("its process ended"), "{ended}");
    rig.logged("the disk is full").await;
    loop {
        if rig.call("echo", json(r#"{"text":"again"}"#)).await == Ok("again".into()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_start_is_not_loaded_and_says_why() {
    let Some(how) = how() else { return };
    let manifest = how.offer().await.accepted(&how.clone().with(&["dead"]).manifest());
    let refused = how.refused(&manifest).await;
    assert!(refused.contains("mock") && refused.contains("its process ended"), "{refused}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for_any_longer() {
    let Some(how) = how() else { return };
    let manifest = how.offer().await.accepted(&how.clone().with(&["silent"]).manifest());
    let how = How { ready: Duration::from_millis(300), ..how };
    let refused = how.refused(&manifest).await;
    assert!(refused.contains("it was not ready within 300ms"), "{refused}");
}

#[tokio::test]
async fn a_few_words_among_the_messages_are_logged_and_many_end_the_server() {
    let Some(how) = how() else { return };
    let rig = how.clone().with(&["greets"]).accepted().await;
    assert_eq!(rig.call("garbage", json(r#"{"lines":3}"#)).await, Ok("after garbage".into()));
    rig.logged("not a message of the protocol: welcome to my server").await;
    let ended = rig.call("garbage", json(r#"{"lines":100}"#)).await.unwrap_err();
    assert!(
        ended.contains("it wrote 16 lines that are no messages, the last one `this is no message"),
        "{ended}"
    );
    let manifest = how.offer().await.accepted(&how.clone().with(&["noise"]).manifest());
    let refused = how.refused(&manifest).await;
    assert!(refused.contains("no messages, the last one `welcome to my server`"), "{refused}");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_or_is_too_long_ends_the_call_and_the_server() {
    let Some(how) = how() else { return };
    let rig = how.rest("[limits]\noutput = '1MiB'").accepted().await;
    let broken = rig.call("broken", json("{}")).await.unwrap_err();
    assert!(broken.contains("it sent a message that cannot be read"), "{broken}");
    let huge = loop {
        let huge = rig.call("huge", json(r#"{"bytes":3000000}"#)).await.unwrap_err();
        if huge.contains("bytes") {
            break huge;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(huge.contains("it sent a message of more than 1048576 bytes"), "{huge}");
}

#[tokio::test]
async fn a_lazy_server_is_started_by_its_first_call() {
    let Some(how) = how() else { return };
    let manifest = how.offer().await.accepted(&how.clone().mcp("lazy = true").with(&["dead"]).manifest());
    let rig = how.load(&manifest).await.unwrap();
    rig.ask("tool", "mock_echo", "describe", Value::Null).await.unwrap();
    let ended = rig.call("echo", json("{}")).await.unwrap_err();
    assert!(ended.contains("its process ended"), "{ended}");
}

#[tokio::test]
async fn a_server_has_no_environment_but_what_it_was_granted() {
    let Some(how) = how() else { return };
    let env = "env = { TOKEN = 'Bearer ${env:MOCK_TOKEN}' }";
    let how = how.mcp(env).rest("[requires]\nenv = ['MOCK_TOKEN']");
    let manifest = how.offer().await.accepted(&how.manifest());
    let text = toml::to_string(&manifest).unwrap();
    assert!(!text.contains("a-token"), "{text}");
    let seen = how.load(&manifest).await.unwrap().call("look", json("{}")).await.unwrap();
    let environment = seen.get("environment").unwrap().as_object().unwrap();
    assert_eq!(environment.get("TOKEN"), Some(&"Bearer a-token".into()));
    let mut names: Vec<_> =
        environment.keys().map(|name| &**name).filter(|name| *name != "LC_CTYPE").collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH", "TOKEN"]);
}

#[tokio::test]
async fn a_server_that_knows_only_the_latest_version_of_the_protocol_is_greeted_as_that_has_it() {
    let Some(how) = how() else { return };
    let how = how.with(&["modern"]);
    let offer = how.offer().await;
    assert_eq!((&*offer.version, offer.has_resources), ("0.2", false));
    let rig = how.load(&offer.accepted(&how.manifest())).await.unwrap();
    assert_eq!(rig.call("echo", json(r#"{"text":"hello"}"#)).await, Ok("hello".into()));
}

#[tokio::test]
async fn nothing_of_a_server_is_left_when_it_is_unloaded() {
    let Some(how) = how() else { return };
    let how = how.with(&[&format!("alone-{}", std::process::id())]);
    let rig = how.accepted().await;
    rig.call("child", json("{}")).await.unwrap();
    assert_eq!(how.processes().len(), 2, "{:?}", how.processes());
    rig.host.unload("mock").await.unwrap();
    while !how.processes().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
