//! The words of a file of cases.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use tapline::Value;
use tapline::core::Object;

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CasesFile {
    #[serde(default)]
    pub(super) setup: Scene,
    pub(super) cases: Vec<Case>,
}

/// What a plugin finds around it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Scene {
    pub(super) config: Value,
    /// The time at which its clock stands, as in `2026-01-31T12:00:00Z`.
    pub(super) time: Option<String>,
    pub(super) secrets: BTreeMap<String, String>,
    /// What is in the folder `data:`, by path.
    pub(super) data: BTreeMap<String, String>,
    pub(super) answers: Vec<Answering>,
    pub(super) http: Vec<Served>,
}

/// What a call of another plugin is answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answering {
    pub(super) target: String,
    pub(super) method: String,
    #[serde(default, deserialize_with = "present")]
    pub(super) output: Option<Value>,
    #[serde(default)]
    pub(super) error: Option<Failing>,
    /// It is never answered.
    #[serde(default)]
    pub(super) never: bool,
}

/// What a request over http is answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Served {
    #[serde(default = "get")]
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default = "ok")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) json: Option<Value>,
    #[serde(default)]
    pub(super) body: String,
}

/// An error that is answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failing {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// One case: what is done, and what is expected of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: Spanned<String>,
    #[serde(default)]
    setup: Scene,
    #[serde(default)]
    node: Option<Node>,
    #[serde(default)]
    hook: Option<Hook>,
    #[serde(default)]
    complete: Option<Complete>,
    #[serde(default)]
    method: Option<Method>,
    #[serde(default)]
    request: Option<Request>,
    #[serde(default)]
    publish: Option<Publish>,
    /// It is started, and no more.
    #[serde(default)]
    start: bool,
    #[serde(default)]
    pub(super) expect: Expect,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Action<'a> {
    Node(&'a Node),
    Hook(&'a Hook),
    Complete(&'a Complete),
    Method(&'a Method),
    Request(&'a Request),
    Publish(&'a Publish),
    Start,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    #[serde(rename = "type")]
    pub(super) node_type: String,
    #[serde(default)]
    pub(super) with: Value,
    #[serde(default)]
    pub(super) scope: Object,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hook {
    pub(super) point: String,
    #[serde(default)]
    pub(super) input: Value,
    /// What stands beside the input in the context.
    #[serde(default)]
    pub(super) beside: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) facts: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) inside: Inside,
}

/// What is inside a hook answers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Inside {
    pub(super) output: Value,
    pub(super) error: Option<Failing>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Complete {
    pub(super) provider: String,
    pub(super) prompt: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Method {
    pub(super) name: String,
    #[serde(default)]
    pub(super) request: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) point: String,
    pub(super) key: String,
    #[serde(default = "handle")]
    pub(super) method: String,
    #[serde(default)]
    pub(super) input: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    pub(super) topic: String,
    #[serde(default)]
    pub(super) payload: Value,
}

/// What is expected. What is left out may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    #[serde(deserialize_with = "present")]
    pub(super) output: Option<Value>,
    /// The code, and a part of the message.
    pub(super) error: Option<Failing>,
    /// What reaches the inside of a hook, each time.
    pub(super) reached: Option<Vec<Value>>,
    /// All calls of other plugins: target, method, request.
    pub(super) calls: Option<Vec<Called>>,
    /// All requests over http.
    pub(super) requests: Option<Vec<Requested>>,
    /// These events, in this order, among whatever others.
    pub(super) events: Vec<Publish>,
    /// A part of a line each, in this order.
    pub(super) log: Vec<String>,
    /// A part of a line of the audit each, in this order.
    pub(super) audit: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Called {
    pub(super) target: String,
    pub(super) method: String,
    #[serde(default, deserialize_with = "present")]
    pub(super) request: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requested {
    #[serde(default = "get")]
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) json: Option<Value>,
    #[serde(default)]
    pub(super) body: Option<String>,
}

impl CasesFile {
    /// Reads a text; a mistake has its line, its column and what is wrong there.
    pub(super) fn parse(text: &str) -> Result<Self, (u64, u64, String)> {
        let file: Self = serde_saphyr::from_str(text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let message = error.without_snippet().to_string();
            let place = format!(" at line {line}, column {column}");
            (line, column, message.strip_suffix(&place).unwrap_or(&message).to_owned())
        })?;
        for case in &file.cases {
            let (line, column) = case.place();
            let action = case.action().map_err(|message| (line, column, message))?;
            case.expect.misfit(&action).map_or(Ok(()), |message| Err((line, column, message.to_owned())))?;
            case.setup.misfit().map_or(Ok(()), |message| Err((line, column, message)))?;
        }
        file.setup.misfit().map_or(Ok(()), |message| Err((1, 1, message)))?;
        if file.cases.is_empty() {
            return Err((1, 1, "there is no case".into()));
        }
        Ok(file)
    }
}

impl Case {
    pub(super) fn name(&self) -> &str {
        &self.name.value
    }

    pub(super) fn setup(&self) -> &Scene {
        &self.setup
    }

    pub(super) fn place(&self) -> (u64, u64) {
        let at = &self.name.referenced;
        (at.line(), at.column())
    }

    /// The one thing that is done.
    pub(super) fn action(&self) -> Result<Action<'_>, String> {
        let all = [
            self.node.as_ref().map(Action::Node),
            self.hook.as_ref().map(Action::Hook),
            self.complete.as_ref().map(Action::Complete),
            self.method.as_ref().map(Action::Method),
            self.request.as_ref().map(Action::Request),
            self.publish.as_ref().map(Action::Publish),
            self.start.then_some(Action::Start),
        ];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(action), None) => Ok(action),
            _ => Err(format!(
                "`{}` has to do one thing: `node`, `hook`, `complete`, `method`, `request`, `publish` or `start`",
                self.name()
            )),
        }
    }
}

