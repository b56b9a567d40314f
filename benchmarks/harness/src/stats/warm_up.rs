//! Where a run that starts empty has settled: what comes before says more about the start than about the system.

use labtrust_kernel::stats::Tally;

/// Observations that are averaged before the rule is applied [count].
const BATCH: usize = 5;
/// Fewer batches than this say nothing about a beginning [count].
const BATCHES_MIN: usize = 10;
/// Batches that are always kept: the error of fewer is itself no more than chance [count].
const KEPT_MIN: usize = 5;

/// What the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// Leave out this many observations at the beginning [count]; a multiple of five, maybe 0.
    LeaveOut(usize),
    /// The best place to cut lies in the second half: the run is too short to tell, or does not settle.
    NotSettled,
}

/// The marginal standard error rule on means of five observations, for one output series in time order: leave out what
/// makes the standard error of the mean of the rest smallest.
///
/// Fewer than fifty observations, or one that is not a number, are [`WarmUp::NotSettled`]. Up to four observations at
/// the end that fill no batch are not looked at.
///
/// Source: K. P. White, M. J. Cobb and S. C. Spratt, "A comparison of five steady-state truncation heuristics for
/// simulation", Proceedings of the Winter Simulation Conference, 2000.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 observations are years of simulating")]
pub fn mser5(observations: &[f64]) -> WarmUp {
    let batches: Vec<f64> =
        observations.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    if batches.len() < BATCHES_MIN || observations.iter().any(|value| !value.is_finite()) {
        return WarmUp::NotSettled;
    }
    // From the end, so that every place to cut costs one step.
    let mut kept = Tally::new();
    let mut best: Option<(usize, f64)> = None;
    for (cut, &batch) in batches.iter().enumerate().rev() {
        kept.add(batch);
        let count = batches.len() - cut;
        if count < KEPT_MIN {
            continue;
        }
        let error = kept.variance().unwrap_or(0.0) * (count - 1) as f64 / (count * count) as f64;
        // Of equal errors the one that leaves out less.
        if best.is_none_or(|(_, least)| error <= least) {
            best = Some((cut, error));
        }
    }
    match best {
        Some((cut, _)) if cut <= batches.len() / 2 => WarmUp::LeaveOut(cut * BATCH),
        _ => WarmUp::NotSettled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_kernel::Streams;

    fn noise(count: usize) -> Vec<f64> {
        let mut stream = Streams::new(5).stream("noise", "test");
        (0..count).map(|_| stream.uniform()).collect()
    }

    #[test]
    fn what_rises_at_the_beginning_is_left_out() {
        let mut run = noise(1000);
        for (place, value) in run.iter_mut().take(100).enumerate() {
            *value -= 10.0 * (1.0 - place as f64 / 100.0);
        }
        let WarmUp::LeaveOut(cut) = mser5(&run) else { panic!("it settles") };
        assert!((80..150).contains(&cut) && cut % 5 == 0, "{cut}");
    }

    #[test]
    fn a_run_that_starts_settled_is_kept_nearly_whole() {
        let WarmUp::LeaveOut(cut) = mser5(&noise(1000)) else { panic!("it is settled") };
        assert!(cut < 300, "{cut}");
        assert_eq!(mser5(&[3.0; 100]), WarmUp::LeaveOut(0));
    }

    #[test]
    fn a_run_that_does_not_settle_is_told() {
        let rising: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(mser5(&rising), WarmUp::NotSettled);
        assert_eq!(mser5(&[1.0; 49]), WarmUp::NotSettled);
        assert_eq!(mser5(&[]), WarmUp::NotSettled);
        let mut broken = noise(100);
        broken[3] = f64::NAN;
        assert_eq!(mser5(&broken), WarmUp::NotSettled);
    }
}
