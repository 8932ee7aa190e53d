use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use wasmtime::Engine;

/// The process in which components are compiled, so that one that takes too much time or memory harms nobody.
///
/// It is a program of the application's own that calls [`compile_in_jail`]. It is ended when its time is over, and has
/// no environment.
#[derive(Debug, Clone)]
pub struct Jail {
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// The memory that a compilation may take, in bytes.
const MEMORY: u64 = 2 << 30;
/// The time that it may compute, on all threads together, in seconds.
const CPU: u64 = 600;
/// Nothing that is compiled has more code, in bytes.
const LARGEST_CODE: u64 = 1 << 30;
/// So much of what the compiler says is passed on, in bytes.
const LONGEST_REASON: usize = 4096;

impl Jail {
    /// A program that calls [`compile_in_jail`], and its arguments.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self { program: program.into(), arguments: arguments.into_iter().map(Into::into).collect() }
    }

    /// Compiles a component. Dropping the future ends the process.
    pub(super) async fn compile(&self, component: &[u8]) -> Result<Vec<u8>, String> {
        let compiled = self.run(component).await;
        compiled.map_err(|error| format!("{} cannot compile: {error}", self.program.display()))?
    }

    async fn run(&self, component: &[u8]) -> io::Result<Result<Vec<u8>, String>> {
        let mut process = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let give = async {
            let Some(mut stdin) = stdin else { return };
            // A compiler that stops reading says by its end why.
            let _ = stdin.write_all(component).await;
        };
        let code = async {
            let mut code = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(LARGEST_CODE).read_to_end(&mut code).await?;
            }
            io::Result::Ok(code)
        };
        let reason = async {
            let mut reason = Vec::new();
            if let Some(stderr) = stderr {
                stderr.take(LONGEST_REASON as u64).read_to_end(&mut reason).await?;
            }
            io::Result::Ok(reason)
        };
        let ((), code, reason) = tokio::join!(give, code, reason);
        let (code, reason) = (code?, reason?);
        let status = process.wait().await?;
        if status.success() {
            return Ok(Ok(code));
        }
        let reason = String::from_utf8_lossy(&reason).trim().to_owned();
        Ok(Err(if reason.is_empty() { format!("its compiler ended with {status}") } else { reason }))
    }
}

/// Compiles the component on standard input to standard output, within the limits of a [`Jail`]: what a program does
/// that an application names as its jail, and nothing else.
#[must_use]
pub fn compile_in_jail() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads it when the other end has gone.
            let _ = write!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> wasmtime::Result<()> {
    limit()?;
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component)?;
    let code = Engine::new(&crate::runtime::config())?.precompile_component(&component)?;
    io::stdout().write_all(&code)?;
    Ok(())
}

/// Limits what this process may take, for good. The address space is not limited: engines reserve much and use little.
#[cfg(unix)]
fn limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Data, most(MEMORY))?;
    // Whoever started it may be gone before it is done.
    setrlimit(Resource::Cpu, most(CPU))?;
    setrlimit(Resource::Core, most(0))?;
    setrlimit(Resource::Fsize, most(0))?;
    Ok(())
}

#[cfg(not(unix))]
const fn limit() -> io::Result<()> {
    Ok(())
}
