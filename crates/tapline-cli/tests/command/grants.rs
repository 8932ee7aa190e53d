//! What plugins may do, what they have done, and what they ask for anew.

use serde_json::Value;

use crate::support::Workplace;

/// The plugin of the example, asking for this as well.
fn asking(requires: &str) -> Workplace {
    let workplace = Workplace::triage();
    let context = "[requires.context]";
    workplace.edit("plugins/redact/plugin.toml", context, &format!("[requires]\n{requires}\n\n{context}"));
    workplace
}

#[test]
fn grants_show_what_is_asked_for_who_says_no_and_what_was_used() {
    let workplace = asking(
        "call = ['provider/echo', 'provider/secret']\nclock = 'coarse'\n\
         fs = [{ path = 'scratch:', mode = 'rw', why = 'keeps \\u001B[31mpages' }]",
    );
    workplace.write(
        "tapline.toml",
        "[policy]\ncall = ['provider/*']\n[policy.deny]\ncall = ['provider/secret']\n[audit]\nfile = 'audit.jsonl'\n",
    );
    let line = |plugin: &str, target: &str, outcome: &str| {
        format!(
            "{{\"time\":\"t\",\"plugin\":\"{plugin}\",\"action\":\"call\",\"target\":\"{target}\",\"outcome\":\"{outcome}\"}}\n"
        )
    };
    let audit = [
        line("redact", "provider/echo", "granted"),
        line("redact", "provider/echo", "granted"),
        line("redact", "provider/secret\\u001b[2J", "refused"),
        line("other", "provider/echo", "granted"),
        "half a line\n".into(),
        format!("{}\n", "x".repeat(200_000)),
    ];
    workplace.write("audit.jsonl", audit.concat());
    let said = workplace.tapline("plugin grants redact --json");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let asked = |target: &str| {
        let asks = told["asks_for"].as_array().unwrap();
        asks.iter().find(|ask| ask["target"] == target).unwrap().clone()
    };
    assert_eq!(asked("provider/echo")["granted"], true);
    assert_eq!(asked("provider/secret")["refused"], "the operator denies it");
    assert_eq!(asked("scratch:")["refused"], "the policy does not allow this folder");
    assert_eq!(asked("clock")["granted"], true);
    assert_eq!(told["denied_to_all"][0], "call `provider/secret`");
    assert_eq!((&told["used"][0]["granted"], &told["used"][0]["refused"]), (&2.into(), &0.into()));
    assert_eq!(told["used"].as_array().unwrap().len(), 2);
    assert_eq!(told["unreadable_lines"], 2);

    let said = workplace.tapline("plugin grants redact");
    assert_eq!(said.code, 0);
    for text in
        ["no: the operator denies it", "no: the policy does not allow this folder", "no plugin may call"]
    {
        assert!(said.out.contains(text), "{text}: {}", said.out);
    }
    assert!(!said.out.contains('\u{1b}'), "{}", said.out);
    assert_eq!(said.err, "warning: 2 lines of the audit cannot be read\n");
}

#[test]
fn requests_and_secrets_that_are_asked_for_are_shown_with_why() {
    let workplace = asking(
        "http = [{ hosts = ['a.example'], methods = ['GET'], paths = ['/*'], why = 'search' }]\n\
         secrets = [{ name = 'key', header = 'Authorization', hosts = ['a.example'], why = 'log in' }]",
    );
    let told = |workplace: &Workplace| {
        let said = workplace.tapline("plugin grants redact --json");
        let told: Value = serde_json::from_str(&said.out).unwrap();
        let asks = told["asks_for"].as_array().unwrap().iter();
        let asks = asks.filter(|ask| ask["why"] != "");
        asks.map(|ask| format!("{} {} {}", ask["action"], ask["why"], ask["granted"])).collect::<Vec<_>>()
    };
    let expected = |granted| {
        ["\"request\" \"search\"", "\"use the secret\" \"log in\""].map(|ask| format!("{ask} {granted}"))
    };
    assert_eq!(told(&workplace), expected(false));
    workplace.write(
        "tapline.toml",
        "[policy]\nhttp = [{ hosts = ['a.example'], methods = ['GET'], paths = ['/*'] }]\n\
         secrets = [{ name = 'key', header = 'Authorization', hosts = ['a.example'] }]\n",
    );
    assert_eq!(told(&workplace), expected(true));
}

