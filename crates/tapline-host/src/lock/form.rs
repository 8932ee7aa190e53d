use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};
use tapline_core::{Grants, PluginId, Requires};
use toml::Spanned;

use super::{Lock, LockedFrom, LockedPlugin};
use crate::digest::Digest;
use crate::mistake::Mistake;
use crate::toml_reader::TomlReader;

/// The form of the file that this version writes, and the newest that it reads.
const VERSION: usize = 1;
const HEAD: &str = "# Written by `tapline lock`; not meant to be edited.\n";
const BUILT_IN: &str = "built in";

/// The file as it is written; `P` is a plugin, with its place when it is read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<P> {
    version: usize,
    #[serde(default = "Vec::new", rename = "plugin")]
    plugins: Vec<P>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PluginForm {
    id: PluginId,
    version: Version,
    from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(default)]
    grants: Grants,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Requires>,
}

/// The lock in a text, or the first mistake in it.
pub(super) fn read(file: &Path, text: &str) -> Result<Lock, Mistake> {
    check_version(file, text)?;
    let form: Form<Spanned<PluginForm>> = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Mistake::at(file, text, offset, error.message().trim_end())
    })?;
    let mut ids = BTreeSet::new();
    let plugins = form.plugins.into_iter().map(|spanned| {
        let place = spanned.span().start;
        let plugin = spanned.into_inner().plugin();
        let plugin = plugin.map_err(|message| Mistake::at(file, text, place, message))?;
        if ids.insert(plugin.id.clone()) {
            return Ok(plugin);
        }
        Err(Mistake::at(file, text, place, format!("there are two plugins `{}`", plugin.id)))
    });
    Ok(Lock::new(plugins.collect::<Result<_, _>>()?))
}

/// What a newer version writes is not even looked at.
fn check_version(file: &Path, text: &str) -> Result<(), Mistake> {
    let first = |mistakes: Vec<Mistake>| mistakes.into_iter().next().map_or(Ok(()), Err);
    let (mut reader, root) = match TomlReader::open(file, text) {
        Ok(opened) => opened,
        Err(mistakes) => return first(mistakes),
    };
    let Some(version) = root.get("version") else {
        return Err(Mistake::at(file, text, 0, "the key `version` is missing"));
    };
    match reader.number(Some(version)) {
        Some(0) => reader.mistake(version.span(), "there is no version 0"),
        Some(number) if number > VERSION => reader.mistake(
            version.span(),
            format!("it was written by a newer tapline; this one reads version {VERSION}"),
        ),
        _ => {}
    }
    first(reader.mistakes)
}

pub(super) fn write(lock: &Lock) -> io::Result<String> {
    let plugins = lock.plugins.iter().map(PluginForm::of).collect();
    let text = toml::to_string(&Form { version: VERSION, plugins }).map_err(io::Error::other)?;
    Ok(format!("{HEAD}{text}"))
}

impl PluginForm {
    fn of(plugin: &LockedPlugin) -> Self {
        let (from, digest) = match &plugin.from {
            LockedFrom::BuiltIn => (BUILT_IN.to_owned(), None),
            LockedFrom::Folder { path, digest } => (path.clone(), Some(*digest)),
        };
        Self {
            id: plugin.id.clone(),
            version: plugin.version.clone(),
            from,
            digest,
            grants: plugin.grants.clone(),
            asked: plugin.asked.clone(),
        }
    }

    fn plugin(self) -> Result<LockedPlugin, String> {
        let from = match (self.from, self.digest) {
            (path, Some(digest)) => LockedFrom::Folder { path, digest },
            (from, None) if from == BUILT_IN => LockedFrom::BuiltIn,
            (_, None) => return Err(format!("plugin `{}` has no `digest`", self.id)),
        };
        Ok(LockedPlugin { id: self.id, version: self.version, from, grants: self.grants, asked: self.asked })
    }
}
