//! Which differences are deliberate: ordered, small predicates, each for one entry of the list of deviations.
//!
//! A rule says what differs and under which circumstances, worked out again from the event and what was before it, and
//! not only from the codes: a refusal that spreads to events it was not meant for is then unexplained.

mod entry;
mod gates;
mod record;
mod results;
mod runs;
mod specimens;
mod tokens;
mod transport;

use super::Case;

/// Whether the states are still alike after a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Only what is reported differs, or the accepted action had no effect.
    Carries,
    /// The states part.
    Parts,
}

/// One predicate.
pub struct Rule {
    /// The deviation it stands for.
    pub deviation: &'static str,
    /// What differs, in a few words.
    pub says: &'static str,
    /// What it does to the states; a difference between two refusals never parts them.
    pub after: After,
    /// Whether it explains a difference.
    pub explains: fn(&Case<'_>) -> bool,
}

/// A difference after which the states are alike.
const fn carries(deviation: &'static str, says: &'static str, explains: fn(&Case<'_>) -> bool) -> Rule {
    Rule { deviation, says, after: After::Carries, explains }
}

/// A difference that parts the states.
const fn parts(deviation: &'static str, says: &'static str, explains: fn(&Case<'_>) -> bool) -> Rule {
    Rule { deviation, says, after: After::Parts, explains }
}

/// The first rule that explains a difference.
#[must_use]
pub fn explain(case: &Case<'_>) -> Option<&'static Rule> {
    all().find(|rule| (rule.explains)(case))
}

/// Every rule, in the order in which they are asked.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    let lists: [&'static [Rule]; 8] = [
        record::RULES,
        gates::RULES,
        tokens::RULES,
        entry::RULES,
        specimens::RULES,
        runs::RULES,
        results::RULES,
        transport::RULES,
    ];
    lists.into_iter().flatten()
}
