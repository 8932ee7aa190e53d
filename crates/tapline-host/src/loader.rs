use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapline_core::{Manifest, NativePlugin, Package, RuntimeKind, Value};

use crate::digest::Digest;
use crate::file::{read_file, too_large};
use crate::mistake::{Mistake, decoded};

mod manifest;

/// Reads packages from folders; the only reader of plugin files. Nothing of a plugin is run for it.
///
/// A package is a folder with the manifest `plugin.toml` and, for a sandboxed plugin, the component `plugin.wasm`, or, for a
/// process, the files that its manifest names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loader;

/// Why a folder is no package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A file of the package cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files of the package are not those that are expected.
    #[error("the files of {} are not those that are expected: they have changed", folder.display())]
    Changed {
        /// The folder of the package.
        folder: PathBuf,
    },
    /// Something in the package is wrong: all of it, in the order of the file.
    #[error("{}", joined(.0))]
    Invalid(Vec<Mistake>),
}

impl ManifestError {
    /// The file that it is about, or the folder.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Unreadable { file, .. } => file,
            Self::Changed { folder } => folder,
            Self::Invalid(mistakes) => mistakes.first().map_or(Path::new(""), |first| &first.place.file),
        }
    }
}

fn joined(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const MANIFEST: &str = "plugin.toml";
const ARTIFACT: &str = "plugin.wasm";
/// A package larger than this is not read: a component of Python has 18 MB.
const LARGEST_ARTIFACT: u64 = 256 << 20;
const LARGEST_MANIFEST: u64 = 4 << 20;

impl Loader {
    /// The name of the manifest of a package.
    pub const MANIFEST: &str = MANIFEST;
    /// The name of the component of a package.
    pub const ARTIFACT: &str = ARTIFACT;
    /// A manifest has no more bytes than this, nor has a schema.
    pub const LARGEST_MANIFEST: u64 = LARGEST_MANIFEST;

    /// Reads the package in a folder.
    ///
    /// # Errors
    /// When a file is missing or too large, or the manifest is wrong.
    pub fn read(folder: &Path) -> Result<Package, ManifestError> {
        Self::read_as(folder, None)
    }

    /// As [`read`](Self::read), if the digest of just the bytes that are read is the expected one.
    pub(crate) fn read_as(folder: &Path, expected: Option<Digest>) -> Result<Package, ManifestError> {
        let (manifest, files) = Self::files(folder, in_folder(folder))?;
        if expected.is_some_and(|expected| expected != Digest::of(&files)) {
            return Err(ManifestError::Changed { folder: folder.to_owned() });
        }
        package(folder, manifest, files)
    }

    /// Reads a package whose files are at hand, by their names, and tells its digest; `folder` is named in mistakes, and
    /// not looked at. Files that do not count may be among them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_files(
        folder: &Path,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(Package, Digest), ManifestError> {
        let at_hand = |name: &str, limit| match files.get(name) {
            Some(content) if content.len() as u64 > limit => Err(too_large(limit)),
            content => content.cloned().ok_or_else(|| io::ErrorKind::NotFound.into()),
        };
        let (manifest, files) = Self::files(folder, at_hand)?;
        let digest = Digest::of(&files);
        Ok((package(folder, manifest, files)?, digest))
    }

    /// The names of the files that count of a package with this manifest, as [`parse`](Self::parse) gives it: the manifest,
    /// the schemas that it names, and the component or the files of the process.
    #[must_use]
    pub fn names(manifest: &Manifest) -> BTreeSet<String> {
        let schemas = manifest.provides.iter().filter_map(|provides| provides.schema.as_deref());
        let schemas = schemas.filter(|schema| is_file(schema)).map(Into::into);
        let named = manifest.process.iter().flat_map(|process| process.files.iter().cloned());
        let artifact = (manifest.plugin.runtime == RuntimeKind::Wasm).then(|| ARTIFACT.into());
        [MANIFEST.to_owned()].into_iter().chain(artifact).chain(schemas).chain(named).collect()
    }

    /// The manifest as it is written, and the files of the package that count, each read once: `read` is given a name, and
    /// how many bytes there may be.
    fn files(
        folder: &Path,
        read: impl Fn(&str, u64) -> io::Result<Vec<u8>>,
    ) -> Result<(Manifest, BTreeMap<String, Vec<u8>>), ManifestError> {
        let read = |name: &str, limit| {
            read(name, limit).map_err(|source| ManifestError::Unreadable { file: folder.join(name), source })
        };
        let file = folder.join(MANIFEST);
        let text = decoded(&file, read(MANIFEST, LARGEST_MANIFEST)?)?;
        let manifest = parse(&file, &text)?;
        let mut files = BTreeMap::from([(MANIFEST.to_owned(), text.into_bytes())]);
        for name in Self::names(&manifest) {
            if name != MANIFEST {
                let is_schema = name != ARTIFACT && !is_of_process(&manifest, &name);
                let limit = if is_schema { LARGEST_MANIFEST } else { LARGEST_ARTIFACT };
                let content = read(&name, limit)?;
                files.insert(name, content);
            }
        }
        Ok((manifest, files))
    }

    /// Reads the manifest in a folder, and not the artifact.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn manifest(folder: &Path) -> Result<Manifest, ManifestError> {
        let file = folder.join(MANIFEST);
        let text = decoded(&file, read(&file, LARGEST_MANIFEST)?)?;
        let mut manifest = parse(&file, &text)?;
        inline_schemas(folder, &mut manifest)?;
        Ok(manifest)
    }

    /// Reads a manifest that is at hand as text; `file` is named in mistakes, and not looked at. Schemas that the manifest
    /// names stay names.
    ///
    /// # Errors
    /// With all that is wrong in it.
    pub fn parse(file: &Path, text: &str) -> Result<Manifest, ManifestError> {
        parse(file, text)
    }

    /// The digest of the package in a folder: of its manifest, the schemas that this names, and the artifact. What else
    /// lies there does not count.
    ///
    /// # Errors
    /// As [`read`](Self::read), and the schemas are not looked into.
    pub fn digest(folder: &Path) -> Result<Digest, ManifestError> {
        Self::files(folder, in_folder(folder)).map(|(_, files)| Digest::of(&files))
    }

    /// The manifest of a plugin that is linked in.
    ///
    /// # Errors
    /// When the manifest is wrong.
    pub fn native(plugin: &NativePlugin) -> Result<Manifest, ManifestError> {
        parse(Path::new("(native plugin)"), &plugin.manifest)
    }

    /// The folders directly below `folder` that hold a manifest, by name. What is no package is not listed.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn discover(folder: &Path) -> Result<Vec<PathBuf>, ManifestError> {
        let unreadable = |source| ManifestError::Unreadable { file: folder.to_owned(), source };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.join(MANIFEST).is_file() {
                found.push(path);
            }
        }
        // What the file system lists first plays no part.
        found.sort();
        Ok(found)
    }
}

