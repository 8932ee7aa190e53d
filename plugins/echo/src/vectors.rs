//! Vectors of texts by feature hashing (Weinberger et al., 2009): each word adds one, or takes one away, at a place that
//! its hash says.

/// How many numbers a vector has unless it is said.
pub(crate) const DIMENSIONS: usize = 256;
/// No vector has more.
pub(crate) const MOST: usize = 4096;

/// A vector of length 1 of a text; that of a text without words is 0 everywhere.
pub(crate) fn of(text: &str, dimensions: usize) -> Vec<f64> {
    let mut vector = vec![0.0; dimensions];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = fnv(&word.to_lowercase());
        vector[(hash >> 1) as usize % dimensions] += if hash & 1 == 0 { 1.0 } else { -1.0 };
    }
    let length = vector.iter().map(|number| number * number).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
    vector
}

/// FNV-1a, which is the same everywhere and in every version, with its bits mixed as the lowest ones of it are poor.
fn fnv(word: &str) -> u64 {
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(one: &str, other: &str) -> f64 {
        of(one, DIMENSIONS).iter().zip(of(other, DIMENSIONS)).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn texts_that_share_words_lie_near_each_other() {
        assert!((similarity("The printer is on fire", "the PRINTER is on fire!") - 1.0).abs() < 1e-9);
        let near = similarity("the printer is on fire", "my printer is broken");
        let far = similarity("the printer is on fire", "invoices were sent twice");
        assert!(near > far, "{near} {far}");
        assert!(of("…", 8).iter().all(|number| *number == 0.0));
    }
}
