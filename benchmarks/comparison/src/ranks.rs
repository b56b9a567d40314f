//! How steady the order of methods is: their ranks when the episodes are drawn again.
//!
//! All methods of a size are drawn together, so that a lucky seed is lucky for all of them.

use crate::cells::{Cell, number};
use crate::comparisons::{ATTACKED, Better, COMPARED, Scale, scales};
use crate::episodes::NONE;
use crate::statistics::{RESAMPLES, mean};
use crate::table;
use labtrust_bench::stats::{Bounds, Confidence, percentile_bounds};
use labtrust_kernel::Streams;

/// The rank of a method at one size by one figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Rank {
    /// Size.
    pub scale_id: String,
    /// [`NONE`] or [`ATTACKED`].
    pub injection_id: String,
    /// The figure.
    pub metric: &'static str,
    /// The method.
    pub method_id: String,
    /// Its mean over the episodes that all methods have.
    pub mean: f64,
    /// Its rank, from 1 on; methods with one mean share the middle of their ranks.
    pub rank: f64,
    /// The ranks that 95 of 100 samples give it.
    pub bounds: Bounds,
    /// Share of the samples in which it is first; where several are, each has its part.
    pub first_share: f64,
    /// Episodes that all methods have [count].
    pub episodes: usize,
}

/// Ranks at all sizes, in their order, by the figures of [`COMPARED`].
#[must_use]
pub fn ranks(cells: &[Cell], seed: u64) -> Vec<Rank> {
    let mut all = Vec::new();
    for scale in scales(cells) {
        for injection in [NONE, ATTACKED] {
            for (metric, better) in COMPARED {
                all.extend(of_metric(&scale, injection, metric, better, seed));
            }
        }
    }
    all
}

fn of_metric(scale: &Scale<'_>, injection: &str, metric: &'static str, better: Better, seed: u64) -> Vec<Rank> {
    let common = scale.common(&scale.methods(), injection, metric);
    let episodes = common.first().map_or(0, |(_, figures)| figures.len());
    if episodes == 0 {
        return Vec::new();
    }
    let merits = |places: &[usize]| -> Vec<f64> {
        let of = |figures: &Vec<f64>| mean(&places.iter().map(|&place| figures[place]).collect::<Vec<_>>());
        common.iter().map(|(_, figures)| better.merit(of(figures).unwrap_or_default())).collect()
    };
    let observed = middle_ranks(&merits(&(0..episodes).collect::<Vec<_>>()));
    let purpose = format!("{}/{injection}/{metric}", scale.scale_id);
    let mut stream = Streams::new(seed).stream(&purpose, "ranks");
    let mut seen = vec![Vec::new(); common.len()];
    let mut first = vec![0.0; common.len()];
    for _ in 0..RESAMPLES {
        let draw = |_| usize::try_from(stream.below(episodes as u64)).unwrap_or_default();
        let merits = merits(&(0..episodes).map(draw).collect::<Vec<_>>());
        let best = merits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_first: Vec<bool> = merits.iter().map(|merit| *merit >= best).collect();
        let share = 1.0 / f64::from(u32::try_from(is_first.iter().filter(|is| **is).count()).unwrap_or(1).max(1));
        for (place, rank) in middle_ranks(&merits).into_iter().enumerate() {
            seen[place].push(rank);
            first[place] += if is_first[place] { share } else { 0.0 };
        }
    }
    let one = |place: usize| -> Option<Rank> {
        let (method, figures) = &common[place];
        Some(Rank {
            scale_id: scale.scale_id.to_owned(),
            injection_id: injection.to_owned(),
            metric,
            method_id: (*method).to_owned(),
            mean: mean(figures)?,
            rank: observed[place],
            bounds: percentile_bounds(&seen[place], Confidence::P95)?,
            first_share: first[place] / f64::from(RESAMPLES),
            episodes,
        })
    };
    (0..common.len()).filter_map(one).collect()
}

/// Ranks from the greatest merit on; equal ones share the middle of their ranks.
#[expect(clippy::cast_precision_loss, reason = "a handful of methods")]
fn middle_ranks(merits: &[f64]) -> Vec<f64> {
    let rank = |merit: &f64| {
        let above = merits.iter().filter(|other| *other > merit).count();
        let equal = merits.iter().filter(|other| *other >= merit).count() - above;
        above as f64 + (equal as f64 + 1.0) / 2.0
    };
    merits.iter().map(rank).collect()
}

/// The table of ranks.
#[must_use]
pub fn ranks_csv(all: &[Rank]) -> Vec<u8> {
    let head = [
        "scale_id",
        "injection_id",
        "metric",
        "method_id",
        "mean",
        "rank",
        "rank_lower",
        "rank_upper",
        "first_share",
        "episodes",
        "replicates",
    ];
    let line = |one: &Rank| {
        let figures = [one.mean, one.rank, one.bounds.lower, one.bounds.upper, one.first_share];
        let mut line =
            vec![one.scale_id.clone(), one.injection_id.clone(), one.metric.to_owned(), one.method_id.clone()];
        line.extend(figures.map(|figure| table::text(Some(&number(Some(figure), false)))));
        line.extend([one.episodes.to_string(), RESAMPLES.to_string()]);
        line
    };
    table::table(&head, &all.iter().map(line).collect::<Vec<_>>())
}
