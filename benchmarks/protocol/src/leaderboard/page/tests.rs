use super::*;
use crate::leaderboard::{Order, render};
use crate::scores::Score;

fn put(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn score(submission: &str, reviewer: &str, date: &str, share: f64) -> Score {
    let points = RUBRIC.map(|category| f64::from(category.maximum) * share);
    Score::new(submission, reviewer, date.parse().unwrap(), points, "").unwrap()
}

const GOOD: &str = "2026-01-31__001_synthetic_mine_throughput__shell__model-a";
const HOSTILE: &str = "<script>alert(1)</script>";

fn submission(dir: &Path, name: &str, tokens: Option<u64>, seconds: Option<f64>, category: &str) {
    let usage = match tokens {
        Some(total) => format!(
            "{{\"input_tokens\":null,\"output_tokens\":null,\"total_tokens\":{total},\"token_count_method\":\"reported\",\"estimated_cost_usd\":null}}"
        ),
        None => String::from_utf8(crate::tokens::TokenUsage::UNKNOWN.bytes()).unwrap(),
    };
    put(dir, &format!("{name}/token_usage.json"), &usage);
    let seconds = seconds.map_or_else(|| "null".to_owned(), |seconds| seconds.to_string());
    put(dir, &format!("{name}/run_metrics.json"), &format!("{{\"runtime_seconds\":{seconds},\"timed_out\":false}}"));
    put(dir, &format!("{name}/submission.yaml"), &format!("intervention:\n  category: {category}\n"));
}

/// Four submissions: a good one, one without figures, one whose name is an attack, one that is only in the database.
fn board() -> (tempfile::TempDir, Board) {
    let dir = tempfile::tempdir().unwrap();
    submission(dir.path(), GOOD, Some(120_000), Some(12.5), "autonomous");
    submission(
        dir.path(),
        "2026-02-01__001_synthetic_mine_throughput__shell__model-b",
        None,
        None,
        "hints and a bit more",
    );
    submission(dir.path(), HOSTILE.replace('/', "_").as_str(), Some(7), Some(0.5), "failed");
    put(dir.path(), &format!("{GOOD}/README.md"), "</pre><script>alert(2)</script>");
    put(dir.path(), &format!("{GOOD}/interventions.md"), "none");
    put(dir.path(), &format!("{GOOD}/outputs/x.html"), "<b>");
    put(dir.path(), &format!("{GOOD}/topology.png"), "<svg onload=alert(3)>");
    put(
        dir.path(),
        &format!("{GOOD}/evaluation_report.json"),
        r#"{"automated_checks":{"passed":1,"total":2,"checks":[{"name":"<i>","passed":false,"description":"d"}]},
            "physical_checks":{"passed":1,"total":3,"not_checkable":1,"checks":[
            {"name":"n","passed":false,"not_checkable":null,"description":"d","findings_total":1,
             "findings":[{"file":"event_log.csv","row":7,"rule":"teleport","detail":"<img src=x onerror=alert(4)>"}]},
            {"name":"m","passed":null,"not_checkable":"because","description":"d","findings_total":0,"findings":[]}]}}"#,
    );
    put(dir.path(), "2026-03-01__001_synthetic_mine_throughput__shell__model-c/README.md", "not scored");
    put(dir.path(), "notes/README.md", "no submission");
    let hostile = HOSTILE.replace('/', "_");
    let scores = [
        score(GOOD, "ada", "2026-02-01", 0.5),
        score(GOOD, "ada", "2026-02-03", 0.9),
        score(GOOD, "bob", "2026-02-02", 0.7),
        score("2026-02-01__001_synthetic_mine_throughput__shell__model-b", "ada", "2026-02-01", 0.6),
        score(&hostile, "<b>ada</b>", "2026-02-01", 0.1),
        score("../../etc", "ada", "2026-02-01", 0.2),
    ];
    let board = Board::collect(&scores, dir.path(), None).unwrap();
    (dir, board)
}

#[test]
fn a_row_is_a_scored_submission_and_its_points_are_the_mean_of_every_reviewers_latest_score() {
    let (_dir, board) = board();
    let names: Vec<_> = board.entries.iter().map(|entry| entry.submission.as_str()).collect();
    let hostile = HOSTILE.replace('/', "_");
    assert_eq!(names, [GOOD, "2026-02-01__001_synthetic_mine_throughput__shell__model-b", "../../etc", &hostile]);
    assert!(libm::fabs(board.entries[0].total() - 80.0) < 1e-9);
    assert_eq!(board.entries[0].reviewers, ["ada", "bob"]);
    assert_eq!(board.entries[0].checks(), Some((1, 2)));
    assert_eq!(board.entries[0].physical(), Some((1, 1, 1)));
    assert_eq!(board.unscored, ["2026-03-01__001_synthetic_mine_throughput__shell__model-c"]);
    let categories: Vec<_> = board.entries.iter().map(|entry| entry.intervention.category.as_str()).collect();
    assert_eq!(categories, ["autonomous", "unrecorded", "unrecorded", "failed"]);
    assert_eq!(board.entries[2].folder, None, "a path is no name of a folder");
}

