//! The promises of the conformance suite, kept by plugins in a sandbox.

tapline_test_kit::conformance!(tapline_test_kit::Sandboxed);
