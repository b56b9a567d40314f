//! What can be wrong with a policy section. Refusals of the running pipeline are not errors and live with their gates.

/// A policy section that cannot be compiled. [`TrustError::token`] is the offending text as it stands in the file, so
/// that the reader of the file can point at it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A name that nothing defines.
    #[error("{place} names {what} `{name}`, which is not defined")]
    Undefined {
        /// What kind of thing was named: `role`, `action`, `handler`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// Where it was named: `agent A_QC`.
        place: String,
        /// What to write instead.
        hint: String,
    },
    /// An id that is defined twice.
    #[error("{what} `{name}` is defined twice ({place})")]
    Duplicate {
        /// What kind of thing.
        what: &'static str,
        /// The id.
        name: String,
        /// Both places, or both owners.
        place: String,
        /// What to do.
        hint: String,
    },
    /// A value outside what the field can mean.
    #[error("{place}: `{value}` is not {expected}")]
    Value {
        /// The value as written.
        value: String,
        /// What would be right.
        expected: &'static str,
        /// Which field of which entry.
        place: String,
        /// What to write instead.
        hint: String,
    },
}

impl TrustError {
    /// The offending text as it stands in the policy file.
    #[must_use]
    pub fn token(&self) -> &str {
        match self {
            Self::Undefined { name, .. } | Self::Duplicate { name, .. } => name,
            Self::Value { value, .. } => value,
        }
    }

    /// A sentence on how to put it right.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Undefined { hint, .. } | Self::Duplicate { hint, .. } | Self::Value { hint, .. } => hint,
        }
    }
}

/// The entry of `known` that is closest to `name`, as a hint; the first in order when several are equally close.
pub(crate) fn nearest_hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= name.len().max(3) / 2)
        .map_or_else(|| "define it, or correct the spelling".to_owned(), |(_, text)| format!("did you mean `{text}`?"))
}

/// Levenshtein distance over bytes; good enough for ids.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_closest_known_name_as_a_hint() {
        assert_eq!(nearest_hint("ROLE_QQ", ["ROLE_QC", "ROLE_RUNNER"]), "did you mean `ROLE_QC`?");
        assert_eq!(nearest_hint("X", ["ROLE_RUNNER"]), "define it, or correct the spelling");
    }
}
