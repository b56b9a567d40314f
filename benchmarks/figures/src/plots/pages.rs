//! `RUN_REPORT.md` and `RUN_SUMMARY.md`: what was run, what the figures mean, and which files there are. Nothing is named
//! that was not written.

use super::Figure;
use super::tables::in_cell;
use crate::chart::Theme;
use crate::files::Made;
use crate::run::Run;
use crate::run::conditions::Conditions;
use serde_json::Value;
use std::fmt::Write as _;

/// What every figure and table of conditions is about.
const METRICS: [(&str, &str); 7] = [
    ("throughput", "specimens with a released result in an episode [count]; more is better"),
    ("violations_total", "broken invariants of all episodes of a condition [count]; less is better"),
    ("p95_tat", "95th percentile of the time from accepting a specimen to releasing its result [s]; less is better"),
    ("trust_cost", "tokens consumed and minted in an episode [count]"),
    (
        "critical_compliance",
        "share of critical results that were told and acknowledged as policy asks [1]; more is better",
    ),
    ("blocked_by_reason_code", "actions that a gate or a rule refused, by its reason [count]"),
    ("_std, _se", "sample standard deviation, and standard error of the mean, over episodes; 0 of one episode"),
];

/// The page beside the figures.
pub(super) fn report(run: &Run, theme: Theme, figures: &[Figure], tables: &[Made], pdf: bool) -> Made {
    let mut out = String::from("# Run report: figures and data tables\n\n## Run context\n\n");
    context(&mut out, run, theme);
    if run.conditions.is_some() {
        out.push_str("\n## Metric definitions\n\n");
        for (name, words) in METRICS {
            let _ = writeln!(out, "- **{name}**: {words}.");
        }
    }
    out.push_str("\n## Figures\n\n");
    for figure in figures {
        let name = from_figures(figure.name);
        let _ = writeln!(out, "- [`{name}.svg`]({name}.svg), [`{name}.png`]({name}.png): {}.", figure.caption);
    }
    if pdf {
        out.push_str("- [`run_figures.pdf`](run_figures.pdf): all of them, one a page.\n");
    }
    if !tables.is_empty() {
        out.push_str("\n## Data tables\n\n");
        for table in tables {
            let name = from_figures(&table.name);
            let _ = writeln!(out, "- [`{name}`]({name})");
        }
    }
    if let Some(study) = &run.conditions {
        data_summary(&mut out, study);
    }
    Made::new("figures/RUN_REPORT.md", out)
}

/// The name as it is seen from `figures/`.
fn from_figures(name: &str) -> String {
    name.strip_prefix("figures/").map_or_else(|| format!("../{name}"), str::to_owned)
}

fn context(out: &mut String, run: &Run, theme: Theme) {
    if let Some(study) = &run.conditions {
        let ids: Vec<&str> = study.all.iter().map(|one| one.id.as_str()).collect();
        let total: usize = study.all.iter().map(|one| one.episodes).sum();
        let _ = writeln!(out, "- **Task**: {}", told(&study.manifest, "task"));
        let _ = writeln!(out, "- **Conditions**: {} ({})", ids.len(), ids.join(", "));
        if !study.missing.is_empty() {
            let _ = writeln!(out, "- **Conditions without results**: {}", study.missing.join(", "));
        }
        let _ = writeln!(out, "- **Episodes per condition**: {}", told(&study.manifest, "episodes"));
        let _ = writeln!(out, "- **Total episodes**: {total}");
    }
    if let Some(study) = &run.coordination {
        let _ = writeln!(
            out,
            "- **Coordination study**: {} cells of {} sizes, {} methods, {} injections",
            study.cells.len(),
            study.scales.len(),
            study.methods.len(),
            study.injections.len()
        );
    }
    if let Some(pack) = &run.pack {
        let _ = writeln!(out, "- **Security pack**: {} cells", pack.cells.len());
    }
    if let Some(episode) = &run.episode {
        let path = episode.path.strip_prefix(&run.dir).unwrap_or(&episode.path);
        let _ = writeln!(out, "- **Episode shown**: the first of `{}`", path.display());
    }
    let _ = writeln!(out, "- **Theme**: {} (`--theme light|dark|colorblind|bw`)", theme.id());
}

fn told(manifest: &Value, key: &str) -> String {
    match manifest.get(key) {
        None | Some(Value::Null) => "unknown".to_owned(),
        Some(Value::String(text)) => in_cell(text),
        Some(other) => other.to_string(),
    }
}

fn data_summary(out: &mut String, study: &Conditions) {
    out.push_str("\n## Data summary\n\n");
    let released: f64 = study.all.iter().map(|one| one.throughputs.iter().sum::<f64>()).sum();
    if study.all.is_empty() {
        out.push_str("- No condition has results: run the study again.\n");
    } else if released == 0.0 {
        out.push_str(
            "- **Throughput**: no condition released a result, so its figures compare nothing. Usual reasons: episodes end before \
             an analysis does; reagents run out; specimens are never accepted; actions are blocked (see \
             `blocked_by_reason_code_top10.csv`).\n",
        );
    } else {
        let _ = writeln!(out, "- **Throughput**: {released:.0} results were released in all episodes.");
    }
    let violations: u64 = study.violations.values().sum();
    let _ = writeln!(out, "- **Violations**: {violations} in all conditions.");
    let without = study.all.iter().filter(|one| one.p95_tat.is_none()).count();
    if without > 0 {
        let _ = writeln!(out, "- **Turnaround**: {without} of {} conditions have none.", study.all.len());
    }
}

/// The page in the run directory of a study of conditions.
pub(super) fn summary(run: &Run, study: &Conditions) -> Made {
    let mut out = String::from("# Run summary\n\n## What was run\n\n");
    for (name, key) in [("Task", "task"), ("Episodes per condition", "episodes"), ("Study spec", "study_spec_path")] {
        let _ = writeln!(out, "- **{name}**: {}", told(&study.manifest, key));
    }
    let _ = writeln!(out, "- **Conditions**: {}", study.all.len() + study.missing.len());
    out.push_str("\n## Output layout\n\n| Path | Description |\n|------|-------------|\n");
    let rows = [
        ("manifest.json", "manifest.json", "conditions, seeds, hashes of results, commit"),
        ("conditions.jsonl", "conditions.jsonl", "every condition with what it changes"),
        ("results", "results/<condition>/results.json", "episodes and metrics of a condition"),
        ("logs", "logs/<condition>/", "episode logs of a condition"),
    ];
    for (path, name, words) in rows {
        if run.dir.join(path).exists() {
            let _ = writeln!(out, "| `{name}` | {words} |");
        }
    }
    out.push_str(
        "| `figures/` | figures as SVG and PNG |\n| `figures/data_tables/` | the numbers behind them |\n| `figures/RUN_REPORT.md` | what the figures mean |\n\n\
         ## Next steps\n\n1. Read `figures/RUN_REPORT.md`.\n2. Open `figures/data_tables/summary.csv` or `figures/data_tables/paper_table.md`.\n\
         3. `labtrust report --run` on this directory makes one page of it.\n",
    );
    Made::new("RUN_SUMMARY.md", out)
}
