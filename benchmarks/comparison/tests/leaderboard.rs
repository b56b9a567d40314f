//! `summarize-coordination`: means over the cells of any table of cells.

use labtrust_comparison::leaderboard::summarise;
use std::path::{Path, PathBuf};

fn with(name: &str, text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    dir
}

const ROWS: &str = "method_id,scale_id,injection_id,application_phase,perf.throughput,sec.attack_success_rate\r\na,s,none,full,4,\r\na,s,INJ-A,late,2,0.5\r\nllm_x,s,none,full,1,\r\n";

fn read(out: &Path, name: &str) -> String {
    std::fs::read_to_string(out.join("summary").join(name)).unwrap()
}

#[test]
fn means_are_over_the_cells_that_have_a_figure() {
    let (input, out) = (with("pack_summary.csv", ROWS), tempfile::tempdir().unwrap());
    let summary = summarise(input.path(), out.path()).unwrap();
    assert_eq!((summary.source, summary.cells), ("pack_summary.csv", 3));
    let board = read(out.path(), "sota_leaderboard.csv");
    assert!(board.contains("\r\na,3.0,1.4142,,,,,,,,0.5,,2\r\n"), "{board}");
    assert!(read(out.path(), "method_class_comparison.csv").contains("\r\nllm,1.0,"));
    assert!(read(out.path(), "sota_leaderboard_by_phase.csv").contains("\r\na,late,2.0,"));
    assert!(read(out.path(), "sota_leaderboard.md").contains("Source: pack_summary.csv"));
    for name in &summary.written {
        assert!(out.path().join(name).is_file(), "{name}");
    }
}

#[test]
fn the_table_of_a_study_comes_first_and_a_manifest_is_told() {
    let input = with("pack_summary.csv", ROWS);
    std::fs::create_dir_all(input.path().join("summary")).unwrap();
    let idle = "method_id,scale_id,injection_id,perf.throughput\r\nidle,s,none,0\r\n";
    std::fs::write(input.path().join("summary/summary_coord.csv"), idle).unwrap();
    std::fs::write(input.path().join("pack_manifest.json"), "{\"seed_base\": 42, \"git_sha\": null}").unwrap();
    let out = tempfile::tempdir().unwrap();
    assert_eq!(summarise(input.path(), out.path()).unwrap().source, "summary/summary_coord.csv");
    let page = read(out.path(), "sota_leaderboard.md");
    assert!(page.contains("Run metadata: seed_base=42, git_sha=not recorded"), "{page}");
    assert!(page.contains("No cell released a result"), "{page}");
}

#[test]
fn nothing_and_what_is_no_table_of_cells_are_refused_and_nothing_is_written() {
    let out = tempfile::tempdir().unwrap();
    for (name, text, said) in [
        ("other.csv", ROWS, "pack_summary.csv"),
        ("pack_summary.csv", "", "no row"),
        ("pack_summary.csv", "method_id,perf.throughput\r\n", "no row"),
        ("pack_summary.csv", "a,b\r\n1,2\r\n", "method_id"),
    ] {
        let refused = summarise(with(name, text).path(), out.path()).unwrap_err().to_string();
        assert!(refused.contains(said), "{text:?}: {refused}");
    }
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn the_published_table_comes_to_the_published_leaderboards() {
    let published =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/outputs/coordination-synthetic");
    if !published.is_dir() {
        eprintln!("SKIPPED: no outputs of the reference beside the repository ({})", published.display());
        return;
    }
    let out = tempfile::tempdir().unwrap();
    summarise(&published, out.path()).unwrap();
    for name in ["sota_leaderboard.csv", "sota_leaderboard_full.csv", "method_class_comparison.csv"] {
        let expected = std::fs::read_to_string(published.join("summarize-coordination/summary").join(name)).unwrap();
        assert_eq!(read(out.path(), name), expected, "{name}");
    }
}
