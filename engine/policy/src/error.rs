//! Everything that can be wrong with a policy, with the place and the remedy.

use std::path::PathBuf;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};

use crate::store::PolicyStore;

/// Why a policy cannot be used.
///
/// All variants are the user's input being wrong (exit code 1), none is a bug of the program.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum PolicyError {
    /// The named policy directory is not there.
    #[error("the policy directory {} does not exist", path.display())]
    #[diagnostic(
        code(policy::no_such_directory),
        help("it was named by {named_by}; leave that out to use the built-in policy")
    )]
    DoesNotExist {
        /// The path as it was given.
        path: PathBuf,
        /// The flag or the environment variable that named it.
        named_by: String,
    },

    /// The named policy directory is a file.
    #[error("the policy path {} is not a directory", path.display())]
    #[diagnostic(
        code(policy::not_a_directory),
        help("it was named by {named_by}; name the directory that holds rbac/, zones/ and the others")
    )]
    NotADirectory {
        /// The path as it was given.
        path: PathBuf,
        /// The flag or the environment variable that named it.
        named_by: String,
    },

    /// Files without which no episode may start are not there, or have no content.
    #[error("{origin} is not a complete policy, it lacks {}", missing.join(", "))]
    #[diagnostic(code(policy::incomplete), help("{hint}"))]
    Incomplete {
        /// The directory.
        origin: String,
        /// Every missing directory and file, each once, in order.
        missing: Vec<String>,
        /// What to do.
        hint: String,
    },

    /// A file that somebody asked for is not in the policy.
    #[error("{origin} has no file {path}")]
    #[diagnostic(code(policy::no_such_file), help("{hint}"))]
    Missing {
        /// The policy.
        origin: String,
        /// Path relative to the policy directory.
        path: String,
        /// What to do.
        hint: String,
    },

    /// The operating system refused to hand out a file or directory.
    #[error("cannot read {}", path.display())]
    #[diagnostic(code(policy::unreadable))]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file is not text in UTF-8, or larger than any policy file should be.
    #[error("{path} {problem}")]
    #[diagnostic(code(policy::unusable_file), help("policy files are UTF-8 text of at most {} KiB", crate::directory::MAX_FILE_BYTES / 1024))]
    Unusable {
        /// Path relative to the policy directory.
        path: String,
        /// What is wrong with it.
        problem: String,
    },

    /// The directory holds far more than a policy.
    #[error("{} holds {problem}", path.display())]
    #[diagnostic(code(policy::too_large), help("is this the policy directory itself, or one of its parents?"))]
    TooLarge {
        /// The directory.
        path: PathBuf,
        /// Which limit was passed.
        problem: String,
    },

    /// A file is malformed, or does not have the shape that its reader needs.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Parse(Box<Located>),

    /// A file lacks the key under which its content is expected.
    #[error(transparent)]
    #[diagnostic(transparent)]
    MissingTopKey(Box<Located>),

    /// A file is well-formed, but what it says makes no sense (a device in an unknown zone, for instance).
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rule(Box<Located>),

    /// References between entries of a file go round in a circle or lead nowhere.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reference(Box<Located>),

    /// The named partner or domain has no overlay.
    #[error("there is no {kind} `{id}` in {origin}")]
    #[diagnostic(code(policy::unknown_overlay), help("{hint}"))]
    UnknownOverlay {
        /// `partner` or `domain`.
        kind: &'static str,
        /// The id as it was given.
        id: String,
        /// The policy.
        origin: String,
        /// The known ids.
        known: Vec<String>,
        /// What to do.
        hint: String,
    },

    /// Overlays build on each other in a way that has no order.
    #[error("the {kind} overlay `{id}` {problem}")]
    #[diagnostic(code(policy::overlay_order), help("{hint}"))]
    Overlay {
        /// `partner` or `domain`.
        kind: &'static str,
        /// The overlay.
        id: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: String,
    },

    /// The policy holds a number that canonical JSON cannot write.
    #[error("the policy has no fingerprint")]
    #[diagnostic(code(policy::no_fingerprint), help("numbers must be finite and fit into 64 bits"))]
    NoFingerprint(#[from] labtrust_trust::canonical::CanonicalError),

    /// The named laboratory profile does not exist.
    #[error("there is no lab profile `{id}` in {origin}")]
    #[diagnostic(code(policy::unknown_profile), help("{hint}"))]
    UnknownProfile {
        /// The id as it was given.
        id: String,
        /// The policy.
        origin: String,
        /// The known ids.
        known: Vec<String>,
        /// What to do.
        hint: String,
    },
}

