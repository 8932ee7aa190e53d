use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};

pub(crate) use tapline_build::process::{answer, cargo, command, find_program, line};

/// Shows the command, runs it on our terminal and waits for it.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    eprintln!("+ {}", line(command));
    command.status().with_context(|| line(command))
}

/// Runs the command as [`run`] does; anything but success is an error.
pub(crate) fn run_well(command: &mut Command) -> Result<()> {
    let status = run(command)?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// What we exit with when a program ended like this and nothing else went wrong.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    if status.success() {
        return ExitCode::SUCCESS;
    }
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
