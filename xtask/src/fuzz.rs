use std::fs;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::process;
use crate::workspace::Workspace;

/// What runs the fuzzers; [`crate::setup`] installs it.
pub(crate) const PROGRAM: &str = "cargo-fuzz";

/// An input that takes longer, or needs more memory, is a finding.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The targets to run; without any, all of them.
    targets: Vec<String>,
}

/// Runs the targets one after the other, whether or not the earlier ones found something.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    ensure!(
        process::find_program(PROGRAM).is_some(),
        "{PROGRAM} is not there; `cargo xtask setup --install --long` installs it"
    );
    let fuzz = workspace.root().join("fuzz");
    let there = targets(&fuzz)?;
    if let Some(stranger) = options.targets.iter().find(|target| !there.contains(target)) {
        bail!("there is no target `{stranger}`, but {}", there.join(", "));
    }
    let chosen = if options.targets.is_empty() { &there } else { &options.targets };
    let mut findings = Vec::new();
    for target in chosen {
        if !fuzz_one(workspace, &fuzz, target, options.seconds)? {
            findings.push(format!("  {target}: {}", finding(&fuzz, target)));
        }
    }
    if !findings.is_empty() {
        bail!("fuzzing found something\n{}", findings.join("\n"));
    }
    println!("fuzz: {} targets, {} s each, nothing found", chosen.len(), options.seconds);
    Ok(())
}

/// The targets, by name: each is a file.
fn targets(fuzz: &Utf8Path) -> Result<Vec<String>> {
    let folder = fuzz.join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        targets.extend(entry?.path().file_stem().map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

/// Whether the target came to the end of its time.
fn fuzz_one(workspace: &Workspace, fuzz: &Utf8Path, target: &str, seconds: u32) -> Result<bool> {
    let mut cargo = process::cargo();
    // Without a sanitizer, because those need a nightly compiler; the instrumentation does not.
    cargo.args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir", fuzz.as_str()]);
    cargo.args(["--target-dir", workspace.target().join("fuzz").as_str(), target]);
    // What is found is put into the first.
    let corpora = ["corpus", "seeds"].map(|folder| fuzz.join(folder).join(target));
    fs::create_dir_all(&corpora[0]).with_context(|| corpora[0].to_string())?;
    cargo.args(corpora.iter().filter(|corpus| corpus.is_dir()));
    cargo.arg("--").arg(format!("-max_total_time={seconds}")).args(LIMITS);
    let dictionary = fuzz.join("dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        cargo.arg(format!("-dict={dictionary}"));
    }
    Ok(process::run(&mut cargo)?.success())
}

/// Where the input lies that the target failed with.
fn finding(fuzz: &Utf8Path, target: &str) -> String {
    match newest(&fuzz.join("artifacts").join(target)) {
        Some(input) => format!("{input}\n    cargo fuzz run --sanitizer none {target} {input}"),
        None => "it did not run".to_owned(),
    }
}

fn newest(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let files = folder.read_dir_utf8().ok()?.flatten();
    let written = |path: &Utf8PathBuf| {
        fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    files.map(|file| file.path().to_owned()).max_by_key(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_declared_and_has_what_it_starts_from() {
        let fuzz = Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz"));
        let declared: toml::Table = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap().parse().unwrap();
        let mut declared: Vec<_> =
            declared["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap()).collect();
        declared.sort_unstable();
        assert_eq!(targets(fuzz).unwrap(), declared);
        for target in declared {
            let has_seeds = fuzz.join("seeds").join(target).is_dir();
            assert!(has_seeds || target == "grants", "{target} has no seeds");
        }
    }

    #[test]
    fn the_newest_input_is_the_finding() {
        let folder = tempfile::tempdir().unwrap();
        let fuzz = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(finding(fuzz, "lock"), "it did not run");
        let artifacts = fuzz.join("artifacts/lock");
        fs::create_dir_all(&artifacts).unwrap();
        for (name, when) in [("crash-old", 1), ("crash-new", 3), ("timeout-older", 0)] {
            fs::write(artifacts.join(name), "").unwrap();
            let when = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(when);
            fs::File::open(artifacts.join(name)).unwrap().set_modified(when).unwrap();
        }
        assert!(finding(fuzz, "lock").starts_with(artifacts.join("crash-new").as_str()));
    }
}
