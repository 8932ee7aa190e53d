#![expect(unused_qualifications, reason = "`utoipa` names the types of parameters so")]

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tapline::PluginId;
use tapline::host::PluginInfo;
use utoipa::{IntoParams, ToSchema};

use super::{AnyBody, Body, Path, Query, Shared, to_the_end};
use crate::builtin;
use crate::cost::cost;
use crate::grants;
use crate::serve::Server;
use crate::serve::deployment::{
    Another, Loaded, NewPlugin, Reloaded, Replacement, Swapped, Unloaded, not_unloaded,
};
use crate::serve::log::Change;
use crate::serve::problem::{Problem, Redacted};
use crate::serve::problems::{BadRequest, Conflict, NoJson, NoToken, NotFound, Refused, TooLarge, TooSlow};

/// A plugin in the list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginView {
    /// Its id.
    pub(crate) id: String,
    pub(crate) version: String,
    /// `native`, `wasm`, `process` or `mcp`.
    pub(crate) runtime: String,
    /// `active`, or what has become of it instead.
    pub(crate) state: String,
    /// The folder that it came from; `null` when the command brings it.
    pub(crate) folder: Option<String>,
    pub(crate) description: String,
    /// How many calls have left it since it was loaded.
    pub(crate) calls: u64,
    /// How many of them with an error of its own.
    pub(crate) errors: u64,
}

/// What is known of a plugin.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginWhole {
    #[serde(flatten)]
    pub(crate) plugin: PluginView,
    /// How often everything that runs of it has begun anew, from 1.
    pub(crate) incarnation: u64,
    /// Its manifest.
    #[schema(value_type = Object)]
    pub(crate) manifest: Value,
    /// What it has cost since it was loaded.
    #[schema(value_type = Object)]
    pub(crate) cost: Value,
    /// What has become of it lately, the newest last; a version that was taken back says why.
    pub(crate) changes: Vec<Change>,
    /// The pipelines that use it.
    pub(crate) pipelines: Vec<String>,
}

/// The plugins that are loaded, in the order in which they were started.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginsPage {
    pub(crate) plugins: Vec<PluginView>,
}

/// What a plugin may do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct GrantsView {
    /// The plugin.
    id: String,
    version: String,
    /// What it asks for.
    asks_for: Vec<AskView>,
    /// What it is granted.
    #[schema(value_type = Object)]
    granted: Value,
    /// What it has done with that since it was loaded.
    used: Vec<UsedView>,
}

/// Something that a plugin asks for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AskView {
    /// `read`, `call`, `connect to`.
    action: String,
    target: String,
    /// What it says that it is for.
    why: String,
}

/// Something that a plugin has done, or was refused.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct UsedView {
    action: String,
    target: String,
    /// How often it was done.
    granted: u64,
    /// How often it was refused.
    refused: u64,
}

/// How a plugin is unloaded.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Leaving {
    /// Whether plugins that need it go with it, and pipelines that need it stop.
    #[serde(default)]
    cascade: bool,
    /// Whether to say what would happen, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Whether to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Waiting {
    /// Whether to answer when it is settled which version stays, ten seconds later unless the settings say otherwise.
    #[serde(default)]
    wait: bool,
}

/// What became of a plugin that was started again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Restarted {
    plugin: String,
    /// The state that it has now.
    state: String,
}

/// Lists plugins.
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins", security(("token" = [])), responses(
    (status = 200, body = PluginsPage, description = "The plugins that are loaded."), NoToken))]
pub(crate) async fn list(State(server): Shared) -> Redacted<PluginsPage> {
    let plugins = server.deployment.engine.host().plugins();
    Redacted(PluginsPage { plugins: plugins.iter().map(|plugin| view(&server, plugin)).collect() })
}

/// Loads a plugin, and those that it needs.
#[utoipa::path(post, path = "/v1/plugins", tag = "plugins", security(("token" = [])), request_body = NewPlugin,
    responses((status = 201, body = Loaded, description = "What was loaded."),
        BadRequest, NoToken, NotFound, TooSlow, Conflict, TooLarge, NoJson, Refused))]
pub(crate) async fn load(
    State(server): Shared,
    Body(new): Body<NewPlugin>,
) -> Result<(StatusCode, Redacted<Loaded>), Problem> {
    let loaded = to_the_end(async move { server.deployment.load(new).await }).await?;
    Ok((StatusCode::CREATED, Redacted(loaded)))
}

/// Shows a plugin.
#[utoipa::path(get, path = "/v1/plugins/{plugin}", tag = "plugins", security(("token" = [])),
    params(("plugin" = String, Path, description = "The id of the plugin.")), responses(
    (status = 200, body = PluginWhole, description = "What is known of it."), BadRequest, NoToken, NotFound))]
pub(crate) async fn show(
    State(server): Shared,
    Path(id): Path<String>,
) -> Result<Redacted<PluginWhole>, Problem> {
    let info = info(&server, &id)?;
    let host = server.deployment.engine.host();
    let pipelines = server.deployment.pipelines();
    let using = pipelines.values().filter(|pipeline| pipeline.wanted.contains_key(info.manifest.id()));
    let health = host.health(info.manifest.id());
    let mut manifest = serde_json::to_value(&*info.manifest).map_err(Problem::broken)?;
    // Schemas are texts there.
    if let Some(object) = manifest.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    Ok(Redacted(PluginWhole {
        plugin: view(&server, &info),
        incarnation: health.map_or(0, |health| health.incarnation),
        manifest,
        cost: cost(host, &info),
        changes: server.deployment.log.of(&id),
        pipelines: using.map(|pipeline| pipeline.name.to_string()).collect(),
    }))
}

