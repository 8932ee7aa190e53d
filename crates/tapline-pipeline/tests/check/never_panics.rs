use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::{catalog, rendered};

const VALID: &str = r#"name: triage
plugins: { redact: { path: plugins/redact, grants: { fs: [] } } }
inputs: { file: &x { type: string, default: "é\n" } }
limits: { wall: 10m }
nodes:
  load: { type: read, with: { path: "{{ inputs.file }}", format: jsonl, columns: ['it''s'] } }
  open:
    type: filter
    when: "load.n > 3"
    with:
      items: "{{ load.items }}"
      where: >-
        item.a ==
        load.b
  answer:
    type: echo
    map: { over: "{{ open }}", as: ticket, parallel: 2 }
    with:
      prompt: |
        Hello {{ ticket.text }}

        {% if open %}日本{% endif %}
outputs: { report: "{{ answer }}" }
"#;

fn fragment() -> impl Strategy<Value = String> {
    let tokens = [
        "{{", "}}", "{%", "%}", "[", "]", "{", "}", "\"", "'", ":", ": ", "- ", "\n", "\r\n", "  ", "\t",
        "#", "&x", "*x", "!!t", "|", ">-", "?", ",", "\\", "---\n", "<<", "null", "item", "inputs", "é",
        "\u{0}", "\u{2028}", "~", "0x", "1e9",
    ];
    vec(select(tokens.to_vec()), 1..4).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        rendered(&bytes, &catalog());
    }

    #[test]
    fn any_fragments(fragments in vec(fragment(), 0..40)) {
        rendered(fragments.concat().as_bytes(), &catalog());
    }

    #[test]
    fn a_valid_file_with_changes(
        changes in vec((any::<Index>(), 0_usize..20, prop_oneof![Just(String::new()), fragment()]), 1..4)
    ) {
        let mut text: Vec<char> = VALID.chars().collect();
        for (start, length, fragment) in changes {
            let start = start.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, fragment.chars());
        }
        rendered(text.iter().collect::<String>().as_bytes(), &catalog());
    }

    #[test]
    fn a_valid_file_with_changed_bytes(changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let mut bytes = VALID.as_bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        rendered(&bytes, &catalog());
    }
}

#[test]
fn the_file_that_is_changed_is_valid() {
    assert_eq!(rendered(VALID.as_bytes(), &catalog()), "");
}
