//! Methods against each other, two at a time, on the episodes of common seeds.
//!
//! What a seed does to both methods cancels in the difference of their figures, so differences are what is averaged, drawn again and tested.
//! Three sorts of comparison stand beside each other and are never pooled: the baseline, every injection by itself, and [`ATTACKED`], the mean
//! over the injections that both methods met, episode by episode. Episodes are what is independent; injections on one seed are not.

use crate::cells::{Cell, number};
use crate::episodes::{COMMON_SCORE, EpisodeRow, NONE};
use crate::statistics::{FEWEST_SIGNS, cliffs_delta, cohens_d_z, holm, mean, mean_bounds, sign_flip};
use crate::table;
use labtrust_bench::stats::Bounds;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for all injections of a size together.
pub const ATTACKED: &str = "*";

/// Adjusted p values below this tell two methods apart.
pub const SIGNIFICANCE: f64 = 0.05;

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Better {
    /// `max` or `min`, as the published objectives say it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Higher => "max",
            Self::Lower => "min",
        }
    }

    /// The value with the sign that makes more better.
    #[must_use]
    pub fn merit(self, value: f64) -> f64 {
        match self {
            Self::Higher => value,
            Self::Lower => -value,
        }
    }
}

/// What is compared, and which way it is better.
pub const COMPARED: [(&str, Better); 6] = [
    ("perf.throughput", Better::Higher),
    ("perf.p95_tat", Better::Lower),
    ("perf.on_time_rate", Better::Higher),
    ("safety.violations_total", Better::Lower),
    ("sec.attack_success_rate", Better::Lower),
    (COMMON_SCORE, Better::Higher),
];

/// Two methods, one figure, one size, one injection.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Size.
    pub scale_id: String,
    /// Injection, [`NONE`] or [`ATTACKED`].
    pub injection_id: String,
    /// The figure.
    pub metric: &'static str,
    /// Which way it is better.
    pub better: Better,
    /// The method that comes first by its name.
    pub first: String,
    /// The other.
    pub second: String,
    /// Episodes that both have [count].
    pub pairs: usize,
    /// Those of them in which they differ [count].
    pub differing: usize,
    /// Means of these episodes, first and second.
    pub means: [f64; 2],
    /// Mean of first minus second.
    pub difference: f64,
    /// Its 95 % interval.
    pub bounds: Option<Bounds>,
    /// The test's p value.
    pub p_value: f64,
    /// The same, adjusted for the comparisons of its family.
    pub p_holm: f64,
    /// Which test.
    pub test: &'static str,
    /// Size of the effect in standard deviations of the differences.
    pub d_z: Option<f64>,
    /// Size of the effect as an order.
    pub delta: Option<f64>,
}

impl Comparison {
    /// The comparisons that it is adjusted together with: of one size, one figure, and one sort of work.
    #[must_use]
    pub fn family(&self) -> String {
        let sort = match self.injection_id.as_str() {
            NONE => "baseline",
            ATTACKED => "attacked",
            _ => "by_injection",
        };
        format!("{}/{}/{sort}", self.scale_id, self.metric)
    }

    /// The method that is better beyond chance; none where they cannot be told apart.
    #[must_use]
    pub fn winner(&self) -> Option<&str> {
        let advantage = self.better.merit(self.difference);
        match self.p_holm < SIGNIFICANCE {
            true if advantage > 0.0 => Some(&self.first),
            true if advantage < 0.0 => Some(&self.second),
            _ => None,
        }
    }
}

/// The place and the seed of an episode: what two methods have in common.
type Work = (u32, u64);

/// Figures by the work that they are of.
type Figures = BTreeMap<Work, f64>;

fn figures(cell: &Cell, metric: &str) -> Figures {
    let one = |episode: &EpisodeRow| Some(((episode.episode, episode.seed), episode.value(metric)?));
    cell.episodes.iter().filter_map(one).collect()
}

/// The figures of every cell of a size under one metric, and which of its injections arrived.
pub(crate) struct Scale<'a> {
    pub(crate) scale_id: &'a str,
    /// Method, injection, cell.
    cells: BTreeMap<&'a str, BTreeMap<&'a str, &'a Cell>>,
}

