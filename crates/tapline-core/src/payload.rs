use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::value::{INPUT, Object, Value, ValueError};

/// The input or output type of a hook point.
///
/// Native hooks get the type itself. Plugins behind a boundary see it as a [`Value`], which these methods make; they
/// run only when such a plugin is entered. For a type that serde can handle, `impl Payload for MyType {}` is all.
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {
    /// The value as plugins behind a boundary see it.
    ///
    /// # Errors
    /// When the type cannot be expressed as JSON.
    fn to_value(&self) -> Result<Value, ValueError> {
        Value::from_serialize(self)
    }

    /// The type from what a plugin behind a boundary wrote.
    ///
    /// # Errors
    /// When the value has not the shape of the type.
    fn from_value(value: &Value) -> Result<Self, ValueError> {
        value.to()
    }

    /// The context of a call that has this input: what plugins can be granted to read and write.
    ///
    /// # Errors
    /// When the type cannot be expressed as JSON.
    fn context(&self) -> Result<Object, ValueError> {
        Ok(Object::from_iter([(INPUT.shared(), self.to_value()?)]))
    }

    /// Takes over the context's `input` after a plugin changed it.
    ///
    /// # Errors
    /// When the value has not the shape of the type.
    fn absorb(&mut self, input: &Value) -> Result<(), ValueError> {
        *self = Self::from_value(input)?;
        Ok(())
    }

    /// The JSON Schema of the value as plugins behind a boundary see it: what they read and write is held against it
    /// when they register. Anything unless said.
    #[must_use]
    fn schema() -> Value {
        Value::Bool(true)
    }

    /// A fact about the call that a hook's `when` can ask for.
    fn fact(&self, _name: &str) -> Option<&str> {
        None
    }
}

impl Payload for Value {
    fn to_value(&self) -> Result<Value, ValueError> {
        Ok(self.clone())
    }

    fn from_value(value: &Value) -> Result<Self, ValueError> {
        Ok(value.clone())
    }
}

/// Types that JSON has a name for.
macro_rules! payload {
    ($($type:ty = $name:literal),*) => {
        $(
            impl Payload for $type {
                fn schema() -> Value {
                    Value::from_iter([("type", Value::from($name))])
                }
            }
        )*
    };
}

payload! { String = "string", () = "null", bool = "boolean", i64 = "integer", u64 = "integer", f64 = "number" }

impl<T: Payload> Payload for Vec<T> {
    fn schema() -> Value {
        Value::from_iter([("type", Value::from("array")), ("items", T::schema())])
    }
}

impl<T: Payload> Payload for Option<T> {
    fn schema() -> Value {
        let null = Value::from_iter([("type", Value::from("null"))]);
        Value::from_iter([("anyOf", Value::from(vec![T::schema(), null]))])
    }
}
