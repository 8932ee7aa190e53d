//! What the rig promises to whoever tests a plugin.

use std::time::{Duration, SystemTime};

use tapline::{Failure, Policy, Value};
use tapline_pdk::prelude::{Context, Event, Level, Result, plugin};
use tapline_test_kit::{Answer, HookCall, Reply, Rig, guest, hostile};

/// Asks others for all sorts of things.
#[derive(Debug)]
struct Asking;

#[plugin(
    id = "asking",
    requires = {
        call = ["provider/echo", "plugin/clerk"],
        events = { publish = ["asked"], subscribe = ["please.*"] },
        clock = "precise",
        context = { read = ["input"], write = ["input", "output"] },
    },
)]
impl Asking {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[method]
    async fn ask(&self, context: &Context, prompt: String) -> Result<Value> {
        context.log(Level::Info, "it asks");
        context.publish("asked", &prompt)?;
        let request = Value::from_iter([("prompt", prompt.into())]);
        let answer: Value = context.call("provider/echo", "complete", &request).await?;
        answer.get("output").cloned().ok_or_else(|| Failure::new("no-output", "the provider lies"))
    }

    #[method]
    async fn twice(&self, context: &Context, request: Value) -> Result<Value> {
        context.call_within(Duration::from_millis(20), "clerk", "sign", &request).await
    }

