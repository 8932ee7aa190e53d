use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use tapline_core::{HookDeclaration, HookKind, RuntimeKind, SubscriptionDeclaration};

use crate::definition::{Definition, Handler, Method, decides_flow};

/// The author's block, the plugin's definition, and what a component exports.
pub(crate) fn expand(definition: &Definition) -> syn::Result<TokenStream> {
    let block = &definition.block;
    let plugin = &block.self_ty;
    let native = manifest(definition, RuntimeKind::Native)?;
    let sandboxed = manifest(definition, RuntimeKind::Wasm)?;
    let sandboxed_bytes = syn::LitByteStr::new(sandboxed.as_bytes(), Span::call_site());
    let length = sandboxed.len();
    let init = definition.init.as_ref().map(init);
    let start = definition.start.as_ref().map(|method| lifecycle(method, &format_ident!("Start")));
    let stop = definition.stop.as_ref().map(|method| lifecycle(method, &format_ident!("Stop")));
    let health = definition.health.as_ref().map(|method| lifecycle(method, &format_ident!("Health")));
    let state = state(definition);
    let hooks = definition.hooks.iter().map(|(declaration, method)| hook(declaration, method));
    let listeners = definition.listeners.iter().map(|(declaration, method)| listener(declaration, method));
    let handlers = definition.handlers.iter().map(handler);
    let files = definition.files.iter().map(|file| file.display().to_string());
    let exports = exports(definition);
    Ok(quote! {
        #block

        impl ::tapline_pdk::Define for #plugin {
            const MANIFEST: &'static str = if cfg!(target_family = "wasm") { #sandboxed } else { #native };

            fn init(context: &::tapline_pdk::Context) -> ::tapline_pdk::BoxFuture<'_, ::tapline_pdk::Result<Self>> {
                ::std::boxed::Box::pin(async move { #init })
            }

            fn call<'a>(
                &'a self,
                operation: &'a ::tapline_pdk::Operation,
                context: &'a ::tapline_pdk::Context,
            ) -> ::tapline_pdk::BoxFuture<'a, ::tapline_pdk::Result<::tapline_pdk::Flow>> {
                ::std::boxed::Box::pin(async move {
                    match operation {
                        #start
                        #stop
                        #health
                        #state
                        #(#hooks)*
                        #(#listeners)*
                        #(#handlers)*
                        other => ::tapline_pdk::not_declared(other),
                    }
                })
            }
        }

        const _: () = {
            #(const _: &str = include_str!(#files);)*
        };

        #[cfg(target_family = "wasm")]
        const _: () = {
            #[allow(unsafe_code, reason = "naming a section is unsafe, and how the manifest gets into the component")]
            #[unsafe(link_section = "tapline:manifest")]
            #[used]
            static MANIFEST: [u8; #length] = *#sandboxed_bytes;
            ::tapline_pdk::export_lifecycle!(#plugin);
            #(#exports)*
        };
    })
}

fn manifest(definition: &Definition, runtime: RuntimeKind) -> syn::Result<String> {
    let mut manifest = definition.manifest.clone();
    manifest.plugin.runtime = runtime;
    toml::to_string(&manifest).map_err(|error| syn::Error::new(Span::call_site(), error))
}

