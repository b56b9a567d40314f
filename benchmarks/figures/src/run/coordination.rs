//! A coordination study: a row for every size, method and injection, its front, its verdicts and its manifest.

use super::table::Table;
use crate::FiguresError;
use crate::files::read_json;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The injection that is none.
pub const NONE: &str = "none";
/// The rows of a study.
pub const SUMMARY: &str = "summary/summary_coord.csv";
/// Its front and verdicts.
pub const PARETO: &str = "PARETO/pareto.json";
/// What it is.
pub const MANIFEST: &str = "manifest_coordination.json";

/// A value with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean or rate.
    pub value: f64,
    /// Its 95 % interval, where the table has one.
    pub interval: Option<(f64, f64)>,
}

/// One size, method and injection.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its size.
    pub scale: String,
    /// Its method.
    pub method: String,
    /// Its injection, or [`NONE`].
    pub injection: String,
    /// Specimens released in an episode [count].
    pub throughput: Option<Estimate>,
    /// 95th percentile of the time from accepting to release [s].
    pub p95_tat: Option<Estimate>,
    /// Score of resilience, 0 to 1.
    pub resilience: Option<Estimate>,
    /// Share of episodes in which the attack succeeded.
    pub attack_success: Option<Estimate>,
    /// Episodes of the cell.
    pub episodes: Option<f64>,
    /// Episodes in which the attack arrived.
    pub applied: Option<f64>,
}

/// The whole study.
#[derive(Clone, Debug)]
pub struct Coordination {
    /// In the order of the table, each once.
    pub cells: Vec<Cell>,
    /// Sizes in the order of the table.
    pub scales: Vec<String>,
    /// Methods in the order of the table.
    pub methods: Vec<String>,
    /// Injections in the order of the table, without [`NONE`].
    pub injections: Vec<String>,
    /// The document of the front.
    pub pareto: Option<Value>,
    /// The manifest.
    pub manifest: Option<Value>,
    /// The rows as they are.
    pub table: Table,
}

impl Coordination {
    /// Reads the study in `dir`; none where there is none.
    ///
    /// # Errors
    /// [`FiguresError::Read`] and [`FiguresError::Invalid`].
    pub fn open(dir: &Path) -> Result<Option<Self>, FiguresError> {
        let path = dir.join(SUMMARY);
        if !path.is_file() {
            return Ok(None);
        }
        let table = Table::read(&path)?;
        let mut seen = BTreeSet::new();
        let mut cells = Vec::new();
        for row in 0..table.rows.len() {
            let cell = cell(&table, row)?;
            // Older tables repeat a cell for each of its risks.
            if seen.insert((cell.scale.clone(), cell.method.clone(), cell.injection.clone())) {
                cells.push(cell);
            }
        }
        let optional = |name: &str| {
            let path = dir.join(name);
            if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
        };
        let names = |of: fn(&Cell) -> &String| in_order(cells.iter().map(of));
        let mut injections = names(|cell| &cell.injection);
        injections.retain(|injection| injection != NONE);
        Ok(Some(Self {
            scales: names(|cell| &cell.scale),
            methods: names(|cell| &cell.method),
            injections,
            pareto: optional(PARETO)?,
            manifest: optional(MANIFEST)?,
            cells,
            table,
        }))
    }

    /// The cells of a size.
    pub fn of_scale<'a>(&'a self, scale: &'a str) -> impl Iterator<Item = &'a Cell> {
        self.cells.iter().filter(move |cell| cell.scale == scale)
    }

    /// The number that a method has in every figure.
    #[must_use]
    pub fn series(&self, method: &str) -> usize {
        self.methods.iter().position(|one| one == method).unwrap_or(0)
    }

    /// Methods on the front of a size, with their injections; none where no front is known.
    #[must_use]
    pub fn front(&self, scale: &str) -> Option<BTreeSet<(&str, &str)>> {
        let front = self.pareto.as_ref()?.get("fronts_per_scale")?.get(scale)?.as_array()?;
        let text = |point: &'_ Value, key: &str| -> Option<String> { point.get(key)?.as_str().map(str::to_owned) };
        let known = |point: &Value| {
            let (method, injection) = (text(point, "method_id")?, text(point, "injection_id")?);
            let cell = self.cells.iter().find(|cell| cell.method == method && cell.injection == injection)?;
            Some((cell.method.as_str(), cell.injection.as_str()))
        };
        Some(front.iter().filter_map(known).collect())
    }

    /// Methods on the front of a size under attack; none where no such front is known.
    #[must_use]
    pub fn front_attacked(&self, scale: &str) -> Option<BTreeSet<&str>> {
        let front = self.pareto.as_ref()?.get("fronts_per_scale_attacked")?.get(scale)?.as_array()?;
        Some(front.iter().filter_map(|point| point.get("method_id")?.as_str()).collect())
    }

