//! The functions that programs find. None of them reaches beyond the values: no files, no environment, no clock.

use jaq_core::load::{self, parse::Def};
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Error, RunPtr, ValR};
use tapline_pdk::Value;

use super::item::Item;
use super::meter::charge;
use super::program::Items;
use super::slice;
use crate::order::compare;

/// What the libraries bring and programs do not find: it tells of the machine, writes to its log, or ends the process.
const WITHHELD: [&str; 11] = [
    "debug",
    "debug_empty",
    "env",
    "halt",
    "halt_error",
    "localtime",
    "now",
    "stderr",
    "stderr_empty",
    "strflocaltime",
    "input_filename",
];
/// What is another thing here, because there are no numbers besides those of JSON.
const REPLACED: &str = r#"
    def nan: null;
    def infinite: 1.7976931348623157e308;
    def isnan: if isnumber then false else error("\(.) is no number") end;"#;

pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let parse = |text| load::parse(text, |parser| parser.defs()).unwrap_or_default();
    let replaced: Vec<Def> = parse(REPLACED);
    let replace =
        move |known: Def| replaced.iter().find(|new| new.name == known.name).cloned().unwrap_or(known);
    let known = jaq_core::defs().chain(jaq_std::defs()).filter(|known| !WITHHELD.contains(&known.name));
    known.map(replace).chain(parse(include_str!("functions.jq")))
}

pub(super) fn functions() -> impl Iterator<Item = Fun<Items>> {
    let known = jaq_core::funs().chain(jaq_std::funs());
    known.filter(|(name, _, _)| !WITHHELD.contains(name)).chain(own().into_iter().map(run::<Items>))
}

fn own() -> [Filter<RunPtr<Items>>; 7] {
    [
        ("fromjson", v(0), |cv| bome(parsed(&cv.1))),
        ("tojson", v(0), |cv| bome(Ok(Item::text(&cv.1.value().to_json())))),
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("contains", v(1), |cv| unary(cv, |item, part| contained(&item, &part))),
        ("has", v(1), |cv| unary(cv, |item, key| has(&item, &key))),
        ("indices", v(1), |cv| unary(cv, |item, part| indices(&item, &part))),
        ("bsearch", v(1), |cv| unary(cv, |item, wanted| search(&item, &wanted))),
    ]
}

fn parsed(item: &Item) -> ValR<Item> {
    let Some(text) = item.value().as_str() else { return Err(Error::typ(item.clone(), "string")) };
    charge(text.len() / 8);
    let parsed = Value::from_json(text).map(Item::new);
    parsed.map_err(|error| Error::str(format_args!("{item} is no JSON: {error}")))
}

fn length(item: &Item) -> ValR<Item> {
    Ok(match item.value() {
        Value::Null => 0_usize.into(),
        Value::Bool(_) => return Err(Error::str(format_args!("{item} has no length"))),
        Value::Number(number) if number.as_f64().is_some_and(|float| float < 0.0) => return -item.clone(),
        Value::Number(_) => item.clone(),
        Value::String(text) => {
            charge(text.len() / 64);
            text.chars().count().into()
        }
        Value::Array(items) => items.len().into(),
        Value::Object(fields) => fields.len().into(),
    })
}

fn contained(item: &Item, part: &Item) -> ValR<Item> {
    if item.value().kind() != part.value().kind() {
        return Err(Error::str(format_args!("{item} cannot contain {part}, which is of another type")));
    }
    Ok(contains(item.value(), part.value()).into())
}

fn contains(whole: &Value, part: &Value) -> bool {
    charge(1);
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => whole.contains(&**part),
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part)))
        }
        (whole, part) => compare(whole, part).is_eq(),
    }
}

fn has(item: &Item, key: &Item) -> ValR<Item> {
    match (item.value(), key.value()) {
        (Value::Null, Value::String(_) | Value::Number(_)) => Ok(false.into()),
        (Value::Object(_), Value::String(_)) => item.find(key).map(|found| found.is_some().into()),
        (Value::Array(items), Value::Number(_)) => {
            let at = key.as_integer().and_then(|at| usize::try_from(at).ok());
            Ok(at.is_some_and(|at| at < items.len()).into())
        }
        _ => Err(Error::index(item.clone(), key.clone())),
    }
}

fn indices(item: &Item, part: &Item) -> ValR<Item> {
    let found: Vec<Value> = match (item.value(), part.value()) {
        (Value::Null, _) => return Ok(item.clone()),
        (Value::String(_), Value::String(part)) if part.is_empty() => Vec::new(),
        (Value::String(text), Value::String(part)) => {
            charge(text.len());
            let places = text.char_indices().enumerate();
            places.filter(|(_, (at, _))| text[*at..].starts_with(&**part)).map(|(at, _)| at.into()).collect()
        }
        (Value::Array(items), Value::Array(part)) => {
            slice::occurrences(items, part).map(Value::from).collect()
        }
        (Value::Array(items), part) => {
            charge(items.len());
            let places = items.iter().enumerate();
            places.filter(|(_, item)| compare(item, part).is_eq()).map(|(at, _)| at.into()).collect()
        }
        _ => return Err(Error::index(item.clone(), part.clone())),
    };
    Ok(Item::array(found, 0))
}

/// Where a value stands in a sorted list; where it is not there, -1 less the place where it would stand.
fn search(item: &Item, wanted: &Item) -> ValR<Item> {
    let Some(items) = item.value().as_array() else { return Err(Error::typ(item.clone(), "array")) };
    let place = items.binary_search_by(|item| compare(item, wanted.value()));
    Ok(match place {
        Ok(at) => at.into(),
        Err(at) => return (Item::from(at) + Item::from(1_usize)).and_then(std::ops::Neg::neg),
    })
}
