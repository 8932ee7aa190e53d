use std::fmt;
use std::sync::Arc;

/// Which step, from the outermost node inward; a text is made of it only where somebody reads it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'p> {
    /// A node, below the parts that it lies in: `part/`.
    Node(&'p str, &'p Arc<str>),
    /// An item of a list.
    Item(&'p Self, usize),
    /// A turn of a loop.
    Turn(&'p Self, usize),
    /// A part of a step.
    Part(&'p Self, &'p str),
}

impl Path<'_> {
    /// The outermost node.
    pub(super) fn node(&self) -> &Arc<str> {
        match self {
            Self::Node(_, id) => id,
            Self::Item(outer, _) | Self::Turn(outer, _) | Self::Part(outer, _) => outer.node(),
        }
    }

    /// The place of the innermost item, from 0.
    pub(super) fn item(&self) -> Option<usize> {
        match self {
            Self::Node(..) => None,
            Self::Item(_, place) => Some(*place),
            Self::Turn(outer, _) | Self::Part(outer, _) => outer.item(),
        }
    }

    /// Whether it is a whole node.
    pub(super) const fn is_node(&self) -> bool {
        matches!(self, Self::Node(..))
    }

    pub(super) fn to_arc(self) -> Arc<str> {
        match self {
            Self::Node("", id) => Arc::clone(id),
            path => path.to_string().into(),
        }
    }
}

/// As in `part/answer[3]`, `refine#2` and `route/0`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(within, id) => write!(formatter, "{within}{id}"),
            Self::Item(outer, place) => write!(formatter, "{outer}[{place}]"),
            Self::Turn(outer, turn) => write!(formatter, "{outer}#{turn}"),
            Self::Part(outer, name) => write!(formatter, "{outer}/{name}"),
        }
    }
}
