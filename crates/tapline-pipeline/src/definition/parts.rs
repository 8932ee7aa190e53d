use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Draft;
use super::draft_step::DraftWork;
use super::fields::Spanned;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Source;

/// So many files may belong to one pipeline.
const MOST: usize = 256;
/// So deep may they be nested.
const DEEPEST: usize = 32;

/// The files that a pipeline is made of, each read once.
pub(super) struct Parts<O> {
    open: O,
    read: BTreeMap<PathBuf, Arc<Draft>>,
    /// The files from the outermost to the one that is being read.
    within: Vec<PathBuf>,
}

impl<O: FnMut(&Path) -> Result<Source, String>> Parts<O> {
    pub(super) const fn new(open: O) -> Self {
        Self { open, read: BTreeMap::new(), within: Vec::new() }
    }

    /// Reads a file and its parts.
    pub(super) fn read(mut self, source: &Source) -> Draft {
        self.within.push(plain(Path::new(&**source.file())));
        self.read_file(source)
    }

    fn read_file(&mut self, source: &Source) -> Draft {
        let mut draft = Draft::read_alone(source);
        for path in written(&draft) {
            match self.part(source, &path.value) {
                Ok(part) => {
                    if !part.plugins.is_empty() && !draft.parts.contains_key(&path.value) {
                        draft.diagnostics.push(unread_plugins(source, &path));
                    }
                    draft.parts.insert(path.value, part);
                }
                Err(message) => draft.diagnostics.push(
                    Diagnostic::error(source, Code::MissingPart, &path.range, message)
                        .hint("the path starts at the folder of this file"),
                ),
            }
        }
        draft
    }

    fn part(&mut self, source: &Source, written: &str) -> Result<Arc<Draft>, String> {
        let path = plain(&Path::new(&**source.file()).with_file_name(written));
        if let Some(begin) = self.within.iter().position(|outer| *outer == path) {
            let circle = self.within[begin..].iter().chain([&path]);
            let circle: Vec<_> = circle.map(|path| path.display().to_string()).collect();
            return Err(format!("the pipeline would run inside itself: {}", circle.join(" → ")));
        }
        if let Some(known) = self.read.get(&path) {
            return Ok(Arc::clone(known));
        }
        if self.read.len() >= MOST || self.within.len() >= DEEPEST {
            return Err(format!(
                "a pipeline has at most {MOST} files, nested {DEEPEST} deep, and this one would be one more"
            ));
        }
        let part = (self.open)(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.within.push(path.clone());
        let draft = Arc::new(self.read_file(&part));
        self.within.pop();
        self.read.insert(path, Arc::clone(&draft));
        Ok(draft)
    }
}

/// The files that the steps of a draft run.
fn written(draft: &Draft) -> Vec<Spanned<Arc<str>>> {
    let steps = draft.nodes.values().flat_map(|node| node.step.all());
    let written = steps.filter_map(|step| match &step.work {
        DraftWork::Pipeline(path) => Some(path.clone()),
        _ => None,
    });
    written.collect()
}

fn unread_plugins(source: &Source, path: &Spanned<Arc<str>>) -> Diagnostic {
    let message = format!("what `{}` says of `plugins` is not read when it is a part", path.value);
    Diagnostic::error(source, Code::MissingPart, &path.range, message)
        .severity(Severity::Warning)
        .hint("the plugins are those of the file that is run; say there what they need")
}

/// A path without `.` and without what `..` takes back, so that a file has one name.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}
