use expect_test::expect;
use serde_json::Value;

use crate::support::{Workplace, lines, repository};

const PART: &str = "\
name: part
inputs: { n: { type: integer } }
nodes:
  end: { value: '{{ inputs.n }}' }
  twice: { value: '{{ end * 2 }}' }
outputs: { n: '{{ twice }}' }
";

const WHOLE: &str = "\
name: whole
inputs: { n: { type: integer, default: 4 } }
limits: { wall: 10m, parallel: 4, tokens: 50_000 }
durability: exit
nodes:
  load: { type: read, with: { path: a.jsonl }, cache: { ttl: 1d }, timeout: { run: 30s, idle: 5s }, retry: 3 }
  open: { type: filter, when: inputs.n > 3, with: { items: '{{ load.items }}', where: item.x } }
  answer:
    map: { over: '{{ open.items }}', parallel: 4 }
    rate_limit: { calls: 10, per: 1s }
    budget: { tokens: 100 }
    switch:
      - { when: inputs.n == 1, type: limit, with: { items: [1], max: 1 } }
      - first: [{ value: 1 }, { value: 2, on_error: { fallback: { value: 3 } } }]
  sub: { pipeline: part.yaml, with: { n: 1 }, needs: [answer], on_error: { dead_letter: failed.jsonl } }
  again: { pipeline: part.yaml, with: { n: 2 }, while: { when: iteration < 2, max: 5 } }
";

fn whole() -> Workplace {
    let workplace = Workplace::with(WHOLE);
    workplace.write("part.yaml", PART);
    workplace
}

#[test]
fn a_plan_shows_levels_steps_rules_plugins_and_limits() {
    let said = whole().tapline("plan pipeline.yaml");
    assert_eq!((said.code, &*said.err), (0, ""));
    let shown = lines(&said.out).join("\n");
    expect![[r#"
        whole: 5 nodes in 4 levels
         level  node                     does                plugin           after   rules
         1      load                     read                io 0.1.0                 retry 3, timeout 30s, idle timeout 5s, cache 1day
         1      again                    pipeline part.yaml                           while iteration < 2, at most 5 times
         1.1      end                    value
         1.2      twice                  value                                end
         2      open                     filter              transform 0.1.0  load    when inputs.n > 3
         3      answer                   switch                               open    map parallel 4, rate limit 10 in 1s, budget tokens 100
                  switch/0               limit               transform 0.1.0          when inputs.n == 1
                  switch/1               first
                    first/0              value
                    first/1              value                                        on error fallback
                      on_error/fallback  value
         4      sub                      pipeline part.yaml                   answer  on error to failed.jsonl

         plugin           from      runs            may
         io 0.1.0         built in  in the command  read and write the folder `data:`
         transform 0.1.0  built in  in the command  read `input`, write `output`

        limits: wall 10m, parallel 4, tokens 50000
        durability: exit"#]]
    .assert_eq(&shown);
}

#[test]
fn the_docs_show_the_plan_of_the_example() {
    let page = std::fs::read_to_string(repository().join("docs/command.md")).unwrap();
    let shown = page.split("```text\ntriage: ").nth(1).unwrap().split("```").next().unwrap();
    let said = Workplace::triage().tapline("plan pipeline.yaml");
    assert_eq!(lines(&said.out), lines(&format!("triage: {shown}")));
}

#[test]
fn json_tells_the_same_to_programs() {
    let said = whole().tapline("plan pipeline.yaml --json");
    let plan: Value = serde_json::from_str(&said.out).unwrap();
    let node = |id: &str| plan["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap();
    assert_eq!(plan["levels"], 4);
    assert_eq!((&node("open")["level"], &node("open")["after"][0]), (&"2".into(), &"load".into()));
    assert_eq!(node("again")["nodes"][1]["level"], "1.2");
    assert_eq!(node("answer")["steps"][1]["steps"][1]["steps"][0]["path"], "on_error/fallback");
    assert_eq!(plan["plugins"][0]["sandboxed"], false);
    assert_eq!(plan["durability"], "exit");
}

#[test]
fn what_a_plugin_may_touch_is_what_the_file_leaves_it() {
    let workplace = Workplace::triage();
    let may = |workplace: &Workplace| {
        let plan: Value = serde_json::from_str(&workplace.tapline("plan pipeline.yaml --json").out).unwrap();
        plan["plugins"].as_array().unwrap().iter().find(|plugin| plugin["id"] == "redact").unwrap()["may"]
            .clone()
    };
    assert_eq!(may(&workplace), serde_json::json!(["read `input.with.prompt`", "write `input.with.prompt`"]));
    workplace.edit("pipeline.yaml", "path: plugins/redact,", "path: plugins/redact, grants: {},");
    assert_eq!(may(&workplace), serde_json::json!([]));
}

#[test]
fn a_pipeline_that_is_used_by_many_is_planned_once() {
    let workplace =
        Workplace::with("name: x\nnodes: { a: { pipeline: p0.yaml }, b: { pipeline: p0.yaml } }\n");
    for (file, next) in (0..20).map(|place| (format!("p{place}.yaml"), format!("p{}.yaml", place + 1))) {
        let text = format!("name: x\nnodes: {{ a: {{ pipeline: {next} }}, b: {{ pipeline: {next} }} }}\n");
        workplace.write(&file, text);
    }
    workplace.write("p20.yaml", "name: x\nnodes: { a: { value: 1 } }\n");
    let said = workplace.tapline("plan pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out.lines().filter(|line| line.contains(" value ")).count(), 1);
}

#[test]
fn a_file_with_mistakes_has_no_plan_and_no_drawing() {
    let workplace = Workplace::with("name: x\nnodes: { a: { type: reed } }\n");
    for verb in ["plan", "graph"] {
        let said = workplace.start([verb, "pipeline.yaml"]);
        assert_eq!((said.code, &*said.out), (2, ""));
        assert!(said.err.contains("did you mean `read`?"), "{}", said.err);
    }
}
