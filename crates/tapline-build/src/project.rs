use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use tempfile::NamedTempFile;

use crate::{BuildError, Sdk, javascript, python, rust};

/// The folder of a plugin's source, which the package is put into, beside the source.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    language: Language,
}

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust: there is a `Cargo.toml`.
    Rust,
    /// Python: there is a `plugin.py`.
    Python,
    /// JavaScript: there is a `plugin.js`.
    JavaScript,
    /// TypeScript: there is a `plugin.ts`.
    TypeScript,
}

/// What a host loads.
#[derive(Debug)]
pub struct Built {
    /// The text of the manifest, in TOML.
    pub manifest: String,
    /// What it runs.
    pub artifact: Artifact,
}

/// What of a package is run.
#[derive(Debug)]
pub enum Artifact {
    /// A component.
    Component(Vec<u8>),
    /// Files of a process, by name, that do not lie in the folder of the source: those of the SDK.
    Files(BTreeMap<String, Vec<u8>>),
}

const MANIFEST: &str = "plugin.toml";
const COMPONENT: &str = "plugin.wasm";

impl Project {
    /// Finds out what a folder holds.
    ///
    /// # Errors
    ///
    /// When it holds no source of a plugin.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, BuildError> {
        let folder = folder.into();
        let language = Language::ALL.into_iter().find(|language| folder.join(language.sign()).is_file());
        match language {
            Some(language) => Ok(Self { folder, language }),
            None => Err(BuildError::NotAProject {
                folder,
                expected: "no `Cargo.toml`, `plugin.py`, `plugin.js` or `plugin.ts`",
            }),
        }
    }

    /// What it is written in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it is built from a file, as far as the file's name tells.
    pub fn is_source(&self, file: &Path) -> bool {
        let Ok(root) = fs::canonicalize(&self.folder) else { return false };
        let Ok(below) = file.strip_prefix(root) else { return false };
        let is_beside = |part: Component<'_>| part.as_os_str().to_str().is_none_or(is_no_source);
        let is_made = below.as_os_str() == MANIFEST
            || (self.language == Language::Python && below.starts_with(python::SDK));
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        !is_made && !below.components().any(is_beside) && self.language.extensions().contains(&extension)
    }

    /// The folders below it that hold sources.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn source_folders(&self) -> Result<Vec<PathBuf>, BuildError> {
        let failed = |source| BuildError::File { path: self.folder.clone(), source };
        let mut folders = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().is_dir() && entry.file_name().to_str().is_some_and(|name| !is_no_source(name)) {
                folders.push(entry.path());
            }
        }
        Ok(folders)
    }

    /// Builds it; tools show on standard error what they do, and what is wrong with the source.
    ///
    /// # Errors
    ///
    /// When a tool is missing, when the source has mistakes, or when what comes out is no plugin.
    pub fn build(&self, sdk: &Sdk) -> Result<Built, BuildError> {
        sdk.show_to(&self.folder)?;
        match self.language {
            Language::Rust => rust::build(&self.folder, sdk),
            Language::Python => python::build(&self.folder, sdk),
            Language::JavaScript | Language::TypeScript => {
                javascript::build(&self.folder, self.language.sign(), sdk)
            }
        }
    }
}

impl Language {
    const ALL: [Self; 4] = [Self::Rust, Self::Python, Self::JavaScript, Self::TypeScript];

    /// What the files of a source end in; schemas are JSON.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["rs", "toml", "json"],
            Self::Python => &["py", "json"],
            Self::JavaScript | Self::TypeScript => &["js", "mjs", "ts", "json"],
        }
    }

    /// The file by which it is told.
    fn sign(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "plugin.py",
            Self::JavaScript => "plugin.js",
            Self::TypeScript => "plugin.ts",
        }
    }
}

impl Built {
    /// Writes the package's files into a folder: all are there whole before any takes its place. One that is right already
    /// is left alone.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), BuildError> {
        let artifact: Vec<(&str, &[u8])> = match &self.artifact {
            Artifact::Component(component) => vec![(COMPONENT, component)],
            Artifact::Files(files) => files.iter().map(|(name, content)| (&**name, &**content)).collect(),
        };
        let files = artifact.into_iter().chain([(MANIFEST, self.manifest.as_bytes())]);
        let written = files.map(|(name, content)| staged(&folder.join(name), content));
        let written = written.collect::<Result<Vec<_>, _>>()?;
        written.into_iter().flatten().try_for_each(Staged::take_place)
    }

    /// The component, where it is one.
    pub fn component(&self) -> Option<&[u8]> {
        match &self.artifact {
            Artifact::Component(component) => Some(component),
            Artifact::Files(_) => None,
        }
    }

    /// How many bytes of it are made.
    pub fn size(&self) -> usize {
        match &self.artifact {
            Artifact::Component(component) => component.len(),
            Artifact::Files(files) => files.values().map(Vec::len).sum(),
        }
    }
}

/// Whether a folder or file of this name is hidden, or made by a build.
fn is_no_source(name: &str) -> bool {
    name.starts_with('.') || ["target", "node_modules", "__pycache__"].contains(&name)
}

/// Writes a file, unless it is right already.
pub(crate) fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), BuildError> {
    staged(path, content)?.map_or(Ok(()), Staged::take_place)
}

/// A file that is written, beside the place that it is for.
struct Staged {
    file: NamedTempFile,
    place: PathBuf,
}

/// The file with its content; `None` when it is in its place already.
fn staged(place: &Path, content: &[u8]) -> Result<Option<Staged>, BuildError> {
    let failed = |source| BuildError::File { path: place.to_owned(), source };
    if fs::read(place).is_ok_and(|present| present == content) {
        return Ok(None);
    }
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder).map_err(failed)?;
    // As any other file, and not for its owner alone.
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    Ok(Some(Staged { file, place: place.to_owned() }))
}

impl Staged {
    fn take_place(self) -> Result<(), BuildError> {
        let placed = self.file.persist(&self.place);
        placed.map(drop).map_err(|error| BuildError::File { path: self.place, source: error.error })
    }
}
