//! Whether the figures of an episode can be true together.

use super::Complaint;
use crate::stats::percentile;
use serde_json::{Map, Value};

/// How far apart two ways to compute a figure may be; they are sums of a few hundred small numbers.
const CLOSE: f64 = 1e-9;

/// Shares: from 0 to 1, or null.
const SHARES: [&str; 8] = [
    "on_time_rate",
    "completion_rate",
    "critical_communication_compliance_rate",
    "tool_selection_errors_rate",
    "fraction_of_attacks_contained",
    "forensic_quality_score",
    "attribution_confidence_proxy",
    "blocks_per_action",
];

/// Maps of counts.
const COUNT_MAPS: [&str; 5] = [
    "violations_by_invariant_id",
    "blocked_by_reason_code",
    "attacker_blocked_by_reason_code",
    "invariant_passes_by_id",
    "actions_by_agent",
];

/// The metrics of an episode with the configuration of its run.
struct Episode<'a> {
    metrics: &'a Map<String, Value>,
    config: &'a Value,
    out: Vec<Complaint>,
}

/// What cannot be true. Pointers begin at the metrics.
pub(super) fn complaints(metrics: &Map<String, Value>, config: &Value) -> Vec<Complaint> {
    let mut episode = Episode { metrics, config, out: Vec::new() };
    episode.ranges();
    episode.turnaround();
    episode.throughput();
    episode.agents();
    episode.configuration();
    episode.out
}

