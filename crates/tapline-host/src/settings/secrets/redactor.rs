use super::Secrets;

/// Takes secrets out of bytes that come in pieces, wherever the pieces end.
///
/// What could be the beginning of a value is held back until it is known.
#[derive(Debug)]
pub(crate) struct Redactor {
    secrets: Secrets,
    /// What is held back.
    held: Vec<u8>,
    /// So many bytes at the begin of it are part of a value for which a mark has been given out.
    marked: usize,
}

impl Redactor {
    pub(crate) const fn new(secrets: Secrets) -> Self {
        Self { secrets, held: Vec::new(), marked: 0 }
    }

    /// Takes a piece, and gives out what is known of it and of those before it.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let known =
            self.held.len() - self.secrets.finder.as_ref().map_or(0, |finder| finder.begun(&self.held));
        self.give(known)
    }

    /// Gives out the rest.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.give(self.held.len())
    }

    /// Gives out the bytes up to a place. A value that begins later is found again with what comes.
    fn give(&mut self, known: usize) -> Vec<u8> {
        let (mut given, mut done) = (Vec::new(), self.marked);
        if let Some(finder) = &self.secrets.finder {
            for (range, mark) in finder.found(&self.held) {
                if range.start >= known {
                    break;
                }
                if range.start >= done {
                    given.extend_from_slice(&self.held[done..range.start]);
                    given.extend_from_slice(mark.as_bytes());
                }
                done = done.max(range.end);
            }
        }
        if done < known {
            given.extend_from_slice(&self.held[done..known]);
        }
        self.marked = done.saturating_sub(known);
        self.held.drain(..known);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets() -> Secrets {
        Secrets::new([("a", "s3cret-one".to_owned()), ("b", "one-two!".to_owned()), ("c", "aaaa".to_owned())])
            .unwrap()
    }

    fn in_pieces(text: &[u8], size: usize) -> Vec<u8> {
        let mut redactor = Redactor::new(secrets());
        let mut given: Vec<u8> = text.chunks(size).flat_map(|piece| redactor.push(piece)).collect();
        given.extend(redactor.finish());
        given
    }

    #[test]
    fn a13_a_value_is_found_wherever_the_pieces_end() {
        let text = "x s3cret-one y czNjcmV0LW9uZQ== z s3cret-o s3cret-one-two! \u{ff} aaaaaaa s3cret-on";
        let expected = "x «secret:a» y «secret:a» z s3cret-o «secret:a» \u{ff} «secret:c» s3cret-on";
        for size in 1..text.len() {
            assert_eq!(String::from_utf8(in_pieces(text.as_bytes(), size)).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn what_cannot_become_a_value_is_not_held_back() {
        let mut redactor = Redactor::new(secrets());
        assert_eq!(redactor.push(b"data: hello\n\n"), b"data: hello\n\n");
        assert_eq!(redactor.push(b"data: s3c"), b"data: ");
        assert_eq!(redactor.push(b"ond"), b"s3cond");
    }

    proptest! {
        #[test]
        fn pieces_are_redacted_as_the_whole(text in "[aos3cret\\-two! ]{0,60}", size in 1_usize..9) {
            let whole = secrets().redact(&text).into_owned();
            prop_assert_eq!(String::from_utf8(in_pieces(text.as_bytes(), size)).unwrap(), whole);
        }
    }
}
