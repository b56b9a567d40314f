//! What a strict reader of a gate lets pass by: cells of methods that do not exist, as long as waivers say so, and nothing else.

use labtrust_assurance::pack::Verdict;
use labtrust_assurance::pack::decision::decide;
use labtrust_assurance::pack::read::GateRow;
use labtrust_assurance::pack::report::{self, Request};
use labtrust_assurance::pack::strict::{Reading, Strict, read};
use labtrust_assurance::register::policy::Waiver;
use labtrust_assurance::register::waivers;
use labtrust_policy::PolicyStore;

const DAY: &str = "2026-11-22";
/// About `R-COMMS-001` and `R-COORD-001`.
const SPOOF: &str = "INJ-ID-SPOOF-001";

fn row(method: &str, injection: &str, verdict: Verdict) -> GateRow {
    GateRow {
        scale_id: "small_smoke".to_owned(),
        method_id: method.to_owned(),
        injection_id: injection.to_owned(),
        verdict,
        rationale: "why".to_owned(),
    }
}

fn waiver(method: &str, risk: &str, expires_on: &str) -> Waiver {
    Waiver {
        method_id: method.to_owned(),
        risk_id: risk.to_owned(),
        why: "It does not exist.".to_owned(),
        expires_on: expires_on.to_owned(),
        approved_by: "ROLE_SECURITY_OFFICER".to_owned(),
    }
}

/// Both risks of the injection.
fn both(first: &str, second: &str) -> Vec<Waiver> {
    vec![waiver("absent", "R-COMMS-001", first), waiver("absent", "R-COORD-001", second)]
}

fn by<'a>(waivers: &'a [Waiver], day: &str) -> Strict<'a> {
    Strict { waivers, date: day.parse().unwrap(), exists: &|method| method != "absent" }
}

/// Until when the one row is waived, or why it is not.
fn waived(row: &GateRow, waivers: &[Waiver], day: &str) -> Result<String, Vec<String>> {
    let Reading { objections, waived } = read(std::slice::from_ref(row), Some(by(waivers, day)));
    match (objections.as_slice(), waived.as_slice()) {
        ([], [one]) => Ok(one.until.to_string()),
        ([one], []) => Err(one.unwaived.clone()),
        _ => panic!("{row:?} is one of both"),
    }
}

#[test]
fn a_cell_that_was_not_run_is_waived_where_every_risk_of_its_injection_is() {
    let cell = row("absent", SPOOF, Verdict::NotRun);
    assert_eq!(waived(&cell, &both("2027-06-30", "2027-01-31"), DAY), Ok("2027-01-31".to_owned()));
    assert_eq!(waived(&cell, &both(DAY, DAY), DAY), Ok(DAY.to_owned()), "it holds on its last day");
    for missing in 0..2 {
        let mut one = both("2027-06-30", "2027-06-30");
        let risk = one.remove(missing).risk_id;
        assert_eq!(waived(&cell, &one, DAY), Err(vec![format!("{risk}: there is no waiver of absent")]));
    }
    let of_another = [waiver("other", "R-COMMS-001", "2027-06-30"), waiver("other", "R-COORD-001", "2027-06-30")];
    assert_eq!(waived(&cell, &of_another, DAY).unwrap_err().len(), 2);
    assert_eq!(
        waived(&row("absent", "INJ-NONE-SUCH", Verdict::NotRun), &both("2027-06-30", "2027-06-30"), DAY),
        Err(vec!["no risk is known of INJ-NONE-SUCH".to_owned()])
    );
}

#[test]
fn a_waiver_that_has_expired_is_said() {
    let cell = row("absent", SPOOF, Verdict::NotRun);
    let why = waived(&cell, &both("2027-06-30", "2026-11-21"), DAY).unwrap_err();
    assert_eq!(why, ["R-COORD-001: its waiver expired on 2026-11-21"]);
    let why = waived(&cell, &both("2027-06-30", "2027-06-30"), "2027-07-01").unwrap_err();
    assert_eq!(why.len(), 2, "{why:?}");
}

#[test]
fn what_was_run_is_not_waived() {
    let waivers = both("2027-06-30", "2027-06-30");
    for verdict in [Verdict::Fail, Verdict::Skip, Verdict::NotSupported] {
        assert_eq!(waived(&row("absent", SPOOF, verdict), &waivers, DAY), Err(vec![]), "{verdict:?}");
    }
    let there = Strict { exists: &|_| true, ..by(&waivers, DAY) };
    let cells = [row("absent", SPOOF, Verdict::NotRun)];
    let reading = read(&cells, Some(there));
    assert_eq!(reading.waived, []);
    assert_eq!(reading.objections[0].unwaived, ["absent is there in this version: run the pack again"]);
    let passed = [row("absent", SPOOF, Verdict::Pass)];
    assert_eq!(read(&passed, Some(by(&waivers, DAY))), Reading::default(), "what passed is not waived either");
}

#[test]
fn a_baseline_is_waived_with_any_cell_of_its_method() {
    let cell = row("absent", "none", Verdict::NotRun);
    assert_eq!(waived(&cell, &both("2026-11-21", "2027-01-31"), DAY), Ok("2027-01-31".to_owned()));
    assert_eq!(waived(&cell, &both("2026-11-21", "2026-11-20"), DAY).unwrap_err().len(), 2);
    assert_eq!(waived(&cell, &[], DAY), Err(vec!["there is no waiver of absent".to_owned()]));
}

