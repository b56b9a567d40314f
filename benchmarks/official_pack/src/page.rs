//! The manifest of a pack and its summary for people. Neither says where or when it was made.

use crate::PackPolicy;
use crate::pack::{COORDINATION_PACK, Outcome, Request};
use crate::steps::Step;
use labtrust_bench::date::timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

/// The published stamp: as many seconds after the epoch as the seed says.
#[must_use]
pub fn stamp(seed: u64) -> Option<String> {
    // Years of four digits; what lies behind them has no stamp.
    let moment = UNIX_EPOCH.checked_add(Duration::from_secs(seed)).filter(|_| seed < 253_402_300_800);
    // Whole seconds, written without their thousandths.
    moment.map(|moment| timestamp(moment).replace(".000Z", "Z"))
}

/// The manifest of a pack.
#[must_use]
pub fn manifest(request: &Request<'_>, outcome: &Outcome) -> Value {
    let (pack, ground) = (request.pack, &request.ground);
    let sizes = pack.sizes();
    let full = request.full_security || pack.full_security();
    json!({
        "version": pack.version,
        "pack_policy": pack.source,
        "pack_policy_sha256": pack.sha256,
        "seed_base": request.seed_base,
        "timestamp": stamp(request.seed_base),
        "git_sha": ground.git_sha,
        "program_version": env!("CARGO_PKG_VERSION"),
        "policy_fingerprint": ground.policy.policy_fingerprint().ok(),
        "partner_id": ground.policy.partner(),
        "smoke": request.smoke,
        "security_suite": if full { "full" } else { "smoke" },
        "pipeline_mode": "deterministic",
        "allow_network": false,
        "tasks": pack.tasks().collect::<Vec<_>>(),
        "baselines": pack.baselines,
        "baseline_results": outcome.played.iter().map(crate::baselines::Played::json).collect::<Vec<_>>(),
        "scale_configs": sizes.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        "coordination_methods": pack.coordination_methods,
        "methods_compared": pack.methods(),
        "injections": pack.injections,
        "not_run": outcome.not_run,
        "required_reports": pack.required_reports,
        "results_semantics": "v0.2",
        "safety_case": outcome.safety_case,
        "coordination_pack": outcome.coordination_pack,
        "steps": outcome.steps.iter().map(Step::json).collect::<Vec<_>>(),
    })
}

/// What a folder of the pack holds.
const TREE: &[(&str, &str)] = &[
    ("baselines/results/", "results of every task by its baseline"),
    ("_repr/<task>/", "log, episode records and results of each of these runs"),
    ("receipts/<task>/", "EvidenceBundle.v0.1 of each, and what its verification came to"),
    ("TRANSPARENCY_LOG/", "log.json, root.txt, proofs/; log.v0.2.json with an RFC 6962 tree"),
    ("cells/", "results of every size, method and injection"),
    ("summary/", "leaderboards, tables of cells and episodes, tables of the baselines"),
    ("PARETO/", "fronts and verdicts"),
    ("SECURITY/", "attack_results.json, coverage, reason codes, inventories"),
    ("SAFETY_CASE/", "safety_case.json, safety_case.md"),
    ("coordination_pack/", "the coordination security pack with its report, where it was asked for"),
    ("report.html", "the comparison on one page"),
    ("pack_manifest.json", "what was run, and how every step ended"),
];

/// The summary of a pack.
#[must_use]
pub fn summary(request: &Request<'_>, outcome: &Outcome) -> String {
    let (pack, ground) = (request.pack, &request.ground);
    let mut rows = vec![
        ("Seed base", request.seed_base.to_string()),
        ("Timestamp", stamp(request.seed_base).unwrap_or_else(|| "n/a".to_owned())),
        ("Git SHA", ground.git_sha.unwrap_or("n/a").to_owned()),
        ("Partner", ground.policy.partner().unwrap_or("none").to_owned()),
        ("Smoke", if request.smoke { "yes" } else { "no" }.to_owned()),
    ];
    rows.extend(definition(pack));
    rows.push(("Not run", listed(outcome.not_run.iter().map(|one| one.reason.as_str()))));
    let mut text = format!("# Official Benchmark Pack v{}: summary\n\n{}", pack.version, table(&rows));
    text.push_str("\n## Baselines\n\nThroughput is results released in an episode. A floor of 0 asks for something to be released.\n\n");
    text.push_str("| task | played by | episodes | throughput | floor |\n| --- | --- | ---: | ---: | ---: |\n");
    for one in &outcome.played {
        let floor = shown_floor(one.floor);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {floor} |",
            one.task, one.agent_baseline_id, one.episodes, one.throughput_mean
        );
    }
    text.push_str("\n## Steps\n\n");
    text.push_str(&stages(&outcome.steps));
    text.push_str("\n## Output tree\n\n");
    let asked = outcome.coordination_pack.is_some();
    let there = TREE.iter().filter(|(path, _)| asked || !path.starts_with(COORDINATION_PACK));
    text.push_str(&tree(&there.copied().collect::<Vec<_>>()));
    text
}

/// What a pack is made of.
pub(crate) fn definition(pack: &PackPolicy) -> Vec<(&'static str, String)> {
    vec![
        ("Pack policy", pack.source.clone()),
        ("Tasks", listed(pack.tasks())),
        ("Scale configs", listed(pack.sizes().iter().map(|(id, _)| *id))),
        ("Coordination methods", listed(pack.methods().iter().map(String::as_str))),
        ("Required reports", listed(pack.required_reports.iter().map(String::as_str))),
    ]
}

fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Items with their values.
pub(crate) fn table(rows: &[(&str, String)]) -> String {
    let mut text = String::from("| Item | Value |\n| --- | --- |\n");
    for (item, value) in rows {
        let _ = writeln!(text, "| {item} | {value} |");
    }
    text
}

/// Steps with how they ended.
pub(crate) fn stages(steps: &[Step]) -> String {
    let mut text = String::from("| step | status | why |\n| --- | --- | --- |\n");
    for step in steps {
        let why = cell(step.error.as_deref().unwrap_or_default());
        let _ = writeln!(text, "| {} | {} | {why} |", step.name, step.status.name());
    }
    text
}

/// A text as it may stand in a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// Files with what they are.
pub(crate) fn tree(files: &[(&str, &str)]) -> String {
    let mut text = String::from("```\n");
    let width = files.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    for (path, what) in files {
        let _ = writeln!(text, "{path:<width$}  {what}");
    }
    text + "```\n"
}

/// A floor as people read it: the least that there is asks for something to be released.
pub(crate) fn shown_floor(floor: f64) -> f64 {
    if floor <= f64::MIN_POSITIVE { 0.0 } else { floor }
}