/// What reads the files of a folder.
fn in_folder(folder: &Path) -> impl Fn(&str, u64) -> io::Result<Vec<u8>> {
    |name, limit| read_file(&folder.join(name), limit)
}

/// The package of a manifest as it is written and the files that count.
fn package(
    folder: &Path,
    mut manifest: Manifest,
    mut files: BTreeMap<String, Vec<u8>>,
) -> Result<Package, ManifestError> {
    if manifest.plugin.runtime == RuntimeKind::Native {
        let message = "a native plugin is linked into its application and cannot be loaded from a folder";
        return Err(invalid(&folder.join(MANIFEST), "", 0, message));
    }
    for schema in manifest.provides.iter_mut().filter_map(|provides| provides.schema.as_mut()) {
        if let Some(content) = files.get(schema) {
            *schema = inlined(&folder.join(&*schema), content)?;
        }
    }
    let artifact = files.remove(ARTIFACT).unwrap_or_default().into();
    files.retain(|name, _| is_of_process(&manifest, name));
    let files = files.into_iter().map(|(name, content)| (name, content.into())).collect();
    Ok(Package { manifest: Arc::new(manifest), artifact, files, folder: folder.to_owned() })
}

fn is_of_process(manifest: &Manifest, name: &str) -> bool {
    manifest.process.as_ref().is_some_and(|process| process.files.contains(name))
}

fn read(file: &Path, limit: u64) -> Result<Vec<u8>, ManifestError> {
    read_file(file, limit).map_err(|source| ManifestError::Unreadable { file: file.to_owned(), source })
}

fn parse(file: &Path, text: &str) -> Result<Manifest, ManifestError> {
    manifest::parse(file, text).map_err(ManifestError::Invalid)
}

