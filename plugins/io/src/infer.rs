use tapline_pdk::{Number, Value};

/// The value that a CSV field looks like.
///
/// An empty field is null; `true` and `false` are booleans; what JSON would read as a number is one, unless it is an
/// integer beyond 64 bits. All else stays text, `007` and ` 1` included.
pub(crate) fn infer(field: &str) -> Value {
    match field {
        "" => Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        _ if is_number(field) => number(field).unwrap_or_else(|| field.into()),
        _ => field.into(),
    }
}

fn number(field: &str) -> Option<Value> {
    let number: Number = serde_json::from_str(field).ok()?;
    let is_integer = !field.contains(['.', 'e', 'E']);
    (number.is_f64() != is_integer).then_some(Value::Number(number))
}

/// Keeps out what JSON allows around a number.
fn is_number(field: &str) -> bool {
    let digits_at_the_ends = field.ends_with(|end: char| end.is_ascii_digit());
    digits_at_the_ends && field.starts_with(|start: char| start == '-' || start.is_ascii_digit())
}
