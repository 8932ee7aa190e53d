use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What is read from an object alone; `serde` would read it from a list of its fields as well.
pub(super) struct Object<T>(pub(super) T);

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, fields: M) -> Result<T, M::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::api::NewRun;

    #[test]
    fn a_list_is_no_object() {
        let read = |text| serde_json::from_str::<Object<NewRun>>(text).map(|Object(run)| run.pipeline);
        assert_eq!(read(r#"{ "pipeline": "triage" }"#).unwrap(), "triage");
        let refused = read(r#"["triage", {}]"#).unwrap_err().to_string();
        assert!(refused.starts_with("invalid type: sequence, expected an object"), "{refused}");
    }
}
