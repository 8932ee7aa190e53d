//! What the targets share: the places of mistakes.

use tapline_host::Mistake;

/// Panics unless there is a mistake, each has something to say, and all are inside the text, in its order.
pub fn check_mistakes(text: &str, mistakes: &[Mistake]) {
    assert!(!mistakes.is_empty(), "a text without a mistake is refused");
    assert!(mistakes.is_sorted_by(|one, next| one.place <= next.place), "{mistakes:?}");
    for mistake in mistakes {
        let line = text.split('\n').nth(mistake.place.line - 1);
        let columns = line.expect("the line is there").chars().count() + 1;
        assert!((1..=columns).contains(&mistake.place.column), "{mistake}");
        assert!(!mistake.message.is_empty(), "{mistake}");
    }
}
