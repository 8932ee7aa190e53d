use super::fields::Fields;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, ElementContent};

const SECRET: &str = "${secret:";

/// Refuses the names of secrets where nothing would put the secret in their place. A plugin may be configured with one,
/// which it can write into a header; the host alone knows what it stands for.
pub(super) fn refuse(fields: &mut Fields<'_>, root: &Element) {
    let mut elements = vec![(root, Place::Root)];
    while let Some((element, place)) = elements.pop() {
        match &element.content {
            ElementContent::Sequence(inner) => {
                elements.extend(inner.iter().map(|element| (element, place.below(""))));
            }
            ElementContent::Mapping(mapping) => {
                let inner = mapping.iter();
                elements.extend(inner.map(|(key, entry)| (&entry.element, place.below(key))));
            }
            ElementContent::Scalar(_) => {
                let Some(text) = element.as_text() else { continue };
                let Some(start) = text.find(SECRET) else { continue };
                let end = text[start..].find('}').map_or(text.len(), |length| start + length + 1);
                if place == Place::Config && start == 0 && end == text.len() && text.ends_with('}') {
                    continue;
                }
                let range = element.range_within(fields.source, &(start..end));
                let message = format!("`{}` does not stand for the secret here", &text[start..end]);
                fields.push(Diagnostic::error(fields.source, Code::Secret, &range, message).hint(
                    "a secret is named in the `config` of a plugin that sends it, as the whole of a text; it is never the value of a template",
                ));
            }
        }
    }
}

/// Where in a file something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Plugins,
    Plugin,
    Config,
    Elsewhere,
}

impl Place {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Root, "plugins") => Self::Plugins,
            (Self::Plugins, _) => Self::Plugin,
            (Self::Plugin, "config") | (Self::Config, _) => Self::Config,
            _ => Self::Elsewhere,
        }
    }
}
