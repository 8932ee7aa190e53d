use std::fs;
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;
use tapline_build::BuildError;
use tapline_build::rust::{DEBIAN_PACKAGES, Toolchain};

use crate::foreign;
use crate::fuzz;
use crate::peers;
use crate::process;
use crate::workspace::Workspace;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Install what is missing: the target with rustup, all else on Debian as root.
    #[arg(long)]
    install: bool,
    /// Also what only the long checks need: cargo-fuzz.
    #[arg(long)]
    long: bool,
}

/// A program that a test or a benchmark compares us with, or asks us by; where it is missing, that one skips itself.
struct Tool {
    program: &'static str,
    debian_package: &'static str,
}

const OPTIONAL: [Tool; 9] = [
    Tool { program: "bwrap", debian_package: "bubblewrap" },
    Tool { program: "jq", debian_package: "jq" },
    Tool { program: "gojq", debian_package: "gojq" },
    Tool { program: "nginx", debian_package: "nginx-light" },
    Tool { program: "node", debian_package: "nodejs" },
    Tool { program: "npm", debian_package: "npm" },
    Tool { program: "promtool", debian_package: "prometheus" },
    Tool { program: "python3", debian_package: "python3-venv" },
    Tool { program: "wrk", debian_package: "wrk" },
];

/// Whether packages can be installed here.
#[derive(Debug, PartialEq, Eq)]
enum Installer {
    Apt,
    NotDebian,
    NotRoot,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let toolchain = match options.install.then(Toolchain::find) {
        Some(Err(BuildError::Missing { .. })) | None => Toolchain::present(),
        Some(found) => Some(found?),
    };
    report(toolchain);
    let packages = missing_packages(toolchain);
    if options.install && !packages.is_empty() {
        install(toolchain, &packages)?;
    }
    if options.install
        && let Err(error) = peers::install(workspace)
    {
        println!("{error:#}; the tests that compare with it skip themselves");
    }
    if options.install
        && let Err(error) = foreign::install(workspace)
    {
        println!("{error:#}; the tests with plugins in its language skip themselves");
    }
    if options.install {
        foreign::install_langchain(workspace);
    }
    for tool in foreign::missing(workspace) {
        println!("{tool:<15} missing; optional, the tests with plugins in its language skip themselves");
    }
    for peer in peers::missing(workspace) {
        println!("{peer:<15} missing; optional, the tests that compare with it skip themselves");
    }
    if options.long { fuzzer(options) } else { Ok(()) }
}

/// The optional programs that are not there.
pub(crate) fn missing_programs() -> Vec<&'static str> {
    let missing = OPTIONAL.iter().filter(|tool| process::find_program(tool.program).is_none());
    missing.map(|tool| tool.program).collect()
}

fn report(toolchain: Option<Toolchain>) {
    match toolchain {
        Some(toolchain) => println!("wasm toolchain  {}", toolchain.name()),
        None => println!(
            "wasm toolchain  missing; without it the tests use the committed components\n{}",
            Toolchain::missing().help().unwrap_or_default()
        ),
    }
    for Tool { program, .. } in &OPTIONAL {
        match process::find_program(program) {
            Some(path) => println!("{program:<15} {}", path.display()),
            None => {
                println!("{program:<15} missing; optional, the tests that compare with it skip themselves")
            }
        }
    }
}

fn fuzzer(options: &Options) -> Result<()> {
    match process::find_program(fuzz::PROGRAM) {
        Some(path) => println!("{:<15} {}", fuzz::PROGRAM, path.display()),
        None if options.install => {
            process::run_well(process::cargo().args(["install", "--locked", fuzz::PROGRAM]))?;
        }
        None => println!("{:<15} missing; `cargo xtask fuzz` needs it", fuzz::PROGRAM),
    }
    Ok(())
}

fn missing_packages(toolchain: Option<Toolchain>) -> Vec<&'static str> {
    let compiler = if toolchain.is_none() { DEBIAN_PACKAGES.as_slice() } else { &[] };
    let missing = missing_programs();
    let tools = OPTIONAL.iter().filter(|tool| missing.contains(&tool.program));
    compiler.iter().copied().chain(tools.map(|tool| tool.debian_package)).collect()
}

fn install(toolchain: Option<Toolchain>, packages: &[&str]) -> Result<()> {
    let reason = match installer() {
        Installer::Apt => return install_with_apt(packages),
        Installer::NotDebian => "this is not Debian",
        Installer::NotRoot => "that needs root",
    };
    let refusal = format!("not installing {}: {reason}", packages.join(" "));
    if toolchain.is_none() {
        bail!("{refusal}");
    }
    println!("{refusal}; all of it is optional");
    Ok(())
}

fn install_with_apt(packages: &[&str]) -> Result<()> {
    println!("about to install with apt-get: {}", packages.join(" "));
    process::run_well(apt_get().arg("update"))?;
    process::run_well(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))
}

fn apt_get() -> Command {
    let mut apt_get = process::command("apt-get");
    apt_get.env("DEBIAN_FRONTEND", "noninteractive");
    apt_get
}

fn installer() -> Installer {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let user = process::answer(process::command("id").arg("-u"));
    installer_for(&system, user.as_deref())
}

/// Decides from the text of `/etc/os-release` and the number of the user.
fn installer_for(system: &str, user: Option<&str>) -> Installer {
    if !system.lines().any(|line| line == "ID=debian") {
        return Installer::NotDebian;
    }
    if user == Some("0") { Installer::Apt } else { Installer::NotRoot }
}

#[cfg(test)]
mod tests;
