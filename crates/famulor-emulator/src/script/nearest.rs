//! What somebody who mistyped a word meant.

/// The nearest of the known words, if one is near.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, nearest) = known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .min()?;
    // A third of the word wrong is a typing mistake; more is another word.
    (distance <= word.chars().count().div_ceil(3)).then_some(nearest)
}

/// Levenshtein's: insertions, deletions and replacements.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_mended_and_another_word_is_not() {
        let known = ["assistants", "rules", "faults", "latency"];
        assert_eq!(nearest("assistents", &known), Some("assistants"));
        assert_eq!(nearest("rule", &known), Some("rules"));
        assert_eq!(nearest("latnecy", &known), Some("latency"));
        assert_eq!(nearest("colour", &known), None);
    }
}
