//! The one language for prompts and conditions.
//!
//! A [`Template`] is a text with `{{ expressions }}` and `{% statements %}` as in Jinja; an [`Expression`] is what
//! stands between the braces.
//! Both are parsed once, say which names they read ([`Reference`]), and are evaluated against an object of
//! variables.
//!
//! # What a value becomes
//!
//! A template that is one lone `{{ expression }}` yields the value itself: its type is kept, and an array or an
//! object that came in leaves as the same shared allocation.
//! Every other template yields text, in which a string stands as it is and everything else as compact JSON: `true`,
//! `null`, `[1,2]`.
//!
//! # Null, missing and undefined
//!
//! A field that an object does not have is null, and so is every field of null: `item.a.b` is null when `item` has no
//! `a`.
//! An element past the end of a list is null too.
//! A field of a string, a number or a list is an error.
//! The filter `default` and the tests `defined` and `undefined` treat null and missing alike.
//! A variable that does not exist is an error wherever its value is needed.
//!
//! # Numbers
//!
//! Integers of 64 bits, signed or unsigned, stay exact; in between, arithmetic has 128 bits, and a result that does
//! not fit 64 bits is an error instead of a float.
//! `1` and `1.0` are equal and keep their types: `1 + 1` is `2`, `1 + 1.0` is `2.0`, and `/` always yields a float
//! (`4 / 2` is `2.0`, `4 // 2` is `2`).
//! A float that is not finite is an error, for JSON has none.
//!
//! # Truth and order
//!
//! As in Python, `null`, `false`, `0`, `""`, `[]` and `{}` are false, `true == 1`, and `and` and `or` yield one of their
//! operands.
//! Comparing values of different types is never an error: null < booleans and numbers < strings < arrays < objects.
//!
//! # What bounds it
//!
//! The length and the nesting of the source are limited when it is parsed; the work and the memory of an evaluation
//! are limited by [`limits`].
//! They do not limit the size of the values that come in, nor how often the caller evaluates.

mod template;
mod expression;
mod reference;
mod scope;
mod error;
pub mod limits;
mod language;
mod filters;
mod text;
mod program;
mod shortcut;
mod lower;
mod guard;
mod value;

pub use error::{Position, TemplateError};
pub use expression::Expression;
pub use language::{RESERVED, is_reserved};
pub use reference::Reference;
pub use scope::Scope;
pub use template::Template;

#[cfg(test)]
mod tests;
