//! What bounds a template or an expression.

/// The bytes that a source may have.
pub const SOURCE_BYTES: usize = 256 * 1024;

/// The operators, brackets and dots that one `{{ }}` or `{% %}`, or a bare expression, may have.
pub const OPERATORS: usize = 256;

/// The `{% %}` that a template may have.
pub const STATEMENTS: usize = 1000;

/// The `{% elif %}` that a template may have, for each nests in the one before.
pub const ELIFS: usize = 64;

/// How deep the parsed source may nest.
pub const DEPTH: usize = 100;

/// How deep a value that an expression builds may nest.
pub const VALUE_DEPTH: usize = 100;

/// The work of one evaluation: one unit is one instruction, or about 64 bytes of data that are made or visited.
///
/// It bounds the time of an evaluation to about a second and its memory to about 256 MiB.
pub const FUEL: u64 = 4_000_000;

/// How deep macros and recursive loops may call each other.
pub const RECURSION: usize = 100;

/// How many elements and entries an expression may build.
pub const VALUE_ITEMS: usize = 1_000_000;