/// The sizes of some cells.
pub(crate) fn scales(cells: &[Cell]) -> Vec<Scale<'_>> {
    let mut all: BTreeMap<&str, BTreeMap<&str, BTreeMap<&str, &Cell>>> = BTreeMap::new();
    for cell in cells {
        let of_scale = all.entry(&cell.key.scale_id).or_default();
        of_scale.entry(&cell.key.method_id).or_default().insert(&cell.key.injection_id, cell);
    }
    all.into_iter().map(|(scale_id, cells)| Scale { scale_id, cells }).collect()
}

impl<'a> Scale<'a> {
    pub(crate) fn methods(&self) -> Vec<&'a str> {
        self.cells.keys().copied().collect()
    }

    /// All injections of the size, the baseline among them.
    fn injections(&self) -> BTreeSet<&'a str> {
        self.cells.values().flat_map(|cells| cells.keys().copied()).collect()
    }

    /// Whether anything but the baseline was run.
    pub(crate) fn is_attacked(&self) -> bool {
        self.injections().iter().any(|injection| *injection != NONE)
    }

    /// Why a method wins nothing: it releases nothing even undisturbed, or, where there is no baseline, in any cell.
    pub(crate) fn idle(&self, method: &str) -> Option<&'static str> {
        let cells = self.cells.get(method)?;
        let works = |cell: &&Cell| cell.values("perf.throughput").iter().any(|count| *count > 0.0);
        match cells.get(NONE) {
            Some(baseline) if !works(baseline) => Some("it releases nothing in the baseline"),
            None if !cells.values().any(works) => Some("it releases nothing, and there is no baseline"),
            _ => None,
        }
    }

    /// Figures of some methods on common work, with equal places for equal episodes. [`ATTACKED`] takes the injections that all of them have.
    /// Methods without a figure are left out.
    pub(crate) fn common(&self, methods: &[&'a str], injection: &str, metric: &str) -> Vec<(&'a str, Vec<f64>)> {
        let per_method = |method: &'a str| -> BTreeMap<&'a str, Figures> {
            let wanted = |id: &&str| if injection == ATTACKED { *id != NONE } else { *id == injection };
            let cells = self.cells.get(method).into_iter().flatten();
            // An attack that never arrived says nothing of security.
            let says = |cell: &Cell| match metric {
                COMMON_SCORE => cell.is_baseline() || cell.is_attacked(),
                _ => !metric.starts_with("sec.") || cell.is_attacked(),
            };
            let cells = cells.filter(|(id, cell)| wanted(id) && says(cell));
            let cells = cells.map(|(id, cell)| (*id, figures(cell, metric)));
            cells.filter(|(_, figures)| !figures.is_empty()).collect()
        };
        let all: Vec<(&'a str, BTreeMap<&'a str, Figures>)> = methods
            .iter()
            .map(|method| (*method, per_method(method)))
            .filter(|(_, figures)| !figures.is_empty())
            .collect();
        let Some((_, first)) = all.first() else { return Vec::new() };
        let injections: Vec<&str> =
            first.keys().copied().filter(|id| all.iter().all(|(_, figures)| figures.contains_key(id))).collect();
        let has =
            |work: &Work| all.iter().all(|(_, figures)| injections.iter().all(|id| figures[id].contains_key(work)));
        let works: Vec<Work> =
            injections.first().map_or_else(Vec::new, |id| first[id].keys().copied().filter(|work| has(work)).collect());
        let averaged = |figures: &BTreeMap<&str, Figures>| -> Vec<f64> {
            let of_work = |work: &Work| mean(&injections.iter().map(|id| figures[id][work]).collect::<Vec<_>>());
            works.iter().filter_map(of_work).collect()
        };
        all.iter().map(|(method, figures)| (*method, averaged(figures))).collect()
    }
}

/// All comparisons of a study, in the order of sizes, injections, figures and methods.
#[must_use]
pub fn comparisons(cells: &[Cell], seed: u64) -> Vec<Comparison> {
    let scales = scales(cells);
    let mut asked = Vec::new();
    for scale in &scales {
        let mut injections = scale.injections();
        if scale.is_attacked() {
            injections.insert(ATTACKED);
        }
        let with_metric = |injection| COMPARED.map(|(metric, better)| (scale, injection, metric, better));
        asked.extend(injections.into_iter().flat_map(with_metric));
    }
    // Each has draws of its own, so nothing depends on who is first.
    let found = asked
        .into_par_iter()
        .map(|(scale, injection, metric, better)| of_metric(scale, injection, metric, better, seed));
    let mut all: Vec<Comparison> = found.collect::<Vec<_>>().into_iter().flatten().collect();
    adjust(&mut all, Comparison::family);
    all
}

