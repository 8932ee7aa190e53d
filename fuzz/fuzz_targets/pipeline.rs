//! The bytes of a pipeline file, checked beside the schemas of a few node types.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tapline_core::Value;
use tapline_host::Loader;
use tapline_pipeline::{Catalog, Draft, KnownPlugin, Origin, Source, Span, Standing, check};

const NODE_TYPES: [(&str, &str); 4] = [
    ("read", include_str!("../../plugins/io/schemas/read.json")),
    ("filter", include_str!("../../plugins/transform/schemas/filter.json")),
    ("sort", include_str!("../../plugins/transform/schemas/sort.json")),
    ("map", include_str!("../../plugins/transform/schemas/map.json")),
];

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut manifest =
        "[plugin]\nid = 'io'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'native'\n".to_owned();
    for (node_type, _) in NODE_TYPES {
        manifest += &format!("[[provides]]\npoint = 'node'\nkey = '{node_type}'\n");
    }
    let manifest = Loader::parse(Path::new("plugin.toml"), &manifest).expect("the manifest is right");
    let schemas = NODE_TYPES.map(|(node_type, schema)| {
        (("node".into(), node_type.into()), Value::from_json(schema).expect("the schema is JSON"))
    });
    let plugin = KnownPlugin {
        manifest: Arc::new(manifest),
        origin: Origin::BuiltIn,
        standing: Standing::Available,
        schemas: schemas.into(),
        refused: Vec::new(),
    };
    Catalog { plugins: vec![plugin], problems: BTreeMap::new() }
});

fuzz_target!(|bytes: &[u8]| {
    let source = Source::new("pipeline.yaml", bytes);
    let checked = check(&Draft::read(&source), &CATALOG);
    let is_wrong = checked.diagnostics.iter().any(|diagnostic| diagnostic.is_error());
    assert_eq!(checked.definition.is_none(), is_wrong);
    for diagnostic in &checked.diagnostics {
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
        check_place(source.text(), &diagnostic.span);
        diagnostic.labels.iter().for_each(|label| check_place(source.text(), &label.span));
    }
});

/// Bytes, line and column name the same place, within one line of the text.
fn check_place(text: &str, span: &Span) {
    let shown = text.get(span.start..span.end).expect("it is inside the text");
    assert!(!shown.contains('\n'), "{span:?}");
    let before = &text[..span.start];
    assert_eq!(span.line, before.matches('\n').count() + 1, "{span:?}");
    assert_eq!(span.column, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1, "{span:?}");
}
