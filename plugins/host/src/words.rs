//! What a plugin says in its own words, made fit for one line of a message.

/// Longest text that is repeated [characters].
const LONGEST: usize = 500;

/// The text in `bytes` without line ends and other control characters, and not endless.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let mut plain: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        plain.push_str(" ...");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_a_terminal_is_taken_out() {
        assert_eq!(plain(b"\n no\x1b[2J\nway\xFF\n"), "no [2J way\u{fffd}");
        let long = plain(&[b'a'; 1000]);
        assert_eq!((long.len(), long.ends_with("a ...")), (504, true));
    }
}
