use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use tapline::pipeline::{Diagnostic, Severity, Source, Span};

/// Whether output is coloured; colour never carries meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Off,
    On,
}

/// Shows mistakes to people: what, where, the line with a mark below it, and what to do.
///
/// It ends with a line that counts them; without mistakes, it is empty.
pub(crate) fn for_people(diagnostics: &[Diagnostic], sources: &[&Source], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Off => Renderer::plain(),
        Colour::On => Renderer::styled(),
    };
    let shown = diagnostics.iter().map(|diagnostic| renderer.render(&[group(diagnostic, sources)]) + "\n\n");
    shown.chain(summary(diagnostics)).collect()
}

/// Writes mistakes for programs: an array of objects, one line.
pub(crate) fn for_programs(diagnostics: &[Diagnostic]) -> serde_json::Value {
    // Diagnostics are text and numbers alone, so writing them cannot go wrong.
    serde_json::to_value(diagnostics).unwrap_or_default()
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &[&'a Source]) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let source = sources.iter().find(|source| *source.file() == diagnostic.file);
    let snippet = source.map(|source| snippet(diagnostic, source.text()));
    let title = level.primary_title(&*diagnostic.message).id(diagnostic.code.as_str());
    let hint = diagnostic.hint.as_deref().map(|hint| Level::HELP.with_name("hint").message(hint));
    title.elements(snippet).elements(hint)
}

/// The lines that a diagnostic is about, and no others: a file of mistakes is not read anew for each of them.
fn snippet<'a>(diagnostic: &'a Diagnostic, text: &'a str) -> Snippet<'a, Annotation<'a>> {
    let spans = || diagnostic.labels.iter().map(|label| label.span).chain([diagnostic.span]);
    let first = spans().map(|span| (span.start, span.line)).min().unwrap_or((0, 1));
    let last = spans().map(|span| span.end).max().unwrap_or(0);
    let begin = text[..first.0].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[last..].find('\n').map_or(text.len(), |length| last + length + 1);
    let within = |span: Span| span.start - begin..span.end - begin;
    let labels = diagnostic.labels.iter();
    let labels = labels.map(|label| AnnotationKind::Context.span(within(label.span)).label(&*label.message));
    Snippet::source(&text[begin..end])
        .line_start(first.1)
        .path(&*diagnostic.file)
        .annotation(AnnotationKind::Primary.span(within(diagnostic.span)))
        .annotations(labels)
}

fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let counts = [(errors, "error"), (diagnostics.len() - errors, "warning")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<_> =
        counts.map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" })).collect();
    (!words.is_empty()).then(|| words.join(", ") + "\n")
}
