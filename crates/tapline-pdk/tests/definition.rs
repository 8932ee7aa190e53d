//! What is missing or wrong in a plugin's definition is a compile error at the author's line.
//!
//! `TRYBUILD=overwrite cargo test -p tapline-pdk --test definition` writes the expected errors anew.

#[test]
fn a_mistake_in_a_definition_is_a_compile_error_at_its_place() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}

mod minimal {
    use tapline_pdk::prelude::*;

    pub(super) struct Minimal;

    #[plugin(id = "minimal")]
    impl Minimal {
        #[init]
        fn init() -> Result<Self> {
            Ok(Self)
        }
    }
}

#[test]
fn what_cargo_knows_need_not_be_said_again() {
    let manifest = <minimal::Minimal as tapline_pdk::Define>::MANIFEST;
    assert!(manifest.contains(&format!("version = {:?}", env!("CARGO_PKG_VERSION"))), "{manifest}");
    assert!(manifest.contains(&format!("description = {:?}", env!("CARGO_PKG_DESCRIPTION"))), "{manifest}");
    assert!(manifest.contains("runtime = \"native\""), "{manifest}");
}
