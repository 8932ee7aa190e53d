use crate::value::{CARRIED, Object, Value, ValueError};

/// What stands in a context: few calls have more than `input` and `output`, so these need no mapping.
pub(super) struct Tree {
    pub(super) input: Option<Value>,
    pub(super) output: Option<Value>,
    /// The other roots.
    facts: Object,
}

/// A path into a tree: its first token, and the path from there.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    path: &'p str,
    pub(super) root: &'p str,
    pub(super) below: &'p str,
}

impl<'p> Place<'p> {
    pub(super) fn of(path: &'p str) -> Self {
        let (root, below) = path.split_once('.').unwrap_or((path, ""));
        Self { path, root, below }
    }

    /// Whether it is for the plugin's own business: what it was asked, and its answer.
    pub(super) fn is_addressed(self) -> bool {
        matches!(self.root, "input" | "output")
    }
}

impl Tree {
    pub(super) fn at(&self, place: Place<'_>) -> Option<&Value> {
        let value = match place.root {
            "input" => self.input.as_ref(),
            "output" => self.output.as_ref(),
            root => self.facts.get(root),
        };
        value?.at(place.below)
    }

    /// Puts a value at a place, creating the objects on the way.
    pub(super) fn set_at(&mut self, place: Place<'_>, value: Value) -> Result<(), ValueError> {
        let root = match place.root {
            "input" => self.input.get_or_insert_default(),
            "output" => self.output.get_or_insert_default(),
            root => self.facts.entry(root.into()).or_default(),
        };
        root.set_below(place.path, place.below, value)
    }

    pub(super) fn carried(&self) -> Option<&Object> {
        self.facts.get(CARRIED)?.as_object()
    }

    pub(super) fn put_carried(&mut self, carried: Object) {
        self.facts.insert(CARRIED.into(), carried.into());
    }
}

impl From<Object> for Tree {
    fn from(mut roots: Object) -> Self {
        let (input, output) = (roots.swap_remove("input"), roots.swap_remove("output"));
        Self { input, output, facts: roots }
    }
}
