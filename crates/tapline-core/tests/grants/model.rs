//! What patterns mean, spelled out word by word, and what the matcher of grants promises of them.
//!
//! Tests and the fuzzer share it: each makes up patterns, and everything that they could be about is tried.

#![allow(clippy::unwrap_used, reason = "a check fails by panicking")]

use tapline_core::{CallPattern, CallTarget, Grants, PathSet, Topic, TopicPattern, TopicSet};

/// Which words each pattern of a set is about.
type Meaning = Vec<Vec<bool>>;

/// No pattern names `c`, so that it stands for every other token.
const TOKENS: [&str; 3] = ["a", "b", "c"];
/// One token more than the longest pattern has.
const DEPTH: u32 = 4;

/// Checks two sets of path patterns: tokens `a`, `b` and `*`, at most three in each, and the first is not `*`.
pub(crate) fn check_paths(one: &[String], other: &[String]) {
    let set = |patterns: &[String]| PathSet::new(patterns.iter().map(String::as_str)).unwrap();
    let (words, sets) = (words(), [set(one), set(other)]);
    let meanings = [one, other].map(|patterns| meaning(patterns, &words, covers_path));
    for (set, meaning) in sets.iter().zip(&meanings) {
        assert_eq!(about(&words, |word| set.covers(word)), any(meaning, &words), "{set:?}");
    }
    let both = sets[0].intersection(&sets[1]);
    check_intersection(&meanings, &about(&words, |word| both.covers(word)));
    assert_eq!(both.intersection(&both), both);
}

/// Checks two sets of topic patterns: tokens `a`, `b` and `*`, at most three in each, the last of which may be `>`.
pub(crate) fn check_topics(one: &[String], other: &[String]) {
    let set = |patterns: &[String]| TopicSet::new(patterns.iter().map(String::as_str)).unwrap();
    let (words, sets) = (words(), [set(one), set(other)]);
    let is_about = |set: &TopicSet| about(&words, |word| set.matches(&Topic::new(word).unwrap()));
    let meanings = [one, other].map(|patterns| meaning(patterns, &words, matches_topic));
    for (set, meaning) in sets.iter().zip(&meanings) {
        assert_eq!(is_about(set), any(meaning, &words), "{set:?}");
    }
    for (theirs, their_meaning) in other.iter().zip(&meanings[1]) {
        let theirs = TopicPattern::new(theirs).unwrap();
        let covered = meanings[0].iter().any(|ours| includes(ours, their_meaning));
        assert_eq!(sets[0].covers(&theirs), covered, "{:?} {theirs}", sets[0]);
    }
    let both = sets[0].intersection(&sets[1]);
    check_intersection(&meanings, &is_about(&both));
    assert_eq!(is_about(&both.intersection(&both)), is_about(&both));
}

/// Checks two lists of call patterns: `p/…`, `plugin/…`, `capability:…` and plain names, of `a`, `b` and `*`.
pub(crate) fn check_calls(one: &[String], other: &[String]) {
    let parsed = |patterns: &[String]| patterns.iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>();
    let (ours, theirs): (Vec<CallPattern>, Vec<CallPattern>) = (parsed(one), parsed(other));
    let words = TOKENS
        .iter()
        .flat_map(|key| ["p/", "q/", "plugin/", "", "capability:"].map(|before| format!("{before}{key}")));
    let words = words.collect::<Vec<_>>();
    let is_about = |calls: &[CallPattern]| {
        let grants = Grants { call: calls.to_vec(), ..Grants::default() };
        about(&words, |word| grants.allow_call(&word.parse().unwrap()))
    };
    let meanings = [one, other].map(|patterns| meaning(patterns, &words, covers_call));
    assert_eq!(is_about(&ours), any(&meanings[0], &words), "{ours:?}");
    for (our_meaning, ours) in meanings[0].iter().zip(&ours) {
        assert_eq!(ours.to_string().parse::<CallPattern>().unwrap(), *ours, "it reads back as it is written");
        for (their_meaning, theirs) in meanings[1].iter().zip(&theirs) {
            assert_eq!(ours.includes(theirs), includes(our_meaning, their_meaning), "{ours} {theirs}");
        }
    }
    let [ours, theirs] = [ours, theirs].map(|call| Grants { call, ..Grants::default() });
    let both = ours.intersection(&theirs);
    check_intersection(&meanings, &is_about(&both.call));
    assert_eq!(both.intersection(&both), both);
}

