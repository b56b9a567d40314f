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
