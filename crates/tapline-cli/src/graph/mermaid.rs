use std::fmt;

use super::lines::Lines;
use super::{Arrow, ArrowKind, Drawing, DrawnStep};

/// The drawing in the language of Mermaid.
pub(super) fn written(drawing: &Drawing) -> String {
    let mut lines = Lines::default();
    lines.add("flowchart TD");
    lines.depth += 1;
    drawing.boxes.iter().for_each(|step| write_step(&mut lines, step));
    drawing.arrows.iter().for_each(|arrow| write_arrow(&mut lines, arrow));
    lines.text
}

fn write_step(lines: &mut Lines, step: &DrawnStep) {
    let label = step.label.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>");
    let id = Id(&step.path);
    if step.parts.is_empty() {
        return lines.add(format_args!("{id}[\"{label}\"]"));
    }
    lines.add(format_args!("subgraph {id}_FRAME[\" \"]"));
    lines.depth += 1;
    lines.add(format_args!("{id}[\"{label}\"]"));
    step.parts.iter().for_each(|part| write_step(lines, part));
    lines.depth -= 1;
    lines.add("end");
}

fn write_arrow(lines: &mut Lines, arrow: &Arrow) {
    let line = if arrow.kind == ArrowKind::Part { "-.->" } else { "-->" };
    let label = arrow.label.as_ref().map(|label| format!("|\"{}\"|", escaped(label))).unwrap_or_default();
    lines.add(format_args!("{} {line}{label} {}", Id(&arrow.from), Id(&arrow.to)));
}

/// A path as an id: of letters, digits and `_` alone, and none of the words of the language.
///
/// What says how a step is made stands there in capitals, which no name has, so that no two paths become one id.
struct Id<'p>(&'p str);

impl fmt::Display for Id<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("node")?;
        for (place, token) in self.0.split('/').enumerate() {
            let is_name = place % 2 == 0;
            let token = if is_name { token.to_owned() } else { token.to_uppercase() };
            write!(formatter, "_{token}")?;
        }
        Ok(())
    }
}

/// A text for between quotes: signs that could mean anything are written by their numbers.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars() {
        if sign.is_alphanumeric() || " _-.,'/()=+!?…".contains(sign) {
            escaped.push(sign);
        } else {
            escaped.push_str(&format!("#{};", u32::from(sign)));
        }
    }
    escaped
}
