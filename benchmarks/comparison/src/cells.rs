//! A cell of a study: its episodes, and the one row of figures that they come to.

use crate::episodes::{COMMON_SCORE, CellKey, EPISODE_COLUMNS, EpisodeRow, NONE, Pooling, place_of};
use crate::statistics::{CI_METHOD, mean, mean_bounds, statistic_bounds};
use crate::table::Row;
use crate::{ComparisonError, table};
use labtrust_bench::stats::{Bounds, Confidence, percentile, proportion_interval, worst_case_rate};
use labtrust_redteam::scoring::{COMPONENTS, Score, Scoring};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of the rows of a study: the published ones in their order, then ours.
pub const SUMMARY_COLUMNS: [&str; 61] = [
    "method_id",
    "scale_id",
    "risk_id",
    "injection_id",
    "perf.throughput",
    "perf.p95_tat",
    "perf.on_time_rate",
    "safety.violations_total",
    "safety.blocks_total",
    "safety.critical_communication_compliance_rate",
    "sec.attack_success_rate",
    "sec.attack_success_rate_ci_lower",
    "sec.attack_success_rate_ci_upper",
    "sec.worst_case_attack_success_upper_95",
    "sec.detection_latency_steps",
    "sec.containment_time_steps",
    "sec.stealth_success_rate",
    "sec.time_to_attribution_steps",
    "sec.blast_radius_proxy",
    "robustness.resilience_score",
    "resilience.component_perf",
    "resilience.component_safety",
    "resilience.component_security",
    "resilience.component_coordination",
    "comm.msg_count",
    "comm.p95_latency_ms",
    "comm.drop_rate",
    "comm.partition_events",
    "coordination.stale_action_rate",
    "proposal_valid_rate",
    "blocked_rate",
    "repair_rate",
    "tokens_per_step",
    "p95_llm_latency_ms",
    "cost.total_tokens",
    "cost.estimated_cost_usd",
    "llm.error_rate",
    "llm.invalid_output_rate",
    "n_episodes",
    "perf.throughput_ci_lower",
    "perf.throughput_ci_upper",
    "perf.p95_tat_ci_lower",
    "perf.p95_tat_ci_upper",
    "robustness.resilience_score_ci_lower",
    "robustness.resilience_score_ci_upper",
    "safety.violations_per_episode",
    "safety.blocks_per_episode",
    "sec.applied_episodes",
    "sec.ci_method",
    "safety.violations_per_episode_ci_lower",
    "safety.violations_per_episode_ci_upper",
    "safety.violations_per_100_steps",
    "ci_method",
    "coordination.deadlock_avoids",
    "perf.throughput_per_hour",
    "safety.violations_per_action",
    "llm.mean_latency_ms",
    "llm.fallback_rate",
    "resilience.common_score",
    "resilience.common_score_ci_lower",
    "resilience.common_score_ci_upper",
];

/// A cell and its episodes, in their order.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which one.
    pub key: CellKey,
    /// Its episodes.
    pub episodes: Vec<EpisodeRow>,
}

/// Puts episodes into their cells, and gives every episode its scores: that of a cell of itself alone, and [`COMMON_SCORE`].
///
/// # Errors
/// [`ComparisonError::Invalid`] for no episode, an episode that is there twice, and one without all of its columns.
pub fn cells(episodes: &[EpisodeRow], scoring: &Scoring) -> Result<Vec<Cell>, ComparisonError> {
    let mut all: BTreeMap<&CellKey, BTreeMap<u32, &EpisodeRow>> = BTreeMap::new();
    let invalid = |row: &EpisodeRow, problem: &str| {
        let CellKey { scale_id, method_id, injection_id } = &row.key;
        let place = format!("{scale_id} / {method_id} / {injection_id}, episode {}", row.episode);
        ComparisonError::invalid("the episodes of the study", place, problem)
    };
    for row in episodes {
        if row.values.len() != EPISODE_COLUMNS.len() {
            return Err(invalid(row, "it has not all columns"));
        }
        if all.entry(&row.key).or_default().insert(row.episode, row).is_some() {
            return Err(invalid(row, "it is there twice; a cell is given once"));
        }
    }
    if all.is_empty() {
        return Err(ComparisonError::invalid("the episodes of the study", "all", "there are none: run a cell first"));
    }
    let common = common_columns(&all);
    let cell = |(key, rows): (&CellKey, BTreeMap<u32, &EpisodeRow>)| {
        let columns = &common[&(key.scale_id.as_str(), key.injection_id.as_str())];
        let episodes = rows.into_values().map(|row| scored(row, scoring, columns)).collect();
        Cell { key: key.clone(), episodes }
    };
    Ok(all.into_iter().map(cell).collect())
}

