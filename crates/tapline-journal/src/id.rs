use std::sync::Arc;

/// Crockford's base 32: no `i`, `l`, `o` and `u`, so that nobody misreads a name.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 8;

/// A new name for a run: 40 random bits.
pub(crate) fn random() -> Result<Arc<str>, getrandom::Error> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)?;
    let letters: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(letters.into())
}

/// A name, or the beginning of one, as somebody has typed it; `None` when no name begins so.
pub(crate) fn read(typed: &str) -> Option<String> {
    let read: String = typed.chars().map(meant).collect();
    let can_be = (1..=LENGTH).contains(&read.len()) && read.bytes().all(|letter| ALPHABET.contains(&letter));
    can_be.then_some(read)
}

/// The letter that was meant, by Crockford's rules.
const fn meant(letter: char) -> char {
    match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_random_and_readable() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_ne!(one, other);
        for id in [one, other] {
            assert_eq!(read(&id).as_deref(), Some(&*id));
            assert_eq!(id.len(), 8);
        }
    }

    #[test]
    fn a_name_is_read_as_it_was_meant_and_what_is_none_is_refused() {
        assert_eq!(read("K3V").as_deref(), Some("k3v"));
        assert_eq!(read("oil").as_deref(), Some("011"));
        for none in ["", "k3v4k3v4k", "u", "../x", "k%", "k_", "ä", "k\0"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
