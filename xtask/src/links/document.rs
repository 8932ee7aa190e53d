use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What of a Markdown file concerns links.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) links: Vec<Link>,
    /// What can follow a `#`.
    pub(crate) anchors: BTreeSet<String>,
}

/// A link or a picture.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) target: String,
    pub(crate) line: usize,
}

impl Document {
    pub(crate) fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut headings = Headings::default();
        for (event, range) in
            Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter()
        {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    let line = 1 + text[..range.start].matches('\n').count();
                    document.links.push(Link { target: dest_url.into_string(), line });
                }
                Event::Start(Tag::Heading { .. }) => headings.begin(),
                Event::Text(words) | Event::Code(words) => headings.add(&words),
                Event::End(TagEnd::Heading(_)) => document.anchors.extend(headings.end()),
                Event::Html(html) | Event::InlineHtml(html) => {
                    document.anchors.extend(anchors_in_html(&html))
                }
                _ => {}
            }
        }
        document
    }
}

impl Link {
    /// Whether it names another site, or something that is no page at all.
    pub(crate) fn leads_outside(&self) -> bool {
        self.target.starts_with("//")
            || self.file().split('/').next().is_some_and(|first| first.contains(':'))
    }

    /// What stands before the `#`; nothing if the link stays in its document.
    pub(crate) fn file(&self) -> &str {
        self.target.split('#').next().unwrap_or_default()
    }

    pub(crate) fn anchor(&self) -> Option<&str> {
        self.target.split_once('#').map(|(_, anchor)| anchor)
    }
}

/// Makes anchors of headings as GitHub does.
#[derive(Debug, Default)]
struct Headings {
    current: Option<String>,
    seen: BTreeMap<String, usize>,
}

impl Headings {
    fn begin(&mut self) {
        self.current = Some(String::new());
    }

    fn add(&mut self, words: &str) {
        if let Some(heading) = &mut self.current {
            heading.push_str(words);
        }
    }

    fn end(&mut self) -> Option<String> {
        let anchor = anchor(&self.current.take()?);
        let earlier = self.seen.entry(anchor.clone()).or_default();
        *earlier += 1;
        Some(if *earlier == 1 { anchor } else { format!("{anchor}-{}", *earlier - 1) })
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// The values of `id="…"` and `name="…"`.
fn anchors_in_html(html: &str) -> impl Iterator<Item = String> {
    let values = ["id=\"", "name=\""].into_iter().flat_map(|start| html.split(start).skip(1));
    values.filter_map(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned())
}