fn of_metric(scale: &Scale<'_>, injection: &str, metric: &'static str, better: Better, seed: u64) -> Vec<Comparison> {
    let methods = scale.methods();
    let mut all = Vec::new();
    for (place, first) in methods.iter().enumerate() {
        for second in &methods[place + 1..] {
            let common = scale.common(&[first, second], injection, metric);
            let [(_, a), (_, b)] = common.as_slice() else { continue };
            let [Some(mean_a), Some(mean_b)] = [mean(a), mean(b)] else { continue };
            let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            let purpose = format!("{}/{injection}/{metric}/{first}/{second}", scale.scale_id);
            let tested = sign_flip(&differences, seed, &purpose);
            all.push(Comparison {
                scale_id: scale.scale_id.to_owned(),
                injection_id: injection.to_owned(),
                metric,
                better,
                first: (*first).to_owned(),
                second: (*second).to_owned(),
                pairs: differences.len(),
                differing: tested.signs,
                means: [mean_a, mean_b],
                difference: mean(&differences).unwrap_or_default(),
                bounds: mean_bounds(&differences, seed, &purpose),
                p_value: tested.p_value,
                p_holm: tested.p_value,
                test: tested.name,
                d_z: cohens_d_z(&differences),
                delta: cliffs_delta(a, b),
            });
        }
    }
    all
}

/// Adjusts the p values of every family by itself. A comparison of which too few pairs differ cannot reach [`SIGNIFICANCE`] whatever the signs:
/// it is no chance of an error, is not counted, and its adjusted value is 1.
///
/// Source: R. Tarone, "A modified Bonferroni method for discrete data", Biometrics 46(2), 1990.
pub(crate) fn adjust(all: &mut [Comparison], family: impl Fn(&Comparison) -> String) {
    let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, one) in all.iter_mut().enumerate() {
        one.p_holm = 1.0;
        if one.differing >= FEWEST_SIGNS {
            families.entry(family(one)).or_default().push(place);
        }
    }
    for places in families.values() {
        let raw: Vec<f64> = places.iter().map(|&place| all[place].p_value).collect();
        for (&place, adjusted) in places.iter().zip(holm(&raw)) {
            all[place].p_holm = adjusted;
        }
    }
}

/// Columns of the table of comparisons.
pub const COMPARISON_COLUMNS: [&str; 21] = [
    "scale_id",
    "injection_id",
    "metric",
    "better",
    "method_a",
    "method_b",
    "pairs",
    "pairs_differing",
    "mean_a",
    "mean_b",
    "difference",
    "difference_ci_lower",
    "difference_ci_upper",
    "ci_method",
    "test",
    "p_value",
    "p_holm",
    "family",
    "cohens_d_z",
    "cliffs_delta",
    "verdict",
];

/// The table of comparisons. The verdict names the method that is better beyond chance, or says `indistinguishable`.
#[must_use]
pub fn comparisons_csv(all: &[Comparison]) -> Vec<u8> {
    let figure = |value: Option<f64>| table::text(Some(&number(value, false)));
    let line = |one: &Comparison| {
        vec![
            one.scale_id.clone(),
            one.injection_id.clone(),
            one.metric.to_owned(),
            one.better.word().to_owned(),
            one.first.clone(),
            one.second.clone(),
            one.pairs.to_string(),
            one.differing.to_string(),
            figure(Some(one.means[0])),
            figure(Some(one.means[1])),
            figure(Some(one.difference)),
            figure(one.bounds.map(|bounds| bounds.lower)),
            figure(one.bounds.map(|bounds| bounds.upper)),
            crate::statistics::CI_METHOD.to_owned(),
            one.test.to_owned(),
            figure(Some(one.p_value)),
            figure(Some(one.p_holm)),
            one.family(),
            figure(one.d_z),
            figure(one.delta),
            one.winner().unwrap_or("indistinguishable").to_owned(),
        ]
    };
    table::table(&COMPARISON_COLUMNS, &all.iter().map(line).collect::<Vec<_>>())
}