impl Expect {
    /// What of it says nothing about the action, and would be passed over.
    fn misfit(&self, action: &Action<'_>) -> Option<&'static str> {
        let is_told_nothing = self.events.is_empty() && self.log.is_empty() && self.audit.is_empty();
        let expects_none = self.calls.as_ref().is_some_and(Vec::is_empty)
            || self.requests.as_ref().is_some_and(Vec::is_empty);
        match action {
            _ if self.output.is_some() && self.error.is_some() => {
                Some("there is an `output` or an `error`, and not both")
            }
            Action::Hook(_) => None,
            _ if self.reached.is_some() => Some("`reached` is for a `hook`"),
            Action::Start if self.output.is_some() => Some("a `start` has no `output`"),
            Action::Publish(_) if self.output.is_some() || self.error.is_some() => {
                Some("an event has no answer: expect `log`, `events`, `calls`, `requests` or `audit`")
            }
            Action::Publish(_) if expects_none && is_told_nothing => {
                Some("when an event has been taken is not known: expect a `log` line, too, to wait for")
            }
            _ => None,
        }
    }
}

impl Scene {
    /// What of it says two things at once.
    fn misfit(&self) -> Option<String> {
        let answers = |one: &&Answering| {
            usize::from(one.output.is_some()) + usize::from(one.error.is_some()) + usize::from(one.never) != 1
        };
        if let Some(answer) = self.answers.iter().find(answers) {
            let (method, target) = (&answer.method, &answer.target);
            return Some(format!(
                "`{method}` of `{target}` has one answer: `output`, `error` or `never: true`"
            ));
        }
        let served = self.http.iter().find(|served| served.json.is_some() && !served.body.is_empty());
        served.map(|served| format!("{} has a `json` or a `body`, and not both", served.url))
    }

    /// What a case finds: what all find, and what it says of its own.
    pub(super) fn with(&self, own: &Self) -> Self {
        let mut scene = self.clone();
        if own.config != Value::Null {
            scene.config = own.config.clone();
        }
        scene.time = own.time.clone().or(scene.time);
        scene.secrets.extend(own.secrets.clone());
        scene.data.extend(own.data.clone());
        scene.answers.extend(own.answers.iter().cloned());
        // The own one is asked first.
        scene.http.splice(0..0, own.http.iter().cloned());
        scene
    }
}

/// A value that is given, `null` included.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

fn get() -> String {
    "GET".into()
}

const fn ok() -> u16 {
    200
}

fn handle() -> String {
    "handle".into()
}
