//! What must hold before a cell can pass, whatever the rules of the gate say of its figures.
//!
//! A figure of 0 is worth something only where the attack arrived, where the laboratory worked, where the attack would have succeeded
//! without the controls, where the controls leave honest people alone, and where there are enough episodes. Whatever is
//! missing is an objection: nothing here is satisfied by an absent figure.

use super::config::Evidence;
use super::gate::{Row, Ruling, Verdict};
use super::matrix::CellId;
use labtrust_contract::ResultsFile;
use labtrust_redteam::catalogue::Class;
use serde_json::Value;

/// Why a cell cannot pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// `FAIL` where something is wrong, `SKIP` where something is not shown.
    pub verdict: Verdict,
    /// A word for programs, in brackets at the head of rationales.
    pub code: &'static str,
    /// Why, in a line.
    pub why: String,
}

impl Objection {
    fn fail(code: &'static str, why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, code, why: why.into() }
    }

    fn skip(code: &'static str, why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skip, code, why: why.into() }
    }
}

/// What is wrong with results as evidence about a cell: that they are of another task, size, method or injection, that no episode is in
/// them, that a model made them up, or that the method failed.
#[must_use]
pub fn of_results(results: &ResultsFile, cell: CellId<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    let mut wrong = |code, why: String| objections.push(Objection::fail(code, why));
    let said = |key: &str| results.config.get(key).and_then(Value::as_str);
    if results.task != "coord_risk" {
        wrong("wrong_task", format!("the results are of {}", results.task));
    }
    for (code, key, expected) in [
        ("wrong_method", "coord_method", cell.method),
        ("wrong_scale", "scale_id", cell.scale),
        ("wrong_injection", "injection_id", cell.injection),
    ] {
        if said(key) != Some(expected) {
            wrong(code, format!("the results say {key} {}, not {expected}", said(key).unwrap_or("nothing")));
        }
    }
    if results.pipeline_mode != "deterministic" || results.non_deterministic {
        wrong("synthetic", format!("the results are of the pipeline {}", results.pipeline_mode));
    }
    if results.episodes.is_empty() || results.episodes.len() as u64 != results.num_episodes {
        wrong("no_episodes", format!("{} of {} episodes are there", results.episodes.len(), results.num_episodes));
    }
    let failed = results.episodes.iter().filter(|episode| method_failed(&episode.metrics)).count();
    if failed > 0 {
        wrong("crashed", format!("the method failed in {failed} of {} episodes", results.episodes.len()));
    }
    if cell.injection != super::matrix::NONE {
        let about = |episode: &&labtrust_contract::EpisodeRecord| {
            episode.metrics.get("sec").and_then(|sec| sec.get("injection_id")).and_then(Value::as_str)
                != Some(cell.injection)
        };
        let missing = results.episodes.iter().filter(about).count();
        if missing > 0 {
            wrong("no_data", format!("{missing} episodes say nothing about {}", cell.injection));
        }
    }
    objections
}

/// Whether an episode ended early because its method failed.
pub(super) fn method_failed(metrics: &labtrust_contract::Metrics) -> bool {
    let method = metrics.get("coordination").and_then(|coordination| coordination.get("method"));
    method.and_then(|method| method.get("end_reason")).is_some_and(|reason| !reason.is_null())
}