    /// What a size is called above a figure: its name, or of sizes that are named after all of their settings only those
    /// settings in which they differ.
    #[must_use]
    pub fn scale_label(&self, scale: &str) -> String {
        let all: Option<Vec<Vec<(String, &str)>>> = self.scales.iter().map(|one| settings(one)).collect();
        let (Some(all), Some(own)) = (all, settings(scale)) else { return scale.to_owned() };
        let differs = |setting: &&(String, &str)| all.iter().any(|other| !other.contains(setting));
        let told: Vec<String> = own.iter().filter(differs).map(|(name, value)| format!("{name} {value}")).collect();
        if told.is_empty() { scale.to_owned() } else { told.join(", ") }
    }

    /// How many agents a size has: from the manifest, or from the words of its name; none where neither says.
    #[must_use]
    pub fn agents(&self, scale: &str) -> Option<f64> {
        let told = self.manifest.as_ref().and_then(|manifest| {
            let scales = manifest.get("scales")?;
            let one = match scales {
                Value::Array(all) => all.iter().find(|one| one.get("scale_id").is_some_and(|id| id == scale))?,
                other => other.get(scale)?,
            };
            ["num_agents", "num_agents_total"].iter().find_map(|key| one.get(key)?.as_f64())
        });
        told.or_else(|| {
            let rest = scale.split_once("num_agents_")?.1;
            rest.split('_').next()?.parse().ok()
        })
    }

    /// The verdicts of sizes, where the study has them: size, winner, what is said.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        let winners = self.pareto.as_ref().and_then(|pareto| pareto.get("winners_per_scale")?.as_object());
        let one = |(scale, winner): (&String, &Value)| {
            let text = |key: &str| winner.get(key).and_then(Value::as_str).map(str::to_owned);
            let listed = |key: &str| -> Vec<String> {
                let items = winner.get(key).and_then(Value::as_array);
                items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let left_out = winner.get("left_out").and_then(Value::as_array).into_iter().flatten().filter_map(|one| {
                Some((one.get("method_id")?.as_str()?.to_owned(), one.get("reason")?.as_str()?.to_owned()))
            });
            Verdict {
                scale: scale.clone(),
                winner: text("winner"),
                sentence: text("verdict"),
                metric: text("metric"),
                injection: text("injection_id"),
                indistinguishable: listed("indistinguishable"),
                left_out: left_out.collect(),
            }
        };
        winners.into_iter().flatten().map(one).collect()
    }
}

/// The settings that a size is named after: `scale_num_agents_4_num_sites_1` has two.
fn settings(scale: &str) -> Option<Vec<(String, &str)>> {
    let mut all = Vec::new();
    let mut name: Vec<&str> = Vec::new();
    for word in scale.strip_prefix("scale_")?.split('_') {
        if word.parse::<f64>().is_ok() {
            all.push((name.join("_"), word));
            name.clear();
        } else {
            name.push(word);
        }
    }
    (name.is_empty() && all.iter().all(|(name, _)| !name.is_empty())).then_some(all)
}

/// What may be said of a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The size.
    pub scale: String,
    /// Who wins it beyond chance.
    pub winner: Option<String>,
    /// The verdict in words.
    pub sentence: Option<String>,
    /// What it is won by.
    pub metric: Option<String>,
    /// Under which injection.
    pub injection: Option<String>,
    /// Who cannot be told from the best.
    pub indistinguishable: Vec<String>,
    /// Who is not in question, and why.
    pub left_out: Vec<(String, String)>,
}

fn cell(table: &Table, row: usize) -> Result<Cell, FiguresError> {
    let estimate = |column: &str| -> Result<Option<Estimate>, FiguresError> {
        let Some(value) = table.number(row, column)? else { return Ok(None) };
        let low = table.number(row, &format!("{column}_ci_lower"))?;
        let high = table.number(row, &format!("{column}_ci_upper"))?;
        Ok(Some(Estimate { value, interval: low.zip(high) }))
    };
    Ok(Cell {
        scale: table.id(row, "scale_id")?,
        method: table.id(row, "method_id")?,
        injection: table.id(row, "injection_id")?,
        throughput: estimate("perf.throughput")?,
        p95_tat: estimate("perf.p95_tat")?,
        resilience: estimate("robustness.resilience_score")?,
        attack_success: estimate("sec.attack_success_rate")?,
        episodes: table.number(row, "n_episodes")?,
        applied: table.number(row, "sec.applied_episodes")?,
    })
}

/// Every name once, in the order in which they come.
pub(crate) fn in_order<'n>(names: impl Iterator<Item = &'n String>) -> Vec<String> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for name in names {
        if places.insert(name, all.len()).is_none() {
            all.push(name.clone());
        }
    }
    all
}