fn init(method: &Method) -> TokenStream {
    let name = &method.name;
    let configuration = (method.parameters == 1).then(|| quote!(context.configuration()?));
    let made = awaited(method, &quote_spanned!(name.span() => Self::#name(#configuration)));
    // Without a configuration parameter the context is not looked at.
    quote! { let _ = context; #made }
}

fn lifecycle(method: &Method, operation: &Ident) -> TokenStream {
    let name = &method.name;
    let done = awaited(method, &quote_spanned!(name.span() => self.#name()));
    quote! { ::tapline_pdk::Operation::#operation => { #done?; Ok(::tapline_pdk::Flow::Proceed) } }
}

/// What hands the state over and takes it over.
fn state(definition: &Definition) -> Option<TokenStream> {
    let (export, import) = (definition.export_state.as_ref()?, definition.import_state.as_ref()?);
    let (exported, imported) = (&export.name, &import.name);
    let exported = awaited(export, &quote_spanned!(exported.span() => self.#exported()));
    let imported = awaited(
        import,
        &quote_spanned!(imported.span() => self.#imported(context.request()?, ::std::clone::Clone::clone(from))),
    );
    Some(quote! {
        ::tapline_pdk::Operation::ExportState => {
            context.answer(#exported?)?;
            Ok(::tapline_pdk::Flow::Proceed)
        }
        ::tapline_pdk::Operation::ImportState { from } => {
            #imported?;
            Ok(::tapline_pdk::Flow::Proceed)
        }
    })
}

fn hook(declaration: &HookDeclaration, method: &Method) -> TokenStream {
    let (name, hook) = (&method.name, &*declaration.name);
    let operation = format_ident!("{}", variant(declaration.kind));
    let answer = awaited(method, &quote_spanned!(name.span() => self.#name(context)));
    let done = match declaration.kind {
        kind if decides_flow(kind) => quote_spanned!(name.span() => {
            let flow: ::tapline_pdk::Result<::tapline_pdk::Flow> = #answer;
            flow
        }),
        HookKind::Replace => quote!({ context.answer(#answer?)?; Ok(::tapline_pdk::Flow::Finish) }),
        HookKind::Answer => quote_spanned!(name.span() => {
            context.answer_if_any(#answer?)?;
            Ok(::tapline_pdk::Flow::Proceed)
        }),
        _ => quote_spanned!(name.span() => {
            let done: ::tapline_pdk::Result<()> = #answer;
            done?;
            Ok(::tapline_pdk::Flow::Proceed)
        }),
    };
    quote! { ::tapline_pdk::Operation::#operation { hook } if **hook == *#hook => #done, }
}

fn listener(declaration: &SubscriptionDeclaration, method: &Method) -> TokenStream {
    let (name, subscription) = (&method.name, &*declaration.name);
    let answer = awaited(method, &quote_spanned!(name.span() => self.#name(context, context.event()?)));
    let done = quote_spanned!(name.span() => {
        let done: ::tapline_pdk::Result<()> = #answer;
        done?;
        Ok(::tapline_pdk::Flow::Proceed)
    });
    quote! { ::tapline_pdk::Operation::Event { subscription } if **subscription == *#subscription => #done, }
}

fn handler(handler: &Handler) -> TokenStream {
    let Handler { contribution, request, method } = handler;
    let name = &method.name;
    let argument = (method.parameters == 2).then(|| quote!(, context.request()?));
    let answer = awaited(method, &quote_spanned!(name.span() => self.#name(context #argument)));
    quote! {
        ::tapline_pdk::Operation::Handle { contribution, method }
            if **contribution == *#contribution && **method == *#request =>
        {
            context.answer(#answer?)?;
            Ok(::tapline_pdk::Flow::Finish)
        }
    }
}

/// The interfaces that the component has to export.
fn exports(definition: &Definition) -> Vec<TokenStream> {
    let plugin = &definition.block.self_ty;
    let mut interfaces: BTreeSet<_> =
        definition.hooks.iter().map(|(declaration, _)| declaration.kind.to_string()).collect();
    if !definition.handlers.is_empty() {
        interfaces.insert("handler".into());
    }
    if !definition.listeners.is_empty() {
        interfaces.insert("listener".into());
    }
    interfaces.extend(definition.health.is_some().then(|| "health".into()));
    interfaces.extend(definition.export_state.is_some().then(|| "state".into()));
    let exports = interfaces.iter().map(|interface| format_ident!("export_{interface}"));
    exports.map(|export| quote!(::tapline_pdk::#export!(#plugin);)).collect()
}

fn awaited(method: &Method, call: &TokenStream) -> TokenStream {
    if method.is_async { quote_spanned!(method.name.span() => #call.await) } else { call.clone() }
}

const fn variant(kind: HookKind) -> &'static str {
    match kind {
        HookKind::Before => "Before",
        HookKind::After => "After",
        HookKind::Around => "Around",
        HookKind::Replace => "Replace",
        HookKind::Answer => "Answer",
    }
}