/// Puts the content of schema files in the place of their names.
fn inline_schemas(folder: &Path, manifest: &mut Manifest) -> Result<(), ManifestError> {
    for schema in manifest.provides.iter_mut().filter_map(|provides| provides.schema.as_mut()) {
        if !is_file(schema) {
            continue;
        }
        let path = folder.join(&*schema);
        *schema = inlined(&path, &read(&path, LARGEST_MANIFEST)?)?;
    }
    Ok(())
}

/// The content of a schema file as it stands in a manifest.
fn inlined(path: &Path, content: &[u8]) -> Result<String, ManifestError> {
    let json = Value::from_json(&String::from_utf8_lossy(content));
    json.map(|json| json.to_json()).map_err(|error| invalid(path, "", 0, &error.to_string()))
}

/// Whether a schema is the name of a file, and not the schema itself.
fn is_file(schema: &str) -> bool {
    !schema.trim_start().starts_with('{')
}

/// Whether the name of a file leads to no other folder.
fn is_inside(schema: &str) -> bool {
    Path::new(schema).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

fn invalid(file: &Path, text: &str, offset: usize, message: &str) -> ManifestError {
    Mistake::at(file, text, offset, message).into()
}

impl From<Mistake> for ManifestError {
    fn from(mistake: Mistake) -> Self {
        Self::Invalid(vec![mistake])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(parse(Path::new("plugin.toml"), text).unwrap_err().to_string(), expected);
    }

    const HEAD: &str = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n";

    #[test]
    fn a_mistake_is_named_at_its_line_and_column() {
        check(
            "[plugin]\nid = 'X'\n",
            "plugin.toml:2:6: `X` is not a valid plugin id: lower-case letters, digits, `_` and `-`, beginning with a letter, at most 64",
        );
        check(
            &format!("{HEAD}colour = 1\n"),
            "plugin.toml:6:1: unknown field `colour`, expected one of `id`, `version`, `description`, `authors`, `host`, `runtime`, `capabilities`, `depends_on`, `conflicts`, `instances`, `restart`, `health`, `state`",
        );
        check(
            &HEAD.replace("^1", "^2"),
            "plugin.toml:4:8: it was written for contract ^2, and this host speaks 1.0.0",
        );
        check(
            &format!("{HEAD}[requires]\nsockets = []\n"),
            "plugin.toml:7:1: unknown field `sockets`, expected one of `context`, `call`, `events`, `fs`, `clock`, `random`, `network`, `processes`, `env`, `folders`, `http`, `secrets`",
        );
        check(
            &format!("{HEAD}[requires.context]\nread = ['*']\n"),
            "plugin.toml:7:8: `*` is not a path: tokens joined by dots, as in `input.user`, where `*` stands for one token",
        );
        check(
            &format!("{HEAD}[limits]\nmemory = '64MB'\n"),
            "plugin.toml:7:10: `64MB` is not a size: a whole number and B, KiB, MiB or GiB, as in `64MiB`",
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_each_at_its_place() {
        let text = "[plugin]\nid = 'x'\nversion = 'one'\nhost = '^1'\nruntime = 'wasm'\n\
            [[hook]]\nname = 'a'\npoint = 'p'\nkind = 'sideways'\n\
            [[hook]]\nname = 'b'\npoint = 'p'\nkind = 'before'\nrepeats = true\n\
            [[hook]]\nname = 'b'\npoint = 'p'\nkind = 'after'\n\
            [requires]\ncall = ['Nobody']\n[limits]\nwall = 'soon'\n[colours]\n";
        check(
            text,
            "\
plugin.toml:3:11: unexpected character 'o' while parsing major version number
plugin.toml:9:8: unknown variant `sideways`, expected one of `before`, `after`, `around`, `replace`, `answer`
plugin.toml:11:8: `repeats` is for hooks of kind around, and `b` is of kind before
plugin.toml:16:8: there are two hooks `b`
plugin.toml:20:8: `Nobody` is nothing that can be called: write `point/key`, a plugin's id, or `capability:name`
plugin.toml:22:8: `soon` is not a duration such as `2s` or `500ms`: expected number at 0
plugin.toml:23:2: unknown key `colours`, expected one of `plugin`, `provides`, `hook`, `subscribe`, `process`, `mcp`, `requires`, `limits`",
        );
        let outside = "[[provides]]\npoint = 'node'\nkey = 'x'\nschema = '../x.json'\n";
        check(&format!("{HEAD}{outside}"), "plugin.toml:9:10: schema `../x.json` is outside of the package");
        check("", "plugin.toml:1:1: there is no table `[plugin]`, which says what this is");
    }

    #[test]
    fn an_mcp_server_is_started_here_or_is_elsewhere_and_has_no_more_than_it_asks_for() {
        let server = HEAD.replace("wasm", "mcp");
        check(
            &server,
            "plugin.toml:5:11: an MCP server needs a table `[mcp]` with its `command` or its `url`",
        );
        let with = |lines: &str| format!("{server}[mcp]\n{lines}\n");
        check(&with(""), "plugin.toml:6:1: there is neither a `command` nor a `url`");
        check(
            &with("command = ['x']\nurl = 'https://x.example'"),
            "plugin.toml:8:7: there is either `command` or `url`, and not both",
        );
        check(&with("url = 'file:///x'"), "plugin.toml:7:7: `file:///x` is no address over http or https");
        check(&with("command = ['./x']"), "plugin.toml:7:11: `./x` is neither a name nor an absolute path");
        check(
            &with("command = ['x']\nenv = { A = 'a-${env:B}' }"),
            "plugin.toml:8:7: the variable `B` is not under `requires.env`",
        );
        let tool = "command = ['x']\n[[mcp.tool]]\nname = 't'\nkey = 'x.t'\ndigest = ''";
        check(
            &with(tool),
            "plugin.toml:8:1: tool `t` is behind the node type `x.t`, which is not under `provides`",
        );
        check(
            &format!(
                "{HEAD}[requires]\nenv = ['A']\nfolders = [{{ path = '/', mode = 'r' }}]\n[mcp]\ncommand = ['x']"
            ),
            "plugin.toml:7:7: `env` is for MCP servers, with `runtime = \"mcp\"`\n\
            plugin.toml:8:11: `folders` is for MCP servers, with `runtime = \"mcp\"`\n\
            plugin.toml:9:1: `[mcp]` is for plugins with `runtime = \"mcp\"`",
        );
        check(
            &format!("{server}[mcp]\ncommand = ['x']\n[requires]\nfolders = [{{ path = 'x', mode = 'r' }}]"),
            "plugin.toml:9:11: `x` is not a folder of the machine: write its absolute path, without `.` and `..`",
        );
    }

    #[test]
    fn rights_that_are_too_many_to_be_compared_are_refused() {
        let asking = |rights: &str| format!("{HEAD}[requires]\n{rights}\n");
        let many = vec!["'a'"; 257].join(", ");
        check(
            &asking(&format!("call = [{many}]")),
            "plugin.toml:7:8: `call` has 257 entries, and may have 256",
        );
        check(
            &asking(&format!("context = {{ read = [{many}] }}")),
            "plugin.toml:7:11: `context` has 257 entries, and may have 256",
        );
        check(
            &asking(&format!("events = {{ publish = [{many}] }}")),
            "plugin.toml:7:10: `events` has 257 entries, and may have 256",
        );
        let hosts = vec!["'a.example'"; 255].join(", ");
        check(
            &asking(&format!("http = [{{ hosts = [{hosts}], methods = ['GET'], paths = ['/*'] }}]")),
            "plugin.toml:7:8: `http` has 257 entries, and may have 256",
        );
    }

    #[test]
    fn a_subscription_has_to_be_asked_for() {
        check(
            &format!("{HEAD}[[subscribe]]\nname = 'on'\ntopic = 'run.*'\n"),
            "plugin.toml:8:9: subscription `on` needs `run.*` under `requires.events.subscribe`",
        );
    }

    #[test]
    fn state_is_handed_over_by_plugins_that_keep_it() {
        check(
            &format!("{HEAD}state = true\n"),
            "plugin.toml:6:9: `state` is for plugins with `instances = \"one\"`: a pool keeps nothing between calls",
        );
    }

    #[test]
    fn a_limit_that_cannot_be_enforced_is_refused() {
        let native = HEAD.replace("'wasm'", "'native'");
        check(
            &format!("{native}[limits]\ncpu = '1s'\n"),
            "plugin.toml:7:7: `cpu` of a native plugin cannot be limited; `wall`, `calls`, `log` and `events` can",
        );
    }
}
