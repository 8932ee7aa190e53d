use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Error, MessageFormatter as _, UserMessageFormatter};
use tapline_pdk::Value;

use crate::lines::list;
use crate::location::Location;
use crate::source::LARGEST;
use crate::{IoError, text};

/// As deep as JSON is read.
const DEEPEST: usize = 127;
/// Enough for so many levels, of which each takes some KiB of the stack.
const STACK: usize = 32 << 20;
/// So many values may come of aliases.
const MOST_REPEATED: usize = 100_000;

/// `{ items, count, skipped }` of a list or of several documents, `{ value }` of anything else.
///
/// Of several documents, those that are empty are left out.
pub(crate) fn read(location: Location<'_>, bytes: &[u8]) -> Result<Value, IoError> {
    let text = text::decode(location, bytes)?;
    let value = with_stack(|| parse(text))?.map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        location.content(line, column, message(&error))
    })?;
    Ok(match value {
        Value::Array(_) => list(value, Vec::new()),
        other => [("value", other)].into_iter().collect(),
    })
}

/// Block style, with a newline at its end.
pub(crate) fn write(value: &Value) -> Result<Vec<u8>, IoError> {
    let text = with_stack(|| serde_saphyr::to_string(value))?;
    text.map(String::into_bytes).map_err(IoError::config)
}

fn parse(text: &str) -> Result<Value, Error> {
    match serde_saphyr::from_str_with_options::<Value>(text, options()) {
        Err(Error::MultipleDocuments { .. }) => {
            serde_saphyr::from_multiple_with_options::<Value>(text, options()).map(Value::from)
        }
        read => read,
    }
}

/// Does what goes deep on a thread of its own, for nobody knows how much of the caller's stack is left.
fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, IoError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| IoError::config(format_args!("no thread for YAML: {error}")))?;
        thread.join().map_err(|_| IoError::config("YAML that nobody has foreseen"))
    })
}

/// YAML 1.2, in which `on` and `1_000` are text; numbers with zeros in front are text, too, as in CSV.
fn options() -> serde_saphyr::Options {
    // No more than a byte is needed for anything that counts.
    let most = usize::try_from(LARGEST).unwrap_or(usize::MAX);
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            // What it looks ahead is less than that, so the limit above is the one that is met.
            flow_nesting_limit: 4096,
            enforce_alias_anchor_ratio: false,
            max_events: most,
            max_nodes: most,
            max_documents: most,
            max_total_scalar_bytes: most,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_REPEATED },
        duplicate_keys: DuplicateKeyPolicy::Error,
        reject_unsupported_tags: true,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

/// What is wrong, without the place, which is reported apart.
fn message(error: &Error) -> String {
    match error {
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => format!("more than {DEEPEST} levels"),
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => {
            format!("aliases, as in `*name`, repeat more than {MOST_REPEATED} values")
        }
        Error::AliasError { error, .. } => message(error),
        other => UserMessageFormatter.format_message(other).into_owned(),
    }
}
