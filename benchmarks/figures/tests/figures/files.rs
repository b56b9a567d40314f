//! Which files there are, that they are the same again, and what is refused.

use crate::support::{conditions, pack, put, study};
use labtrust_figures::chart::Theme;
use labtrust_figures::run::Run;
use labtrust_figures::{FiguresError, plots, report};
use std::collections::BTreeSet;
use std::path::Path;

fn names(dir: &Path) -> BTreeSet<String> {
    let made = plots::make(&Run::open(dir, None).unwrap(), Theme::Light, true).unwrap();
    made.into_iter().map(|one| one.name).collect()
}

#[test]
fn every_kind_of_run_has_its_figures_in_both_forms() {
    let of_study = [
        "figures/resilience_vs_p95_tat",
        "figures/attack_success_rate_by_method_injection",
        "PARETO/frontier",
        "PARETO/frontier_attacked",
        "figures/scaling_curves",
    ];
    let of_conditions = [
        "figures/throughput_vs_violations",
        "figures/trust_cost_vs_p95_tat",
        "figures/violations_by_invariant_id",
        "figures/blocked_by_reason_code_top10",
        "figures/critical_compliance_by_condition",
        "figures/throughput_box_by_condition",
        "figures/metrics_overview",
    ];
    for (dir, expected) in
        [(study(&["a", "b"]), &of_study[..]), (pack(), &["figures/pack_gate_heatmap"]), (conditions(), &of_conditions)]
    {
        let names = names(dir.path());
        for figure in expected {
            assert!(
                names.contains(&format!("{figure}.svg")) && names.contains(&format!("{figure}.png")),
                "{figure} of {names:?}"
            );
        }
        assert_eq!(names.iter().filter(|name| name.ends_with(".svg")).count(), expected.len());
        assert!(names.contains("figures/run_figures.pdf") && names.contains("figures/RUN_REPORT.md"));
    }
}

#[test]
fn reports_name_only_files_that_are_there() {
    for dir in [study(&["a", "b"]), pack(), conditions()] {
        plots::write(&Run::open(dir.path(), None).unwrap(), Theme::Light, true).unwrap();
        let text = std::fs::read_to_string(dir.path().join("figures/RUN_REPORT.md")).unwrap();
        let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(links.len() > 2);
        for link in links {
            assert!(dir.path().join("figures").join(link).is_file(), "{link}");
        }
    }
    let dir = conditions();
    plots::write(&Run::open(dir.path(), None).unwrap(), Theme::Light, false).unwrap();
    let text = std::fs::read_to_string(dir.path().join("RUN_SUMMARY.md")).unwrap();
    // There are results but no logs.
    assert!(text.contains("results/<condition>/results.json") && !text.contains("logs/"), "{text}");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for dir in [study(&["a", "b"]), pack(), conditions()] {
        let make = || {
            let run = Run::open(dir.path(), None).unwrap();
            (plots::make(&run, Theme::Bw, true).unwrap(), report::page(&run, Theme::Light).unwrap())
        };
        assert!(make() == make());
    }
}

#[test]
fn pictures_have_150_dots_an_inch_and_the_size_of_the_drawing() {
    let dir = pack();
    let run = Run::open(dir.path(), None).unwrap();
    let figure = &plots::figures(&run, Theme::Light)[0];
    let made = plots::make(&run, Theme::Light, false).unwrap();
    let bytes = &made.iter().find(|one| one.name == "figures/pack_gate_heatmap.png").unwrap().bytes;
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let wide = (figure.scene.width * 150.0 / 96.0).ceil();
    assert_eq!((f64::from(info.width), f64::from(info.height)), (wide, (figure.scene.height * 150.0 / 96.0).ceil()));
    let dims = reader.info().pixel_dims.unwrap();
    assert_eq!((dims.xppu, dims.unit), (5906, png::Unit::Meter));
    // Passed is green, failed is red (light theme).
    let has = |colour: [u8; 3]| pixels.as_chunks::<3>().0.contains(&colour);
    assert!(has([0x2e, 0x7d, 0x32]) && has([0xc6, 0x28, 0x28]));
}

#[test]
fn verdicts_are_told_by_letters_in_every_theme_and_the_worst_size_counts() {
    let dir = pack();
    let run = Run::open(dir.path(), None).unwrap();
    for theme in Theme::ALL {
        let svg = labtrust_figures::draw::to_svg(&plots::figures(&run, theme)[0].scene);
        for letter in ["P", "F", "S", "N", "R"] {
            // In its field and in the key.
            assert_eq!(svg.matches(&format!(">{letter}</text>")).count(), 2, "{letter} {theme:?}");
        }
    }
}

#[test]
fn the_pdf_has_a_page_for_every_figure() {
    let dir = conditions();
    let made = plots::make(&Run::open(dir.path(), None).unwrap(), Theme::Light, true).unwrap();
    let bytes = &made.iter().find(|one| one.name == "figures/run_figures.pdf").unwrap().bytes;
    assert!(bytes.starts_with(b"%PDF-") && bytes.ends_with(b"%%EOF"));
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(text.matches("/Type /Page\n").count(), 7);
}

#[test]
fn what_is_no_run_is_refused_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_path_buf(), dir.path().join("nowhere")] {
        let error = Run::open(&path, None).unwrap_err();
        assert!(matches!(error, FiguresError::NotARun { .. }) && error.hint().is_some(), "{error}");
        assert!(error.to_string().contains("summary/summary_coord.csv"));
        assert!(matches!(report::write(&path, Theme::Light), Err(FiguresError::NotARun { .. })));
    }
}

