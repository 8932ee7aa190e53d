use tapline_core::{Number, Value};

/// The value of a plain scalar by the core schema of YAML 1.2, in which `on`, `yes` and `1_000` are text.
///
/// # Errors
/// When it is a number that JSON cannot hold.
pub(super) fn resolve(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err("not a number"),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err("infinite");
    }
    if is_integer(text) {
        return integer(text).ok_or("an integer of more than 64 bits");
    }
    if is_float(unsigned) {
        let number = text.parse().ok().and_then(Number::from_f64);
        return number.map(Value::Number).ok_or("larger than any float of 64 bits");
    }
    Ok(Value::from(text))
}

fn is_integer(text: &str) -> bool {
    let has_digits =
        |digits: &str, radix: u32| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(octal), _) => has_digits(octal, 8),
        (_, Some(hexadecimal)) => has_digits(hexadecimal, 16),
        _ => has_digits(text.strip_prefix(['-', '+']).unwrap_or(text), 10),
    }
}

fn integer(text: &str) -> Option<Value> {
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Value::from);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return u64::from_str_radix(hexadecimal, 16).ok().map(Value::from);
    }
    text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from)).ok()
}

/// Whether it is `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, with an exponent or without.
fn is_float(unsigned: &str) -> bool {
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
        && all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = resolve(text).map_or_else(str::to_owned, |value| value.to_json());
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn plain_scalars_follow_the_core_schema_of_yaml_1_2() {
        check("", "null");
        check("~", "null");
        check("true", "true");
        for text in [
            "on", "yes", "no", "tRUE", "1_000", "50_000", "10m", "1.2.3", "+", ".", "e5", "1e", "0o8", "-0x1",
        ] {
            check(text, &format!("{text:?}"));
        }
        check("-7", "-7");
        check("+7", "7");
        check("007", "7");
        check("0o17", "15");
        check("0xff", "255");
        check("18446744073709551615", "18446744073709551615");
        check("-9223372036854775808", "-9223372036854775808");
        check("1.", "1.0");
        check(".5", "0.5");
        check("-1.5e3", "-1500.0");
    }

    #[test]
    fn numbers_without_a_json_form_are_refused() {
        check("18446744073709551616", "an integer of more than 64 bits");
        check("1e999", "larger than any float of 64 bits");
        check("-.inf", "infinite");
        check(".nan", "not a number");
    }
}
