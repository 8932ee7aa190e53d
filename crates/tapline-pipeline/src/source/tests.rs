use super::*;

/// Finds `{{` in the text below the key `x`, and compares the place with that of `{{` in the file.
#[track_caller]
fn check(file: &str) {
    let source = Source::new("pipeline.yaml", file.as_bytes());
    let (document, diagnostics) = read(&source);
    assert_eq!(diagnostics, [], "{file}");
    let element = document.root().unwrap().child("x").unwrap().1;
    let text = element.as_text().unwrap();
    let found = text.find("{{").unwrap();
    let range = element.range_within(&source, &(found..found + 2));
    assert_eq!(&file[range.clone()], "{{", "{file} {range:?}");
    assert_eq!(range.start, file.find("{{").unwrap(), "{file}");
}

#[test]
fn a_place_in_a_text_is_a_place_in_the_file() {
    check("x: plain {{ a }}");
    check("x: plain\n  é over   \n  two {{ a }}\n\n  lines");
    check("x: plain\n\n\n  after blank lines {{ a }}");
    check("x: 'single ''quoted'' {{ a }}'");
    check("x: \"double \\\" \\u00e9 \\x41 \\U0001F600 \\n {{ a }}\"");
    check("x: \"double\n  over \\\n  lines {{ a }}\"");
    check("x: |\n  literal {{ a }}\n");
    check("x: |\n  literal\n\n    deeper é\n   {{ a }}\n");
    check("x: |\n\n\n   after blank lines\n   {{ a }}\n");
    check("x: |2-\n    indented\n  {{ a }}\n");
    check("x: |\r\n  windows\r\n  {{ a }}\r\n");
    check("x: &anchor |\n\n  literal\n   {{ a }}\n");
    check("x: >\n  folded\n  text {{ a }}\n");
    check("x: >-\n\n  folded\n\n  text\n   deeper\n  {{ a }}\n");
    check("x: &anchor >-\n  folded\n  text {{ a }}\n");
    check("x: &anchor plain {{ a }}");
    check("x: &anchor \"quoted {{ a }}\"");
    check("y: &anchor \"quoted {{ a }}\"\nx: *anchor\n");
}

#[test]
fn a_span_stays_in_its_line() {
    let source = Source::new("pipeline.yaml", "é: [1,\r\n 2]\n".as_bytes());
    let span = source.span(&(4..12));
    assert_eq!((span.start, span.end, span.line, span.column), (4, 7, 1, 4));
    let end = source.span(&(99..120));
    assert_eq!((end.start, end.end, end.line, end.column), (13, 13, 3, 1));
}

#[test]
fn columns_count_characters_wherever_the_line_lies() {
    let text = "ä: 日本 x\nb: é y\n";
    let source = Source::new("pipeline.yaml", text.as_bytes());
    for (word, place) in [("ä", (1, 1)), ("日", (1, 4)), ("x", (1, 7)), ("b", (2, 1)), ("y", (2, 6))] {
        let start = text.find(word).unwrap();
        let span = source.span(&(start..start + word.len()));
        assert_eq!((span.line, span.column, &text[span.start..span.end]), (place.0, place.1, word));
    }
}