#[test]
fn a_broken_file_is_named_with_its_place_and_nothing_is_written() {
    let cases: [(&str, &str, &[&str]); 6] = [
        (
            "summary/summary_coord.csv",
            "method_id,scale_id,injection_id,perf.throughput\r\na,s,none,many\r\n",
            &["row 1", "perf.throughput", "`many`"],
        ),
        ("summary/summary_coord.csv", "method_id,scale_id\r\na,s\r\n", &["header", "injection_id"]),
        ("summary/summary_coord.csv", "method_id,scale_id\r\na\r\n", &["row 1", "as many fields"]),
        ("pack_summary.csv", "method_id,scale_id,injection_id\r\n", &["no row"]),
        ("manifest.json", "{\"condition_ids\":[\"../cond_0\"]}", &["condition_ids[0]"]),
        ("manifest.json", "{\"condition_ids\":", &["line 1", "JSON"]),
    ];
    for (name, text, parts) in cases {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), name, text);
        let told = Run::open(dir.path(), None).unwrap_err().to_string();
        let file = Path::new(name).file_name().unwrap().to_string_lossy().into_owned();
        assert!(told.contains(&file) && parts.iter().all(|part| told.contains(part)), "{told}");
        report::write(dir.path(), Theme::Light).unwrap_err();
        assert!(!dir.path().join("figures").exists() && !dir.path().join("report.html").exists());
    }
}

#[test]
fn cells_that_are_repeated_for_each_risk_are_drawn_once() {
    let dir = tempfile::tempdir().unwrap();
    let row = |risk: &str| format!("a,s,{risk},none,3.0,100.0,0.5\r\n");
    let head = "method_id,scale_id,risk_id,injection_id,perf.throughput,perf.p95_tat,robustness.resilience_score\r\n";
    put(dir.path(), "summary/summary_coord.csv", &format!("{head}{}{}", row("R-1"), row("R-2")));
    assert_eq!(Run::open(dir.path(), None).unwrap().coordination.unwrap().cells.len(), 1);
}

#[test]
fn sizes_that_are_named_after_their_settings_are_told_by_what_differs() {
    let study = Run::open(study(&["a"]).path(), None).unwrap().coordination.unwrap();
    assert_eq!(study.scale_label("scale_num_agents_4_num_sites_1"), "num_agents 4");
    assert_eq!(study.agents("scale_num_agents_8_num_sites_1"), Some(8.0));
    assert_eq!(study.scale_label("corridor_heavy"), "corridor_heavy");
}

/// A row for each method and injection: method, injection, throughput with its interval, turnaround.
fn attacked(rows: &[(&str, &str, &str, &str)], pareto: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut table =
        "method_id,scale_id,injection_id,perf.throughput,perf.throughput_ci_lower,perf.throughput_ci_upper,\
        perf.p95_tat,robustness.resilience_score\r\n"
            .to_owned();
    for (method, injection, throughput, tat) in rows {
        table.push_str(&format!("{method},s,{injection},{throughput},{tat},0.5\r\n"));
    }
    put(dir.path(), "summary/summary_coord.csv", &table);
    put(dir.path(), "PARETO/pareto.json", pareto);
    dir
}

#[test]
fn under_attack_a_method_is_where_its_worst_injections_leave_it() {
    let rows = [
        ("a", "none", "9,8,10", "100"),
        ("a", "INJ-A", "7,5,9", "120"),
        ("a", "INJ-B", "8,6,8.5", "300"),
        ("b", "none", "8,7,9", "90"),
        ("b", "INJ-A", "6,5.5,6.5", "200"),
        ("b", "INJ-B", "6.5,6,7", "150"),
        // Without a turnaround under one of the attacks nobody knows its worst.
        ("c", "none", "8,7,9", "90"),
        ("c", "INJ-A", "6,5.5,6.5", ""),
        ("c", "INJ-B", "6.5,6,7", "150"),
    ];
    let front = r#"{"fronts_per_scale_attacked":{"s":[{"method_id":"b","injection_id":"worst"}]}}"#;
    let dir = attacked(&rows, front);
    let made = plots::make(&Run::open(dir.path(), None).unwrap(), Theme::Light, false).unwrap();
    let svg = &made.iter().find(|one| one.name == "PARETO/frontier_attacked.svg").unwrap().bytes;
    let svg = String::from_utf8(svg.clone()).unwrap();
    for part in [
        "a, s, worst of all injections: throughput 7 (95 %: 5 to 8.50) (INJ-A), p95 turnaround 300 s<",
        "b, s, worst of all injections: throughput 6 (95 %: 5.50 to 6.50) (INJ-A), p95 turnaround 200 s; on the front under attack<",
        "a, s, without attack: throughput 9",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    assert!(!svg.contains("c, s, worst"), "{svg}");
    // The page has it beside the other front.
    let page = report::write(dir.path(), Theme::Light).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Pareto frontier under attack") && page.contains("Methods without attack."));
}

#[test]
fn a_study_without_attacks_has_no_frontier_under_attack() {
    let dir = attacked(&[("a", "none", "9,8,10", "100")], "{}");
    assert!(names(dir.path()).contains("PARETO/frontier.svg"));
    assert!(!names(dir.path()).contains("PARETO/frontier_attacked.svg"));
}
