//! What may be said of methods: who dominates whom, and who wins a size, beyond chance. What the data do not separate is called
//! indistinguishable.

use crate::cells::Cell;
use crate::comparisons::{ATTACKED, Comparison, SIGNIFICANCE, adjust, scales};
use crate::episodes::{COMMON_SCORE, NONE};
use crate::statistics::mean;
use std::collections::BTreeMap;

/// The figure that a size is won by.
pub const WON_BY: &str = COMMON_SCORE;

/// The figures that two methods are told apart by, and the work that each is of: those of the main front.
const TOLD_APART_BY: [(&str, &str); 4] = [
    ("perf.throughput", NONE),
    ("perf.p95_tat", NONE),
    ("safety.violations_total", NONE),
    ("sec.attack_success_rate", ATTACKED),
];

/// How two methods of a size stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The first is better in something and worse in nothing, beyond chance.
    Dominates,
    /// The second is.
    Dominated,
    /// No difference is beyond chance.
    Tied,
    /// Each is better in something.
    Incomparable,
}

impl Relation {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dominates => "dominates",
            Self::Dominated => "dominated",
            Self::Tied => "tied",
            Self::Incomparable => "incomparable",
        }
    }
}

/// Two methods of a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Size.
    pub scale_id: String,
    /// The method that comes first by its name.
    pub first: String,
    /// The other.
    pub second: String,
    /// How the first stands to the second.
    pub relation: Relation,
    /// In what the first is better.
    pub first_better_on: Vec<&'static str>,
    /// In what the second is better.
    pub second_better_on: Vec<&'static str>,
    /// Objectives that could not be compared: a figure is missing.
    pub not_compared: Vec<&'static str>,
}

/// All pairs of methods. P values are adjusted over all pairs and objectives of a size together.
#[must_use]
pub fn pairs(all: &[Comparison]) -> Vec<Pair> {
    let is_asked = |one: &&Comparison| {
        TOLD_APART_BY.iter().any(|(metric, work)| *metric == one.metric && *work == one.injection_id)
    };
    let mut asked: Vec<Comparison> = all.iter().filter(is_asked).cloned().collect();
    adjust(&mut asked, |one| one.scale_id.clone());
    let mut pairs: BTreeMap<(&str, &str, &str), Vec<&Comparison>> = BTreeMap::new();
    for one in &asked {
        pairs.entry((&one.scale_id, &one.first, &one.second)).or_default().push(one);
    }
    pairs
        .into_iter()
        .map(|((scale_id, first, second), found)| {
            let better = |who: &str| -> Vec<&'static str> {
                found.iter().filter(|one| one.winner() == Some(who)).map(|one| one.metric).collect()
            };
            let (first_better_on, second_better_on) = (better(first), better(second));
            let relation = match (first_better_on.is_empty(), second_better_on.is_empty()) {
                (true, true) => Relation::Tied,
                (false, true) => Relation::Dominates,
                (true, false) => Relation::Dominated,
                (false, false) => Relation::Incomparable,
            };
            let is_missing = |metric: &str| !found.iter().any(|one| one.metric == metric);
            let not_compared = TOLD_APART_BY.iter().map(|(metric, _)| *metric).filter(|one| is_missing(one)).collect();
            let [scale_id, first, second] = [scale_id, first, second].map(str::to_owned);
            Pair { scale_id, first, second, relation, first_better_on, second_better_on, not_compared }
        })
        .collect()
}

/// Who wins a size.
#[derive(Clone, Debug, PartialEq)]
pub struct Winner {
    /// Size.
    pub scale_id: String,
    /// The work that it is about: [`ATTACKED`], or [`NONE`] where nothing was attacked.
    pub injection_id: String,
    /// The winner; none where the data do not say.
    pub winner: Option<String>,
    /// The methods that cannot be told from the one with the highest mean, it among them, best first.
    pub indistinguishable: Vec<String>,
    /// Means of the methods in question, best first.
    pub means: Vec<(String, f64)>,
    /// Methods that are not in question, with why.
    pub left_out: Vec<(String, String)>,
}

impl Winner {
    /// The verdict in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        match (&self.winner, self.indistinguishable.as_slice()) {
            (Some(winner), _) => winner.clone(),
            (None, []) => "no method is in question".to_owned(),
            (None, [only]) => format!("{only} is the only method in question; there is nothing to win against"),
            (None, all) => format!("indistinguishable: {}", all.join(", ")),
        }
    }
}

/// Who wins each size by its mean score: the method with the highest one, if it is better than every other beyond chance. A method that does
/// no work undisturbed wins nothing, however little goes wrong with it. P values are adjusted over all pairs of the size.
#[must_use]
pub fn winners(cells: &[Cell], all: &[Comparison]) -> Vec<Winner> {
    scales(cells)
        .iter()
        .map(|scale| {
            let work = if scale.is_attacked() { ATTACKED } else { NONE };
            let mut left_out = Vec::new();
            let mut candidates = Vec::new();
            for method in scale.methods() {
                match scale.idle(method) {
                    Some(why) => left_out.push((method.to_owned(), why.to_owned())),
                    None => candidates.push(method),
                }
            }
            let common = scale.common(&candidates, work, WON_BY);
            let is_measured =
                |method: &str| common.iter().any(|(name, figures)| *name == method && !figures.is_empty());
            for method in candidates.into_iter().filter(|method| !is_measured(method)) {
                left_out.push((
                    method.to_owned(),
                    "it has no score on work that all methods did; the same injections must arrive at all of them"
                        .to_owned(),
                ));
            }
            let mut means: Vec<(String, f64)> =
                common.iter().filter_map(|(method, figures)| Some(((*method).to_owned(), mean(figures)?))).collect();
            means.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let beats = |best: &str, other: &str| {
                all.iter().any(|one| {
                    one.scale_id == scale.scale_id
                        && one.injection_id == work
                        && one.metric == WON_BY
                        && one.p_holm < SIGNIFICANCE
                        && one.winner() == Some(best)
                        && (one.first == other || one.second == other)
                })
            };
            let best = means.first().map(|(method, _)| method.clone()).unwrap_or_default();
            let indistinguishable: Vec<String> = means
                .iter()
                .map(|(method, _)| method.clone())
                .filter(|method| *method == best || !beats(&best, method))
                .collect();
            let has_rivals = means.len() > 1;
            Winner {
                scale_id: scale.scale_id.to_owned(),
                injection_id: work.to_owned(),
                winner: (has_rivals && indistinguishable.len() == 1).then_some(best),
                indistinguishable,
                means,
                left_out,
            }
        })
        .collect()
}
