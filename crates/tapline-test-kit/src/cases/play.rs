use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use tapline::core::{METHODS, Runtime};
use tapline::{CallError, HookError, Value};
use tempfile::TempDir;

use super::check::{Mismatch, check_answer, check_reached, check_seen, is_told};
use super::file::{Action, Answering, Case, Failing, Hook, Scene};
use crate::rig::{Answer, HookCall, Reply, Rig, Seen, Setup};

/// So long a case waits for events and log lines that it expects.
const PATIENCE: Duration = Duration::from_secs(5);

/// Plays a case: says what was not as expected, and what the plugin logged.
pub(super) async fn play(
    scene: &Scene,
    case: &Case,
    folder: &Path,
    runtime: Arc<dyn Runtime>,
) -> (Vec<Mismatch>, Vec<String>) {
    let data = match data(scene) {
        Ok(data) => data,
        Err(mismatch) => return (vec![mismatch], Vec::new()),
    };
    let setup = match setup(scene) {
        Ok(setup) => setup.runtime(runtime).data(data.path()),
        Err(mismatch) => return (vec![mismatch], Vec::new()),
    };
    let seen = setup.seen();
    let rig = match setup.load(folder).await {
        Ok(rig) => rig,
        Err(error) => {
            let mut mismatches = not_started(case, &error);
            if matches!(case.action(), Ok(Action::Start)) {
                mismatches.extend(check_seen(&case.expect, &seen));
            }
            return (mismatches, lines(&seen));
        }
    };
    let mut mismatches = act(&rig, case).await;
    // What is told in passing may still be on its way; when it does not come, the check says so.
    let told = rig.seen().wait(|seen| is_told(&case.expect, seen));
    let _ = tokio::time::timeout(PATIENCE, told).await;
    mismatches.extend(check_seen(&case.expect, rig.seen()));
    let log = lines(rig.seen());
    if let Err(error) = rig.unload().await {
        mismatches.push(Mismatch::other("the plugin does not end", chain(&error)));
    }
    (mismatches, log)
}

async fn act(rig: &Rig, case: &Case) -> Vec<Mismatch> {
    let answer = match case.action() {
        Ok(Action::Hook(hook)) => return act_at_hook(rig, case, hook).await,
        Ok(Action::Start) => return expects_no_error(case),
        Ok(Action::Publish(event)) => {
            let published = rig.publish(&event.topic, event.payload.clone());
            let refused = published.err().map(|error| Mismatch::other("the event is none", chain(&error)));
            return refused.into_iter().chain(expects_no_error(case)).collect();
        }
        Ok(Action::Node(node)) => {
            let input = Value::from_iter([("with", node.with.clone()), ("scope", node.scope.clone().into())]);
            rig.request("node", &node.node_type, "handle", input).await
        }
        Ok(Action::Complete(asked)) => rig.complete(&asked.provider, &asked.prompt).await,
        Ok(Action::Method(method)) => {
            rig.request(METHODS, rig.plugin().as_str(), &method.name, method.request.clone()).await
        }
        Ok(Action::Request(request)) => {
            rig.request(&request.point, &request.key, &request.method, request.input.clone()).await
        }
        Err(message) => return vec![Mismatch::other("the case", message)],
    };
    check_answer(&case.expect, answer.map_err(|error| told(&error)))
}

async fn act_at_hook(rig: &Rig, case: &Case, hook: &Hook) -> Vec<Mismatch> {
    let inside = match &hook.inside.error {
        Some(Failing { code, message }) => Answer::Failure { code: code.clone(), message: message.clone() },
        None => hook.inside.output.clone().into(),
    };
    let mut call = HookCall::new(hook.input.clone()).inside(inside);
    for (name, value) in &hook.beside {
        call = call.beside(name, value.clone());
    }
    for (name, value) in &hook.facts {
        call = call.fact(name, value);
    }
    match rig.hook(&hook.point, call).await {
        Ok(outcome) => {
            let answer = outcome.output.map_err(|error| told(&error));
            let mut mismatches = check_answer(&case.expect, answer);
            mismatches.extend(check_reached(&case.expect, outcome.reached));
            mismatches
        }
        Err(error) => vec![Mismatch::other("the hook does not fit the point", chain(&error))],
    }
}

/// An action without an answer comes to its end where no error is expected.
fn expects_no_error(case: &Case) -> Vec<Mismatch> {
    let expected = case.expect.error.as_ref();
    expected
        .map(|error| Mismatch::other("there is no error", format!("expected: {}", error.code)))
        .into_iter()
        .collect()
}

fn not_started(case: &Case, error: &crate::rig::RigError) -> Vec<Mismatch> {
    let said = chain(error);
    match (&case.expect.error, case.action()) {
        (Some(_), Ok(Action::Start)) => check_answer(&case.expect, Err((code_of(error), said))),
        _ => vec![Mismatch::other("the plugin does not start", said)],
    }
}

/// The code of what a plugin answered instead of starting, or `not-started` when it was not asked at all.
fn code_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(answered) = error.downcast_ref::<CallError>() {
            return answered.to_failure().code().to_owned();
        }
        next = error.source();
    }
    "not-started".to_owned()
}

fn told(error: &HookError) -> (String, String) {
    let failure = error.to_failure();
    (failure.code().to_owned(), chain(error))
}

fn setup(scene: &Scene) -> Result<Setup, Mismatch> {
    let mut setup = Rig::setup().config(scene.config.clone());
    if let Some(time) = &scene.time {
        let time = humantime::parse_rfc3339(time)
            .map_err(|error| Mismatch::other("`time`", format!("{time}: {error}")))?;
        setup = setup.time(time);
    }
    for (name, value) in &scene.secrets {
        setup = setup.secret(name, value);
    }
    for answering in &scene.answers {
        setup = setup.answer(&answering.target, &answering.method, answer(answering));
    }
    for served in &scene.http {
        let reply = match &served.json {
            Some(value) => Reply::json(served.status, value),
            None => Reply::new(served.status).body(served.body.as_str()),
        };
        let reply = served.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value));
        setup = setup.http(&served.method, &served.url, [reply]);
    }
    Ok(setup)
}

fn answer(answering: &Answering) -> Answer {
    match (&answering.output, &answering.error) {
        _ if answering.never => Answer::Never,
        (_, Some(Failing { code, message })) => {
            Answer::Failure { code: code.clone(), message: message.clone() }
        }
        (output, None) => Answer::Value(output.clone().unwrap_or_default()),
    }
}

/// A folder with the files that the case gives.
fn data(scene: &Scene) -> Result<TempDir, Mismatch> {
    let failed = |error: std::io::Error| Mismatch::other("`data`", error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    for (name, text) in &scene.data {
        let path = Path::new(name);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(Mismatch::other("`data`", format!("{name}: not a path below a folder")));
        }
        let path = folder.path().join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(path, text).map_err(failed)?;
    }
    Ok(folder)
}

fn lines(seen: &Seen) -> Vec<String> {
    let log = seen.log();
    log.iter().map(|(level, line)| format!("{:<5}  {line}", format!("{level:?}").to_lowercase())).collect()
}

/// An error, with what caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
