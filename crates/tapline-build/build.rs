//! Takes the sources of the SDKs into the crate, so that a project is built against those of its own command.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};

use walkdir::WalkDir;

/// The crates that a plugin in Rust is built from.
const CRATES: [&str; 4] = ["tapline-core", "tapline-pdk", "tapline-pdk-macros", "tapline-roles"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![(PathBuf::from("Cargo.toml"), workspace(&root)?)];
    for name in CRATES {
        let folder = Path::new("crates").join(name);
        files.push((folder.join("Cargo.toml"), fs::read_to_string(root.join(&folder).join("Cargo.toml"))?));
        files.extend(texts(&root, &folder.join("src"))?);
    }
    for folder in ["wit", "sdk/python/src", "sdk/javascript"] {
        files.extend(texts(&root, Path::new(folder))?);
    }
    let mut digest = DefaultHasher::new();
    files.hash(&mut digest);
    let mut code = format!("const DIGEST: &str = \"{:016x}\";\n", digest.finish());
    writeln!(code, "static FILES: [(&str, &str); {}] = [", files.len())?;
    for (path, text) in &files {
        writeln!(code, "    ({:?}, {text:?}),", path.to_str().ok_or("a path that is not UTF-8")?)?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join("sdk.rs"), code)?;
    Ok(())
}

/// The files below a folder of the repository, without what only tests use.
fn texts(root: &Path, folder: &Path) -> Result<Vec<(PathBuf, String)>, Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={}", root.join(folder).display());
    let mut files = Vec::new();
    for entry in WalkDir::new(root.join(folder)).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() && !is_of_tests(entry.path()) {
            files.push((entry.path().strip_prefix(root)?.to_owned(), fs::read_to_string(entry.path())?));
        }
    }
    Ok(files)
}

fn is_of_tests(path: &Path) -> bool {
    const NAMES: [&str; 4] = ["tests", "tests.rs", "__pycache__", "node_modules"];
    path.components().any(|part| NAMES.iter().any(|name| part.as_os_str() == *name))
}

/// The workspace of the repository, with these crates alone.
fn workspace(root: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let file = root.join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", file.display());
    let mut workspace: toml::Table = fs::read_to_string(file)?.parse()?;
    workspace.retain(|name, _| name == "workspace");
    let table = workspace["workspace"].as_table_mut().ok_or("no table [workspace]")?;
    table.retain(|name, _| ["resolver", "package", "dependencies", "lints"].contains(&name));
    table.insert("members".into(), vec!["crates/*"].into());
    Ok(toml::to_string(&workspace)?)
}