#[test]
fn grants_need_no_audit_and_name_one_that_is_not_there() {
    let workplace = Workplace::triage();
    let said = workplace.tapline("plugin grants redact");
    assert!(said.code == 0 && said.out.contains("no audit says what it has used"), "{}", said.out);
    let said = workplace.tapline("plugin grants redact --audit nowhere.jsonl");
    assert!(said.code == 2 && said.err.contains("nowhere.jsonl"), "{}", said.err);
    workplace.write("tapline.toml", "[audit]\nfile = 'audit.jsonl'\n");
    let said = workplace.tapline("plugin grants redact");
    assert!(said.code == 0 && said.out.contains("it has used nothing of it"), "{}", said.out);
    assert_eq!(workplace.tapline("plugin grants nobody").code, 2);
}

#[test]
fn a_run_writes_the_audit_that_the_settings_or_the_flag_name() {
    let workplace = Workplace::triage();
    // What it may not write is refused, and that is audited.
    workplace.edit("plugins/redact/plugin.toml", "write = [\"input.with.prompt\"]", "write = []");
    assert_eq!(workplace.tapline("run pipeline.yaml --audit one.jsonl").code, 1);
    let refused =
        "\"plugin\":\"redact\",\"action\":\"write\",\"target\":\"input.with.prompt\",\"outcome\":\"refused\"";
    assert!(workplace.read("one.jsonl").contains(refused), "{}", workplace.read("one.jsonl"));
    workplace.write("tapline.toml", "[audit]\nfile = 'two.jsonl'\n");
    assert_eq!(workplace.tapline("run pipeline.yaml").code, 1);
    assert!(workplace.read("two.jsonl").contains(refused));
    let said = workplace.tapline("plugin grants redact");
    assert!(said.out.lines().any(|line| line.contains("write") && line.contains("input.with.prompt")));
    let said = workplace.tapline("run pipeline.yaml --audit nowhere/audit.jsonl");
    assert!(said.code == 2 && said.err.contains("nowhere/audit.jsonl"), "{}", said.err);
}

#[test]
fn an_update_that_asks_for_more_stops_until_it_is_accepted() {
    let workplace = Workplace::triage();
    assert_eq!(workplace.tapline("lock pipeline.yaml").code, 0);
    workplace.edit(
        "plugins/redact/plugin.toml",
        "[requires.context]",
        "[requires]\nclock = 'coarse'\n\n[requires.context]",
    );
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "pipeline.yaml"]);
        assert_eq!(said.code, 2, "{verb}: {}", said.err);
        let told = "plugins ask for more than tapline.lock says\n  plugin `redact` 1.0.0 wants to know the coarse time\n`tapline lock pipeline.yaml` accepts it\n";
        assert!(said.err.contains(told), "{verb}: {}", said.err);
    }
    assert_eq!(workplace.tapline("lock pipeline.yaml").code, 0);
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 0);
    // One that asks for less is told of, and goes on.
    workplace.edit("plugins/redact/plugin.toml", "clock = 'coarse'\n", "");
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 0);
}

#[test]
fn a_lock_that_does_not_say_what_was_asked_for_accepts_as_before() {
    let workplace = Workplace::triage();
    assert_eq!(workplace.tapline("lock pipeline.yaml").code, 0);
    let lock = workplace.read("tapline.lock");
    let (before, asked) = lock.split_once("[plugin.asked").unwrap();
    let after = asked.split_once("\n\n[[plugin]]").map_or("", |(_, after)| after);
    let rest = if after.is_empty() { String::new() } else { format!("[[plugin]]{after}") };
    workplace.write("tapline.lock", format!("{before}{rest}"));
    workplace.edit(
        "plugins/redact/plugin.toml",
        "[requires.context]",
        "[requires]\nclock = 'coarse'\n\n[requires.context]",
    );
    let said = workplace.tapline("run pipeline.yaml");
    assert!(said.code == 0 && said.err.contains("warning: the plugins are not those of"), "{}", said.err);
}

#[test]
fn what_a_plugin_has_cost_in_the_last_run_is_shown_with_its_limits() {
    let workplace = Workplace::triage();
    workplace.write("tapline.toml", "[audit]\nfile = 'audit.jsonl'\n[limits]\nevents = 7\n");
    let run = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(run.code, 0, "{}", run.err);
    let told: Value = serde_json::from_str(&run.out).unwrap();
    let redact = told["plugins"].as_array().unwrap().iter().find(|plugin| plugin["id"] == "redact").unwrap();
    assert_eq!(redact["cost"]["calls"], redact["calls"]);
    assert!(
        redact["cost"]["most_memory"].as_u64().unwrap() > 0 && redact["cost"]["taken"].as_u64().unwrap() > 0
    );
    let info: Value = serde_json::from_str(&workplace.tapline("plugin info redact --json").out).unwrap();
    assert_eq!(info["last_run"], redact["cost"]);
    assert_eq!((&info["limits"]["events"], &info["limits"]["memory"]), (&7.into(), &"32MiB".into()));
}