/// What no text may do: whatever is read as a pattern is written as it was, and read again as the same.
pub(crate) fn check_text(text: &str) {
    if let Ok(target) = text.parse::<CallTarget>() {
        assert_eq!(target.to_string().parse::<CallTarget>().unwrap(), target);
    }
    if let Ok(paths) = PathSet::new([text]) {
        assert_eq!(paths.patterns().collect::<Vec<_>>(), [text]);
        assert!(paths.covers(text) && paths.intersection(&paths) == paths);
    }
    if let Ok(pattern) = TopicPattern::new(text) {
        assert_eq!(pattern.as_str(), text);
        assert!(pattern.covers(&pattern));
    }
}

/// A path is covered when the pattern fits it, or a place that it lies below.
fn covers_path(pattern: &str, path: &str) -> bool {
    let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
    ends.into_iter().any(|end| fits(pattern, &path[..end]))
}

/// `>` stands for one `*` or more.
fn matches_topic(pattern: &str, topic: &str) -> bool {
    let Some(begin) = pattern.strip_suffix('>') else { return fits(pattern, topic) };
    (0..DEPTH as usize).any(|more| fits(&format!("{begin}*{}", ".*".repeat(more)), topic))
}

fn covers_call(pattern: &str, target: &str) -> bool {
    let spelled_out = |text: &str| match text.split_once(['/', ':']) {
        Some((kind, name)) => format!("{kind}.{name}"),
        None => format!("plugin.{text}"),
    };
    fits(&spelled_out(pattern), &spelled_out(target))
}

/// Whether they have as many tokens, each the same or `*`.
fn fits(pattern: &str, word: &str) -> bool {
    let (wanted, tokens) = (pattern.split('.').collect::<Vec<_>>(), word.split('.').collect::<Vec<_>>());
    wanted.len() == tokens.len()
        && wanted.iter().zip(tokens).all(|(wanted, token)| ["*", token].contains(wanted))
}

/// Nothing beyond both, and nothing less, unless two patterns overlap of which neither includes the other.
fn check_intersection(meanings: &[Meaning; 2], both: &[bool]) {
    let [one, other] = meanings;
    let pairs = || one.iter().flat_map(|ours| other.iter().map(move |theirs| (ours, theirs)));
    let overlap = |ours: &[bool], theirs: &[bool]| ours.iter().zip(theirs).any(|(a, b)| *a && *b);
    let is_exact = pairs()
        .all(|(ours, theirs)| !overlap(ours, theirs) || includes(ours, theirs) || includes(theirs, ours));
    for (word, is_in_both) in both.iter().enumerate() {
        let expected = pairs().any(|(ours, theirs)| ours[word] && theirs[word]);
        assert!(!is_in_both || expected, "an intersection allows what one of its sets does not");
        assert!(*is_in_both || !expected || !is_exact, "an intersection loses what both of its sets allow");
    }
}

fn words() -> Vec<String> {
    let longer = |shorter: &[String]| -> Vec<String> {
        shorter.iter().flat_map(|word| TOKENS.map(|token| format!("{word}.{token}"))).collect()
    };
    let mut all = vec![TOKENS.map(String::from).to_vec()];
    for length in 1..DEPTH as usize {
        all.push(longer(&all[length - 1]));
    }
    all.concat()
}

fn meaning(patterns: &[String], words: &[String], is_about: impl Fn(&str, &str) -> bool) -> Meaning {
    patterns.iter().map(|pattern| about(words, |word| is_about(pattern, word))).collect()
}

fn about(words: &[String], is_about: impl Fn(&str) -> bool) -> Vec<bool> {
    words.iter().map(|word| is_about(word)).collect()
}

fn any(meaning: &Meaning, words: &[String]) -> Vec<bool> {
    (0..words.len()).map(|word| meaning.iter().any(|pattern| pattern[word])).collect()
}

fn includes(wide: &[bool], narrow: &[bool]) -> bool {
    wide.iter().zip(narrow).all(|(wide, narrow)| *wide || !narrow)
}
