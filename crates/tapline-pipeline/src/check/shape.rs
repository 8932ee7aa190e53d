use indexmap::IndexSet;
use tapline_core::Value;

/// How many subschemas are looked at for one place; more are ignored.
const MAX_SCHEMAS: usize = 256;

/// The subschemas that speak of one place in the settings of a node.
///
/// Alternatives are all counted in: it answers what a place may be, not whether a value is right.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape<'a> {
    root: Option<&'a Value>,
    schemas: Vec<&'a Value>,
}

/// A text that a plugin evaluates, and not the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PluginText {
    /// A bare expression.
    Expression,
    /// A text with expressions in it.
    Template,
}

impl<'a> Shape<'a> {
    pub(super) fn new(root: Option<&'a Value>) -> Self {
        Self::expanded(root, root.into_iter().collect())
    }

    /// The place below a key of an object.
    pub(super) fn property(&self, key: &str) -> Self {
        let below = self.schemas.iter().filter_map(|schema| {
            let named = schema.get("properties").and_then(|properties| properties.get(key));
            named.or_else(|| schema.get("additionalProperties"))
        });
        Self::expanded(self.root, below.collect())
    }

    /// The place of an element of a list.
    pub(super) fn element(&self, index: usize) -> Self {
        let below = self.schemas.iter().filter_map(|schema| {
            let own = schema.get("prefixItems").and_then(|items| items.as_array()?.get(index));
            own.or_else(|| schema.get("items"))
        });
        Self::expanded(self.root, below.collect())
    }

    /// The place below a token of a path, whatever stands there.
    pub(super) fn child(&self, token: &str) -> Self {
        let mut child = self.property(token);
        child.schemas.extend(token.parse().map(|index| self.element(index).schemas).unwrap_or_default());
        child
    }

    /// What a path below the root of the schema names, as far as it goes through no reference.
    pub(super) fn keyword(&self, path: &str) -> Option<&'a Value> {
        resolve_pointer(self.root?, path)
    }

    /// The keys that an object may have there.
    pub(super) fn keys(&self) -> Vec<&'a str> {
        let properties = self.schemas.iter().filter_map(|schema| schema.get("properties")?.as_object());
        let keys: IndexSet<_> =
            properties.flat_map(|properties| properties.keys().map(|key| &**key)).collect();
        keys.into_iter().collect()
    }

    /// Whether the root says that such nodes make lists page by page.
    pub(super) fn makes_pages(&self) -> bool {
        self.root.and_then(|root| root.get("x-tapline-pages")).and_then(Value::as_bool) == Some(true)
    }

    /// Whether rows stand there that can be taken page by page.
    fn takes_rows(&self) -> bool {
        self.schemas.iter().any(|schema| schema.get("x-tapline").and_then(Value::as_str) == Some("rows"))
    }

    /// The keys under which rows stand.
    pub(super) fn row_keys(&self) -> impl Iterator<Item = &'a str> {
        self.keys().into_iter().filter(|key| self.property(key).takes_rows())
    }

    /// What the plugin itself evaluates there, and the names that it brings.
    ///
    /// They are listed under `x-tapline-variables`; without the list, it is `item` alone.
    pub(super) fn plugin_text(&self) -> Option<(PluginText, Vec<&'a str>)> {
        let marked = |schema: &'a Value| {
            let kind = match schema.get("x-tapline")?.as_str()? {
                "expression" => PluginText::Expression,
                "template" => PluginText::Template,
                _ => return None,
            };
            let listed = schema.get("x-tapline-variables").and_then(Value::as_array);
            Some((kind, listed))
        };
        let (kind, listed) = self.schemas.iter().copied().find_map(marked)?;
        let names = |names: &'a [Value]| names.iter().filter_map(Value::as_str).collect();
        Some((kind, listed.map_or_else(|| vec!["item"], names)))
    }

    /// Adds what the schemas refer to and what they are put together from.
    fn expanded(root: Option<&'a Value>, mut schemas: Vec<&'a Value>) -> Self {
        let mut next = 0;
        while let Some(schema) = schemas.get(next).copied() {
            next += 1;
            let referred = schema.get("$ref").and_then(|reference| resolve(root?, reference.as_str()?));
            let parts =
                ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
            let branches = ["then", "else"].iter().filter_map(|key| schema.get(key));
            for found in referred.into_iter().chain(parts).chain(branches) {
                let is_new = !schemas.iter().any(|known| std::ptr::eq(*known, found));
                if is_new && schemas.len() < MAX_SCHEMAS {
                    schemas.push(found);
                }
            }
        }
        Self { root, schemas }
    }
}

/// What a reference within the same schema names.
fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    resolve_pointer(root, reference.strip_prefix('#')?)
}

fn resolve_pointer<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    crate::source::tokens(pointer).try_fold(root, |value, token| value.child(&token))
}