impl Episode<'_> {
    fn number(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).and_then(Value::as_f64)
    }

    fn whole(&self, name: &str) -> Option<u64> {
        self.metrics.get(name).and_then(Value::as_u64)
    }

    /// Sum of a map of counts.
    fn sum(&self, name: &str) -> Option<u64> {
        let map = self.metrics.get(name)?.as_object()?;
        Some(map.values().filter_map(Value::as_u64).sum())
    }

    fn complain(&mut self, name: &str, message: String, hint: &str) {
        self.out.push(Complaint::new(format!("/{}", escaped(name)), message, hint));
    }

    fn ranges(&mut self) {
        for name in SHARES {
            if let Some(value) = self.number(name).filter(|value| !(0.0..=1.0).contains(value)) {
                self.complain(
                    name,
                    format!("{value} is no share"),
                    "a share lies from 0 to 1; null where it is undefined",
                );
            }
        }
        for name in COUNT_MAPS {
            let Some(map) = self.metrics.get(name).and_then(Value::as_object) else { continue };
            for (key, value) in map.iter().filter(|(_, value)| value.as_u64().is_none()) {
                let place = format!("/{name}/{}", escaped(key));
                let hint = "counts are whole numbers from 0 on";
                self.out.push(Complaint::new(place, format!("{value} is no count"), hint));
            }
        }
        for (name, value) in self.metrics {
            if (name.ends_with("_count") || name.ends_with("_s") || name.starts_with("tokens_"))
                && value.as_f64().is_some_and(|value| value < 0.0)
            {
                let hint = "times and counts are not negative; null where nothing happened";
                self.out.push(Complaint::new(format!("/{}", escaped(name)), format!("{value} is below 0"), hint));
            }
        }
    }

    fn turnaround(&mut self) {
        let suffixes = ["", "_stat", "_urgent", "_routine"];
        for (low, high) in
            suffixes.map(|suffix| (format!("p50_turnaround{suffix}_s"), format!("p95_turnaround{suffix}_s")))
        {
            let (Some(p50), Some(p95)) = (self.metrics.get(&low), self.metrics.get(&high)) else { continue };
            match (p50.as_f64(), p95.as_f64()) {
                (Some(p50), Some(p95)) if p50 > p95 => {
                    let message = format!("the median {p50} s is above the 95th percentile {p95} s");
                    self.complain(&low, message, "percentiles rise with their rank");
                }
                (Some(_), None) | (None, Some(_)) => {
                    let message = format!("one of {low} and {high} is null");
                    self.complain(&low, message, "both come from the same turnarounds: both are null or none");
                }
                _ => {}
            }
        }
        self.turnaround_list();
        let released = self.whole("throughput");
        if released == Some(0) {
            for name in ["p50_turnaround_s", "p95_turnaround_s", "on_time_rate"] {
                if let Some(value) = self.number(name) {
                    let message = format!("{value} although nothing was released");
                    self.complain(name, message, "without a release there is no turnaround: null, not a number");
                }
            }
        }
        let has_limit = self.config.get("sla_turnaround_s").map(|limit| !limit.is_null());
        if has_limit == Some(false) && self.number("on_time_rate").is_some() {
            self.complain("on_time_rate", "a rate without a limit".to_owned(), "null where the task has no limit");
        }
    }

    /// Where the turnarounds themselves are there, what is said of them follows.
    fn turnaround_list(&mut self) {
        let Some(list) = self.metrics.get("turnaround_s").and_then(Value::as_array) else { return };
        let values: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
        for (place, value) in values.iter().enumerate().filter(|(_, value)| **value < 0.0) {
            let message = format!("{value} s from acceptance to release");
            self.out.push(Complaint::new(format!("/turnaround_s/{place}"), message, "release comes after acceptance"));
        }
        for (name, percent) in [("p50_turnaround_s", 50.0), ("p95_turnaround_s", 95.0)] {
            let expected = percentile(&values, percent);
            let found = self.metrics.get(name).and_then(Value::as_f64);
            if self.metrics.contains_key(name) && !same(found, expected) {
                let message = format!("{} where `turnaround_s` gives {}", or_null(found), or_null(expected));
                self.complain(name, message, "percentiles are interpolated between the two nearest ranks");
            }
        }
        let limit = self.config.get("sla_turnaround_s").and_then(Value::as_f64);
        if let (Some(limit), Some(found)) = (limit, self.number("on_time_rate"))
            && !values.is_empty()
        {
            #[expect(clippy::cast_precision_loss, reason = "specimens of an episode")]
            let share = values.iter().filter(|&&value| value <= limit).count() as f64 / values.len() as f64;
            if !close(found, share) {
                let message = format!("{found} where `turnaround_s` gives {share}");
                self.complain("on_time_rate", message, "it is the share of `turnaround_s` within the limit");
            }
        }
    }

    fn throughput(&mut self) {
        let (released, specimens) = (self.whole("throughput"), self.whole("specimens_total"));
        if let (Some(released), Some(specimens)) = (released, specimens) {
            if released > specimens {
                let message = format!("{released} results released of {specimens} specimens");
                self.complain("throughput", message, "a result counts once, and only for a specimen that exists");
            }
            if released == 0 && self.number("completion_rate").is_some_and(|rate| rate > 0.0) {
                let message = "specimens are complete although nothing was released".to_owned();
                self.complain("completion_rate", message, "a specimen is complete when its result is released");
            }
        }
        let dt_s = self.config.get("dt_s").and_then(Value::as_f64);
        let facts = (released, self.number("throughput_per_hour"), self.number("steps"), dt_s);
        if let (Some(released), Some(rate), Some(steps), Some(dt_s)) = facts
            && steps * dt_s > 0.0
        {
            #[expect(clippy::cast_precision_loss, reason = "results of an episode")]
            let expected = released as f64 * 3600.0 / (steps * dt_s);
            if !close(rate, expected) {
                let message = format!("{rate} where throughput and steps give {expected}");
                self.complain("throughput_per_hour", message, "it is the throughput over the horizon");
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of an episode")]
    fn agents(&mut self) {
        let Some(attempts) = self.whole("actions_attempted") else { return };
        if let Some(sum) = self.sum("actions_by_agent").filter(|&sum| sum != attempts) {
            let message = format!("the agents have {sum} actions together and the episode has {attempts}");
            self.complain("actions_by_agent", message, "every event of an agent counts once, for that agent");
        }
        if let (Some(rate), Some(violations)) =
            (self.number("violations_per_action"), self.sum("violations_by_invariant_id"))
            && attempts > 0
            && !close(rate, violations as f64 / attempts as f64)
        {
            let message = format!("{rate} where {violations} broken invariants in {attempts} actions are there");
            self.complain("violations_per_action", message, "it is their quotient; kept invariants do not count");
        }
        if let (Some(blocked), Some(by_attackers)) =
            (self.sum("blocked_by_reason_code"), self.sum("attacker_blocked_by_reason_code"))
            && by_attackers > blocked
        {
            let message = format!("{by_attackers} refusals of attackers among {blocked} refusals");
            self.complain("attacker_blocked_by_reason_code", message, "refusals of attackers are a part of all");
        }
        if let Some(attacks) = self.whole("attacker_actions").filter(|&attacks| attacks > attempts) {
            let message = format!("{attacks} events of attackers among {attempts} events");
            self.complain("attacker_actions", message, "events of attackers are a part of all");
        }
    }

    fn configuration(&mut self) {
        for (metric, setting) in [("steps", "max_steps"), ("timing_mode", "timing_mode")] {
            let (Some(found), Some(expected)) = (self.metrics.get(metric), self.config.get(setting)) else { continue };
            if !found.is_null() && !expected.is_null() && found != expected {
                let message = format!("{found}, and the run was configured with {expected}");
                self.complain(metric, message, "episodes of other settings belong in a file of their own");
            }
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    libm::fabs(a - b) <= CLOSE * libm::fabs(b).max(1.0)
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => close(a, b),
        (None, None) => true,
        _ => false,
    }
}

fn or_null(value: Option<f64>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

/// A key as part of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
