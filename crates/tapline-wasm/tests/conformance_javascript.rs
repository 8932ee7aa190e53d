//! The promises of the conformance suite, kept by plugins that are made of JavaScript.

tapline_test_kit::conformance!(tapline_test_kit::InJavaScript);
