//! The matcher of grants beside a naive one that tries every word.

#[path = "grants/model.rs"]
mod model;

use proptest::collection::vec;
use proptest::prelude::*;

const PATH: &str = "[ab](\\.[ab*]){0,2}";
const TOPIC: &str = "([ab*]\\.){0,2}[ab*>]";
const CALL: &str = "(p/|plugin/|capability:)[ab*]|[ab]";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn path_patterns_mean_what_they_spell(one in vec(PATH, 0..4), other in vec(PATH, 0..4)) {
        model::check_paths(&one, &other);
    }

    #[test]
    fn topic_patterns_mean_what_they_spell(one in vec(TOPIC, 0..4), other in vec(TOPIC, 0..4)) {
        model::check_topics(&one, &other);
    }

    #[test]
    fn call_patterns_mean_what_they_spell(one in vec(CALL, 0..4), other in vec(CALL, 0..4)) {
        model::check_calls(&one, &other);
    }

    #[test]
    fn what_is_read_as_a_pattern_is_written_as_it_was(text in "(capability:|plugin/|p/)?[a-c./:*> ]{0,6}") {
        model::check_text(&text);
    }
}
