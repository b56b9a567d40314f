//! What is made of the files of a pack, and what is refused: nothing passes because something is missing.

use labtrust_assurance::AssuranceError;
use labtrust_assurance::pack::decision::{DECISION_JSON, decide};
use labtrust_assurance::pack::read::{GateRow, gate_rows, results};
use labtrust_assurance::pack::report::{self, REPORT, Request};
use labtrust_assurance::pack::strict::{Strict, read};
use labtrust_policy::PolicyStore;
use labtrust_policy::schema_complaints;
use std::path::{Path, PathBuf};

const HEAD: &str = "# Coordination security pack \u{2013} gate results\n\n| scale_id | method_id | injection_id | verdict | rationale |\n|----------|---|---|---|---|\n";
const COLUMNS: &str = "method_id,scale_id,injection_id,application_phase,perf.throughput,safety.violations_total,robustness.resilience_score,sec.attack_success_rate\r\n";

/// A directory of a pack with two methods; `verdict` is that of the attacked cell of the first.
fn pack(verdict: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let rows = format!(
        "{COLUMNS}good,small_smoke,none,full,12.0,0,1.0,\r\ngood,small_smoke,INJ-REPLAY-001,late,11.0,0,0.9,0.0\r\nidle,small_smoke,none,full,0.0,0,1.0,\r\nidle,small_smoke,INJ-REPLAY-001,late,0.0,0,1.0,0.0\r\n"
    );
    std::fs::write(dir.path().join("pack_summary.csv"), rows).unwrap();
    let cells = [
        ("good", "none", "PASS"),
        ("good", "INJ-REPLAY-001", verdict),
        ("idle", "none", "PASS"),
        ("idle", "INJ-REPLAY-001", "PASS"),
    ];
    let table: String = cells.map(|(m, i, v)| format!("| small_smoke | {m} | {i} | {v} | why |\n")).concat();
    std::fs::write(dir.path().join("pack_gate.md"), format!("{HEAD}{table}")).unwrap();
    dir
}

fn gate(text: &str) -> Result<Vec<GateRow>, AssuranceError> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pack_gate.md"), text).unwrap();
    gate_rows(dir.path())
}

/// Objections without waivers.
fn objected(rows: &[GateRow], strict: bool) -> usize {
    let by = Strict { waivers: &[], date: "2026-11-22".parse().unwrap(), exists: &|_| false };
    read(rows, strict.then_some(by)).objections.len()
}

#[test]
fn a_gate_that_is_missing_empty_or_cut_is_an_error() {
    assert!(matches!(gate_rows(Path::new("nowhere")), Err(AssuranceError::Read { .. })));
    for text in [
        "",
        "PASS",
        HEAD,
        &format!("{HEAD}| small_smoke | good | none |\n"),
        &format!("{HEAD}| s | m | none | FINE | why |\n"),
    ] {
        assert!(matches!(gate(text), Err(AssuranceError::Invalid { .. })), "{text}");
    }
    assert_eq!(gate(&format!("{HEAD}| s | m | none | PASS | a | b |\n")).unwrap()[0].rationale, "a | b");
}

#[test]
fn a_gate_fails_on_fail_and_a_strict_one_on_all_that_shows_nothing() {
    for (verdict, plain, strict) in
        [("PASS", 0, 0), ("FAIL", 1, 1), ("fail", 1, 1), ("SKIP", 0, 1), ("not_supported", 0, 1), ("not_run", 0, 1)]
    {
        let rows = gate_rows(pack(verdict).path()).unwrap();
        assert_eq!([false, true].map(|strict| objected(&rows, strict)), [plain, strict], "{verdict}");
    }
}

fn schema() -> String {
    PolicyStore::builtin().text("schemas/coordination_decision.v0.1.schema.json").unwrap().to_owned()
}

#[test]
fn who_does_nothing_is_not_chosen_although_nothing_succeeds_against_it() {
    let dir = pack("PASS");
    let decision = decide(dir.path(), &PolicyStore::builtin(), None, None).unwrap();
    assert_eq!(decision.verdict(), "admissible");
    assert_eq!(decision.chosen().collect::<Vec<_>>(), [("small_smoke", Some("good"))]);
    let disqualified = &decision.document["scale_decisions"][0]["disqualified"];
    assert_eq!(disqualified[0]["reason"], "utility_floor=0.0");
    assert_eq!(schema_complaints(&schema(), &decision.document).unwrap(), [""; 0]);
    assert_eq!(decision.document["generated_at"], "not recorded");
    assert!(!decision.document.to_string().contains(&*dir.path().parent().unwrap().to_string_lossy()));
}

