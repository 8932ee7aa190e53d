//! The text of a `tapline.lock`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tapline_fuzz::check_mistakes;
use tapline_host::Lock;

fuzz_target!(|text: &str| {
    let file = Path::new(Lock::FILE);
    match Lock::parse(file, text) {
        Ok(lock) => {
            let written = lock.text().expect("a lock can be written");
            let read = Lock::parse(file, &written).expect("what is written can be read");
            assert_eq!(read, lock);
            assert!(lock.drift(&read).is_empty(), "it differs from itself");
        }
        Err(mistake) => check_mistakes(text, &[mistake]),
    }
});