    #[method]
    async fn now(&self, context: &Context, _: Value) -> Result<u64> {
        Ok(context.now()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    #[on(topic = "please.*")]
    async fn please(&self, context: &Context, event: Event) -> Result<()> {
        context.log(Level::Info, &format!("{event:?}"));
        Ok(())
    }

    #[hook(point = "say", kind = "around", when = { tone = "loud" })]
    async fn say(&self, context: &Context) -> Result<()> {
        let said: String = context.read("input")?;
        context.write("input", said.to_uppercase())?;
        context.next().await
    }
}

fn asking() -> tapline::NativePlugin {
    tapline_pdk::native::<Asking>()
}

#[tokio::test]
async fn a_scripted_provider_answers_and_what_it_was_asked_is_seen() {
    let rig = Rig::setup().provider("echo", "hello").load_native(asking()).await.unwrap();

    let answer = rig.method("ask", "hi".into()).await.unwrap();

    assert_eq!(answer, "hello".into());
    let calls = rig.seen().calls();
    assert_eq!(
        (calls[0].target.as_str(), calls[0].request.to_json()),
        ("provider/echo", r#"{"prompt":"hi"}"#.into())
    );
    assert_eq!(rig.seen().audit(), ["publish asked", "call provider/echo"]);
    rig.seen().wait(|seen| seen.events().iter().any(|event| event.topic.as_str() == "asked")).await;
}

#[tokio::test]
async fn a_neighbour_can_lie_fail_be_oversized_or_be_missing() {
    let ask = async |answer: Answer| {
        let rig =
            Rig::setup().answer("provider/echo", "complete", answer).load_native(asking()).await.unwrap();
        rig.method("ask", "hi".into()).await.unwrap_err().to_failure().code().to_owned()
    };

    assert_eq!(ask(Value::from("no object").into()).await, "no-output");
    assert_eq!(ask(Answer::Failure { code: "busy".into(), message: "later".into() }).await, "busy");
    assert_eq!(ask(Answer::Oversized(1 << 20)).await, "no-output");
    assert_eq!(ask(Answer::Trap).await, "fault");
    let alone = Rig::load_native(asking()).await.unwrap();
    assert_eq!(
        alone.method("ask", "hi".into()).await.unwrap_err().to_failure().code(),
        "no-such-contribution"
    );
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_never_answers_costs_no_time_where_time_is_paused() {
    let rig = Rig::setup().answer("clerk", "sign", Answer::Never).load_native(asking()).await.unwrap();

    let error = rig.method("twice", Value::Null).await.unwrap_err();

    assert_eq!(error.to_failure().code(), "deadline-exceeded");
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_is_slow_is_waited_for_as_long_as_the_plugin_is_willing() {
    let sign = async |milliseconds| {
        let slow = Answer::Slow(Duration::from_millis(milliseconds), "signed".into());
        let rig = Rig::setup().answer("clerk", "sign", slow).load_native(asking()).await.unwrap();
        rig.method("twice", Value::Null).await.map_err(|error| error.to_failure().code().to_owned())
    };

    assert_eq!(sign(19).await, Ok("signed".into()));
    assert_eq!(sign(21).await, Err("deadline-exceeded".into()));
}

#[tokio::test]
async fn a_neighbour_can_enter_the_plugin_a_second_time() {
    let again = Answer::Reentrant { method: "now".into(), request: Value::Null };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    let rig = Rig::setup().time(time).answer("clerk", "sign", again).load_native(asking()).await.unwrap();

    assert_eq!(rig.method("twice", Value::Null).await.unwrap(), Value::from(7_u64));
}

#[tokio::test]
async fn a_hook_is_called_as_its_point_calls_it() {
    let rig = Rig::load_native(asking()).await.unwrap();
    let say = |tone| HookCall::new("hello").fact("tone", tone).inside(Value::from("said"));

    let loud = rig.hook("say", say("loud")).await.unwrap();
    let low = rig.hook("say", say("low")).await.unwrap();

    assert_eq!((loud.output.unwrap(), &loud.reached[..]), ("said".into(), &["HELLO".into()][..]));
    assert_eq!(low.reached, ["hello".into()]);
}

#[tokio::test]
async fn an_event_of_the_test_reaches_the_plugin() {
    let rig = Rig::load_native(asking()).await.unwrap();

    assert_eq!(rig.publish("please.wait", Value::from(1_i64)).unwrap(), 2, "the plugin, and the rig itself");

    rig.seen().wait(|seen| seen.log().iter().any(|(_, line)| line.contains("please.wait"))).await;
}

#[tokio::test]
async fn a_package_runs_in_its_sandbox_with_servers_and_secrets_of_the_test() {
    let base = Value::from_iter([
        ("base_url", "https://api.example".into()),
        ("other_url", "https://b.example".into()),
    ]);
    let reply = Reply::json(200, &Value::from("found"));
    let rig = Rig::setup()
        .config(base)
        .secret("key", "a-key-that-is-long")
        .http("GET", "https://api.example/v1", [reply])
        .load(guest("courier"))
        .await
        .unwrap();
    let errand = |url: &str| {
        let header = Value::from(vec!["authorization".into(), "Bearer ${secret:key}".into()]);
        Value::from_iter([("url", url.into()), ("headers", vec![header].into())])
    };

    let answer = rig.request("errand", "run", "handle", errand("https://api.example/v1")).await.unwrap();
    let elsewhere =
        rig.request("errand", "run", "handle", errand("https://api.example/v2")).await.unwrap_err();

    assert_eq!(answer.get("body").unwrap().as_str(), Some(r#""found""#));
    let sent = &rig.seen().requests()[0];
    assert!(sent.headers.contains(&("authorization".into(), "Bearer a-key-that-is-long".into())), "{sent:?}");
    assert!(
        elsewhere.to_string().contains("the test has no answer for GET https://api.example/v2"),
        "{elsewhere}"
    );
    assert!(rig.seen().audit().contains(&"request GET https://api.example/v1".to_owned()));
}

#[tokio::test]
async fn a_plugin_that_leaks_traps_or_never_ends_can_be_had_and_harms_nobody() {
    let rig = Rig::load(hostile().unwrap().path()).await.unwrap();

    for (method, message) in [("grow", "memory"), ("trap", "trapped"), ("spin", "cpu")] {
        let error = rig.method(method, Value::Null).await.unwrap_err();
        assert!(error.to_string().contains(message), "{method}: {error}");
        // It has broken, and is started again.
        rig.host().restart(rig.plugin()).await.unwrap();
    }
}

#[tokio::test]
async fn a_policy_of_the_test_refuses_what_a_plugin_asks_for() {
    let refused = Rig::setup().policy(Policy::default()).load(guest("courier")).await.unwrap_err();

    assert!(refused.to_string().contains("courier"), "{refused}");
}