/// Unloads a plugin, unless other plugins or pipelines need it.
#[utoipa::path(delete, path = "/v1/plugins/{plugin}", tag = "plugins", security(("token" = [])),
    params(Leaving, ("plugin" = String, Path, description = "The id of the plugin.")), responses(
    (status = 200, body = Unloaded, description = "What was unloaded, or would be."),
    BadRequest, NoToken, NotFound, Conflict))]
pub(crate) async fn unload(
    State(server): Shared,
    Path(id): Path<String>,
    Query(leaving): Query<Leaving>,
) -> Result<Redacted<Unloaded>, Problem> {
    let Leaving { cascade, dry_run } = leaving;
    to_the_end(async move { server.deployment.unload(&id, cascade, dry_run).await }).await.map(Redacted)
}

/// Ends a plugin and those that need it, and starts them again. When it does not start, all come back as they were.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/reload", tag = "plugins", security(("token" = [])),
    params(("plugin" = String, Path, description = "The id of the plugin.")), request_body = Option<Another>, responses(
    (status = 200, body = Reloaded, description = "It runs again."),
    BadRequest, NoToken, NotFound, TooSlow, Conflict, TooLarge, NoJson, Refused))]
pub(crate) async fn reload(
    State(server): Shared,
    Path(id): Path<String>,
    AnyBody(another): AnyBody<Another>,
) -> Result<Redacted<Reloaded>, Problem> {
    to_the_end(async move { server.deployment.reload(&id, &another).await }).await.map(Redacted)
}

/// Puts another version in the place of a plugin while calls go on. The version before comes back by itself when the new one
/// does badly.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/swap", tag = "plugins", security(("token" = [])),
    params(Waiting, ("plugin" = String, Path, description = "The id of the plugin.")), request_body = Option<Replacement>,
    responses((status = 200, body = Swapped, description = "The new version is in place, or was."),
        BadRequest, NoToken, NotFound, TooSlow, Conflict, TooLarge, NoJson, Refused))]
pub(crate) async fn swap(
    State(server): Shared,
    Path(id): Path<String>,
    Query(Waiting { wait }): Query<Waiting>,
    AnyBody(replacement): AnyBody<Replacement>,
) -> Result<Redacted<Swapped>, Problem> {
    let deployment = Arc::clone(&server.deployment);
    to_the_end(async move { deployment.swap(&id, &replacement, wait).await }).await.map(Redacted)
}

/// Starts a plugin again that failed or is in quarantine, and those that need it.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/restart", tag = "plugins", security(("token" = [])),
    params(("plugin" = String, Path, description = "The id of the plugin.")), responses(
    (status = 200, body = Restarted, description = "It was tried."), BadRequest, NoToken, NotFound, Conflict))]
pub(crate) async fn restart(
    State(server): Shared,
    Path(id): Path<String>,
) -> Result<Redacted<Restarted>, Problem> {
    let id = info(&server, &id)?.manifest.id().clone();
    let state = server.deployment.engine.host().restart(&id).await;
    let state = state.map_err(|error| not_unloaded(&error))?;
    server.deployment.restarted().await;
    Ok(Redacted(Restarted { plugin: id.to_string(), state: state.name().to_owned() }))
}

/// Shows what a plugin asks for, what it is granted, and what it has used.
#[utoipa::path(get, path = "/v1/plugins/{plugin}/grants", tag = "plugins", security(("token" = [])),
    params(("plugin" = String, Path, description = "The id of the plugin.")), responses(
    (status = 200, body = GrantsView, description = "What it may do."), BadRequest, NoToken, NotFound))]
pub(crate) async fn grants(
    State(server): Shared,
    Path(id): Path<String>,
) -> Result<Redacted<GrantsView>, Problem> {
    let info = info(&server, &id)?;
    let asks = grants::asks(&info.manifest).into_iter().map(|ask| AskView {
        action: ask.action.to_owned(),
        target: ask.target,
        why: ask.why,
    });
    let used = info.usage.acts().into_iter().map(|(action, target, tally)| UsedView {
        action: action.to_owned(),
        target,
        granted: tally.granted,
        refused: tally.refused,
    });
    let granted = serde_json::to_value(&info.grants).map_err(Problem::broken)?;
    let view = GrantsView {
        id,
        version: info.manifest.plugin.version.to_string(),
        asks_for: asks.collect(),
        granted,
        used: used.collect(),
    };
    Ok(Redacted(view))
}

fn info(server: &Server, id: &str) -> Result<PluginInfo, Problem> {
    let mut plugins = server.deployment.engine.host().plugins().into_iter();
    let found = plugins.find(|info| info.manifest.id().as_str() == id);
    found.ok_or_else(|| {
        let problem = Problem::not_found(format!("plugin `{id}` is not loaded"));
        Problem { code: "not-loaded".to_owned(), ..problem }.plugins([id])
    })
}

fn view(server: &Server, info: &PluginInfo) -> PluginView {
    let about = &info.manifest.plugin;
    let id: &PluginId = &about.id;
    PluginView {
        id: id.to_string(),
        version: about.version.to_string(),
        runtime: about.runtime.to_string(),
        state: server.deployment.engine.host().state(id).name().to_owned(),
        folder: builtin::folder(info)
            .map(|folder| folder.strip_prefix(".").unwrap_or(folder).display().to_string()),
        description: about.description.to_string(),
        calls: info.stats.calls(),
        errors: info.stats.errors(),
    }
}
