use anyhow::Result;
use tapline::pipeline::{Definition, Step, Work};

use crate::Ending;
use crate::arguments::{GraphArguments, GraphFormat};
use crate::error::visible;
use crate::output::Output;
use crate::project::Project;

mod mermaid;
mod lines;
mod dot;

/// Draws a pipeline; runs no code of a plugin.
pub(crate) fn graph(arguments: &GraphArguments) -> Result<Ending> {
    let project = Project::read(&arguments.file)?;
    project.warn();
    project.tell_checked();
    let Some(definition) = &project.checked.definition else { return Ok(Ending::Refused) };
    let drawing = Drawing::new(definition);
    Output::Standard.text(match arguments.format {
        GraphFormat::Mermaid => mermaid::written(&drawing),
        GraphFormat::Dot => dot::written(&drawing),
    });
    Ok(Ending::Done)
}

/// A pipeline as boxes and arrows, without a language.
struct Drawing {
    name: String,
    boxes: Vec<DrawnStep>,
    arrows: Vec<Arrow>,
}

/// A step, with what it is made of.
struct DrawnStep {
    /// Its place: the node, and the path to it there, as in `answer/switch/0`.
    path: String,
    /// Its name, what it does, and which condition it has if no arrow says it.
    label: Vec<String>,
    parts: Vec<Self>,
}

/// That one step comes after another.
struct Arrow {
    from: String,
    to: String,
    label: Option<String>,
    kind: ArrowKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ArrowKind {
    /// Between nodes.
    Flow,
    /// To a step that another one is made of.
    Part,
}

/// So many characters of a condition are drawn.
const LONGEST: usize = 60;

impl Drawing {
    fn new(definition: &Definition) -> Self {
        let mut drawing = Self { name: visible(&definition.name), boxes: Vec::new(), arrows: Vec::new() };
        for (id, node) in &definition.nodes {
            let when = condition(&node.step);
            let unsaid = if node.dependencies.is_empty() { when.clone() } else { None };
            let drawn = drawing.step(id.to_string(), id, &node.step, unsaid);
            drawing.boxes.push(drawn);
            drawing.arrows.extend(node.dependencies.iter().map(|earlier| Arrow {
                from: earlier.to_string(),
                to: id.to_string(),
                label: when.clone(),
                kind: ArrowKind::Flow,
            }));
        }
        drawing
    }

    fn step(&mut self, path: String, name: &str, step: &Step, unsaid: Option<String>) -> DrawnStep {
        let does = match &step.work {
            Work::Pipeline(part) => format!("{} {}", step.kind(), part.file),
            _ => step.kind().to_string(),
        };
        let label = [Some(name.to_owned()), Some(does), unsaid].into_iter().flatten();
        let label = label.map(visible).collect();
        let parts = step.parts().map(|(place, part)| {
            let inner = format!("{path}/{place}");
            let name = place.rsplit('/').next().unwrap_or_default();
            let (from, to) = (path.clone(), inner.clone());
            self.arrows.push(Arrow { from, to, label: condition(part), kind: ArrowKind::Part });
            self.step(inner, name, part, None)
        });
        let parts = parts.collect();
        DrawnStep { path, label, parts }
    }
}

/// The condition of a step, short and in one line.
fn condition(step: &Step) -> Option<String> {
    let source = step.when.as_ref()?.source();
    let line = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = visible(line);
    let short: String = line.chars().take(LONGEST).collect();
    Some(if short.len() < line.len() { format!("{short}…") } else { short })
}
