//! The promises of the conformance suite, kept by plugins that are linked in.

tapline_test_kit::conformance!(tapline_test_kit::Native);
tapline_test_kit::native_conformance!();
