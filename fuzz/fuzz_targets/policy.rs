//! The text of a `tapline.toml`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tapline_fuzz::check_mistakes;
use tapline_host::{Settings, SettingsError};

fuzz_target!(|text: &str| {
    // Below a folder that is none, so that no folder is listed but those named from the root.
    match Settings::parse(Path::new("/dev/null/tapline.toml"), text) {
        Ok(settings) => drop(settings),
        Err(SettingsError::Invalid(mistakes)) => check_mistakes(text, &mistakes),
        Err(other) => panic!("{other}: nothing but the text is read"),
    }
});
