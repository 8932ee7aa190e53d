//! << description >>

use tapline_pdk::prelude::*;
use tapline_pdk::roles::NodeRequest;

/// The plugin.
#[derive(Debug)]
pub struct << type >>;

/// What a node is told under `with`; `schemas/<< id >>.json` says the same to whoever checks a pipeline.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    text: String,
}

/// What a node yields.
#[derive(Debug, Serialize)]
struct Counted {
    words: usize,
    longest: String,
}

#[plugin(id = "<< id >>", capabilities = [<< capabilities >>])]
impl << type >> {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "node", key = "<< id >>", schema = "schemas/<< id >>.json")]
    async fn count(&self, context: &Context, request: NodeRequest) -> Result<Counted> {
        let settings: Settings =
            request.with.to().map_err(|error| Failure::new("invalid-settings", error.to_string()))?;
        let words: Vec<&str> = settings.text.split_whitespace().collect();
        context.log(Level::Info, &format!("{} words", words.len()));
        let longest = words.iter().max_by_key(|word| word.chars().count()).copied().unwrap_or_default();
        Ok(Counted { words: words.len(), longest: longest.to_owned() })
    }
}
