//! What the types of hooks rule out does not compile.
//!
//! `TRYBUILD=overwrite cargo test -p tapline-core --test typed` writes the expected errors anew.

#[test]
fn h12_calling_next_twice_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
