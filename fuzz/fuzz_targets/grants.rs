//! Patterns, and what they are about: the matcher of grants beside a naive one that tries every word.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/tapline-core/tests/grants/model.rs"]
mod model;

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Paths([Patterns<Path>; 2]),
    Topics([Patterns<Topic>; 2]),
    Calls([Patterns<Call>; 2]),
    Text(&'a str),
}

/// At most three, each of which may be absent.
type Patterns<P> = [Option<P>; 3];

/// Its first token is a name.
#[derive(Debug, Arbitrary)]
struct Path(Name, Option<Token>, Option<Token>);

#[derive(Debug, Arbitrary)]
struct Topic(Option<Token>, Option<Token>, Last);

#[derive(Debug, Arbitrary)]
struct Call(Kind, Token);

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Name {
    A,
    B,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Token {
    Any,
    Name(Name),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Last {
    Rest,
    Token(Token),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Kind {
    Point,
    Plugin,
    Capability,
}

fuzz_target!(|input: Input<'_>| match input {
    Input::Paths([one, other]) => model::check_paths(&texts(one, Path::text), &texts(other, Path::text)),
    Input::Topics([one, other]) => model::check_topics(&texts(one, Topic::text), &texts(other, Topic::text)),
    Input::Calls([one, other]) => model::check_calls(&texts(one, Call::text), &texts(other, Call::text)),
    Input::Text(text) => model::check_text(text),
});

fn texts<P>(patterns: Patterns<P>, text: impl Fn(&P) -> String) -> Vec<String> {
    patterns.iter().flatten().map(text).collect()
}

impl Path {
    fn text(&self) -> String {
        let first = Token::Name(self.0);
        joined([Some(first.text()), self.1.map(Token::text), self.2.map(Token::text)])
    }
}

impl Topic {
    fn text(&self) -> String {
        let last = match self.2 {
            Last::Rest => ">",
            Last::Token(token) => token.text(),
        };
        joined([self.0.map(Token::text), self.1.map(Token::text), Some(last)])
    }
}

impl Call {
    fn text(&self) -> String {
        let kind = match self.0 {
            Kind::Point => "p/",
            Kind::Plugin => "plugin/",
            Kind::Capability => "capability:",
        };
        format!("{kind}{}", self.1.text())
    }
}

impl Token {
    fn text(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Name(Name::A) => "a",
            Self::Name(Name::B) => "b",
        }
    }
}

fn joined(tokens: [Option<&str>; 3]) -> String {
    tokens.into_iter().flatten().collect::<Vec<_>>().join(".")
}
