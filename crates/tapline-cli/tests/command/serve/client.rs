use serde_json::Value;

use crate::serving::Serving;
use crate::support::Workplace;

#[test]
fn a_run_on_a_server_shows_what_a_run_here_shows() {
    let workplace = Workplace::triage();
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let here = workplace.tapline("run pipeline.yaml --events here.jsonl");
    let there = workplace.tapline(&format!("run pipeline.yaml --url {} --events there.jsonl", serving.url));
    assert_eq!((there.code, &there.out), (0, &here.out));
    let words = |text: &str| -> Vec<String> {
        let is_time = |word: &&str| word.parse::<f64>().is_ok() || matches!(*word, "ms" | "µs" | "s");
        let words = |line: &str| {
            line.split_whitespace()
                .filter(|word| !is_time(word))
                .map(str::to_owned)
                .collect::<Vec<_>>()
                .join(" ")
        };
        text.lines().map(words).collect()
    };
    let (mut here_said, mut there_said) = (words(&here.err), words(&there.err));
    here_said.sort();
    there_said.sort();
    assert_eq!(here_said, there_said);
    let kinds = |file: &str| {
        let mut kinds: Vec<_> = workplace.read(file).lines().map(kind).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds("here.jsonl"), kinds("there.jsonl"));
}

fn kind(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    format!("{} {}", event["event"], event["node"])
}

#[test]
fn inputs_are_typed_as_here_and_what_is_wrong_is_told() {
    let pipeline = "name: add
durability: none
inputs: { number: { type: integer }, word: { type: string, default: '1' } }
nodes:
  sum: { type: template, with: { text: '{{ inputs.number + 1 }} {{ inputs.word }}' } }
outputs: { sum: '{{ sum.text }}' }
";
    let workplace = Workplace::with(pipeline);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let run = |words: &str| workplace.tapline(&format!("run add --url {} {words}", serving.url));
    assert_eq!(run("-i number=41 -i word=2").out, "sum: 42 2\n");
    let said = run("-i number=x");
    assert!(said.code == 2 && said.err.contains("the input `number` must be of type integer"), "{said:?}");
    assert!(run("").err.contains("the input `number` is missing"));
    assert!(run("-i number=1 -i nothing=1").err.contains("the pipeline has no input `nothing`"));
    let json: Value = serde_json::from_str(&run("-i number=41 --json").out).unwrap();
    assert_eq!(json["outputs"]["sum"], "42 1");
}

#[test]
fn a_failing_run_fails_here_too_at_its_place() {
    let pipeline = "name: failing
durability: none
nodes:
  wrong: { type: template, with: { text: '{{ 1 / 0 }}' } }
outputs: { wrong: '{{ wrong }}' }
";
    let workplace = Workplace::with(pipeline);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let (here, there) = (
        workplace.tapline("run pipeline.yaml"),
        workplace.tapline(&format!("run failing --url {}", serving.url)),
    );
    assert_eq!((here.code, there.code), (1, 1), "{there:?}");
    let place = "pipeline.yaml:4:";
    assert!(here.err.contains(place) && there.err.contains(place), "{} {}", here.err, there.err);
}

#[test]
fn who_cannot_reach_the_server_or_has_no_token_is_told_so() {
    let workplace = Workplace::new();
    let said = workplace.tapline("run x --url http://127.0.0.1:9");
    assert!(said.code == 2 && said.err.contains("--token-file"), "{said:?}");
    workplace.write("token", "correct-horse-battery-staple");
    let said = workplace.tapline("run x --url http://127.0.0.1:9 --token-file token");
    assert!(said.code == 2 && said.err.contains("http://127.0.0.1:9/ cannot be reached"), "{said:?}");
    let said = workplace.tapline("plugin load x --url ftp://127.0.0.1 --token-file token");
    assert!(said.code == 2 && said.err.contains("is no address of a server"), "{said:?}");
    let said = workplace.tapline("run x --url http://127.0.0.1:9 --locked");
    assert!(said.code == 2 && said.err.contains("cannot be used with"), "{said:?}");
}
