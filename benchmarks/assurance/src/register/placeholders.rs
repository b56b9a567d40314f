//! Words in policy that somebody meant to replace.

use labtrust_policy::PolicyStore;

/// The words, as they stand by themselves.
const WORDS: &[&str] = &["TODO", "FIXME", "TBD", "XXX", "PLACEHOLDER", "CHANGEME", "REPLACE_ME"];

/// Every such word with its place, `file:line: word`, in the order of the files and lines. A file that cannot be used is
/// among them, so that it does not pass for clean.
#[must_use]
pub fn find(policy: &PolicyStore) -> Vec<String> {
    let mut found = Vec::new();
    let paths: Vec<String> = policy.paths().map(str::to_owned).collect();
    for path in paths {
        let text = match policy.text(&path) {
            Ok(text) => text,
            Err(error) => {
                found.push(format!("{path}: {error}"));
                continue;
            }
        };
        for (line, text) in text.lines().enumerate() {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            found.extend(words.filter(|word| WORDS.contains(word)).map(|word| format!("{path}:{}: {word}", line + 1)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_was_to_be_replaced_is_told_with_its_line_and_the_shipped_policy_has_none() {
        let policy = PolicyStore::builtin();
        assert_eq!(find(&policy), [""; 0]);
        let spoilt = policy.with_text("emits/extra.yaml", "a: 1\nb: TBD # later\nc: TBDS\n");
        assert_eq!(find(&spoilt), ["emits/extra.yaml:2: TBD"]);
    }
}
