use std::path::PathBuf;

use crate::install::inspect;
use anyhow::{Context as _, Result};
use tapline::host::{Digest, write_file};
use tapline::install::Parcel;

use crate::Ending;
use crate::arguments::PackArguments;
use crate::output::Output;

/// Makes an archive of the package in a folder, if it could be installed; runs nothing of it.
pub(crate) fn pack(arguments: &PackArguments) -> Result<Ending> {
    let parcel = Parcel::of_folder(&arguments.package, &inspect)?;
    let archive = parcel.packed()?;
    let file = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.tar.gz", parcel.name())));
    write_file(&file, &archive).with_context(|| format!("cannot write {}", file.display()))?;
    Output::Standard.line(format_args!("packed   {}", file.display()));
    Output::Standard.line(format_args!("archive  {}", Digest::of_bytes(&archive)));
    Output::Standard.line(format_args!("package  {}", parcel.digest()));
    for name in parcel.files().keys() {
        Output::Standard.line(format_args!("  {name}"));
    }
    Ok(Ending::Done)
}
