//! The `#[plugin]` attribute of `tapline-pdk`, where it is documented.

mod table;
mod definition;
mod expand;

/// Makes a plugin of an `impl` block. Documented in `tapline-pdk`.
#[proc_macro_attribute]
pub fn plugin(attributes: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let definition =
        syn::parse(item.clone()).and_then(|block| definition::Definition::read(attributes.into(), block));
    match definition.and_then(|definition| expand::expand(&definition)) {
        Ok(code) => code.into(),
        Err(error) => error.to_compile_error().into(),
    }
}