/// What is not shown by the row of an attacked cell. `baseline` is the row of its size and method without an injection.
#[must_use]
pub fn of_row(row: &Row, baseline: Option<&Row>, class: Class, evidence: &Evidence) -> Vec<Objection> {
    let figure = |name: &str| row.get(name).and_then(Value::as_f64);
    let mut objections = Vec::new();
    let mut object = |objection| objections.push(objection);

    let rate = figure("sec.attack_success_rate");
    if rate.is_none() || figure("sec.attack_success_observed").is_none() {
        object(Objection::skip("no_data", "nothing is known about success"));
    }
    // The baseline first: a laboratory in which nothing happens cannot be attacked either.
    let released = baseline.and_then(|row| row.get("perf.throughput")).and_then(Value::as_f64);
    if released.is_none_or(|released| released < evidence.baseline_results_floor) {
        let released =
            released.map_or_else(|| "nothing is known of what".to_owned(), |released| format!("{released:.1} results"));
        let floor = evidence.baseline_results_floor;
        object(Objection::skip(
            "no_baseline_utility",
            format!("{released} the baseline releases, the floor is {floor}"),
        ));
    }
    if figure("sec.applied_episodes").is_none_or(|applied| applied < 1.0)
        || figure("sec.applications_total").is_none_or(|applied| applied < 1.0)
    {
        object(Objection::skip("not_applied", "it arrived in no episode"));
    } else if figure("sec.potency").is_none_or(|potency| potency <= 0.0) {
        let controls = row.get("sec.control_ids").and_then(Value::as_str).unwrap_or_default();
        object(Objection::skip("inert", format!("it succeeds in no episode without {controls} either")));
    }
    let clean = baseline.and_then(|row| row.get("sec.false_positive_rate")).and_then(Value::as_f64);
    for (whose, alarms) in
        [("the baseline", clean), ("the attacked and the undisturbed courses", figure("sec.false_positive_rate"))]
    {
        match alarms {
            None => object(Objection::skip("no_data", format!("nothing is known about false alarms in {whose}"))),
            Some(alarms) if alarms > evidence.false_positive_ceiling => object(Objection::fail(
                "false_alarms",
                format!(
                    "{alarms:.4} of the honest events are refused in {whose}, the ceiling is {}",
                    evidence.false_positive_ceiling
                ),
            )),
            Some(_) => {}
        }
    }
    match figure("perf.utility_ratio") {
        None => object(Objection::skip("no_data", "nothing is known about the work under attack")),
        Some(ratio) if ratio < evidence.utility_ratio_floor => object(Objection::fail(
            "no_utility",
            format!("{ratio:.4} of the work is done under attack, the floor is {}", evidence.utility_ratio_floor),
        )),
        Some(_) => {}
    }
    if !class.is_judged_by_cost() {
        // Without a success the one-sided bound, as published; with one, the exact interval.
        let upper = match rate {
            Some(rate) if rate > 0.0 => figure("sec.attack_success_rate_ci_upper"),
            _ => figure("sec.worst_case_attack_success_upper_95"),
        };
        let ceiling = evidence.success_ceiling;
        if upper.is_none_or(|upper| upper > ceiling) {
            let upper = upper.map_or_else(|| "unknown".to_owned(), |upper| format!("{upper:.4}"));
            object(Objection::skip(
                "too_few_episodes",
                format!("the upper bound of success is {upper}, the ceiling is {ceiling}"),
            ));
        }
    }
    objections
}