#[test]
fn who_is_not_strict_needs_no_waiver() {
    let rows = [Verdict::NotRun, Verdict::Skip, Verdict::Fail].map(|verdict| row("absent", SPOOF, verdict));
    let reading = read(&rows, None);
    assert_eq!((reading.objections.len(), reading.waived.len()), (1, 0));
    assert_eq!(reading.objections[0].row.verdict, Verdict::Fail);
}

/// A pack of a method that passes and one that does not exist.
fn pack() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let columns = "method_id,scale_id,injection_id,application_phase,perf.throughput,safety.violations_total,robustness.resilience_score,sec.attack_success_rate\r\n";
    let rows = "good,small_smoke,none,full,12.0,0,1.0,\r\ngood,small_smoke,INJ-ID-SPOOF-001,early,11.0,0,0.9,0.0\r\nabsent,small_smoke,INJ-ID-SPOOF-001,early,,,,\r\n";
    std::fs::write(dir.path().join("pack_summary.csv"), format!("{columns}{rows}")).unwrap();
    let cells = [("good", "none", "PASS"), ("good", SPOOF, "PASS"), ("absent", SPOOF, "not_run")];
    let table: String = cells.map(|(m, i, v)| format!("| small_smoke | {m} | {i} | {v} | why |\n")).concat();
    let head = "| scale_id | method_id | injection_id | verdict | rationale |\n|---|---|---|---|---|\n";
    std::fs::write(dir.path().join("pack_gate.md"), format!("{head}{table}")).unwrap();
    dir
}

#[test]
fn a_strict_decision_chooses_only_past_cells_that_passed_or_are_waived_and_says_which_day_it_is() {
    let (dir, policy) = (pack(), PolicyStore::builtin());
    let held = both("2027-06-30", "2027-06-30");
    let expired = both("2026-01-31", "2027-06-30");
    for (waivers, verdict, chosen) in [(&held, "admissible", Some("good")), (&expired, "security_gate_failed", None)] {
        let decision = decide(dir.path(), &policy, None, Some(by(waivers, DAY))).unwrap();
        assert_eq!(decision.verdict(), verdict);
        assert_eq!(decision.chosen().collect::<Vec<_>>(), [("small_smoke", chosen)]);
        let residual = decision.document["risk_register_linkage"]["residual_risk_statement"].as_str().unwrap();
        assert!(residual.contains(DAY), "{residual}");
        assert_eq!(residual.contains("small_smoke / absent / INJ-ID-SPOOF-001 until 2027-06-30"), chosen.is_some());
        let schema = policy.text("schemas/coordination_decision.v0.1.schema.json").unwrap();
        assert_eq!(labtrust_policy::schema_complaints(schema, &decision.document).unwrap(), [""; 0]);
    }
    let plain = decide(dir.path(), &policy, None, None).unwrap();
    assert!(!plain.document.to_string().contains("waive"), "{}", plain.document);
}

#[test]
fn a_strict_report_lists_waived_cells_apart() {
    let (dir, policy, waivers) = (pack(), PolicyStore::builtin(), both("2027-06-30", "2027-06-30"));
    let security = |by: Option<Strict<'_>>| {
        let out = tempfile::tempdir().unwrap();
        let request = Request {
            pack: dir.path(),
            out: out.path(),
            policy: &policy,
            preset: None,
            generated_at: None,
            with_matrix: false,
            by,
        };
        let passes = report::write(&request).unwrap().gate_passes;
        (passes, std::fs::read_to_string(out.path().join(report::SECURITY)).unwrap())
    };
    let (passes, text) = security(Some(by(&waivers, DAY)));
    assert!(passes && text.contains("- small_smoke / absent / INJ-ID-SPOOF-001: until 2027-06-30\n"), "{text}");
    assert!(!text.contains("Show nothing"), "{text}");
    let (passes, text) = security(Some(by(&[], DAY)));
    assert!(!passes && text.contains("**Overall:** FAIL") && text.contains("Show nothing (1)"), "{text}");
    assert!(security(None).0);
}

#[test]
fn a_file_of_waivers_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("waivers.yaml");
    let of = |expires_on: &str, why: &str, more: &str| {
        let text = format!(
            "version: \"0.1\"\nwaivers:\n  - {{ method_id: absent, risk_id: R-COMMS-001, why: \"{why}\", expires_on: \"{expires_on}\", approved_by: ROLE{more} }}\n"
        );
        std::fs::write(&path, text).unwrap();
        waivers::of_file(&path).map_err(|error| error.to_string())
    };
    assert_eq!(of("2027-06-30", "so", "").unwrap()[0].risk_id, "R-COMMS-001");
    for (expires_on, why, more) in [
        ("2027-02-30", "so", ""),
        ("soon", "so", ""),
        ("2027-06-30", " ", ""),
        ("2027-06-30", "so", ", for_ever: true"),
    ] {
        let error = of(expires_on, why, more).unwrap_err();
        assert!(error.contains("waivers.yaml:3"), "{error}");
    }
    assert!(waivers::of_file(&dir.path().join("nowhere.yaml")).is_err());
}