/// A complaint about one place in one file.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{file}{}: {message}", position(*line, *column))]
#[diagnostic(code(policy::file))]
pub struct Located {
    /// Path of the file relative to the policy directory.
    pub file: String,
    /// Line, counted from 1; 0 when the place is not known.
    pub line: usize,
    /// Column in characters, counted from 1; 0 when the place is not known.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do.
    #[help]
    pub hint: Option<String>,
    /// The whole file, named as the user knows it.
    #[source_code]
    text: NamedSource<Arc<str>>,
    /// The marked place.
    #[label("here")]
    at: Option<SourceSpan>,
}

fn position(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

impl Located {
    /// A complaint about the bytes `offset..offset + length` of `text`. Without an offset the whole file is meant.
    pub(crate) fn new(
        store: &PolicyStore,
        file: &str,
        text: &str,
        place: Option<(usize, usize)>,
        message: String,
        hint: Option<String>,
    ) -> Box<Self> {
        let place = place.map(|(offset, length)| clamp(text, offset, length));
        let (line, column) = place.map_or((0, 0), |(offset, _)| line_and_column(text, offset));
        Box::new(Self {
            file: file.to_owned(),
            line,
            column,
            message,
            hint,
            text: NamedSource::new(store.display_path(file), Arc::from(text)),
            at: place.map(SourceSpan::from),
        })
    }
}

/// Cuts a span so that it lies inside `text` and on character borders; the renderer relies on both.
fn clamp(text: &str, offset: usize, length: usize) -> (usize, usize) {
    let mut start = offset.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = start.saturating_add(length).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (start, end.saturating_sub(start))
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl PolicyError {
    /// A complaint of a domain about what a file says: `message` about the first place where `token` stands.
    ///
    /// `token` is looked for as a whole word outside of comments (a device id, a role, a code). When the file does
    /// not contain it, the complaint is about the file as a whole. An empty `hint` is no hint.
    #[must_use]
    pub fn rule(
        store: &PolicyStore,
        path: &str,
        token: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let hint = hint.into();
        let text = store.text_for_display(path);
        let place = find_token(&text, token);
        Self::Rule(Located::new(store, path, &text, place, message.into(), (!hint.is_empty()).then_some(hint)))
    }

    /// The file that is complained about, if the complaint is about one file of the policy.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Parse(at) | Self::MissingTopKey(at) | Self::Rule(at) | Self::Reference(at) => Some(&at.file),
            Self::Missing { path, .. } | Self::Unusable { path, .. } => Some(path),
            _ => None,
        }
    }

    /// The line that is complained about, counted from 1, if one is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Parse(at) | Self::MissingTopKey(at) | Self::Rule(at) | Self::Reference(at) => {
                (at.line > 0).then_some(at.line)
            }
            _ => None,
        }
    }
}

/// Byte place of the first whole-word occurrence of `token`, comments left out.
pub(crate) fn find_token(text: &str, token: &str) -> Option<(usize, usize)> {
    if token.is_empty() {
        return None;
    }
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        // A `#` starts a comment at the beginning of a line or after a blank.
        let code = line.match_indices('#').find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
        let code = code.map_or(line, |(at, _)| &line[..at]);
        for (at, _) in code.match_indices(token) {
            let before = code[..at].chars().next_back().is_none_or(|c| !word(c));
            // A colon after the word is YAML's, not part of it.
            let after = code[at + token.len()..].chars().next().is_none_or(|c| !word(c) || c == ':');
            if before && after {
                return Some((line_start + at, token.len()));
            }
        }
        line_start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{clamp, find_token, line_and_column};

    #[test]
    fn a_token_is_found_as_a_whole_word_and_not_in_a_comment() {
        let text = "# DEV_1 is old\n- DEV_10  # not DEV_1\n- DEV_1: x\n";
        assert_eq!(find_token(text, "DEV_1"), Some((text.find("- DEV_1:").unwrap() + 2, 5)));
        assert_eq!(find_token(text, "DEV_2"), None);
        assert_eq!(find_token(text, ""), None);
    }

    #[test]
    fn a_span_never_leaves_the_text_or_cuts_a_character() {
        assert_eq!(clamp("aé", 2, 10), (1, 2));
        assert_eq!(clamp("abc", 9, 9), (3, 0));
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        assert_eq!(line_and_column("é: 1\nkey: x", "é: 1\nkey".len()), (2, 4));
        assert_eq!(line_and_column("éx", 2), (1, 2));
    }
}
