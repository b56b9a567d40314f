//! How many specimens come, when, and how urgent they are.
//!
//! Without priors: a uniform count, uniform arrival times, everything routine. With the `workload_priors` of a
//! partner's calibration: their count, arrivals spread evenly around their mean and cut to their range, and STAT at
//! their rate. A prior that is absent or no number leaves the task's own figure in force.

use labtrust_kernel::Streams;
use serde_json::{Map, Value};

/// How much arrives when.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Fewest specimens [count].
    pub n_min: i64,
    /// Most specimens [count].
    pub n_max: i64,
    /// Latest arrival [s].
    pub arrival_max_s: i64,
}

/// One specimen to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// When [s].
    pub(super) at_s: i64,
    /// Whether it is STAT.
    pub(super) stat: bool,
}

/// Draws the arrivals of an episode. Each kind of draw has a stream of its own, so a count never moves a time.
pub(super) fn draw(
    task: &str,
    workload: Workload,
    seed: u64,
    calibration: Option<&Map<String, Value>>,
) -> Vec<Arrival> {
    let streams = Streams::new(seed);
    let (mut times, mut urgency) = (streams.stream("task.arrivals", task), streams.stream("task.priority", task));
    let priors = Priors { map: calibration.and_then(|c| c.get("workload_priors")).and_then(Value::as_object) };
    let (n_min, n_max) = (priors.int("n_specimens_min", workload.n_min), priors.int("n_specimens_max", workload.n_max));
    let n = streams.stream("task.count", task).between(n_min.max(0), n_min.max(n_max).max(0));
    let cap = priors.int("arrival_max_s", workload.arrival_max_s).max(0);
    let stat_rate = priors.number("stat_rate", 0.0);
    let spread = priors.map.map(|_| {
        let mean = priors.int("arrival_mean_s", workload.arrival_max_s / 2);
        let scale = priors.int("arrival_scale_s", workload.arrival_max_s / 4).max(0);
        (mean, scale)
    });
    (0..n)
        .map(|_| Arrival {
            at_s: match spread {
                None => times.between(0, cap),
                Some((mean, scale)) => around(mean, scale, times.uniform()).clamp(0, cap),
            },
            // Drawn in any case: with and without a rate the other specimens see the same numbers.
            stat: urgency.bernoulli(stat_rate),
        })
        .collect()
}

/// `mean` and up to `scale` to either side, cut towards zero; `u` is uniform in [0, 1).
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "seconds of a day, not of an age")]
fn around(mean: i64, scale: i64, u: f64) -> i64 {
    (mean as f64 + (2.0 * u - 1.0) * scale as f64) as i64
}

/// The priors, read leniently.
struct Priors<'a> {
    map: Option<&'a Map<String, Value>>,
}

impl Priors<'_> {
    fn number(&self, key: &str, otherwise: f64) -> f64 {
        self.map.and_then(|map| map.get(key)).and_then(Value::as_f64).unwrap_or(otherwise)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest whole number in range")]
    fn int(&self, key: &str, otherwise: i64) -> i64 {
        let value = self.map.and_then(|map| map.get(key));
        value.and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64))).unwrap_or(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WORKLOAD: Workload = Workload { n_min: 3, n_max: 6, arrival_max_s: 50 };

    fn priors(value: Value) -> Map<String, Value> {
        Map::from_iter([("workload_priors".to_owned(), value)])
    }

    #[test]
    fn both_ends_of_every_range_occur_and_nothing_beyond() {
        let all: Vec<_> = (0..1000).map(|seed| draw("t", WORKLOAD, seed, None)).collect();
        let counts: Vec<_> = all.iter().map(Vec::len).collect();
        assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&3), Some(&6)));
        let times: Vec<_> = all.iter().flatten().map(|a| a.at_s).collect();
        assert_eq!((times.iter().min(), times.iter().max()), (Some(&0), Some(&50)));
        assert!(all.iter().flatten().all(|a| !a.stat));
    }

    #[test]
    fn priors_replace_counts_times_and_urgency() {
        let priors = priors(json!({
            "arrival_mean_s": 50, "arrival_scale_s": 25.0, "arrival_max_s": 70, "stat_rate": 0.12,
            "n_specimens_min": 2, "n_specimens_max": 4
        }));
        let all: Vec<_> = (0..1000).map(|seed| draw("t", WORKLOAD, seed, Some(&priors))).collect();
        let counts: Vec<_> = all.iter().map(Vec::len).collect();
        assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&2), Some(&4)));
        let times: Vec<_> = all.iter().flatten().map(|a| a.at_s).collect();
        assert_eq!((times.iter().min(), times.iter().max()), (Some(&25), Some(&70)));
        let stat = all.iter().flatten().filter(|a| a.stat).count() as f64 / times.len() as f64;
        assert!((0.10..0.14).contains(&stat), "{stat}");
    }

    #[test]
    fn a_rate_moves_neither_counts_nor_times() {
        for seed in 0..50 {
            let plain = draw("t", WORKLOAD, seed, Some(&priors(json!({}))));
            let urgent = draw("t", WORKLOAD, seed, Some(&priors(json!({"stat_rate": 7.5}))));
            assert!(urgent.iter().all(|a| a.stat));
            assert!(plain.iter().map(|a| a.at_s).eq(urgent.iter().map(|a| a.at_s)));
        }
    }

    #[test]
    fn a_lower_end_above_the_upper_is_taken_for_both_and_a_negative_count_is_none() {
        let high = priors(json!({"n_specimens_min": 9, "n_specimens_max": 2}));
        assert!((0..50).all(|seed| draw("t", WORKLOAD, seed, Some(&high)).len() == 9));
        let negative = priors(json!({"n_specimens_min": -4, "n_specimens_max": -2}));
        assert!(draw("t", WORKLOAD, 1, Some(&negative)).is_empty());
    }
}
