//! Many shifts, and what can be said of all of them.

use crate::{Department, Outcome};
use labtrust_kernel::stats::{Interval, Tally};

/// Shifts with the seeds `seed`, `seed + 1`, ..: replications.
pub fn replicate(department: &Department, seed: u64, count: u64) -> Vec<Outcome> {
    (0..count).map(|replication| department.run(seed.wrapping_add(replication))).collect()
}

/// The 95 % interval (Student's t) of a figure over shifts; `None` when fewer than two have it.
pub fn interval(shifts: impl Iterator<Item = Option<f64>>) -> Option<Interval> {
    let mut tally = Tally::new();
    tally.extend(shifts.flatten());
    tally.interval_95()
}

/// The interval of what `changed` has more than `base`, shift by shift. Both were given the same patients (common random
/// numbers), so that their luck cancels out.
pub fn gain(base: &[Outcome], changed: &[Outcome], figure: impl Fn(&Outcome) -> Option<f64>) -> Option<Interval> {
    interval(base.iter().zip(changed).map(|(before, after)| Some(figure(after)? - figure(before)?)))
}