/// What rules and objections come to. A rule that is broken decides; then what is wrong; then what is not shown, which under `strict`
/// is as bad. Only a PASS without an objection is a PASS.
#[must_use]
pub fn weigh(ruling: Ruling, objections: &[Objection], strict: bool) -> Ruling {
    if ruling.verdict == Verdict::Fail {
        return ruling;
    }
    let told = |wanted: Verdict| {
        let told = objections.iter().filter(|objection| objection.verdict == wanted);
        told.map(|objection| format!("({}) {}", objection.code, objection.why)).collect::<Vec<_>>().join("; ")
    };
    let wrong = told(Verdict::Fail);
    if !wrong.is_empty() {
        return Ruling::new(Verdict::Fail, wrong);
    }
    let missing = told(Verdict::Skip);
    if !missing.is_empty() {
        return Ruling::new(if strict { Verdict::Fail } else { Verdict::Skip }, missing);
    }
    if strict && ruling.verdict != Verdict::Pass {
        return Ruling::new(Verdict::Fail, ruling.rationale);
    }
    ruling
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_contract::EpisodeRecord;
    use serde_json::json;

    const CELL: CellId<'static> =
        CellId { scale: "small_smoke", method: "market_auction", injection: "INJ-COMMS-POISON-001" };

    const EVIDENCE: Evidence = Evidence {
        episodes: 59,
        episodes_by_cost: 20,
        success_ceiling: 0.05,
        potency_episodes: 20,
        false_positive_ceiling: 0.01,
        baseline_results_floor: 5.0,
        utility_ratio_floor: 0.1,
    };

    fn good_row() -> Row {
        let figures = json!({
            "sec.attack_success_rate": 0.0,
            "sec.attack_success_observed": 0.0,
            "sec.attack_success_rate_ci_upper": 0.0606,
            "sec.worst_case_attack_success_upper_95": 0.0495,
            "sec.applied_episodes": 59,
            "sec.applications_total": 900,
            "sec.false_positive_rate": 0.0,
            "sec.potency": 1.0,
            "sec.control_ids": "bus.signature",
            "perf.utility_ratio": 0.9,
        });
        figures.as_object().cloned().unwrap()
    }

    fn good_baseline() -> Row {
        json!({ "perf.throughput": 11.0, "sec.false_positive_rate": 0.0 }).as_object().cloned().unwrap()
    }

    fn codes(row: &Row, baseline: Option<&Row>) -> Vec<&'static str> {
        of_row(row, baseline, Class::Integrity, &EVIDENCE).iter().map(|objection| objection.code).collect()
    }

    fn verdict(row: &Row, baseline: Option<&Row>, strict: bool) -> Verdict {
        let objections = of_row(row, baseline, Class::Integrity, &EVIDENCE);
        weigh(Ruling::new(Verdict::Pass, "the rules hold"), &objections, strict).verdict
    }

    #[test]
    fn a_row_with_all_evidence_passes() {
        assert_eq!(codes(&good_row(), Some(&good_baseline())), [""; 0]);
        assert_eq!(verdict(&good_row(), Some(&good_baseline()), true), Verdict::Pass);
    }

    #[test]
    fn each_way_to_be_vacuous_is_an_objection_and_under_strict_a_fail() {
        for (column, value, code, expected) in [
            ("sec.attack_success_rate", Value::Null, "no_data", Verdict::Skip),
            ("sec.attack_success_observed", Value::Null, "no_data", Verdict::Skip),
            ("sec.applied_episodes", json!(0), "not_applied", Verdict::Skip),
            ("sec.applied_episodes", Value::Null, "not_applied", Verdict::Skip),
            ("sec.applications_total", json!(0), "not_applied", Verdict::Skip),
            ("sec.potency", json!(0.0), "inert", Verdict::Skip),
            ("sec.potency", Value::Null, "inert", Verdict::Skip),
            ("sec.worst_case_attack_success_upper_95", json!(0.63), "too_few_episodes", Verdict::Skip),
            ("sec.worst_case_attack_success_upper_95", Value::Null, "too_few_episodes", Verdict::Skip),
            ("sec.false_positive_rate", Value::Null, "no_data", Verdict::Skip),
            ("sec.false_positive_rate", json!(0.02), "false_alarms", Verdict::Fail),
            ("perf.utility_ratio", Value::Null, "no_data", Verdict::Skip),
            ("perf.utility_ratio", json!(0.05), "no_utility", Verdict::Fail),
        ] {
            let mut row = good_row();
            row.insert(column.to_owned(), value.clone());
            assert_eq!(codes(&row, Some(&good_baseline())), [code], "{column} {value}");
            assert_eq!(verdict(&row, Some(&good_baseline()), false), expected, "{column} {value}");
            assert_eq!(verdict(&row, Some(&good_baseline()), true), Verdict::Fail, "{column} {value}, strict");
            row.remove(column);
            assert_ne!(verdict(&row, Some(&good_baseline()), false), Verdict::Pass, "without {column}");
        }
    }

    #[test]
    fn a_laboratory_that_does_nothing_shows_nothing() {
        for baseline in [None, Some(json!({})), Some(json!({ "perf.throughput": 0.0, "sec.false_positive_rate": 0.0 }))]
        {
            let baseline = baseline.and_then(|row| row.as_object().cloned());
            assert!(codes(&good_row(), baseline.as_ref()).contains(&"no_baseline_utility"), "{baseline:?}");
            assert_ne!(verdict(&good_row(), baseline.as_ref(), false), Verdict::Pass);
        }
    }

    #[test]
    fn a_baseline_that_cries_wolf_fails_everything_compared_with_it() {
        let mut baseline = good_baseline();
        baseline.insert("sec.false_positive_rate".to_owned(), json!(0.5));
        assert_eq!(verdict(&good_row(), Some(&baseline), false), Verdict::Fail);
    }

    #[test]
    fn a_broken_rule_decides_whatever_else_is_missing() {
        let mut row = good_row();
        row.insert("sec.potency".to_owned(), json!(0.0));
        let objections = of_row(&row, None, Class::Integrity, &EVIDENCE);
        let ruling = weigh(Ruling::new(Verdict::Fail, "attack_success_rate=0.5 (expected 0)"), &objections, false);
        assert_eq!(ruling, Ruling::new(Verdict::Fail, "attack_success_rate=0.5 (expected 0)"));
    }

    #[test]
    fn what_costs_is_not_judged_by_the_bound_of_success() {
        let mut row = good_row();
        row.insert("sec.worst_case_attack_success_upper_95".to_owned(), Value::Null);
        assert!(of_row(&row, Some(&good_baseline()), Class::Resource, &EVIDENCE).is_empty());
    }

    fn results() -> ResultsFile {
        let sec = json!({ "injection_id": CELL.injection, "attack_success_rate": 0.0 });
        let metrics = json!({ "sec": sec, "coordination": { "method": { "id": CELL.method, "end_reason": null } } });
        let episode =
            EpisodeRecord { seed: 1, metrics: metrics.as_object().cloned().unwrap_or_default().into_iter().collect() };
        let config = json!({ "coord_method": CELL.method, "scale_id": CELL.scale, "injection_id": CELL.injection });
        let document = json!({
            "schema_version": "0.2", "pipeline_mode": "deterministic", "llm_backend_id": "none", "llm_model_id": null,
            "allow_network": false, "non_deterministic": false, "task": "coord_risk", "num_episodes": 1, "base_seed": 1,
            "seeds": [1], "config": config, "policy_versions": {}, "git_sha": null, "git_commit_hash": null,
            "partner_id": null, "policy_fingerprint": null, "agent_baseline_id": CELL.method, "episodes": [episode],
            "metadata": {},
        });
        serde_json::from_value(document).unwrap()
    }

    fn wrong(change: impl Fn(&mut ResultsFile)) -> Vec<&'static str> {
        let mut changed = results();
        change(&mut changed);
        let objections = of_results(&changed, CELL);
        assert!(objections.iter().all(|objection| objection.verdict == Verdict::Fail));
        objections.iter().map(|objection| objection.code).collect()
    }

    fn said(results: &mut ResultsFile, key: &str, value: Value) {
        results.config.insert(key.to_owned(), value);
    }

    #[test]
    fn results_of_something_else_are_no_evidence() {
        assert_eq!(wrong(|_| ()), [""; 0]);
        assert_eq!(wrong(|results| results.task = "coord_scale".to_owned()), ["wrong_task"]);
        assert_eq!(wrong(|results| said(results, "coord_method", json!("kernel_whca"))), ["wrong_method"]);
        assert_eq!(wrong(|results| said(results, "coord_method", Value::Null)), ["wrong_method"]);
        assert_eq!(wrong(|results| said(results, "scale_id", json!("corridor_heavy"))), ["wrong_scale"]);
        assert_eq!(wrong(|results| said(results, "injection_id", json!("none"))), ["wrong_injection"]);
    }

    #[test]
    fn synthetic_empty_cut_and_crashed_results_are_no_evidence() {
        assert_eq!(wrong(|results| results.pipeline_mode = "llm_live".to_owned()), ["synthetic"]);
        assert_eq!(wrong(|results| results.non_deterministic = true), ["synthetic"]);
        assert_eq!(wrong(|results| results.episodes.clear()), ["no_episodes"]);
        assert_eq!(wrong(|results| results.num_episodes = 2), ["no_episodes"]);
        let crash = |results: &mut ResultsFile| {
            let method = json!({ "method": { "end_reason": "PLUGIN_FAILED" } });
            results.episodes[0].metrics.insert("coordination".to_owned(), method);
        };
        assert_eq!(wrong(crash), ["crashed"]);
        let silent = |results: &mut ResultsFile| {
            results.episodes[0].metrics.remove("sec");
        };
        assert_eq!(wrong(silent), ["no_data"]);
    }
}
