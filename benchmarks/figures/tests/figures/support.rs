//! Small runs to draw.

use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

/// Writes a file of a run.
pub(crate) fn put(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const COLUMNS: &str = "method_id,scale_id,risk_id,injection_id,perf.throughput,perf.p95_tat,sec.attack_success_rate,\
    sec.attack_success_rate_ci_lower,sec.attack_success_rate_ci_upper,robustness.resilience_score,n_episodes,\
    perf.throughput_ci_lower,perf.throughput_ci_upper,perf.p95_tat_ci_lower,perf.p95_tat_ci_upper,sec.applied_episodes";

/// A coordination study of these methods: two sizes, one injection that succeeds in 3 of 10 episodes, one that never
/// arrives.
pub(crate) fn study(methods: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut table = format!("{COLUMNS}\r\n");
    for (size, (scale, base)) in
        [("scale_num_agents_4_num_sites_1", 10.0), ("scale_num_agents_8_num_sites_1", 18.0)].into_iter().enumerate()
    {
        for (index, method) in methods.iter().enumerate() {
            let quoted = format!("\"{}\"", method.replace('"', "\"\""));
            let (released, tat) = (base - index as f64, 900.0 - 40.0 * index as f64 + 100.0 * size as f64);
            let (low, high, soon, late) = (released - 1.0, released + 1.0, tat - 30.0, tat + 50.0);
            for (injection, attack) in [("none", ",,"), ("INJ-A", "0.3,0.07,0.65"), ("INJ-B", ",,")] {
                let applied = match injection {
                    "none" => "",
                    "INJ-A" => "10",
                    _ => "0",
                };
                let score = if injection == "none" { 0.9 } else { 0.7 };
                let _ = write!(
                    table,
                    "{quoted},{scale},R-1;R-2,{injection},{released},{tat},{attack},{score},10,{low},{high},{soon},{late},{applied}\r\n"
                );
            }
        }
    }
    put(dir.path(), "summary/summary_coord.csv", &table);
    let first = serde_json::json!({ "method_id": methods[0], "scale_id": "s", "injection_id": "none" });
    let winner = serde_json::json!({
        "metric": "robustness.resilience_score", "injection_id": "none", "winner": methods[0], "indistinguishable": [],
        "verdict": format!("{} wins", methods[0]), "left_out": [{ "method_id": "idle", "reason": "it releases nothing" }],
    });
    let pareto = serde_json::json!({
        "fronts_per_scale": { "scale_num_agents_4_num_sites_1": [first] },
        "winners_per_scale": { "scale_num_agents_4_num_sites_1": winner },
    });
    put(dir.path(), "PARETO/pareto.json", &pareto.to_string());
    put(dir.path(), "manifest_coordination.json", "{\"study_id\":\"tiny\",\"seed_base\":7,\"episodes_per_cell\":10}");
    dir
}

/// A pack with every verdict.
pub(crate) fn pack() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut table = String::from("method_id,scale_id,injection_id,perf.throughput\r\n");
    let mut gate = String::from(
        "# Gate\n\n| scale_id | method_id | injection_id | verdict | rationale |\n|----------|-----------|--------------|---------|-----------|\n",
    );
    let verdicts =
        [("none", "PASS"), ("INJ-A", "FAIL"), ("INJ-B", "SKIP"), ("INJ-C", "not_supported"), ("INJ-D", "not_run")];
    for scale in ["s1", "s2"] {
        for (injection, verdict) in verdicts {
            // In one size everything passes: the worst counts.
            let verdict = if scale == "s1" { "PASS" } else { verdict };
            let _ = write!(table, "edf,{scale},{injection},3.0\r\n");
            let _ = writeln!(gate, "| {scale} | edf | {injection} | {verdict} | because of {injection} |");
        }
    }
    put(dir.path(), "pack_summary.csv", &table);
    put(dir.path(), "pack_gate.md", &gate);
    dir
}

/// A study of two conditions; the third has no results.
pub(crate) fn conditions() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    put(
        dir.path(),
        "manifest.json",
        r#"{"task":"throughput_sla","episodes":2,"condition_ids":["cond_0","cond_1","cond_2"],"condition_labels":["on","off","odd"],"study_spec_path":"spec.yaml"}"#,
    );
    put(
        dir.path(),
        "results/cond_0/results.json",
        r#"{"episodes":[
            {"seed":1,"metrics":{"throughput":4,"p95_turnaround_s":100.0,"steps":80,"tokens_consumed":1,"tokens_minted":2,"violations_by_invariant_id":{"INV-B":1,"INV-A":2},"blocked_by_reason_code":{"RC_X":1}}},
            {"seed":2,"metrics":{"throughput":6,"p95_turnaround_s":null,"steps":80,"critical_communication_compliance_rate":0.5,"violations_by_invariant_id":{},"blocked_by_reason_code":{"RC_Y":1}}}]}"#,
    );
    put(
        dir.path(),
        "results/cond_1/results.json",
        r#"{"episodes":[{"seed":1,"metrics":{"throughput":5,"steps":80,"blocked_by_reason_code":{"RC_Y":1}}}]}"#,
    );
    dir
}
