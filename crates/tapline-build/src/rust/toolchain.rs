use std::env;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use cargo_metadata::camino::Utf8PathBuf;

use crate::{BuildError, process};

/// What guests are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The Debian packages that make up [`Toolchain::Debian`].
pub const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// What to do, on each kind of system, when there is no toolchain.
const HOW_TO_GET_ONE: &str = "\
with rustup, on any system: rustup target add wasm32-unknown-unknown
on Debian, as root:         apt-get install rustc-web cargo-web rust-web-src lld-22
anything else:              a Rust toolchain with the standard library of wasm32-unknown-unknown";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust";

/// How long rustup may take to download the target's standard library.
const PATIENCE: Duration = Duration::from_secs(120);

/// A compiler for guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler of the path, with the target's standard library beside it.
    Installed,
    /// Debian's compiler, which builds the standard library from its source package.
    Debian,
}

impl Toolchain {
    /// The first that is there; nothing is changed to find out.
    pub fn present() -> Option<Self> {
        [Self::Installed, Self::Debian].into_iter().find(|toolchain| toolchain.is_present())
    }

    /// The first that is there or that rustup can fetch; to be asked once in a run.
    ///
    /// # Errors
    ///
    /// When there is none, or rustup cannot be waited for.
    pub fn find() -> Result<Self, BuildError> {
        if Self::Installed.is_present() || add_with_rustup()? {
            return Ok(Self::Installed);
        }
        Self::present().ok_or_else(Self::missing)
    }

    /// That there is none, and how to get one.
    pub fn missing() -> BuildError {
        BuildError::Missing { tool: "toolchain for WebAssembly", help: HOW_TO_GET_ONE }
    }

    /// Whether it is there.
    pub fn is_present(self) -> bool {
        match self {
            Self::Installed => installed_std().is_some_and(|folder| folder.is_dir()),
            Self::Debian => [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER, DEBIAN_STD]
                .iter()
                .all(|path| Path::new(path).exists()),
        }
    }

    /// A sentence's worth of name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "the installed target wasm32-unknown-unknown",
            Self::Debian => "Debian's rustc-web",
        }
    }

    /// Its cargo, with `arguments` and then what makes it compile for guests.
    pub fn cargo<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
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
    pub fn std_sources(self) -> Option<&'static str> {
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

fn add_with_rustup() -> Result<bool, BuildError> {
    let mut rustup = process::command("rustup");
    rustup.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "0");
    let command = process::line(&rustup);
    eprintln!("+ {command}");
    let added = process::succeeds_within(&mut rustup, PATIENCE);
    Ok(added.map_err(|source| BuildError::Run { command, source })? && Toolchain::Installed.is_present())
}

/// A name that no toolchain has.
#[derive(Debug, thiserror::Error)]
#[error("there are the toolchains `installed` and `debian`")]
pub struct UnknownToolchain;

impl FromStr for Toolchain {
    type Err = UnknownToolchain;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "installed" => Ok(Self::Installed),
            "debian" => Ok(Self::Debian),
            _ => Err(UnknownToolchain),
        }
    }
}

#[cfg(test)]
mod tests;
