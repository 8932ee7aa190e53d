use proptest::prelude::*;

use super::*;

fn secrets(values: &[(&'static str, &str)]) -> Secrets {
    Secrets::new(values.iter().map(|(name, value)| (*name, (*value).to_owned()))).unwrap()
}

#[track_caller]
fn check(value: &str, text: &str, expected: &str) {
    assert_eq!(secrets(&[("key", value)]).redact(text), expected);
}

#[test]
fn a_value_is_found_in_each_of_its_forms() {
    check("hunter2!", "is hunter2!, twice: hunter2!", "is «secret:key», twice: «secret:key»");
    check("hunter2!", "Basic aHVudGVyMiE=", "Basic «secret:key»");
    check("hunter2!", "Basic aHVudGVyMiE", "Basic «secret:key»");
    check("a?>?b~", "YT8+P2J+ and YT8-P2J-", "«secret:key» and «secret:key»");
    check("kez!", "6b657a21 6B657A21", "«secret:key» «secret:key»");
    check("a/b c", "?a=a%2Fb%20c&b=a%2fb%20c&c=a%2Fb+c", "?a=«secret:key»&b=«secret:key»&c=«secret:key»");
    check("a\"b\\c\n", r#"{"k":"a\"b\\c\n"}"#, r#"{"k":"«secret:key»"}"#);
    check("first line\nsecond line", "| first line |", "| «secret:key» |");
}

#[test]
fn of_values_that_overlap_the_longest_is_taken_out() {
    let secrets = secrets(&[("long", "abcdefgh"), ("short", "abcd")]);
    assert_eq!(secrets.redact("abcdefgh abcdef"), "«secret:long» «secret:short»ef");
}

#[test]
fn a_text_without_secrets_is_not_copied() {
    assert!(matches!(secrets(&[("key", "hunter2!")]).redact("nothing"), Cow::Borrowed("nothing")));
    assert!(matches!(Secrets::default().redact("nothing"), Cow::Borrowed("nothing")));
}

#[test]
fn debug_shows_names_and_no_value() {
    assert_eq!(format!("{:?}", secrets(&[("key", "hunter2!")])), r#"{"key"}"#);
}

#[test]
fn values_that_would_shred_the_text_are_refused() {
    assert_eq!(Secrets::new([("key", String::new())]).unwrap_err(), SecretError::Empty);
    assert_eq!(Secrets::new([("key", "äöü".to_owned())]).unwrap_err(), SecretError::Short);
}

proptest! {
    #[test]
    fn no_form_of_a_value_is_left_in_any_text(value in ".{6,40}", before in ".*", after in ".*") {
        prop_assume!(!"«secret:key»".contains(&*value));
        let secrets = secrets(&[("key", &value)]);
        for form in forms::of(&value) {
            let redacted = secrets.redact(&format!("{before}{form}{after}")).into_owned();
            let rest = redacted.replace("«secret:key»", "\0");
            prop_assert!(redacted.contains("«secret:key»"));
            prop_assert!(!rest.contains(&*value), "{rest}");
        }
    }
}

#[test]
fn of_values_that_overlap_no_rest_is_left_behind() {
    let values = [("a", "abcd1234".to_owned()), ("b", "1234wxyz".to_owned())];
    let secrets = Secrets::new(values).unwrap();
    assert_eq!(secrets.redact("<abcd1234wxyz> abcd1234"), "<«secret:a»> «secret:a»");
}
