//! The promises of the conformance suite, kept by plugins that are processes of Python.

tapline_test_kit::conformance!(tapline_test_kit::InProcess);