#[test]
fn rows_are_ordered_by_what_is_asked_for_and_the_unknown_comes_last() {
    let (_dir, mut board) = board();
    let numbers = |board: &Board| board.entries.iter().map(|entry| entry.total().round()).collect::<Vec<_>>();
    board.sort(Order::Tokens);
    assert_eq!(numbers(&board), [10.0, 80.0, 20.0, 60.0]);
    board.sort(Order::Time);
    assert_eq!(numbers(&board), [10.0, 80.0, 20.0, 60.0]);
    board.sort(Order::Quality);
    assert_eq!(numbers(&board), [80.0, 60.0, 20.0, 10.0]);
}

#[test]
fn correlations_of_fewer_than_three_pairs_are_undefined_and_said_to_be() {
    let (_dir, board) = board();
    let of = |first: &str, second: &str| {
        board.correlations.iter().find(|one| one.first == first && one.second == second).unwrap()
    };
    assert_eq!(board.correlations.len(), 45);
    assert_eq!((of("code_quality", "total").pairs, of("code_quality", "total").spearman), (4, Some(1.0)));
    assert_eq!((of("total", "total_tokens").pairs, of("total", "total_tokens").spearman), (2, None));
    let json: serde_json::Value = serde_json::from_str(&render::json(&board)).unwrap();
    assert!(json["correlations"].as_array().unwrap().iter().any(|one| one["spearman"].is_null()));
    assert!(pages(&board).unwrap()[0].1.contains("undef."));
}

#[test]
fn nothing_that_a_submission_says_is_markup() {
    let (_dir, board) = board();
    let ours = SCRIPT.trim();
    for (path, page) in pages(&board).unwrap() {
        let scripts = page.matches("<script").count();
        assert_eq!(scripts, usize::from(path == "index.html"), "{path}: only our own script");
        assert!(path != "index.html" || page.contains(ours), "{path}");
        for attack in ["<script>alert", "<img src=x", "<b>ada", "<i>", "onload=alert(3)>"] {
            assert!(!page.contains(attack), "{path} has {attack}");
        }
        assert!(page.contains("default-src 'none'"), "{path}");
        for outside in ["http://", "https://", "src=\"//", "@import", "url("] {
            assert!(!page.contains(outside), "{path} reaches for {outside}");
        }
        assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.+".contains(c)), "{path}");
        assert!(!path.contains(".."), "{path}");
    }
}

#[test]
fn the_policy_allows_the_script_that_is_there() {
    let (_dir, board) = board();
    let page = &pages(&board).unwrap()[0].1;
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let digest = BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()));
    assert!(page.contains(&format!("script-src 'sha256-{digest}'")));
}

#[test]
fn every_link_of_the_table_leads_to_a_page() {
    let (_dir, board) = board();
    let out = tempfile::tempdir().unwrap();
    let html = out.path().join("html");
    write_pages(&board, &html, false).unwrap();
    let index = std::fs::read_to_string(html.join("index.html")).unwrap();
    let links: Vec<_> =
        index.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("%2B", "+")).collect();
    assert_eq!(links.len(), 4);
    for link in links {
        let page = std::fs::read_to_string(html.join(&link)).unwrap();
        assert!(page.contains("../index.html"), "{link}");
    }
}

#[test]
fn only_a_former_leaderboard_is_replaced() {
    let (dir, board) = board();
    let out = tempfile::tempdir().unwrap();
    let html = out.path().join("html");
    write_pages(&board, &html, false).unwrap();
    let before = std::fs::read(html.join("index.html")).unwrap();
    assert!(write_pages(&board, &html, false).unwrap_err().to_string().contains("exists already"));
    write_pages(&board, &html, true).unwrap();
    assert_eq!(std::fs::read(html.join("index.html")).unwrap(), before, "the same bytes from the same submissions");
    assert!(write_pages(&board, dir.path(), true).unwrap_err().to_string().contains("is no leaderboard"));
    assert!(dir.path().join(GOOD).is_dir());
    let notes = out.path().join("notes.txt");
    std::fs::write(&notes, "mine").unwrap();
    assert!(write_pages(&board, &notes, true).unwrap_err().to_string().contains("is no leaderboard"));
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 2, "nothing of the former one is left");
}

#[test]
fn a_leaderboard_of_nothing_is_a_page_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::collect(&[], dir.path(), Some("001")).unwrap();
    assert!(pages(&board).unwrap()[0].1.contains("Nobody has scored a submission yet"));
    assert!(render::table(&board).contains("no scored submission"));
    assert_eq!(render::csv(&board).lines().count(), 1);
    assert!(Board::collect(&[], &dir.path().join("none"), None).is_err());
}

#[test]
fn other_benchmarks_are_left_out_when_one_is_asked_for() {
    let (dir, _) = board();
    let scores =
        [score(GOOD, "ada", "2026-02-01", 0.5), score("2026-02-01__002_other__h__m", "ada", "2026-02-01", 0.5)];
    let board = Board::collect(&scores, dir.path(), Some("001_synthetic_mine_throughput")).unwrap();
    assert_eq!(board.entries.len(), 1);
    assert_eq!(board.entries[0].submission, GOOD);
}

#[test]
fn the_table_and_the_file_for_spreadsheets_are_as_they_were() {
    let (_dir, board) = board();
    insta::assert_snapshot!("table", render::table(&board));
    insta::assert_snapshot!("csv", render::csv(&board));
}
