//! Whether two arms differ, on common seeds.

use crate::episodes::{FIGURES, Judged};
use labtrust_bench::stats::{Confidence, PairedDifference, mean_interval, paired_difference};

/// Mean of each figure over the episodes that have it.
pub(crate) fn means(episodes: &[Judged]) -> [Option<f64>; 4] {
    std::array::from_fn(|figure| {
        let values = column(episodes, figure);
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    })
}

/// A figure as `mean ± half-width` of the interval.
pub(crate) fn cell(episodes: &[Judged], figure: usize, confidence: Confidence) -> String {
    let values = column(episodes, figure);
    let Some(mean) = means(episodes)[figure] else { return "–".to_owned() };
    match mean_interval(&values, confidence) {
        Some(bounds) => format!("{mean:.1} ± {:.1}", (bounds.upper - bounds.lower) / 2.0),
        None => format!("{mean:.1}"),
    }
}

fn column(episodes: &[Judged], figure: usize) -> Vec<f64> {
    episodes.iter().filter_map(|episode| episode.figures[figure]).collect()
}

/// What `first` has more of a figure than `second`, over the seeds on which both have it.
pub(crate) fn difference(
    first: &[Judged],
    second: &[Judged],
    figure: usize,
    confidence: Confidence,
) -> Option<PairedDifference> {
    let both = first.iter().zip(second).filter_map(|(a, b)| Some((a.figures[figure]?, b.figures[figure]?)));
    let (a, b): (Vec<f64>, Vec<f64>) = both.unzip();
    paired_difference(&a, &b, confidence)
}

/// Whether a difference of this sign is a loss: less completed, or more of what should be little.
pub(crate) fn is_loss(figure: usize, difference: f64) -> bool {
    if FIGURES[figure] == FIGURES[0] { difference < 0.0 } else { difference > 0.0 }
}

/// Whether `first` is worse than `second`, with an interval of 95 % that excludes 0.
pub(crate) fn loses(first: &[Judged], second: &[Judged], figure: usize) -> bool {
    let confidence = Confidence::P95;
    difference(first, second, figure, confidence)
        .is_some_and(|found| found.excludes_zero() && is_loss(figure, found.mean))
}
