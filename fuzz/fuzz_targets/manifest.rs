//! The text of a `plugin.toml`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tapline_fuzz::check_mistakes;
use tapline_host::{Loader, ManifestError};

fuzz_target!(|text: &str| {
    let file = Path::new("plugin.toml");
    match Loader::parse(file, text) {
        Ok(manifest) => {
            let written = toml::to_string(&manifest).expect("a manifest can be written");
            assert_eq!(Loader::parse(file, &written).expect("what is written can be read"), manifest);
        }
        Err(ManifestError::Invalid(mistakes)) => check_mistakes(text, &mistakes),
        Err(other) => panic!("{other}: nothing but the text is read"),
    }
});
