use tapline_core::Object;

use super::rows;
use crate::{Expression, Template, TemplateError, limits};

/// Parses and renders on a stack of the size that the threads of a server have.
#[track_caller]
fn outcome(source: String) -> Result<usize, TemplateError> {
    let attempt = move || {
        let rendered = Template::parse(&source)?.render(&rows())?;
        Ok(rendered.to_json().len())
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(attempt).unwrap().join().unwrap()
}

#[track_caller]
fn refused(source: String) {
    let error = outcome(source).unwrap_err();
    let refused = match &error {
        TemplateError::TooLarge { .. } | TemplateError::OutOfFuel { .. } => true,
        TemplateError::Syntax { message, .. } | TemplateError::Evaluation { message, .. } => {
            ["maximum recursion", "nests too deep", "too large", "too many"]
                .iter()
                .any(|text| message.contains(text))
        }
        _ => false,
    };
    assert!(refused, "{error:?}");
}

#[test]
fn a_source_that_is_too_long_is_refused() {
    refused("{{ item }}".to_owned() + &"x".repeat(limits::SOURCE_BYTES));
    assert!(Template::parse(&"x".repeat(limits::SOURCE_BYTES * 2)).is_ok(), "a text without tags is data");
}

#[test]
fn a_source_that_nests_too_deep_is_refused() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("1+", ""), ("1**", ""), ("{'a':", "}")]
    {
        for count in [limits::DEPTH + 1, 10_000] {
            refused(format!("{{{{ {}1{} }}}}", open.repeat(count), close.repeat(count)));
        }
    }
    refused(format!("{{{{ item{} }}}}", ".a".repeat(limits::DEPTH + 1)));
    refused(format!("{{{{ item{} }}}}", "|string".repeat(limits::DEPTH + 1)));
    refused("{% if item %}".repeat(200) + &"{% endif %}".repeat(200));
    refused("{% if a %}".to_owned() + &"{% elif a %}".repeat(5_000) + "{% endif %}");
}

#[test]
fn a_source_at_the_limits_is_accepted() {
    let deep = format!("{{{{ {}1{} }}}}", "1+(".repeat(40), ")".repeat(40));
    assert_eq!(outcome(deep), Ok(2));
    let branches = "{% elif false %}".repeat(limits::ELIFS);
    assert_eq!(outcome(format!("{{% if false %}}{branches}{{% endif %}}")), Ok(2));
    let wide = format!("{{{{ [{}] | length }}}}", "'x',".repeat(10_000));
    assert_eq!(outcome(wide), Ok(5));
}

#[test]
fn work_without_end_runs_out_of_fuel() {
    let each = "{% for a in range(100000) %}";
    refused(each.repeat(3) + &"{% endfor %}".repeat(3));
    refused("{{ range(100000) | map('string') | join('xxxxxxxxxxxxxxxx') * 1000000 }}".to_owned());
    refused("{{ ('a' * 100000) | replace('a', 'b' * 100000) }}".to_owned());
    refused("{{ [1] * 100000000 }}".to_owned());
    refused("{{ ([1] * 100000000) | tojson }}".to_owned());
    refused("{{ '%0999999999d' | format(1) }}".to_owned());
    refused("{% for a in range(100000) %}{{ load.items * 10 }}{% endfor %}".to_owned());
}

#[test]
fn doubling_again_and_again_runs_out_of_fuel() {
    let doubled = |statement: &str| format!("{{% set x = 'xxxxxxxx' %}}{}{{{{ x }}}}", statement.repeat(60));
    refused(doubled("{% set x = x ~ x %}"));
    refused(doubled("{% set x = x + x %}"));
    refused(doubled("{% set x = [x, x] %}"));
    refused(doubled("{% set x %}{{ x }}{{ x }}{% endset %}"));
}

#[test]
fn a_value_that_nests_too_deep_is_refused() {
    refused("{% set x = 1 %}".to_owned() + &"{% set x = [x] %}".repeat(limits::STATEMENTS - 1) + "{{ x }}");
}

#[test]
fn a_large_list_is_used_without_running_out_of_fuel() {
    let rows = (0..100_000_i64).map(tapline_core::Value::from).collect::<tapline_core::Value>();
    let scope: Object = [("rows".into(), rows)].into_iter().collect();
    for expression in
        ["rows", "rows | length", "rows | sum", "rows[10:]", "rows | select('gt', 5) | list", "rows | tojson"]
    {
        assert!(Expression::parse(expression).unwrap().evaluate(&scope).is_ok(), "{expression}");
    }
}