/// The columns of which all methods of a size have a figure under an injection, by size and injection.
fn common_columns<'a>(
    all: &BTreeMap<&'a CellKey, BTreeMap<u32, &EpisodeRow>>,
) -> BTreeMap<(&'a str, &'a str), BTreeSet<&'static str>> {
    let mut common: BTreeMap<(&str, &str), BTreeSet<&'static str>> = BTreeMap::new();
    for (key, rows) in all {
        let has = |name: &&'static str| rows.values().any(|row| row.value(name).is_some());
        let columns: BTreeSet<&'static str> = EPISODE_COLUMNS.iter().map(|column| column.name).filter(has).collect();
        let of_others = common.entry((&key.scale_id, &key.injection_id)).or_insert_with(|| columns.clone());
        of_others.retain(|name| columns.contains(name));
    }
    common
}

fn scored(row: &EpisodeRow, scoring: &Scoring, common: &BTreeSet<&'static str>) -> EpisodeRow {
    let mut row = row.clone();
    let score = score_of(scoring, &[&row]);
    let fair = scoring.score(|key| if common.contains(key) { pooled(&[&row], key) } else { None });
    row.set("robustness.resilience_score", Some(score.resilience));
    row.set(COMMON_SCORE, Some(fair.resilience));
    for (name, component) in COMPONENTS.iter().zip(score.components) {
        row.set(&format!("resilience.component_{name}"), Some(component));
    }
    row
}

fn score_of(scoring: &Scoring, episodes: &[&EpisodeRow]) -> Score {
    scoring.score(|key| pooled(episodes, key))
}

/// The figure of a cell under a column, from its episodes; none where it does not apply.
#[must_use]
pub fn pooled(episodes: &[&EpisodeRow], name: &str) -> Option<f64> {
    let place = place_of(name)?;
    let values: Vec<f64> = episodes.iter().filter_map(|row| *row.values.get(place)?).collect();
    #[expect(clippy::cast_precision_loss, reason = "a cell has far fewer episodes")]
    let n = episodes.len().max(1) as f64;
    // Not `sum`, which makes -0 of nothing.
    let sum = || values.iter().fold(0.0, |sum, value| sum + value);
    match EPISODE_COLUMNS[place].pooling {
        Pooling::Mean | Pooling::Share => mean(&values),
        Pooling::MeanOrZero => Some(sum() / n),
        Pooling::MeanElseZero => Some(mean(&values).unwrap_or(0.0)),
        Pooling::Sum => Some(sum()),
        Pooling::SumOfPresent => (!values.is_empty()).then(sum),
    }
}

impl Cell {
    /// Whether nothing disturbs it.
    #[must_use]
    pub fn is_baseline(&self) -> bool {
        self.key.injection_id == NONE
    }

    /// Whether an attack arrived in any of its episodes, as far as that is recorded.
    #[must_use]
    pub fn is_attacked(&self) -> bool {
        let applied = self.values("sec.applied");
        !self.is_baseline() && (applied.is_empty() || positive(&applied) > 0)
    }

    /// The figures of a column, episode by episode, where there are any.
    #[must_use]
    pub fn values(&self, column: &str) -> Vec<f64> {
        self.episodes.iter().filter_map(|row| row.value(column)).collect()
    }

    fn purpose(&self) -> String {
        format!("{}/{}/{}", self.key.scale_id, self.key.method_id, self.key.injection_id)
    }

    /// The row of the cell. Intervals are drawn from `seed` and the names of the cell.
    #[must_use]
    pub fn row(&self, risks: &[String], scoring: &Scoring, seed: u64) -> Row {
        let all: Vec<&EpisodeRow> = self.episodes.iter().collect();
        let mut row = Row::new();
        let ids = [
            ("method_id", &self.key.method_id),
            ("scale_id", &self.key.scale_id),
            ("injection_id", &self.key.injection_id),
        ];
        row.extend(ids.map(|(name, id)| (name.to_owned(), json!(id))));
        row.insert("risk_id".to_owned(), json!(risks.join(";")));
        for column in EPISODE_COLUMNS {
            let is_whole = column.is_count && matches!(column.pooling, Pooling::Sum | Pooling::SumOfPresent);
            row.insert(column.name.to_owned(), number(pooled(&all, column.name), is_whole));
        }
        let latencies: Vec<f64> = all.iter().flat_map(|episode| episode.latencies_ms.iter().copied()).collect();
        if let Some(p95) = percentile(&latencies, 95.0) {
            row.insert("p95_llm_latency_ms".to_owned(), json!(p95));
        }
        self.score(&mut row, &all, scoring, seed);
        self.security(&mut row);
        self.per_episode(&mut row, seed);
        row
    }

