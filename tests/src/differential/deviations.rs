//! The list of deviations, read from `docs/deviations.ron`, and its page of the documentation.

use serde::Deserialize;
use std::fmt::Write;

/// Everything that is different from the reference on purpose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    /// By what they concern.
    pub areas: Vec<Area>,
}

/// Deviations of one area.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its heading.
    pub title: String,
    /// In order of their ids.
    pub deviations: Vec<Deviation>,
}

/// One difference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// `D-1`, ... An id is never used for something else.
    pub id: String,
    /// Numbers of the list of known weaknesses.
    pub clauses: Vec<String>,
    /// What the reference does.
    pub reference: String,
    /// What is done here.
    pub here: String,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// How to get the old behaviour.
    pub old: String,
    /// The differences that a comparison puts down to it, in the words of the rules.
    #[serde(default)]
    pub differs_in: Vec<String>,
}

/// The list.
///
/// # Panics
/// When the file is not what it should be.
#[must_use]
pub fn all() -> Deviations {
    ron::from_str(include_str!("../../../docs/deviations.ron")).expect("docs/deviations.ron is a list of deviations")
}

/// The list as it stands in the documentation.
#[must_use]
pub fn page(list: &Deviations) -> String {
    let mut page = String::new();
    for area in &list.areas {
        let shown = area.deviations.iter().any(|deviation| !deviation.differs_in.is_empty());
        let (head, rule) = if shown { (" shows in |", "---|") } else { ("", "") };
        let _ = write!(page, "## {}\n\n| id | reference | here | why | old |{head}\n", area.title);
        let _ = writeln!(page, "|---|---|---|---|---|{rule}");
        for deviation in &area.deviations {
            let Deviation { id, reference, here, why, old, .. } = deviation;
            let clauses = deviation.clauses.join(", ");
            let clauses = if clauses.is_empty() { clauses } else { format!(" ({clauses})") };
            let _ = write!(page, "| {id}{clauses} | {reference} | {here} | {why} | {old} |");
            let _ = writeln!(
                page,
                "{}",
                if shown { format!(" {} |", deviation.differs_in.join("; ")) } else { String::new() }
            );
        }
        page.push('\n');
    }
    page
}
