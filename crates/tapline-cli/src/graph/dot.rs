use std::fmt;

use super::lines::Lines;
use super::{Arrow, ArrowKind, Drawing, DrawnStep};

/// The drawing in the language of Graphviz.
pub(super) fn written(drawing: &Drawing) -> String {
    let mut lines = Lines::default();
    lines.add(format_args!("digraph {} {{", Quoted(&drawing.name)));
    lines.depth += 1;
    lines.add("node [shape=box, style=rounded];");
    drawing.boxes.iter().for_each(|step| write_step(&mut lines, step));
    drawing.arrows.iter().for_each(|arrow| write_arrow(&mut lines, arrow));
    lines.depth -= 1;
    lines.add("}");
    lines.text
}

fn write_step(lines: &mut Lines, step: &DrawnStep) {
    let label = Quoted(&step.label.join("\n")).to_string();
    if step.parts.is_empty() {
        return lines.add(format_args!("{} [label={label}];", Quoted(&step.path)));
    }
    // A subgraph is drawn as a frame if its name begins like this.
    lines.add(format_args!("subgraph {} {{", Quoted(&format!("cluster_{}", step.path))));
    lines.depth += 1;
    lines.add(format_args!("{} [label={label}];", Quoted(&step.path)));
    step.parts.iter().for_each(|part| write_step(lines, part));
    lines.depth -= 1;
    lines.add("}");
}

fn write_arrow(lines: &mut Lines, arrow: &Arrow) {
    let label = arrow.label.as_ref().map(|label| format!("label={}", Quoted(label)));
    let style = (arrow.kind == ArrowKind::Part).then(|| "style=dashed".to_owned());
    let looks: Vec<_> = label.into_iter().chain(style).collect();
    let looks = if looks.is_empty() { String::new() } else { format!(" [{}]", looks.join(", ")) };
    lines.add(format_args!("{} -> {}{looks};", Quoted(&arrow.from), Quoted(&arrow.to)));
}

/// A text in quotes, in which nothing has a meaning of its own but ends of lines.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        // What looks like a character of HTML would be read as one.
        write!(formatter, "\"{}\"", escaped.replace('&', "&amp;"))
    }
}