    /// The score of the cell, and its interval: the score of as many episodes, drawn again and again.
    fn score(&self, row: &mut Row, all: &[&EpisodeRow], scoring: &Scoring, seed: u64) {
        let score = score_of(scoring, all);
        row.insert("robustness.resilience_score".to_owned(), json!(score.resilience));
        for (name, component) in COMPONENTS.iter().zip(score.components) {
            row.insert(format!("resilience.component_{name}"), json!(component));
        }
        let bounds = statistic_bounds(all.len(), seed, &self.purpose(), |places| {
            let drawn: Vec<&EpisodeRow> = places.iter().filter_map(|&place| all.get(place).copied()).collect();
            score_of(scoring, &drawn).resilience
        });
        interval(row, "robustness.resilience_score", bounds);
    }

    fn security(&self, row: &mut Row) {
        if let applied @ [_, ..] = self.values("sec.applied").as_slice() {
            row.insert("sec.applied_episodes".to_owned(), json!(positive(applied)));
        }
        let tried = self.values("sec.attack_success_rate");
        if tried.is_empty() {
            return;
        }
        let (k, n) = (positive(&tried), tried.len() as u64);
        interval(row, "sec.attack_success_rate", Some(proportion_interval(k, n, Confidence::P95)));
        row.insert("sec.ci_method".to_owned(), json!("clopper_pearson"));
        if k == 0 {
            let worst = worst_case_rate(n, Confidence::P95);
            row.insert("sec.worst_case_attack_success_upper_95".to_owned(), json!(worst));
        }
    }

    /// What does not depend on the number of episodes, and intervals of it.
    fn per_episode(&self, row: &mut Row, seed: u64) {
        let purpose = self.purpose();
        row.insert("n_episodes".to_owned(), json!(self.episodes.len()));
        row.insert("ci_method".to_owned(), json!(CI_METHOD));
        for (column, shown) in [
            ("perf.throughput", "perf.throughput"),
            ("perf.p95_tat", "perf.p95_tat"),
            ("safety.violations_total", "safety.violations_per_episode"),
            ("safety.blocks_total", "safety.blocks_per_episode"),
            (COMMON_SCORE, COMMON_SCORE),
        ] {
            let values = self.values(column);
            if shown != column {
                row.insert(shown.to_owned(), number(mean(&values), false));
            }
            interval(row, shown, mean_bounds(&values, seed, &purpose));
        }
        let sum = |column: &str| self.values(column).iter().sum::<f64>();
        if sum("steps") > 0.0 {
            let rate = 100.0 * sum("safety.violations_total") / sum("steps");
            row.insert("safety.violations_per_100_steps".to_owned(), json!(rate));
        }
    }
}

fn positive(values: &[f64]) -> u64 {
    values.iter().filter(|value| **value > 0.0).count() as u64
}

/// A figure for a table; null where there is none.
pub(crate) fn number(value: Option<f64>, is_whole: bool) -> Value {
    let Some(value) = value else { return Value::Null };
    #[expect(clippy::cast_possible_truncation, reason = "only what is whole and small is made one")]
    let whole = || json!(value as i64);
    if is_whole && value.abs() < 9e15 && (value - libm::trunc(value)).abs() <= 0.0 { whole() } else { json!(value) }
}

fn interval(row: &mut Row, column: &str, bounds: Option<Bounds>) {
    let Some(Bounds { lower, upper }) = bounds else { return };
    row.insert(format!("{column}_ci_lower"), json!(lower));
    row.insert(format!("{column}_ci_upper"), json!(upper));
}

/// The table of all episodes.
#[must_use]
pub fn episodes_csv(cells: &[Cell]) -> Vec<u8> {
    let ids = ["scale_id", "method_id", "injection_id", "episode", "seed"];
    let head: Vec<&str> = ids.into_iter().chain(EPISODE_COLUMNS.iter().map(|column| column.name)).collect();
    let line = |episode: &EpisodeRow| {
        let CellKey { scale_id, method_id, injection_id } = &episode.key;
        let mut line = vec![scale_id.clone(), method_id.clone(), injection_id.clone()];
        line.extend([episode.episode.to_string(), episode.seed.to_string()]);
        let figures = EPISODE_COLUMNS.iter().zip(&episode.values);
        line.extend(figures.map(|(column, value)| table::text(Some(&number(*value, column.is_count)))));
        line
    };
    let lines: Vec<Vec<String>> = cells.iter().flat_map(|cell| &cell.episodes).map(line).collect();
    table::table(&head, &lines)
}

/// Cells and the risks that they are about, a row for each pair.
#[must_use]
pub fn risks_csv(cells: &[Cell], risks: &BTreeMap<String, Vec<String>>) -> Vec<u8> {
    let lines: Vec<Vec<String>> = cells
        .iter()
        .flat_map(|cell| {
            let CellKey { scale_id, method_id, injection_id } = &cell.key;
            let line =
                move |risk: &String| vec![scale_id.clone(), method_id.clone(), injection_id.clone(), risk.clone()];
            risks.get(injection_id).into_iter().flatten().map(line)
        })
        .collect();
    table::table(&["scale_id", "method_id", "injection_id", "risk_id"], &lines)
}
