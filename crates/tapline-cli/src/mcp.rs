use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use tapline::core::{Manifest, Request};
use tapline::host::{Lock, Settings};
use tapline::install::{Parcel, PluginsFolder};
use tapline::mcp::Offer;
use tapline::{Host, Load, Loader, Policy, Value, WebClient};

use crate::arguments::{McpAddArguments, McpUpdateArguments};
use crate::audit::visible;
use crate::output::Output;
use crate::plugin::settings;
use crate::run::variable;
use crate::{Ending, install, lock, output, walls};

mod declared;
mod difference;

use declared::declared;
use difference::Difference;

/// Starts a server once, shows its tools, and makes a package of it.
pub(crate) fn add(arguments: &McpAddArguments) -> Result<Ending> {
    let folder = PluginsFolder::new(&arguments.plugins);
    if let Some(there) = installed(&folder, &arguments.name)? {
        let (id, version) = (there.id(), &there.plugin.version);
        bail!("`{id}` {version} is there already; `tapline mcp update {id}` looks at it again");
    }
    let before = declared(arguments)?;
    let settings = settings()?;
    // Whoever says how a server is started lets it have what that needs.
    let policy = settings.policy().clone().allow_for(before.id().clone(), &before.requires);
    let offer = offered(&before, &settings, policy)?;
    let mut manifest = offer.accepted(&before);
    manifest.plugin.description = described(&offer);
    for tool in &offer.tools {
        Output::Standard.line(format_args!("{}: {}", visible(&tool.name), first_line(&tool.description)));
    }
    let ending = put(&manifest, &folder)?;
    tell_leave(&manifest, &settings);
    Ok(ending)
}

/// Starts a server once more, shows what is other than it was accepted, and accepts it if somebody says so.
pub(crate) fn update(arguments: &McpUpdateArguments) -> Result<Ending> {
    let folder = PluginsFolder::new(&arguments.plugins);
    let Some(before) = installed(&folder, &arguments.name)? else {
        bail!("there is no MCP server `{}` in `{}`", visible(&arguments.name), folder.path().display());
    };
    let settings = settings()?;
    let policy = settings.policy().clone();
    let offer = offered(&before, &settings, policy).inspect_err(|_| tell_leave(&before, &settings))?;
    let difference = Difference::between(&before, &offer);
    if difference.is_empty() {
        Output::Standard.line(format_args!("nothing has changed in `{}`", before.id()));
        return Ok(Ending::Done);
    }
    Output::Standard.text(&difference);
    if !arguments.yes && !agreed()? {
        bail!("nothing was written; `--yes` accepts it");
    }
    let mut manifest = offer.accepted(&before);
    manifest.plugin.version = difference.next(&before.plugin.version);
    manifest.plugin.description = described(&offer);
    put(&manifest, &folder)
}

/// The highest version of a server in a folder.
fn installed(folder: &PluginsFolder, id: &str) -> Result<Option<Manifest>> {
    let (installed, _broken) = folder.installed()?;
    let versions = installed.into_iter().map(|one| one.manifest).filter(|one| one.id().as_str() == id);
    let highest = versions.max_by(|one, other| one.plugin.version.cmp(&other.plugin.version));
    match highest {
        Some(manifest) if manifest.mcp.is_none() => bail!("`{}` is no MCP server", visible(id)),
        highest => Ok(highest),
    }
}

/// What a server says of itself, in a host of its own.
fn offered(manifest: &Manifest, settings: &Settings, policy: Policy) -> Result<Offer> {
    let secrets = settings.secrets(variable)?;
    output::keep(secrets.clone());
    let folder = written(&Offer::default().accepted(manifest))?;
    let host = Host::builder().settings(settings).policy(policy).secrets(secrets);
    let host = host.runtime(walls::servers(settings)?).http(WebClient::new()?).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let id = manifest.id().to_string();
    let offer = runtime.block_on(async {
        host.load(Load::folder(folder.path()))
            .await
            .with_context(|| format!("the server `{id}` cannot be looked at"))?;
        let offer = host.request(Request::new("plugin", &id, "tools", Value::Null)).await;
        host.shut_down().await?;
        anyhow::Ok(offer?)
    })?;
    offer.to().map_err(|error| anyhow!("the server said what is no list of tools: {error}"))
}

/// A folder that is a package with just this manifest.
fn written(manifest: &Manifest) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let text = toml::to_string(manifest).context("the manifest of this server cannot be written")?;
    std::fs::write(folder.path().join(Loader::MANIFEST), text)?;
    Ok(folder)
}

fn put(manifest: &Manifest, folder: &PluginsFolder) -> Result<Ending> {
    let package = written(manifest)?;
    let parcel = Parcel::of_folder(package.path(), &install::inspect)
        .with_context(|| format!("what `{}` offers is not accepted", manifest.id()))?;
    let mcp = manifest.mcp.iter();
    let parcel = parcel
        .made_of(mcp.map(|mcp| mcp.url.clone().unwrap_or_else(|| mcp.command.join(" "))).collect::<String>());
    let lock = lock::beside(Path::new(Lock::FILE))?;
    // Whoever says how a server is started has agreed to what that needs, and an update asks for nothing more.
    let how = install::How { accepts: true, writes: true, python: None };
    install::put(&parcel, folder, &lock, &how)
}

fn described(offer: &Offer) -> String {
    format!(
        "The MCP server {} {}, with {} tools.",
        visible(&offer.name),
        visible(&offer.version),
        offer.tools.len()
    )
}

/// The lines of the settings that would let a server have what it asks for.
fn tell_leave(manifest: &Manifest, settings: &Settings) {
    if let Some(leave) = settings.policy().leave(manifest) {
        let file = Settings::FILE;
        Output::Standard.text(format!("\npipelines use it once this is in {file}:\n\n{leave}"));
    }
}

/// Asks whoever sits at the terminal; nobody else agrees to anything.
fn agreed() -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    Output::Error.text("accept this? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}

/// What stands in one line of a list.
pub(crate) fn first_line(text: &str) -> String {
    visible(text.trim().lines().next().unwrap_or_default())
}
