use std::sync::Arc;

use indexmap::IndexSet;
use tapline_pdk::Value;

use crate::IoError;

/// The names of the columns of a file that is written.
#[derive(Debug)]
pub(crate) struct Columns(IndexSet<Arc<str>>);

impl Columns {
    /// The names that were asked for.
    pub(crate) fn named(names: &[Arc<str>]) -> Result<Self, IoError> {
        let mut columns = IndexSet::with_capacity(names.len());
        for name in names {
            if !columns.insert(Arc::clone(name)) {
                return Err(IoError::config(format_args!("`columns` has `{name}` twice")));
            }
        }
        Ok(Self(columns))
    }

    /// All names that rows have, in the order of their first appearance.
    pub(crate) fn of(rows: &[Value]) -> Self {
        let names = rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys());
        let mut columns = IndexSet::new();
        for name in names {
            if !columns.contains(name) {
                columns.insert(Arc::clone(name));
            }
        }
        Self(columns)
    }

    /// Refuses what is no object, and a field that has no column, for it would be lost.
    pub(crate) fn check(&self, rows: &[Value]) -> Result<(), IoError> {
        for (index, row) in rows.iter().enumerate() {
            let fields = row.as_object().ok_or_else(|| {
                let kind = row.kind();
                IoError::config(format_args!("row {index}: the row is of kind {kind}, but CSV needs objects"))
            })?;
            if let Some(name) = fields.keys().find(|name| !self.0.contains(*name)) {
                return Err(IoError::config(format_args!(
                    "row {index}: `{name}` is none of the columns: name all of them in `columns`"
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}
