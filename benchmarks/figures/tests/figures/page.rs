//! `report.html`: what is on it, and that nothing of the data can act in it.

use crate::support::{conditions, pack, put, study};
use base64::Engine as _;
use labtrust_figures::chart::Theme;
use labtrust_figures::report;
use labtrust_figures::run::Run;
use sha2::Digest as _;
use std::path::Path;

fn page(dir: &Path, theme: Theme) -> String {
    report::page(&Run::open(dir, None).unwrap(), theme).unwrap()
}

#[test]
fn names_of_the_data_are_text_and_never_markup() {
    let hostile =
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</style></svg><b>x", "' onload='alert(1)"];
    let dir = study(&hostile);
    put(dir.path(), "summary/ranks.csv", "method_id,<i>rank</i>\r\n<script>alert(2)</script>,1\r\n");
    put(
        dir.path(),
        "manifest_coordination.json",
        r#"{"study_id":"<script>alert(3)</script>","<u>":"</dl><script>alert(4)</script>"}"#,
    );
    let page = page(dir.path(), Theme::Light);
    assert_eq!(page.matches("<script>").count(), 1);
    for markup in ["<img", "<b>x", "<i>", "<u>", "onload='", "<script>alert"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; wins") && page.contains("&lt;i&gt;rank&lt;/i&gt;"));
}

#[test]
fn the_page_needs_nothing_else_and_lets_only_its_own_script_run() {
    for dir in [study(&["a", "b"]), pack(), conditions()] {
        let page = page(dir.path(), Theme::Light);
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        for reach in ["http:", "https:", "src=", "@import", "<link", "<iframe"] {
            assert!(!outside.contains(reach), "{reach}");
        }
        // Links lead to parts of the page.
        for link in page.split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap().strip_prefix('#').unwrap();
            assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
        }
        let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
        let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script));
        assert!(page.contains(&format!("script-src 'sha256-{digest}'")) && page.contains("default-src 'none'"));
    }
}

#[test]
fn a_study_is_told_with_its_verdict_its_tables_and_what_to_be_careful_about() {
    let page = page(study(&["alpha", "beta"]).path(), Theme::Light);
    for part in [
        "Report: tiny",
        "<b>alpha wins</b>",
        "idle is not in question: it releases nothing",
        "In 4 of 8 attacked cells the attack arrived in no episode",
        "The smallest cell has 10 episodes",
        "Cells of the study",
        "<dt>seed_base</dt><dd>7</dd>",
        "Pareto frontier",
        "3/10",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_verdict_stands_with_the_differences_that_it_rests_on() {
    let dir = study(&["beta", "alpha"]);
    // The winner is the second of its pair: what is told is its difference, the other way round.
    let header = "scale_id,injection_id,metric,method_a,method_b,pairs,difference,difference_ci_lower,difference_ci_upper,p_holm\r\n";
    let row =
        "scale_num_agents_4_num_sites_1,none,robustness.resilience_score,alpha,beta,10,-0.25,-0.4,-0.125,0.0002\r\n";
    let other = "scale_num_agents_4_num_sites_1,none,perf.throughput,alpha,beta,10,99,98,100,0.5\r\n";
    put(dir.path(), "summary/comparisons.csv", &format!("{header}{row}{other}"));
    let page = page(dir.path(), Theme::Light);
    let verdict = page.split("id=\"verdict\"").nth(1).unwrap().split("</section>").next().unwrap();
    let cells = "<td>alpha</td><td class=\"n\">0.25</td><td class=\"n\">0.12 to 0.40</td><td class=\"n\">below 0.001</td><td class=\"n\">10</td>";
    assert!(verdict.contains(cells) && !verdict.contains("99"), "{verdict}");
}

#[test]
fn a_study_without_verdicts_claims_none() {
    let dir = study(&["alpha"]);
    std::fs::remove_file(dir.path().join("PARETO/pareto.json")).unwrap();
    let page = page(dir.path(), Theme::Light);
    assert!(page.contains("The study has no verdicts") && !page.contains("wins"));
    assert!(page.contains("PARETO/pareto.json is not there: no front is marked."));
}

#[test]
fn failed_cells_of_a_pack_are_listed_with_their_reasons() {
    let page = page(pack().path(), Theme::Light);
    assert!(page.contains("1 of 10 cells failed") && page.contains("<li>s2 / edf / INJ-A: because of INJ-A</li>"));
    assert!(page.contains("Verdicts of the gate"));
}

#[test]
fn conditions_without_results_are_named() {
    let page = page(conditions().path(), Theme::Light);
    assert!(page.contains("cond_2 have no results") && page.contains("Throughput of every episode by condition"));
}

#[test]
fn a_page_follows_its_reader_unless_a_theme_is_asked_for() {
    let dir = pack();
    let light = page(dir.path(), Theme::Light);
    assert!(light.contains("prefers-color-scheme:dark") && light.contains("fill=\"var(--c0)\""));
    for theme in [Theme::Dark, Theme::Colorblind, Theme::Bw] {
        assert!(!page(dir.path(), theme).contains("prefers-color-scheme"), "{theme:?}");
    }
    // Every variable of a picture has a colour.
    for variable in light.split("var(--c").skip(1) {
        let number = variable.split(')').next().unwrap();
        assert_eq!(light.matches(&format!("--c{number}:#")).count(), 2, "--c{number}");
    }
}
