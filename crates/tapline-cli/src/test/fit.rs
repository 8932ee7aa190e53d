//! Whether cases fit their pipeline: everything that can be wrong with one before it is played.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::PathBuf;

use serde_saphyr::Spanned;
use tapline::core::Object;
use tapline::pipeline::{Code, Definition, InputError, Work};

use super::Stage;
use super::file::{Case, Named};
use super::mistakes::Mistakes;
use super::traffic::{self, Exchange};

/// A case that can be played.
pub(super) struct Playable<'f> {
    pub(super) case: &'f Case,
    pub(super) inputs: Object,
    pub(super) traffic: Traffic,
}

/// What becomes of the requests to providers.
pub(super) enum Traffic {
    /// They are made.
    Real,
    /// They are made, and noted for this file.
    Recorded(PathBuf),
    /// They are answered from a recording.
    Replayed(Vec<Exchange>),
}

/// What is done with the recordings that cases name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Record,
    Replay,
}

/// Where a case meets the pipeline.
struct Fitting<'a> {
    stage: &'a Stage,
    /// The nodes, those of parts included, and whether each asks a plugin.
    nodes: BTreeMap<&'a str, bool>,
    mode: Mode,
    mistakes: &'a mut Mistakes,
}

/// The cases with all that they need to be played; what is wrong with one is added to the mistakes.
pub(super) fn fit<'f>(
    cases: &[&'f Case],
    stage: &Stage,
    mode: Mode,
    mistakes: &mut Mistakes,
) -> Vec<Playable<'f>> {
    let mut nodes = BTreeMap::new();
    collect_nodes(&stage.definition, &mut nodes);
    let mut fitting = Fitting { stage, nodes, mode, mistakes };
    cases.iter().map(|case| fitting.fit(case)).collect()
}

/// A recording is of one case, because it is written anew with that case.
pub(super) fn refuse_shared_recordings(cases: &[Case], mistakes: &mut Mistakes) {
    let mut files = HashSet::new();
    for replay in cases.iter().filter_map(|case| case.replay.as_ref()) {
        if !files.insert(&replay.value) {
            let message = format!("`{}` is the recording of another case", replay.value.display());
            mistakes.add(&replay.referenced, Code::InvalidValue, message);
            mistakes.hint("give each case a file of its own");
        }
    }
}

impl Playable<'_> {
    pub(super) const fn is_recorded(&self) -> bool {
        matches!(self.traffic, Traffic::Recorded(_))
    }
}

