//! The bytes of a component, looked at without compiling them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tapline_wasm::Interfaces;
use wasmparser::{Parser, Validator};

fuzz_target!(|bytes: &[u8]| {
    match Interfaces::of(bytes) {
        Ok(interfaces) => {
            for name in interfaces.imports().iter().chain(interfaces.exports()) {
                let is_there = bytes.windows(name.len().max(1)).any(|window| window == name.as_bytes());
                assert!(is_there || name.is_empty(), "{name} is nowhere in the component");
            }
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let is_deep = error.to_string().ends_with("stand in each other");
            let is_valid = Parser::is_component(bytes) && Validator::new().validate_all(bytes).is_ok();
            assert!(is_deep || !is_valid, "a valid component is refused: {error}");
        }
    }
});
