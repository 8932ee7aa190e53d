use crate::IoError;
use crate::location::Location;

pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The content without the mark with which some editors begin a file.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// The content as text.
///
/// # Errors
/// When it is not UTF-8, with the place of the first byte that is wrong.
pub(crate) fn decode<'a>(location: Location<'_>, bytes: &'a [u8]) -> Result<&'a str, IoError> {
    let bytes = without_mark(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        location.content(line as u64, (before.len() - line_start + 1) as u64, "not UTF-8")
    })
}
