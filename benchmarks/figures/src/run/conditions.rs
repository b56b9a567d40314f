//! A study of conditions: what the episodes of every condition come to.

use crate::FiguresError;
use crate::files::read_json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What the study is.
pub const MANIFEST: &str = "manifest.json";

/// Mean, sample standard deviation and standard error of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation; 0 of one value.
    pub std: f64,
    /// Standard error of the mean; 0 of one value.
    pub se: f64,
}

impl Moments {
    /// Of values; none of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let number = crate::chart::count(values.len());
        let mean = values.iter().sum::<f64>() / number;
        if values.len() < 2 {
            return Some(Self { mean, std: 0.0, se: 0.0 });
        }
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let std = libm::sqrt(squares / (number - 1.0));
        Some(Self { mean, std, se: std / libm::sqrt(number) })
    }
}

/// What a condition comes to.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Specimens released in every episode.
    pub throughputs: Vec<f64>,
    /// Of [`Self::throughputs`].
    pub throughput: Moments,
    /// All violations of all episodes.
    pub violations: u64,
    /// Tokens consumed and minted in an episode.
    pub trust_cost: Moments,
    /// 95th percentile of the time from accepting to release [s].
    pub p95_tat: Option<Moments>,
    /// Share of critical results that were told and acknowledged.
    pub critical_compliance: Option<Moments>,
    /// Mean of the median time from accepting to release [s].
    pub p50_tat: Option<f64>,
    /// Mean share of results in time.
    pub on_time_rate: Option<f64>,
    /// Mean number of steps.
    pub steps: Option<f64>,
    /// Mean share of wrong choices of tools.
    pub tool_errors: Option<f64>,
    /// Episodes [count].
    pub episodes: usize,
}

impl Condition {
    /// Violations in an episode.
    #[must_use]
    pub fn violations_per_episode(&self) -> f64 {
        if self.episodes == 0 { 0.0 } else { as_number(self.violations) / crate::chart::count(self.episodes) }
    }
}

/// The whole study.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// In the order of the manifest; without those that have no results.
    pub all: Vec<Condition>,
    /// Conditions of the manifest without results.
    pub missing: Vec<String>,
    /// Violations by invariant.
    pub violations: BTreeMap<String, u64>,
    /// Blocked actions by code, most first, the first seen first; ten at most.
    pub blocked: Vec<(String, u64)>,
    /// The manifest.
    pub manifest: Value,
}

impl Conditions {
    /// Reads the study in `dir`; none where there is none. A manifest of something else is one only `besides` other
    /// results.
    ///
    /// # Errors
    /// [`FiguresError::Read`] and [`FiguresError::Invalid`].
    pub fn open(dir: &Path, besides: bool) -> Result<Option<Self>, FiguresError> {
        let path = dir.join(MANIFEST);
        if !path.is_file() {
            return Ok(None);
        }
        let manifest = read_json(&path)?;
        let Some(ids) = manifest.get("condition_ids").and_then(Value::as_array) else {
            let wrong = FiguresError::invalid(&path, "condition_ids", "it lists no conditions: this is no study");
            return if besides { Ok(None) } else { Err(wrong) };
        };
        let labels = manifest.get("condition_labels").and_then(Value::as_array);
        let mut study = Self {
            all: Vec::new(),
            missing: Vec::new(),
            violations: BTreeMap::new(),
            blocked: Vec::new(),
            manifest: Value::Null,
        };
        for (index, id) in ids.iter().enumerate() {
            let id = id.as_str().filter(|id| is_plain(id)).ok_or_else(|| {
                FiguresError::invalid(&path, format!("condition_ids[{index}]"), "this is no name of a condition")
            })?;
            let label = labels.and_then(|labels| labels.get(index)?.as_str()).unwrap_or(id);
            let results = dir.join("results").join(id).join("results.json");
            if results.is_file() {
                study.take(id, label, &read_json(&results)?, &results)?;
            } else {
                study.missing.push(id.to_owned());
            }
        }
        study.blocked.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        study.blocked.truncate(10);
        study.manifest = manifest;
        Ok(Some(study))
    }

