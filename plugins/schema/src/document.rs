use tapline_pdk::Value;

/// Keys of a node under which data stands, which may look like anything.
const DATA: [&str; 3] = ["with", "value", "output_schema"];

/// The schemas that the nodes of a file name under `validate`, each with a JSON pointer to it.
pub(crate) fn used_schemas(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, &Value)> = Vec::new();
    open.extend(document.get("nodes").map(|nodes| ("/nodes".to_owned(), nodes)));
    while let Some((pointer, value)) = open.pop() {
        for (name, value) in children(value) {
            let pointer = format!("{pointer}/{}", escaped(&name));
            match &*name {
                "validate" => found.extend(of_validate(pointer, value)),
                name if DATA.contains(&name) => {}
                _ => open.push((pointer, value)),
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// One validator, or a list of them.
fn of_validate(pointer: String, value: &Value) -> Vec<(String, &Value)> {
    let uses = match value.as_array() {
        Some(uses) => (0..).zip(uses).map(|(index, one)| (format!("{pointer}/{index}"), one)).collect(),
        None => vec![(pointer, value)],
    };
    let ours =
        uses.into_iter().filter(|(_, used)| used.get("validator").and_then(Value::as_str) == Some("schema"));
    ours.filter_map(|(pointer, used)| Some((format!("{pointer}/with"), used.get("with")?))).collect()
}

fn children(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.to_string(), value)).collect(),
        Value::Array(items) => (0..).zip(&**items).map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    }
}

/// A name as it stands in a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
