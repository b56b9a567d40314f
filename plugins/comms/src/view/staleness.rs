//! Who decided something critical on knowledge that was too old.
//!
//! Everything is in one time base. What is too old is a number of steps, so it means the same whatever a step's length.

use crate::codes::COORD_STALE_VIEW;
use crate::network::rate_4;
use serde_json::{Value, json};

/// Steps after which knowledge is too old for a critical decision [count].
pub const DEFAULT_THRESHOLD_STEPS: u32 = 3;

/// A critical decision on knowledge that was too old. It is reported, not blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleDecision {
    /// Who decided.
    pub agent_id: String,
    /// How old the oldest knowledge was [µs].
    pub view_age_us: u64,
    /// How old it may be [µs].
    pub threshold_us: u64,
    /// When it was decided [step].
    pub decision_step: u64,
    /// Of when the knowledge was [step].
    pub last_processing_step: u64,
}

impl StaleDecision {
    /// The payload of the emit `COORD_STALE_DECISION`; times in ms to 2 decimals.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "emit": "COORD_STALE_DECISION",
            "agent_id": self.agent_id,
            "reason_code": COORD_STALE_VIEW,
            "view_age_ms": ms_2(self.view_age_us),
            "max_staleness_ms": ms_2(self.threshold_us),
            "decision_step": self.decision_step,
            "last_processing_step": self.last_processing_step,
        })
    }
}

/// Judges critical decisions and counts them over an episode.
#[derive(Clone, Debug)]
pub struct StalenessMonitor {
    step_us: u64,
    threshold_us: u64,
    /// Ages of the critical decisions [µs].
    ages_us: Vec<u64>,
    stale: u64,
}

impl StalenessMonitor {
    /// A monitor for steps of `step_us` [µs, at least 1] that lets knowledge be `threshold_steps` steps old.
    #[must_use]
    pub fn new(step_us: u64, threshold_steps: u32) -> Self {
        let step_us = step_us.max(1);
        let threshold_us = step_us.saturating_mul(u64::from(threshold_steps));
        Self { step_us, threshold_us, ages_us: Vec::new(), stale: 0 }
    }

    /// Judges one critical decision (a start of a run, an opening of a restricted door) at `now_us` on knowledge of `view_age_us`.
    pub fn judge(&mut self, agent_id: &str, now_us: u64, view_age_us: u64) -> Option<StaleDecision> {
        self.ages_us.push(view_age_us);
        if view_age_us <= self.threshold_us {
            return None;
        }
        self.stale += 1;
        Some(StaleDecision {
            agent_id: agent_id.to_owned(),
            view_age_us,
            threshold_us: self.threshold_us,
            decision_step: now_us / self.step_us,
            last_processing_step: now_us.saturating_sub(view_age_us) / self.step_us,
        })
    }

    /// The block `metrics.coordination.timing`: stale / critical to 4 decimals, mean and 95th percentile of the ages in ms to 2.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut sorted = self.ages_us.clone();
        sorted.sort_unstable();
        let count = sorted.len();
        let p95 = sorted.get((count * 95 / 100).min(count.saturating_sub(1))).copied().unwrap_or(0);
        let mean = sorted.iter().sum::<u64>().checked_div(count as u64).unwrap_or(0);
        json!({
            "stale_action_rate": rate_4(self.stale, count as u64),
            "mean_view_age_ms": ms_2(mean),
            "p95_view_age_ms": ms_2(p95),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "times of an episode are far below 2^53 µs")]
fn ms_2(us: u64) -> f64 {
    libm::round(us as f64 / 10.0) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowledge_of_three_steps_is_fresh_and_a_moment_more_is_stale() {
        let mut monitor = StalenessMonitor::new(10_000_000, DEFAULT_THRESHOLD_STEPS);
        assert_eq!(monitor.judge("worker_0", 50_000_000, 30_000_000), None);
        let stale = monitor.judge("worker_0", 50_000_000, 30_000_010).unwrap();
        assert_eq!((stale.decision_step, stale.last_processing_step), (5, 1));
        assert_eq!(stale.to_json()["view_age_ms"], json!(30_000.01));
        assert_eq!(stale.to_json()["max_staleness_ms"], json!(30_000.0));
        monitor.judge("worker_1", 50_000_000, 0);
        let timing = monitor.to_json();
        assert_eq!(timing["stale_action_rate"], json!(0.3333));
        assert_eq!((&timing["mean_view_age_ms"], &timing["p95_view_age_ms"]), (&json!(20_000.0), &json!(30_000.01)));
        assert_eq!(StalenessMonitor::new(1, 1).to_json()["stale_action_rate"], json!(0.0));
    }
}
