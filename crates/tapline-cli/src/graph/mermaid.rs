use std::fmt::{self, Write as _};

use super::{Arrow, ArrowKind, Drawing, DrawnStep};

/// The drawing in the language of Mermaid.
pub(super) fn written(drawing: &Drawing) -> String {
    let mut lines = Lines { text: String::new(), depth: 0 };
    lines.add("flowchart TD");
    lines.depth += 1;
    drawing.boxes.iter().for_each(|step| lines.step(step));
    drawing.arrows.iter().for_each(|arrow| lines.arrow(arrow));
    lines.text
}

struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn add(&mut self, line: impl fmt::Display) {
        // Writing to a text cannot go wrong.
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = 2 * self.depth);
    }

    fn step(&mut self, step: &DrawnStep) {
        let label = step.label.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>");
        let id = Id(&step.path);
        if step.parts.is_empty() {
            return self.add(format_args!("{id}[\"{label}\"]"));
        }
        self.add(format_args!("subgraph {id}_FRAME[\" \"]"));
        self.depth += 1;
        self.add(format_args!("{id}[\"{label}\"]"));
        step.parts.iter().for_each(|part| self.step(part));
        self.depth -= 1;
        self.add("end");
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let line = if arrow.kind == ArrowKind::Part { "-.->" } else { "-->" };
        let label = arrow.label.as_ref().map(|label| format!("|\"{}\"|", escaped(label))).unwrap_or_default();
        self.add(format_args!("{} {line}{label} {}", Id(&arrow.from), Id(&arrow.to)));
    }
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