impl Fitting<'_> {
    fn fit<'f>(&mut self, case: &'f Case) -> Playable<'f> {
        self.check_mocks(case);
        self.check_outcome(case);
        self.check_nodes(case);
        let inputs = self.inputs(case);
        let traffic = case.replay.as_ref().map_or(Traffic::Real, |replay| self.traffic(replay));
        Playable { case, inputs, traffic }
    }

    fn check_mocks(&mut self, case: &Case) {
        for (id, mock) in &case.mocks.0 {
            let is_one =
                mock.answers().iter().all(|answer| answer.output.is_some() != answer.error.is_some());
            if !is_one {
                let message = format!("each answer of `{}` is an `output` or an `error`", id.value);
                self.mistakes.add(&id.referenced, Code::InvalidValue, message);
            }
            match self.nodes.get(id.value.as_str()) {
                Some(true) => {}
                Some(false) => {
                    let message = format!("node `{}` asks no plugin, so there is nothing to mock", id.value);
                    self.mistakes.add(&id.referenced, Code::InvalidValue, message);
                    self.mistakes.hint("mock the nodes that it refers to");
                }
                None => {
                    let message = format!("the pipeline has no node `{}` to mock", id.value);
                    let mocked = self.nodes.iter().filter(|(_, asks)| **asks).map(|(id, _)| *id);
                    let hint = listed("mocks can stand for", mocked);
                    self.mistakes.add(&id.referenced, Code::UnknownReference, message);
                    self.mistakes.hint(hint);
                }
            }
        }
    }

    fn check_outcome(&mut self, case: &Case) {
        let definition = &self.stage.definition;
        if let (Some(error), Some((_, _))) = (&case.expect.error, case.expect.outputs.0.first()) {
            let message = "there are `outputs` or an `error`, and not both";
            self.mistakes.add(&error.referenced, Code::InvalidValue, message);
        }
        for (name, _) in &case.expect.outputs.0 {
            if !definition.outputs.contains_key(name.value.as_str()) {
                let message = format!("the pipeline has no output `{}`", name.value);
                self.mistakes.add(&name.referenced, Code::UnknownReference, message);
                self.mistakes.hint(listed("it has", definition.outputs.keys().map(|name| &**name)));
            }
        }
    }

    fn check_nodes(&mut self, case: &Case) {
        let definition = &self.stage.definition;
        for (id, expected) in &case.expect.nodes.0 {
            let Some(node) = definition.nodes.get(id.value.as_str()) else {
                let message = format!("the pipeline has no node `{}`", id.value);
                self.mistakes.add(&id.referenced, Code::UnknownReference, message);
                self.mistakes.hint(listed("it has", definition.nodes.keys().map(|id| &**id)));
                continue;
            };
            let is_one_call = matches!(node.step.work, Work::Call(_)) && node.step.map.is_none();
            if expected.output.is_some() && !is_one_call {
                let message = format!("the output of `{}` cannot be seen: it is made of several", id.value);
                self.mistakes.add(&id.referenced, Code::InvalidValue, message);
                self.mistakes.hint("make it an output of the pipeline, and expect it under `outputs`");
            }
        }
    }

    fn inputs(&mut self, case: &Case) -> Object {
        let Named(given) = &case.inputs;
        let values = given.iter().map(|(name, value)| (name.value.as_str().into(), value.clone())).collect();
        let errors = match self.stage.definition.input_values(&values) {
            Ok(inputs) => return inputs,
            Err(errors) => errors,
        };
        for error in errors {
            let (name, code) = blamed(&error);
            let place =
                given.iter().find(|(given, _)| given.value == name).map_or(&case.name, |(name, _)| name);
            self.mistakes.add(&place.referenced, code, error.to_string());
            match &error {
                InputError::Unknown { hint: Some(hint), .. } => self.mistakes.hint(hint.as_str()),
                InputError::Missing { name } => {
                    self.mistakes.hint(format!("give it under `inputs`: `{name}`"))
                }
                _ => {}
            }
        }
        Object::new()
    }

    fn traffic(&mut self, replay: &Spanned<PathBuf>) -> Traffic {
        let pipeline = self.stage.project.file().display();
        let file = self.stage.project.folder.join(&replay.value);
        if self.mode == Mode::Record {
            return Traffic::Recorded(file);
        }
        let error = match traffic::read(&file) {
            Ok(exchanges) => return Traffic::Replayed(exchanges),
            Err(error) if error.kind() == ErrorKind::NotFound => "it is not there".to_owned(),
            Err(error) => error.to_string(),
        };
        let message = format!("the recording `{}`: {error}", replay.value.display());
        self.mistakes.add(&replay.referenced, Code::InvalidValue, message);
        self.mistakes.hint(format!("`tapline test {pipeline} --record` writes it"));
        Traffic::Real
    }
}

fn collect_nodes<'d>(definition: &'d Definition, nodes: &mut BTreeMap<&'d str, bool>) {
    for (id, node) in &definition.nodes {
        let mut steps = vec![&node.step];
        let mut asks = false;
        while let Some(step) = steps.pop() {
            steps.extend(step.parts().map(|(_, part)| part));
            match &step.work {
                Work::Call(_) => asks = true,
                Work::Pipeline(part) => collect_nodes(&part.definition, nodes),
                _ => {}
            }
        }
        *nodes.entry(id).or_default() |= asks;
    }
}

/// The input that an error is about, and what kind of mistake it is.
fn blamed(error: &InputError) -> (&str, Code) {
    match error {
        InputError::Unknown { name, .. } => (name, Code::UnknownReference),
        InputError::Missing { name } => (name, Code::MissingKey),
        InputError::WrongType { name, .. } | InputError::NotParsed { name, .. } => (name, Code::WrongType),
        InputError::Invalid { name, .. } => (name, Code::InvalidValue),
        // It is shown at the name of the case.
        _ => ("", Code::InvalidValue),
    }
}

fn listed<'a>(introduction: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        format!("{introduction} none")
    } else {
        format!("{introduction} {}", names.join(", "))
    }
}
