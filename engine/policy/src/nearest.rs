//! "Did you mean": the known word nearest to a mistyped one.

/// The candidate with the smallest edit distance to `word`, if it is near enough to be meant.
///
/// Case is ignored, an exchange of two neighbours counts as one edit. Near enough: at most a third of the
/// word's length, and at least one edit is allowed. Ties go to the candidate that comes first.
///
/// ```
/// assert_eq!(labtrust_policy::nearest(["RC_DEVICE_BUSY", "RC_DEVICE_FAULT"], "RC_DEVICE_BSY"), Some("RC_DEVICE_BUSY"));
/// assert_eq!(labtrust_policy::nearest(["RC_DEVICE_BUSY"], "zebra"), None);
/// ```
pub fn nearest<'c>(candidates: impl IntoIterator<Item = &'c str>, word: &str) -> Option<&'c str> {
    within(candidates, word, (word.chars().count() / 3).max(1))
}

/// [`nearest`] with at most `allowed` edits [count].
pub(crate) fn within<'c>(candidates: impl IntoIterator<Item = &'c str>, word: &str, allowed: usize) -> Option<&'c str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        if letters.len().abs_diff(word.len()) > allowed {
            continue;
        }
        let edits = distance(&letters, &word);
        if edits <= allowed && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance (insert, delete, replace, exchange neighbours) [count].
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut above: Vec<usize> = (0..width).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let replace = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn two_exchanged_letters_are_one_slip() {
        assert_eq!(nearest(["MOVE", "TICK"], "MVOE"), Some("MOVE"));
    }

    #[test]
    fn the_first_of_two_equally_near_words_is_taken() {
        assert_eq!(nearest(["ZONE_A", "ZONE_B"], "ZONE_C"), Some("ZONE_A"));
        assert_eq!(nearest(["ZONE_B", "ZONE_A"], "ZONE_C"), Some("ZONE_B"));
    }

    #[test]
    fn a_word_with_nothing_in_common_has_no_neighbour() {
        assert_eq!(nearest(["ROLE_RUNNER"], "TICK"), None);
        assert_eq!(nearest([], "TICK"), None);
        assert_eq!(nearest(["abc"], ""), None);
    }
}
