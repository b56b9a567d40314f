//! The tables, byte by byte.

use crate::support::{conditions, pack};
use labtrust_figures::chart::Theme;
use labtrust_figures::plots;
use labtrust_figures::run::Run;

fn table(dir: &std::path::Path, name: &str) -> String {
    let made = plots::make(&Run::open(dir, None).unwrap(), Theme::Light, false).unwrap();
    let found = made.iter().find(|one| one.name == format!("figures/data_tables/{name}"));
    String::from_utf8(found.unwrap_or_else(|| panic!("{name} is not made")).bytes.clone()).unwrap()
}

#[test]
fn tables_of_conditions_are_those_of_the_published_format() {
    let dir = conditions();
    assert_eq!(
        table(dir.path(), "throughput_vs_violations.csv"),
        "condition_id,throughput_mean,throughput_std,throughput_se,violations_total\r\n\
         cond_0,5.0,1.4142135623730951,1.0,3\r\ncond_1,5.0,0.0,0.0,0\r\n"
    );
    assert_eq!(
        table(dir.path(), "trust_cost_vs_p95_tat.csv"),
        "condition_id,trust_cost_mean,trust_cost_std,trust_cost_se,p95_tat_mean,p95_tat_std,p95_tat_se\r\n\
         cond_0,1.5,2.1213203435596424,1.4999999999999998,100.0,0.0,0.0\r\ncond_1,0.0,0.0,0.0,,,\r\n"
    );
    assert_eq!(table(dir.path(), "violations_by_invariant_id.csv"), "invariant_id,count\r\nINV-A,2\r\nINV-B,1\r\n");
    // RC_X was seen first but RC_Y is more frequent.
    assert_eq!(table(dir.path(), "blocked_by_reason_code_top10.csv"), "reason_code,count\r\nRC_Y,2\r\nRC_X,1\r\n");
    assert_eq!(
        table(dir.path(), "critical_compliance_by_condition.csv"),
        "condition_id,critical_compliance_mean,critical_compliance_std,critical_compliance_se\r\ncond_0,0.5,0.0,0.0\r\ncond_1,,,\r\n"
    );
    let summary = table(dir.path(), "summary.csv");
    let rows: Vec<&str> = summary.split("\r\n").collect();
    assert_eq!(
        rows[1],
        "cond_0,on,5.0,1.4142135623730951,1.0,3,1.5,1.5,2.1213203435596424,1.4999999999999998,100.0,0.0,0.0,0.5,0.0,0.0,2,,,80.0,"
    );
    assert_eq!((rows.len(), rows[0].split(',').count()), (4, 21));
    let paper = table(dir.path(), "paper_table.md");
    assert_eq!(
        paper.lines().last(),
        Some("| cond_1 | off | 5.00 | 0.00 | 0 | 0.00 | 0.00 | \u{2014} | \u{2014} | 1 |")
    );
}

#[test]
fn the_table_of_a_pack_has_every_verdict_in_small_letters() {
    let text = table(pack().path(), "pack_gate_summary.md");
    assert!(text.starts_with("# Coordination pack gate summary\n\n| method_id | injection_id | scale_id | verdict |\n|-----------|--------------|----------|--------|\n| edf | none | s1 | pass |\n"));
    for verdict in ["fail", "skip", "not_supported", "not_run"] {
        assert!(text.contains(&format!("| s2 | {verdict} |\n")), "{verdict}");
    }
}
