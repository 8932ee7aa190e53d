use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;

use expect_test::expect;

use crate::support::{Said, Workplace};

/// Words that mean something to the languages, and signs that end a text there.
const ODD: &str = r##"
name: 'odd "name" \ {}'
inputs: { n: { type: string, default: "" } }
nodes:
  end: { value: 1 }
  subgraph: { type: limit, with: { items: "{{ end }}", max: 1 }, when: "inputs.n == 'a|b\"];-->%%{}' or end" }
  style: { value: 2, when: "inputs.n\n  == '#35;&lt;'" }
  node:
    needs: [end, style]
    switch:
      - { when: inputs.n, value: 1 }
      - all: { graph: { value: 1 }, end: { value: 1, on_error: { fallback: { value: 2 } } } }
"##;

fn drawn(format: &str) -> Said {
    let said = Workplace::with(ODD).tapline(&format!("graph pipeline.yaml --format {format}"));
    assert_eq!((said.code, &*said.err), (0, ""));
    said
}

#[test]
fn mermaid_shows_nodes_conditions_and_what_steps_are_made_of() {
    let said = Workplace::with(ODD).tapline("graph pipeline.yaml");
    expect![[r#"
        flowchart TD
          node_end["end<br>value"]
          node_subgraph["subgraph<br>limit"]
          node_style["style<br>value<br>inputs.n == '#35;35#59;#38;lt#59;'"]
          subgraph node_node_FRAME[" "]
            node_node["node<br>switch"]
            node_node_SWITCH_0["0<br>value"]
            subgraph node_node_SWITCH_1_FRAME[" "]
              node_node_SWITCH_1["1<br>all"]
              node_node_SWITCH_1_ALL_graph["graph<br>value"]
              subgraph node_node_SWITCH_1_ALL_end_FRAME[" "]
                node_node_SWITCH_1_ALL_end["end<br>value"]
                node_node_SWITCH_1_ALL_end_ON_ERROR_fallback["fallback<br>value"]
              end
            end
          end
          node_end -->|"inputs.n == 'a#124;b#34;#93;#59;--#62;#37;#37;#123;#125;' or end"| node_subgraph
          node_node -.->|"inputs.n"| node_node_SWITCH_0
          node_node -.-> node_node_SWITCH_1
          node_node_SWITCH_1 -.-> node_node_SWITCH_1_ALL_graph
          node_node_SWITCH_1 -.-> node_node_SWITCH_1_ALL_end
          node_node_SWITCH_1_ALL_end -.-> node_node_SWITCH_1_ALL_end_ON_ERROR_fallback
          node_end --> node_node
          node_style --> node_node
    "#]]
    .assert_eq(&said.out);
    assert_eq!(said.out, drawn("mermaid").out);
}

#[test]
fn dot_shows_the_same() {
    expect![[r#"
        digraph "odd \"name\" \\ {}" {
          node [shape=box, style=rounded];
          "end" [label="end\nvalue"];
          "subgraph" [label="subgraph\nlimit"];
          "style" [label="style\nvalue\ninputs.n == '#35;&amp;lt;'"];
          subgraph "cluster_node" {
            "node" [label="node\nswitch"];
            "node/switch/0" [label="0\nvalue"];
            subgraph "cluster_node/switch/1" {
              "node/switch/1" [label="1\nall"];
              "node/switch/1/all/graph" [label="graph\nvalue"];
              subgraph "cluster_node/switch/1/all/end" {
                "node/switch/1/all/end" [label="end\nvalue"];
                "node/switch/1/all/end/on_error/fallback" [label="fallback\nvalue"];
              }
            }
          }
          "end" -> "subgraph" [label="inputs.n == 'a|b\"];-->%%{}' or end"];
          "node" -> "node/switch/0" [label="inputs.n", style=dashed];
          "node" -> "node/switch/1" [style=dashed];
          "node/switch/1" -> "node/switch/1/all/graph" [style=dashed];
          "node/switch/1" -> "node/switch/1/all/end" [style=dashed];
          "node/switch/1/all/end" -> "node/switch/1/all/end/on_error/fallback" [style=dashed];
          "end" -> "node";
          "style" -> "node";
        }
    "#]]
    .assert_eq(&drawn("dot").out);
}

/// The texts in quotes of a drawing, and what is left without them.
fn taken_apart(drawing: &str) -> (Vec<String>, String) {
    let (mut texts, mut rest, mut signs) = (Vec::new(), String::new(), drawing.chars());
    while let Some(sign) = signs.next() {
        if sign != '"' {
            rest.push(sign);
            continue;
        }
        let mut text = String::new();
        loop {
            match signs.next().unwrap() {
                '"' => break,
                '\\' => text.extend(['\\', signs.next().unwrap()]),
                other => text.push(other),
            }
        }
        rest.push_str(&format!("${}", texts.len()));
        texts.push(text);
    }
    (texts, rest)
}

#[test]
fn every_text_of_a_drawing_ends_where_it_should_and_every_arrow_leads_to_a_box() {
    let (texts, rest) = taken_apart(&drawn("dot").out);
    assert_eq!(rest.matches('{').count(), rest.matches('}').count());
    let text = |word: &str| texts[word[1..].parse::<usize>().unwrap()].clone();
    let words: Vec<Vec<_>> =
        rest.lines().map(|line| line.split([' ', ';']).filter(|w| !w.is_empty()).collect()).collect();
    let boxes = words.iter().filter(|line| line.len() == 2 && line[0].starts_with('$'));
    let boxes: BTreeSet<_> = boxes.map(|line| text(line[0])).collect();
    let arrows: Vec<_> = words.iter().filter(|line| line.get(1) == Some(&"->")).collect();
    assert_eq!((boxes.len(), arrows.len()), (9, 8));
    assert!(arrows.iter().all(|line| boxes.contains(&text(line[0])) && boxes.contains(&text(line[2]))));

    let (texts, rest) = taken_apart(&drawn("mermaid").out);
    let frames = rest.lines().filter(|line| line.trim().starts_with("subgraph ")).count();
    assert_eq!(frames, rest.lines().filter(|line| line.trim() == "end").count());
    let is_plain =
        |text: &String| !text.replace("<br>", "").contains(['<', '>', '{', '}', '|', ']', '\\', '%']);
    assert!(texts.iter().all(is_plain), "{texts:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another program looks at the drawing")]
fn graphviz_draws_it() {
    let mut command = std::process::Command::new("dot");
    let started = command.arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut dot) = started else {
        println!("skipped: `dot` of Graphviz is not there");
        return;
    };
    dot.stdin.take().unwrap().write_all(drawn("dot").out.as_bytes()).unwrap();
    let drawing = dot.wait_with_output().unwrap();
    assert!(drawing.status.success());
    let drawing = String::from_utf8(drawing.stdout).unwrap();
    assert_eq!(drawing.matches("class=\"node\"").count(), 9);
}
