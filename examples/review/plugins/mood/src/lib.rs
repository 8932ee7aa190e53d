//! A model provider from outside: `mood` answers with the mood of the prompt, and says what that has used up.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, Usage};

/// The plugin.
#[derive(Debug)]
pub struct Mood;

const GLAD: [&str; 4] = ["thank", "great", "love", "happy"];
const SAD: [&str; 4] = ["broken", "never", "sorry", "angry"];

#[plugin(id = "mood", capabilities = ["chat"])]
impl Mood {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "provider", key = "mood", method = "complete")]
    async fn complete(&self, _context: &Context, request: CompletionRequest) -> Result<Completion> {
        let input_tokens = request.prompt.split_whitespace().count() as u64;
        let usage = Usage { input_tokens, output_tokens: 1, cost: None };
        Ok(Completion { usage: Some(usage), ..Completion::new(mood(&request.prompt), "words-1") })
    }
}

fn mood(text: &str) -> &'static str {
    let text = text.to_lowercase();
    let found = |words: &[&str]| words.iter().filter(|word| text.contains(**word)).count();
    match found(&GLAD).cmp(&found(&SAD)) {
        std::cmp::Ordering::Greater => "glad",
        std::cmp::Ordering::Less => "sad",
        std::cmp::Ordering::Equal => "calm",
    }
}

#[cfg(test)]
mod tests {
    use super::mood;

    #[test]
    fn the_words_that_are_more_decide() {
        assert_eq!(
            [mood("Thank you!"), mood("It never works, sorry"), mood("It is.")],
            ["glad", "sad", "calm"]
        );
    }
}
