use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use cargo_metadata::camino::Utf8PathBuf;
use clap::ValueEnum;

use crate::process;

/// What guests are compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The Debian packages that make up [`Toolchain::Debian`].
pub(crate) const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// What to do, on each kind of system, when there is no toolchain.
pub(crate) const HOW_TO_GET_ONE: &str = "\
with rustup, on any system: rustup target add wasm32-unknown-unknown
on Debian:                  cargo xtask setup --install   (rustc-web cargo-web rust-web-src lld-22)
anything else:              a Rust toolchain with the standard library of wasm32-unknown-unknown";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust";

/// How long rustup may take to download the target's standard library.
const PATIENCE: Duration = Duration::from_secs(120);

/// A compiler for guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Toolchain {
    /// The compiler that builds this repository, with the target's standard library beside it.
    Installed,
    /// Debian's compiler, which builds the standard library from its source package.
    Debian,
}

impl Toolchain {
    /// The first that is there; nothing is changed to find out.
    pub(crate) fn present() -> Option<Self> {
        [Self::Installed, Self::Debian].into_iter().find(|toolchain| toolchain.is_present())
    }

    /// The first that is there or that rustup can fetch; to be asked once in a run.
    pub(crate) fn find() -> Result<Option<Self>> {
        if Self::Installed.is_present() || add_with_rustup()? {
            return Ok(Some(Self::Installed));
        }
        Ok(Self::present())
    }

    pub(crate) fn is_present(self) -> bool {
        match self {
            Self::Installed => installed_std().is_some_and(|folder| folder.is_dir()),
            Self::Debian => [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER, DEBIAN_STD]
                .iter()
                .all(|path| Path::new(path).exists()),
        }
    }

    /// A sentence's worth of name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Installed => "the installed target wasm32-unknown-unknown",
            Self::Debian => "Debian's rustc-web",
        }
    }

    /// Its cargo, with `arguments` and then what makes it compile for guests.
    pub(crate) fn cargo<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut cargo = match self {
            Self::Installed => process::cargo(),
            Self::Debian => process::command(DEBIAN_CARGO),
        };
        forget_outer_build(&mut cargo);
        cargo.args(arguments).args(["--target", TARGET]);
        if self == Self::Debian {
            as_debian(&mut cargo);
        }
        cargo
    }

    /// The folder of the standard library's sources, whose place would otherwise be read from every component.
    pub(crate) fn std_sources(self) -> Option<&'static str> {
        (self == Self::Debian).then_some(DEBIAN_STD)
    }
}

/// Tells the cargo of Debian, a stable one, to build the standard library.
fn as_debian(cargo: &mut Command) {
    for name in ["RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"] {
        cargo.env_remove(name);
    }
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", DEBIAN_RUSTC);
    cargo.arg("-Zbuild-std=std,panic_abort");
    cargo.arg("--config").arg(format!("target.{TARGET}.linker=\"{DEBIAN_LINKER}\""));
}

/// A cargo inside a cargo would take over the outer one's compiler, flags and folders.
fn forget_outer_build(cargo: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_outer_build) {
            cargo.env_remove(name);
        }
    }
}

fn is_of_outer_build(name: &str) -> bool {
    const KEPT: [&str; 5] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_TERM_"];
    let of_compiler = ["RUSTC", "RUSTDOC", "RUSTFLAGS"].iter().any(|prefix| name.starts_with(prefix));
    let of_cargo = name == "CARGO" || name.starts_with("CARGO_");
    of_compiler || of_cargo && !KEPT.iter().any(|prefix| name.starts_with(prefix))
}

fn installed_std() -> Option<Utf8PathBuf> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = process::answer(process::command(compiler).args(["--print", "sysroot"]))?;
    Some(Utf8PathBuf::from(sysroot).join("lib/rustlib").join(TARGET).join("lib"))
}

fn add_with_rustup() -> Result<bool> {
    let mut rustup = process::command("rustup");
    rustup.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "0");
    eprintln!("+ {}", process::line(&rustup));
    Ok(process::succeeds_within(&mut rustup, PATIENCE)? && Toolchain::Installed.is_present())
}

#[cfg(test)]
mod tests;
