use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use tapline_pdk::{Number, Value};

use crate::order::{compare, float, integer};

/// A value that groups rows: `1` and `1.0` are the same key, as are objects whose fields are in another order.
pub(crate) struct Key(pub(crate) Value);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        compare(&self.0, &other.0) == Ordering::Equal
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

fn hash<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Null => state.write_u8(0),
        Value::Bool(value) => state.write_u8(1 + u8::from(*value)),
        Value::Number(number) => hash_number(number, state),
        Value::String(text) => text.hash(state),
        Value::Array(items) => {
            state.write_usize(items.len());
            items.iter().for_each(|item| hash(item, state));
        }
        Value::Object(object) => {
            let entry = |(name, value): (&_, &Value)| {
                let mut state = DefaultHasher::new();
                Hash::hash(name, &mut state);
                hash(value, &mut state);
                state.finish()
            };
            // A sum, for the order of the fields means nothing.
            state.write_u64(object.iter().map(entry).fold(0, u64::wrapping_add));
        }
    }
}

/// Equal numbers have equal floats, whatever they were written as; the reverse need not hold for a hash.
fn hash_number<H: Hasher>(number: &Number, state: &mut H) {
    #[expect(clippy::cast_precision_loss, reason = "integers that share a float share a hash and no more")]
    let float = integer(number).map_or_else(|| float(number), |integer| integer as f64);
    let unsigned_zero = float + 0.0;
    state.write_u64(unsigned_zero.to_bits());
}
