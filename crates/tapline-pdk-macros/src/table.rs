use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use serde::de::DeserializeOwned;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, Lit, LitStr, Token, braced, bracketed};

/// The words of an attribute as a TOML table: `key = "text", other = { list = [1, 2] }`.
///
/// An attribute says just what the manifest says, so the manifest's own types read it and find what is wrong with
/// it; the spans lead their errors back to the author's line.
#[derive(Default)]
pub(crate) struct Table {
    values: toml::Table,
    spans: BTreeMap<String, Span>,
}

struct Entry {
    key: String,
    span: Span,
    value: Spanned,
}

struct Spanned {
    value: toml::Value,
    /// The spans of what is inside, by path below this value.
    inside: Vec<(String, Span)>,
}

impl Table {
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        syn::parse::Parser::parse2(|input: ParseStream<'_>| entries(input), tokens)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(crate) fn insert(&mut self, key: &str, value: impl Into<toml::Value>) {
        self.values.insert(key.to_owned(), value.into());
    }

    /// Takes a key out, with the place of its value.
    pub(crate) fn remove(&mut self, key: &str) -> Option<(toml::Value, Span)> {
        Some((self.values.remove(key)?, self.spans.get(key).copied().unwrap_or_else(Span::call_site)))
    }

    /// Takes a key out, as a table of it alone.
    pub(crate) fn split_off(&mut self, key: &str) -> Self {
        let mut table = Self { values: toml::Table::new(), spans: self.spans.clone() };
        if let Some((value, _)) = self.remove(key) {
            table.insert(key, value);
        }
        table
    }

    /// Takes a text out.
    pub(crate) fn remove_text(&mut self, key: &str) -> syn::Result<Option<(String, Span)>> {
        match self.remove(key) {
            None => Ok(None),
            Some((toml::Value::String(text), span)) => Ok(Some((text, span))),
            Some((_, span)) => Err(syn::Error::new(span, format!("`{key}` has to be a string"))),
        }
    }

    /// Reads the table as a part of the manifest; an error points at the key that is wrong.
    pub(crate) fn read<T: DeserializeOwned>(self, whole: Span) -> syn::Result<T> {
        serde_path_to_error::deserialize(toml::Value::Table(self.values)).map_err(|error| {
            let path = error.path().to_string();
            let span = self.spans.get(&path).copied().unwrap_or(whole);
            syn::Error::new(span, error.into_inner().to_string().trim_end())
        })
    }
}

fn entries(input: ParseStream<'_>) -> syn::Result<Table> {
    let mut table = Table::default();
    for entry in Punctuated::<Entry, Token![,]>::parse_terminated(input)? {
        if table.values.contains_key(&entry.key) {
            return Err(syn::Error::new(entry.span, format!("`{}` is given twice", entry.key)));
        }
        for (path, span) in entry.value.inside {
            table.spans.insert(format!("{}{path}", entry.key), span);
        }
        table.spans.insert(entry.key.clone(), entry.span);
        table.values.insert(entry.key, entry.value.value);
    }
    Ok(table)
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (key, span) = if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            (text.value(), text.span())
        } else {
            let name = input.call(Ident::parse_any)?;
            (name.unraw().to_string(), name.span())
        };
        input.parse::<Token![=]>()?;
        Ok(Self { key, span, value: input.parse()? })
    }
}

impl Parse for Spanned {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        if input.peek(syn::token::Brace) {
            braced!(content in input);
            let table = entries(&content)?;
            let inside = table.spans.into_iter().map(|(path, span)| (format!(".{path}"), span)).collect();
            return Ok(Self { value: table.values.into(), inside });
        }
        if input.peek(syn::token::Bracket) {
            bracketed!(content in input);
            let mut items = toml::value::Array::new();
            let mut inside = Vec::new();
            while !content.is_empty() {
                let place = format!("[{}]", items.len());
                let span = content.span();
                let item: Self = content.parse()?;
                inside.extend(item.inside.into_iter().map(|(path, span)| (format!("{place}{path}"), span)));
                inside.push((place, span));
                items.push(item.value);
                if !content.is_empty() {
                    content.parse::<Token![,]>()?;
                }
            }
            return Ok(Self { value: items.into(), inside });
        }
        let literal: Lit = input.parse()?;
        let value = match &literal {
            Lit::Str(text) => text.value().into(),
            Lit::Int(number) => number.base10_parse::<i64>()?.into(),
            Lit::Float(number) => number.base10_parse::<f64>()?.into(),
            Lit::Bool(value) => value.value.into(),
            _ => {
                return Err(syn::Error::new(
                    literal.span(),
                    "expected a string, a number, `true` or `false`",
                ));
            }
        };
        Ok(Self { value, inside: Vec::new() })
    }
}
