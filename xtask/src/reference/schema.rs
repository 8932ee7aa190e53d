use serde_json::{Map, Value};

/// Tells people what a JSON Schema says, as Markdown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schemas<'s> {
    /// What a `$ref` leads to.
    definitions: Option<&'s Map<String, Value>>,
}

impl<'s> Schemas<'s> {
    pub(super) fn of(root: &'s Value) -> Self {
        Self { definitions: root["$defs"].as_object() }
    }

    /// The table of an object's keys, and below it, each under a heading of its own, those of the objects within.
    pub(super) fn object(self, heading: &str, path: &str, object: &'s Value) -> String {
        let mut text = self.table(object);
        let mut seen: Vec<&Value> = vec![object];
        let mut open = self.within(path, object);
        open.reverse();
        while let Some((path, inner)) = open.pop() {
            if seen.contains(&inner) {
                continue;
            }
            seen.push(inner);
            text += &format!("\n{heading} `{path}`\n\n{}", paragraph(inner));
            text += &self.table(inner);
            open.extend(self.within(&path, inner).into_iter().rev());
        }
        text
    }

    /// The texts that have a form and a name of their own, each under a heading.
    pub(super) fn texts(self, heading: &str) -> String {
        let named = self.definitions.into_iter().flatten().filter(|(_, schema)| is_named_text(schema));
        named.map(|(name, schema)| format!("{heading} {name}\n\n{}", paragraph(schema))).collect()
    }

    fn table(self, object: &'s Value) -> String {
        let mut table = "| key | is | unless said | says |\n|---|---|---|---|\n".to_owned();
        for (key, schema) in keys(object) {
            let is_required = list(&object["required"]).iter().any(|name| name == key);
            let unless_said = if is_required { "*required*".to_owned() } else { self.unless_said(schema) };
            let (what, says) = (self.name(schema), self.says(schema));
            table += &format!("| `{key}` | {what} | {unless_said} | {says} |\n");
        }
        table + &alternatives(object)
    }

    /// The objects with known keys that a key's value is or holds, each with its path.
    fn within(self, path: &str, object: &'s Value) -> Vec<(String, &'s Value)> {
        let found = keys(object).flat_map(|(key, schema)| self.objects(format!("{path}.{key}"), schema));
        found.collect()
    }

    fn objects(self, path: String, schema: &'s Value) -> Vec<(String, &'s Value)> {
        let schema = self.resolved(schema);
        if schema["properties"].is_object() {
            return vec![(path, schema)];
        }
        let named = (format!("{path}.NAME"), &schema["additionalProperties"]);
        let same = choices(schema).into_iter().chain([&schema["items"]]).map(|inner| (path.clone(), inner));
        let inner = same.chain([named]).filter(|(_, inner)| inner.is_object());
        inner.flat_map(|(path, inner)| self.objects(path, inner)).collect()
    }

    pub(super) fn resolved(self, schema: &'s Value) -> &'s Value {
        self.named(schema).map_or(schema, |(_, definition)| definition)
    }

    /// The definition that a schema refers to, with its name.
    fn named(self, schema: &'s Value) -> Option<(&'s str, &'s Value)> {
        let name = schema["$ref"].as_str()?.strip_prefix("#/$defs/")?;
        Some((name, self.definitions?.get(name)?))
    }

    /// What a value is, in the fewest words.
    fn name(self, schema: &'s Value) -> String {
        if let Some((name, definition)) = self.named(schema) {
            let link = || format!("[{name}](#{})", name.to_lowercase());
            return if is_named_text(definition) { link() } else { self.name(definition) };
        }
        if let Some(value) = schema.get("const") {
            return code(value);
        }
        let values = list(&schema["enum"]);
        if !values.is_empty() {
            return values.iter().map(code).collect::<Vec<_>>().join(" or ");
        }
        let choices = choices(schema);
        if !choices.is_empty() {
            let mut names: Vec<_> = choices.iter().map(|choice| self.name(choice)).collect();
            names.dedup();
            return names.join(" or ");
        }
        self.name_by_type(schema)
    }

    fn name_by_type(self, schema: &'s Value) -> String {
        let inside =
            |key: &str| schema.get(key).filter(|inner| inner.is_object()).map(|inner| self.name(inner));
        let of = |kind: &str, inner: Option<String>| match inner {
            Some(inner) => format!("{kind} of {inner}"),
            None => kind.to_owned(),
        };
        match schema["type"].as_str() {
            Some("string") if schema["x-tapline"] == "expression" => "expression".to_owned(),
            Some("string") if schema["x-tapline"] == "template" => "text with templates".to_owned(),
            Some("string") => "text".to_owned(),
            Some("integer") => format!("whole number{}", range(schema)),
            Some("number") => format!("number{}", range(schema)),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("array") => of("list", inside("items")),
            Some("object") => of("table", inside("additionalProperties")),
            _ if schema["properties"].is_object() => "table".to_owned(),
            _ => "any value".to_owned(),
        }
    }

    /// What holds for a key that is left out.
    fn unless_said(self, schema: &'s Value) -> String {
        match schema.get("default") {
            // What is empty says no more than that nothing was said.
            Some(Value::String(text)) if text.is_empty() => String::new(),
            Some(Value::Array(_) | Value::Object(_)) => String::new(),
            Some(value) => code(value),
            None if self.resolved(schema)["type"] == "boolean" => "`false`".to_owned(),
            None => String::new(),
        }
    }

    /// The description of a key, and of each value that it can have.
    fn says(self, schema: &'s Value) -> String {
        let resolved = self.resolved(schema);
        let own = description(schema).or_else(|| description(resolved));
        let choices = choices(resolved).into_iter().filter_map(|choice| {
            let name = self.name(choice);
            description(choice).map(|says| format!("{name}: {says}"))
        });
        own.into_iter().chain(choices).map(|line| cell(&line)).collect::<Vec<_>>().join("<br>")
    }
}

fn keys(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object["properties"].as_object().into_iter().flatten()
}

/// The schemas of which one holds, except for those that only say which keys stand together.
fn choices(schema: &Value) -> Vec<&Value> {
    let choices = ["oneOf", "anyOf"].into_iter().flat_map(|key| list(&schema[key]));
    choices.filter(|choice| !says_only_what_is_required(choice)).collect()
}

/// Which keys exclude each other.
fn alternatives(object: &Value) -> String {
    let keys = list(&object["oneOf"]).iter().filter(|choice| says_only_what_is_required(choice));
    let keys: Vec<_> = keys.flat_map(|choice| list(&choice["required"])).filter_map(Value::as_str).collect();
    if keys.is_empty() { String::new() } else { format!("\nOne of `{}` is given.\n", keys.join("`, `")) }
}

fn says_only_what_is_required(schema: &Value) -> bool {
    schema.as_object().is_some_and(|keys| keys.len() == 1 && keys.contains_key("required"))
}

fn is_named_text(definition: &Value) -> bool {
    definition["type"] == "string" && description(definition).is_some() && choices(definition).is_empty()
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, Value::Null) => String::new(),
        (least, Value::Null) => format!(" from {least}"),
        (Value::Null, most) => format!(" up to {most}"),
        (least, most) => format!(" from {least} to {most}"),
    }
}

fn description(schema: &Value) -> Option<String> {
    schema["description"].as_str().map(str::to_owned)
}

/// The description as a paragraph of its own.
pub(super) fn paragraph(schema: &Value) -> String {
    description(schema).map(|text| text + "\n\n").unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn code(value: &Value) -> String {
    format!("`{value}`")
}

/// A text as it can stand in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("<br>").replace('|', "\\|")
}
