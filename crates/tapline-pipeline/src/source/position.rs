use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use saphyr_parser::ScalarStyle;

use super::Source;

/// The byte of the file that byte `offset` of a text was made from.
///
/// It is exact for literal blocks and for texts of one line, and for folded texts up to white space that YAML drops.
pub(super) fn locate(
    source: &Source,
    range: &Range<usize>,
    style: ScalarStyle,
    value: &str,
    offset: usize,
) -> usize {
    let offset = value.floor_char_boundary(offset);
    let start = content_start(source.text(), range);
    match style {
        ScalarStyle::Literal => locate_in_lines(source, block_start(source, start), value, offset),
        ScalarStyle::Folded => {
            let skipped = value.len() - value.trim_start_matches('\n').len();
            let start = block_start(source, start);
            walk(source.text(), start..range.end, style, &value[skipped..], offset.saturating_sub(skipped))
        }
        ScalarStyle::Plain => walk(source.text(), start..range.end, style, value, offset),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            walk(source.text(), start + 1..range.end, style, value, offset)
        }
    }
}

/// Where a scalar begins behind its anchor, which is part of its range.
fn content_start(text: &str, range: &Range<usize>) -> usize {
    let Some(anchored) = text[range.clone()].strip_prefix('&') else { return range.start };
    let blank = |c: char| c.is_ascii_whitespace();
    let name_length = anchored.find(blank).unwrap_or(anchored.len());
    let rest = &anchored[name_length..];
    range.end - rest.trim_start_matches(blank).len()
}

/// The first line of a block that is not blank, where its text begins; an anchored block begins at its header.
fn block_start(source: &Source, start: usize) -> usize {
    let text = source.text();
    if !text[start..].starts_with(['|', '>']) {
        return start;
    }
    let mut line = source.line_of(start) + 1;
    while line < source.content.line_starts.len() && text[source.line(line)].trim().is_empty() {
        line += 1;
    }
    source.line(line).start
}

/// Each line of a literal block is the end of a line of the file.
fn locate_in_lines(source: &Source, start: usize, value: &str, offset: usize) -> usize {
    let before = &value[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let value_line = value[line_start..].split('\n').next().unwrap_or_default();
    let leading = value.len() - value.trim_start_matches('\n').len();
    let number = before.matches('\n').count().saturating_sub(leading);
    let line = source.line(source.line_of(start) + number);
    (line.end.saturating_sub(value_line.len()) + (offset - line_start)).clamp(line.start, line.end)
}

/// Goes through the file and the text made from it side by side.
fn walk(text: &str, range: Range<usize>, style: ScalarStyle, value: &str, offset: usize) -> usize {
    let start = range.start.min(range.end);
    let raw = &text[start..range.end];
    let mut raw_chars = raw.char_indices().peekable();
    let mut value_chars = value.char_indices().peekable();
    while let Some((_, wanted)) = value_chars.next_if(|(at, _)| *at < offset) {
        // The blanks of a line that is indented further were passed with the end of the line before it.
        if wanted.is_ascii_whitespace()
            && raw_chars.peek().is_some_and(|(_, c)| !c.is_ascii_whitespace() && *c != '\\')
        {
            continue;
        }
        let Some((_, found)) = raw_chars.next() else { break };
        match found {
            '\\' if style == ScalarStyle::DoubleQuoted => skip_escape(&mut raw_chars, wanted),
            '\'' if style == ScalarStyle::SingleQuoted => drop(raw_chars.next()),
            ' ' | '\t' | '\r' | '\n' if found != wanted || found == '\n' => {
                skip_blanks(&mut raw_chars);
                while wanted == '\n' && value_chars.next_if(|(at, c)| *at < offset && *c == '\n').is_some() {}
                let _ = raw_chars.next_if(|(_, c)| !wanted.is_whitespace() && *c == wanted);
            }
            ' ' | '\t' if ends_line(raw_chars.clone()) => skip_blanks(&mut raw_chars),
            _ => {}
        }
    }
    start + raw_chars.peek().map_or(raw.len(), |(at, _)| *at)
}

fn skip_blanks(raw: &mut Peekable<CharIndices<'_>>) {
    while raw.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
}

/// Whether nothing but blanks stands before the end of the line.
fn ends_line(mut raw: Peekable<CharIndices<'_>>) -> bool {
    raw.find(|(_, c)| !matches!(c, ' ' | '\t' | '\r')).is_some_and(|(_, c)| c == '\n')
}

/// Passes what follows a backslash; an escaped end of line makes no character of the text.
fn skip_escape(raw: &mut Peekable<CharIndices<'_>>, wanted: char) {
    let digits = match raw.next().map(|(_, escaped)| escaped) {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some('\r' | '\n') => {
            skip_blanks(raw);
            let _ = raw.next_if(|(_, c)| *c == wanted);
            return;
        }
        _ => 0,
    };
    for _ in 0..digits {
        let _ = raw.next_if(|(_, c)| c.is_ascii_hexdigit());
    }
}
