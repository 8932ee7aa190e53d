//! The `#[plugin]` attribute of `tapline-pdk`, where it is documented.

mod table;
mod definition;
mod expand;

/// Makes a plugin of an `impl` block. Documented in `tapline-pdk`.
#[proc_macro_attribute]
pub fn plugin(attributes: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let block: syn::ItemImpl = match syn::parse(item) {
        Ok(block) => block,
        Err(error) => return error.to_compile_error().into(),
    };
    let definition = definition::Definition::read(attributes.into(), block.clone());
    match definition.and_then(|definition| expand::expand(&definition)) {
        Ok(code) => code.into(),
        Err(error) => {
            let (error, block) = (error.to_compile_error(), definition::without_attributes(block));
            quote::quote!(#error #block).into()
        }
    }
}
