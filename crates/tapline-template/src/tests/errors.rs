use super::{error, rows};
use crate::{Expression, Template, TemplateError};

#[track_caller]
fn check(expression: &str, message: &str, offset: Option<usize>) {
    let error = error(expression);
    assert_eq!(error.to_string(), message, "{error:?}");
    assert_eq!(error.position().map(|position| position.offset), offset, "{error:?}");
}

#[test]
fn a_variable_that_does_not_exist_is_an_error() {
    check("nope", "`nope` is undefined", Some(0));
    check("1 + nope", "`nope` is undefined", Some(4));
    check("[1, nope]", "`nope` is undefined", Some(4));
    check("nope.field", "`nope` is undefined", Some(0));
    check("item.id + nope[0].x", "`nope` is undefined", Some(10));
    check("none if item.id == nope else 1", "`nope` is undefined", Some(19));
    assert!(Expression::parse("not nope").unwrap().is_true(&rows()).is_err());
    assert!(Expression::parse("nope").unwrap().is_true(&rows()).is_err());
    for template in
        ["{{ nope }}", "a {{ nope }}", "{% if nope %}{% endif %}", "{% for x in nope %}{% endfor %}"]
    {
        let error = Template::parse(template).unwrap().render(&rows()).unwrap_err();
        assert!(matches!(&error, TemplateError::Undefined { name, .. } if name == "nope"), "{error:?}");
    }
}

#[test]
fn a_source_may_ask_whether_a_variable_exists() {
    for expression in ["nope is undefined", "nope | default(true)", "not (nope is defined)"] {
        assert!(Expression::parse(expression).unwrap().is_true(&rows()).unwrap(), "{expression}");
    }
}

#[test]
fn a_field_of_what_has_none_is_an_error() {
    check("item.name.first", "a string has no field `first`", Some(0));
    check("1 + item.tags.first", "a list has no field `first`", Some(4));
    check("item.id['x']", "a number has no field `x`", Some(0));
    check("item.tags[none]", "a list has no element with null as its index", Some(0));
}

#[test]
fn an_operation_that_does_not_fit_its_values_is_an_error() {
    check("item.name - 1", "tried to use - operator on unsupported types string and number", Some(0));
    check("1 // 0", "unable to calculate 1 // 0", Some(0));
    check("item.note + 1", "tried to use + operator on unsupported types none and number", Some(0));
}

#[test]
fn a_syntax_error_points_at_its_place() {
    check("item.id ==", "unexpected end of input, expected expression", Some(8));
    check("1 + * 2", "unexpected `*`", Some(4));
    check("'open", "unexpected end of string", Some(5));
    let error = Template::parse("line\n  {{ item. }}").unwrap_err();
    let position = error.position().unwrap();
    assert_eq!((position.line, position.column), (2, 12), "{error:?}");
}

#[test]
fn a_name_that_does_not_exist_is_refused_when_parsed() {
    check("item.id | nope", "filter `nope` is unknown", Some(10));
    check("item.id is nope", "test `nope` is unknown", Some(11));
    check("nope(1)", "function `nope` is unknown", Some(0));
    check("range", "the function `range` can only be called", Some(0));
}

#[test]
fn what_could_reach_other_sources_is_not_part_of_the_language() {
    for source in
        ["{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% macro m() %}{% endmacro %}"]
    {
        assert!(matches!(Template::parse(source), Err(TemplateError::Syntax { .. })), "{source}");
    }
    for source in ["{% autoescape true %}{% endautoescape %}", "{% for x in y recursive %}{% endfor %}"] {
        let error = Template::parse(source).unwrap_err().to_string();
        assert!(error.ends_with("is not part of the language"), "{error}");
    }
    assert!(matches!(error("debug()"), TemplateError::Unknown { .. }));
    assert!(matches!(error("namespace()"), TemplateError::Unknown { .. }));
}