    fn take(&mut self, id: &str, label: &str, document: &Value, path: &Path) -> Result<(), FiguresError> {
        let episodes = document
            .get("episodes")
            .and_then(Value::as_array)
            .ok_or_else(|| FiguresError::invalid(path, "episodes", "there is no list of episodes"))?;
        let nothing = Map::new();
        let metrics: Vec<&Map<String, Value>> = episodes
            .iter()
            .map(|episode| episode.get("metrics").and_then(Value::as_object).unwrap_or(&nothing))
            .collect();
        let mut violations = 0;
        for one in &metrics {
            for (invariant, number) in counts(one, "violations_by_invariant_id") {
                *self.violations.entry(invariant.clone()).or_default() += number;
                violations += number;
            }
            for (code, number) in counts(one, "blocked_by_reason_code") {
                match self.blocked.iter_mut().find(|(known, _)| known == code) {
                    Some((_, sum)) => *sum += number,
                    None => self.blocked.push((code.clone(), number)),
                }
            }
        }
        self.all.push(condition(id, label, &metrics, violations));
        Ok(())
    }
}

fn condition(id: &str, label: &str, metrics: &[&Map<String, Value>], violations: u64) -> Condition {
    let of = |key: &str| -> Vec<f64> { metrics.iter().filter_map(|one| one.get(key)?.as_f64()).collect() };
    let mean = |key: &str| Moments::of(&of(key)).map(|moments| moments.mean);
    let nothing = Moments { mean: 0.0, std: 0.0, se: 0.0 };
    let throughputs = of("throughput");
    // Without any throughput nothing was measured: then everything is empty.
    let measured = !throughputs.is_empty();
    let number = |one: &Map<String, Value>, key: &str| one.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let costs: Vec<f64> =
        metrics.iter().map(|one| number(one, "tokens_consumed") + number(one, "tokens_minted")).collect();
    Condition {
        id: id.to_owned(),
        label: label.to_owned(),
        throughput: Moments::of(&throughputs).unwrap_or(nothing),
        throughputs,
        violations: if measured { violations } else { 0 },
        trust_cost: Moments::of(&costs).filter(|_| measured).unwrap_or(nothing),
        p95_tat: Moments::of(&of("p95_turnaround_s")).filter(|_| measured),
        critical_compliance: Moments::of(&of("critical_communication_compliance_rate")).filter(|_| measured),
        p50_tat: mean("p50_turnaround_s").filter(|_| measured),
        on_time_rate: mean("on_time_rate").filter(|_| measured),
        steps: mean("steps").filter(|_| measured),
        tool_errors: mean("tool_selection_errors_rate").filter(|_| measured),
        episodes: if measured { metrics.len() } else { 0 },
    }
}

/// The counts of an object of the metrics.
fn counts<'m>(metrics: &'m Map<String, Value>, key: &str) -> impl Iterator<Item = (&'m String, u64)> {
    let object = metrics.get(key).and_then(Value::as_object);
    object.into_iter().flatten().filter_map(|(name, number)| Some((name, number.as_u64()?)))
}

/// Whether an id is the name of a directory and of nothing elsewhere.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && !id.contains(['/', '\\', '\0']) && id != "." && id != ".."
}

#[expect(clippy::cast_precision_loss, reason = "counts of a study are small")]
pub(crate) fn as_number(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_few_values_have_no_spread() {
        assert_eq!(Moments::of(&[]), None);
        assert_eq!(Moments::of(&[3.0]), Some(Moments { mean: 3.0, std: 0.0, se: 0.0 }));
        let moments = Moments::of(&[1.0, 3.0]).unwrap();
        assert_eq!((moments.mean, moments.std), (2.0, std::f64::consts::SQRT_2));
        assert!((moments.se - 1.0).abs() < 1e-15);
    }
}