#[test]
fn past_a_gate_that_failed_nothing_is_recommended() {
    let dir = pack("FAIL");
    let decision = decide(dir.path(), &PolicyStore::builtin(), Some("2026-01-01"), None).unwrap();
    assert_eq!(decision.verdict(), "security_gate_failed");
    assert_eq!(decision.chosen().collect::<Vec<_>>(), [("small_smoke", None)]);
    assert!(decision.document["scale_decisions"][0]["overall_score"].is_null());
    assert_eq!(decision.document["security_gate_failed"]["failed_cells"][0]["method_id"], "good");
    assert_eq!(schema_complaints(&schema(), &decision.document).unwrap(), [""; 0]);
}

#[test]
fn a_method_that_withstood_no_attack_is_not_admissible() {
    let dir = pack("SKIP");
    let decision = decide(dir.path(), &PolicyStore::builtin(), None, None).unwrap();
    assert_eq!(decision.verdict(), "no_admissible_method");
    assert_eq!(decision.chosen().collect::<Vec<_>>(), [("small_smoke", None)]);
    assert!(decision.document.to_string().contains("withstood_an_attack"));
    assert_eq!(schema_complaints(&schema(), &decision.document).unwrap(), [""; 0]);
}

#[test]
fn a_pack_without_a_gate_or_with_one_that_leaves_cells_out_is_refused() {
    let dir = pack("PASS");
    let policy = PolicyStore::builtin();
    std::fs::write(dir.path().join("pack_gate.md"), format!("{HEAD}| small_smoke | good | none | PASS | why |\n"))
        .unwrap();
    let cut = decide(dir.path(), &policy, None, None).unwrap_err();
    assert!(cut.to_string().contains("INJ-REPLAY-001"), "{cut}");
    std::fs::remove_file(dir.path().join("pack_gate.md")).unwrap();
    assert!(matches!(decide(dir.path(), &policy, None, None), Err(AssuranceError::Read { .. })));
    std::fs::write(dir.path().join("pack_summary.csv"), COLUMNS).unwrap();
    assert!(matches!(decide(dir.path(), &policy, None, None), Err(AssuranceError::Invalid { .. })));
}

/// Every link of a page, `](` to `)`.
fn links(page: &str) -> Vec<&str> {
    page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn a_report_links_to_what_is_there_and_recommends_nothing_past_a_failed_gate() {
    for (verdict, recommended) in [("PASS", true), ("FAIL", false)] {
        let (dir, out) = (pack(verdict), tempfile::tempdir().unwrap());
        let policy = PolicyStore::builtin();
        let request = Request {
            pack: dir.path(),
            out: out.path(),
            policy: &policy,
            preset: None,
            generated_at: None,
            with_matrix: false,
            by: None,
        };
        let made = report::write(&request).unwrap();
        assert_eq!(made.gate_passes, recommended);
        let page = std::fs::read_to_string(out.path().join(REPORT)).unwrap();
        assert_eq!(page.contains("`good`"), recommended, "{page}");
        assert!(!page.to_lowercase().contains("deploy"), "{page}");
        assert!(links(&page).len() >= 6, "{page}");
        for name in [REPORT, report::SECURITY] {
            let page = std::fs::read_to_string(out.path().join(name)).unwrap();
            for link in links(&page) {
                assert!(out.path().join(link).is_file(), "{name} links to {link}");
            }
        }
        assert!(!page.contains("SAFETY_CASE"), "there is none");
        assert!(out.path().join(DECISION_JSON).is_file());
        let board = std::fs::read_to_string(out.path().join("summary/sota_leaderboard.csv")).unwrap();
        assert!(board.contains("good,11.5,0.7071,0.0,,0.95,0.0707,"), "{board}");
    }
}

fn reference() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/reference/outputs/run-coordination-security-pack/small_smoke");
    dir.is_dir().then_some(dir)
}

/// Absent in a checkout of this project alone.
#[test]
fn the_references_own_pack_can_be_read() {
    let Some(dir) = reference() else {
        eprintln!("skipped: the reference's outputs are not here");
        return;
    };
    let rows = gate_rows(&dir).unwrap();
    assert_eq!((rows.len(), objected(&rows, false), objected(&rows, true)), (42, 3, 11));
    let (source, head, rows) = results(&dir).unwrap();
    assert_eq!((source, head.len(), rows.len()), ("SECURITY/coordination_risk_matrix.csv", 13, 42));
    assert_eq!(head, labtrust_assurance::pack::outputs::MATRIX_COLUMNS);
    let ours = &labtrust_assurance::pack::outputs::COLUMNS;
    let summary = std::fs::read_to_string(dir.join("pack_summary.csv")).unwrap();
    assert_eq!(summary.split("\r\n").next().unwrap(), ours[..20].join(","));
    let decision = decide(&dir, &PolicyStore::builtin(), None, None).unwrap();
    assert_eq!(decision.verdict(), "security_gate_failed");
    assert!(decision.chosen().all(|(_, method)| method.is_none()));
}
