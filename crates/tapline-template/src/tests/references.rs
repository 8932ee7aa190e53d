use crate::{Expression, Template, is_reserved};

#[track_caller]
fn check(template: &str, expected: &[&str]) {
    let template = Template::parse(template).unwrap();
    let paths: Vec<_> = template.references().iter().map(crate::Reference::path).collect();
    assert_eq!(paths, expected, "{template:?}");
}

#[test]
fn a_reference_is_the_whole_path_of_fields() {
    check("{{ load.items }}", &["load.items"]);
    check("{{ load['items'].x }}", &["load.items.x"]);
    check("{{ load.items[0].id }}", &["load.items"]);
    check("{{ load[inputs.key].id }}", &["inputs.key", "load"]);
    check("{{ load }} {{ load.items }}", &["load", "load.items"]);
    assert_eq!(Expression::parse("a.b.c").unwrap().references()[0].name(), "a");
}

#[test]
fn what_is_sliced_filtered_or_tested_is_read() {
    check(
        "{{ load.items[:inputs.top] | map(attribute=inputs.field) }}",
        &["inputs.field", "inputs.top", "load.items"],
    );
    check("{{ a.x is divisibleby(b.y) }}{{ c if d else e }}", &["a.x", "b.y", "c", "d", "e"]);
    check("{{ range(n.max) | join(sep) }}", &["n.max", "sep"]);
}

#[test]
fn what_the_source_declares_is_not_read() {
    check("{% for row in load.items %}{{ row.id }}{{ loop.index }}{% endfor %}", &["load.items"]);
    check("{% set x = x.y %}{{ x }}", &["x.y"]);
    check("{% with a = a, b = a %}{{ b }}{% endwith %}{{ b }}", &["a", "b"]);
    check("{% for k, v in m | items %}{{ k }}{{ v }}{% endfor %}{{ v }}", &["m", "v"]);
    check("{% if c %}{% set x = 1 %}{% endif %}{{ x }}", &["c", "x"]);
}

#[test]
fn a_text_without_tags_reads_nothing() {
    check("{ load.items }", &[]);
    check("{% raw %}{{ load.items }}{% endraw %}", &[]);
}

#[test]
fn a_reference_says_where_it_is_read_first() {
    let template = Template::parse("é\n {{ 1 }} {{ load.items }} {{ load.items }}").unwrap();
    let position = template.references()[0].position();
    assert_eq!((position.offset, position.line, position.column), (15, 2, 13));
}

#[test]
fn the_words_of_the_language_are_reserved() {
    for word in ["loop", "range", "none", "not"] {
        assert!(is_reserved(word), "{word}");
    }
    assert!(!is_reserved("item"));
}
