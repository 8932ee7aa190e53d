use heck::ToUpperCamelCase as _;
use tapline::PluginId;

use crate::arguments::{PluginKind, PluginLanguage, PluginRuntime};

/// What a new plugin is to be.
pub(super) struct Project {
    id: String,
    kind: PluginKind,
    language: PluginLanguage,
    runtime: PluginRuntime,
    capabilities: Vec<String>,
}

/// A file of a new plugin.
struct Template {
    path: String,
    about: &'static str,
    text: &'static str,
}

/// The text of a template, by its path in `templates`.
macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../templates/", $path))
    };
}

/// The text of a template that each family has one of.
macro_rules! of_kind {
    ($kind:expr, $folder:literal, $extension:literal) => {
        match $kind {
            PluginKind::Provider => {
                include_str!(concat!("../../templates/", $folder, "/provider.", $extension))
            }
            PluginKind::Handler => {
                include_str!(concat!("../../templates/", $folder, "/handler.", $extension))
            }
            PluginKind::Validator => {
                include_str!(concat!("../../templates/", $folder, "/validator.", $extension))
            }
            PluginKind::Extension => {
                include_str!(concat!("../../templates/", $folder, "/extension.", $extension))
            }
            PluginKind::Integration => {
                include_str!(concat!("../../templates/", $folder, "/integration.", $extension))
            }
        }
    };
}

impl Project {
    pub(super) fn new(
        id: &PluginId,
        kind: PluginKind,
        language: PluginLanguage,
        capabilities: &[String],
    ) -> Self {
        let runtime = PluginRuntime::Wasm;
        Self { id: id.to_string(), kind, language, runtime, capabilities: capabilities.to_vec() }
    }

    /// The same, for what is to run it.
    pub(super) fn runtime(self, runtime: PluginRuntime) -> Self {
        Self { runtime, ..self }
    }

    const fn is_process(&self) -> bool {
        matches!(self.runtime, PluginRuntime::Process)
    }

    /// A sentence about it, to be replaced by its author.
    const fn description(&self) -> &'static str {
        match self.kind {
            PluginKind::Provider => "Answers prompts backwards.",
            PluginKind::Handler => "Counts the words of a text.",
            PluginKind::Validator => "Refuses prompts that are too long.",
            PluginKind::Extension => "Tells how long each node took.",
            PluginKind::Integration => "Asks a provider about each of several texts.",
        }
    }

    /// What it is to be allowed besides computing, as a line of `tapline.toml`.
    fn policy(&self) -> Option<String> {
        match self.kind {
            PluginKind::Extension => Some(format!("publish = [\"{}.*\"]", self.id)),
            PluginKind::Integration => Some("call = [\"provider/echo\"]".to_owned()),
            PluginKind::Provider | PluginKind::Handler | PluginKind::Validator => None,
        }
    }

    /// What `@plugin` says of its runtime.
    const fn runtime_said(&self) -> &'static str {
        if self.is_process() { " runtime=\"process\"," } else { "" }
    }

    fn templates(&self) -> Vec<Template> {
        let one = |path: &str, about, text| Template { path: path.to_owned(), about, text };
        let mut files = match self.language {
            PluginLanguage::Rust => vec![
                one("src/lib.rs", "the plugin", of_kind!(self.kind, "rust/src", "rs")),
                one("Cargo.toml", "its crate", template!("rust/Cargo.toml")),
                one(".cargo/config.toml", "where the SDK is found", template!("rust/config.toml")),
            ],
            PluginLanguage::Python if self.is_process() => vec![
                one("plugin.py", "the plugin", of_kind!(self.kind, "python", "py")),
                one("requirements.txt", "the packages that it uses", template!("python/process.txt")),
            ],
            PluginLanguage::Python => vec![
                one("plugin.py", "the plugin", of_kind!(self.kind, "python", "py")),
                one("requirements.txt", "what builds it", template!("python/requirements.txt")),
            ],
            PluginLanguage::JavaScript => vec![
                one("plugin.js", "the plugin", of_kind!(self.kind, "javascript", "js")),
                one("package.json", "what builds it", template!("javascript/package.json")),
            ],
        };
        let cases = of_kind!(self.kind, "common/cases", "yaml");
        files.push(one(&format!("cases/{}.yaml", self.id), "what it promises, as tests", cases));
        let schema = format!("schemas/{}.json", self.id);
        let about = "what the settings of its node may be";
        match self.kind {
            // There it stands in the source.
            _ if self.language == PluginLanguage::JavaScript => {}
            PluginKind::Handler => files.push(one(&schema, about, template!("common/schemas/handler.json"))),
            PluginKind::Integration => {
                files.push(one(&schema, about, template!("common/schemas/integration.json")));
            }
            PluginKind::Provider | PluginKind::Validator | PluginKind::Extension => {}
        }
        let pipeline = of_kind!(self.kind, "common/pipelines", "yaml");
        files.push(one("pipeline.yaml", "a pipeline that uses it", pipeline));
        if self.policy().is_some() {
            files.push(one(
                "tapline.toml",
                "what it may do in that pipeline",
                template!("common/tapline.toml"),
            ));
        }
        files.push(one(".gitignore", "what is made by the build", template!("common/gitignore")));
        files
    }
}

/// The files of a new plugin: paths and texts.
pub(super) fn files(project: &Project) -> Vec<(String, String)> {
    let mut templates = project.templates();
    let table: String =
        templates.iter().map(|file| format!("| `{}` | {} |\n", file.path, file.about)).collect();
    templates.push(Template { path: "README.md".into(), about: "", text: template!("common/README.md") });
    let capabilities: Vec<_> = project.capabilities.iter().map(|name| format!("{name:?}")).collect();
    let words = [
        ("<< id >>", project.id.clone()),
        ("<< type >>", format!("{}Plugin", project.id.to_upper_camel_case())),
        ("<< description >>", project.description().to_owned()),
        ("<< capabilities >>", capabilities.join(", ")),
        ("<< policy >>", project.policy().unwrap_or_default()),
        ("<< sdk >>", SDK.to_owned()),
        ("<< runtime >>", project.runtime_said().to_owned()),
        ("<< where >>", if project.is_process() { "behind its walls" } else { "in the sandbox" }.to_owned()),
        ("<< files >>\n", table),
        ("<< tools >>\n", tools(project.language)),
    ];
    let filled =
        |text: &str| words.iter().fold(text.to_owned(), |text, (word, meant)| text.replace(word, meant));
    templates.iter().map(|file| (file.path.clone(), filled(file.text))).collect()
}

/// What gets the tools that build it, as the README says it.
fn tools(language: PluginLanguage) -> String {
    let (first, commands) = match language {
        PluginLanguage::Rust => return String::new(),
        PluginLanguage::Python => {
            ("Python 3.11 or newer", "python3 -m venv .venv\n.venv/bin/pip install -r requirements.txt")
        }
        PluginLanguage::JavaScript => ("Node 20 or newer", "npm install"),
    };
    format!("Once, with {first}, get what builds it:\n\n```sh\n{commands}\n```\n\n")
}

/// The version of the SDK that a new plugin asks for; it is found in the command itself.
const SDK: &str = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
