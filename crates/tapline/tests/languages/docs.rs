//! The first plugin of each language's page is the one that is tried here, and so is its pipeline.

use std::path::Path;
use std::sync::Arc;

use tapline::Host;
use tapline::core::Object;
use tapline_pipeline::{Catalog, Draft, Engine, Silent, Source, check};
use tapline_test_kit::Foreign;

use crate::mixed::known;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The block of a page that begins with this line, without its fences.
fn block<'p>(page: &'p str, fence: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```\n").unwrap().0
}

#[tokio::test]
async fn the_first_plugin_of_each_page_runs_as_the_page_says() {
    for (language, source) in [("python", "plugin.py"), ("javascript", "plugin.js")] {
        let page = file(&format!("docs/plugins-{language}.md"));
        let shown = block(&page, if language == "python" { "python" } else { "js" });
        assert_eq!(shown, file(&format!("tests/guests/slugs-{language}/{source}")));

        let Some([slugs]) = Foreign::find_all([&format!("slugs-{language}")]) else { return };
        // Where the package lies is the operator's.
        let pipeline = block(&page, "yaml").replace("path: slugs, ", "");
        let source = Source::new("pipeline.yaml", pipeline.as_bytes());
        let catalog = Catalog { plugins: vec![known(&slugs)], ..Catalog::default() };
        let checked = check(&Draft::read(&source), &catalog);
        assert_eq!(checked.diagnostics, []);
        let definition = Arc::new(checked.definition.unwrap());
        let inputs = Object::from_iter([("title".into(), "Crème brûlée, again!".into())]);
        let host = Host::builder().runtime(slugs.runtime()).build();
        let config = tapline::Value::from_json(r#"{"longest":12}"#).unwrap();
        let engine = Engine::new(host).unwrap();
        engine.host().load(slugs.load().config(config)).await.unwrap();
        let report = engine.run(definition, inputs, Arc::new(Silent)).await;
        assert_eq!(report.outputs.unwrap()["name"].as_str(), Some("creme-brulee"), "{language}");
        assert!(page.contains("`creme-brulee`"));
    }
}
