//! From results files to tables, fronts and winners: what is promised of a study, through the files that it writes.

use labtrust_comparison::cells::{cells, pooled};
use labtrust_comparison::comparisons::{ATTACKED, comparisons};
use labtrust_comparison::table::{self, Row, figure, named, rows};
use labtrust_comparison::verdict::{Relation, pairs, winners};
use labtrust_comparison::{CellKey, EpisodeRow, StudyInput, episode_rows, write_study};
use labtrust_policy::PolicyStore;
use labtrust_redteam::scoring::Scoring;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn key(method: &str, injection: &str) -> CellKey {
    CellKey { scale_id: "small".to_owned(), method_id: method.to_owned(), injection_id: injection.to_owned() }
}

/// An episode with this throughput, turnaround and number of violations; attacked, and with this success.
fn episode(seed: u64, figures: (u64, f64, u64), success: Option<u64>) -> Value {
    let (throughput, p95, violations) = figures;
    let sec = success.map(|success| {
        json!({ "applications_total": 3, "attack_success_rate": success, "stealth_success_rate": 0.0, "blast_radius_proxy": 2 })
    });
    json!({ "seed": seed, "metrics": {
        "throughput": throughput,
        "p95_turnaround_s": p95,
        "steps": 50,
        "violations_by_invariant_id": { "INV-A": violations },
        "blocked_by_reason_code": {},
        "sec": sec,
    } })
}

/// The episodes of a cell: `merit` more results and `merit` less of what is bad than a method without any, on the same twelve seeds.
fn cell(method: &str, injection: &str, merit: u64) -> Vec<EpisodeRow> {
    let one = |seed: u64| {
        let luck = (seed * 7) % 5;
        let success = (injection != "none").then_some(u64::from(merit == 0));
        let p95 =
            400.0 + 10.0 * f64::from(u32::try_from(luck).unwrap()) - 20.0 * f64::from(u32::try_from(merit).unwrap());
        episode(seed, (10 + luck + merit, p95, 9 + luck - merit.min(9)), success)
    };
    let results = json!({ "episodes": (0..12).map(one).collect::<Vec<_>>() });
    episode_rows(&key(method, injection), &results).unwrap()
}

fn study(methods: &[(&str, u64)]) -> Vec<EpisodeRow> {
    let of = |(method, merit): &(&str, u64)| [cell(method, "none", *merit), cell(method, "INJ-A", *merit)].concat();
    methods.iter().flat_map(of).collect()
}

fn scoring() -> Scoring {
    Scoring::load(&PolicyStore::builtin()).unwrap()
}

/// The verdict on the one size of a study.
fn verdict(episodes: &[EpisodeRow]) -> (Option<String>, Vec<String>) {
    let cells = cells(episodes, &scoring()).unwrap();
    let found = winners(&cells, &comparisons(&cells, 42));
    (found[0].winner.clone(), found[0].indistinguishable.clone())
}

fn written(episodes: &[EpisodeRow]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let risks = BTreeMap::from([("INJ-A".to_owned(), vec!["R-1".to_owned(), "R-2".to_owned()])]);
    let policy = PolicyStore::builtin();
    let input = StudyInput { study_id: "test", seed_base: 42, episodes, risks: &risks, policy: &policy };
    write_study(dir.path(), &input).unwrap();
    dir
}

fn pareto(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("PARETO/pareto.json")).unwrap()).unwrap()
}

#[test]
fn a_method_that_is_better_on_every_seed_wins() {
    let (winner, _) = verdict(&study(&[("better", 6), ("worse", 0), ("worst", 0)]));
    assert_eq!(winner.as_deref(), Some("better"));
}

#[test]
fn methods_that_are_the_same_are_indistinguishable_and_neither_wins() {
    let (winner, alike) = verdict(&study(&[("a", 3), ("b", 3)]));
    assert_eq!((winner, alike), (None, vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_copy_of_the_winner_takes_the_win_and_gives_a_tie() {
    let (winner, alike) = verdict(&study(&[("better", 6), ("copy", 6), ("worse", 0)]));
    assert_eq!((winner, alike), (None, vec!["better".to_owned(), "copy".to_owned()]));
    let cells = cells(&study(&[("better", 6), ("copy", 6), ("worse", 0)]), &scoring()).unwrap();
    let relations: Vec<Relation> = pairs(&comparisons(&cells, 42)).iter().map(|pair| pair.relation).collect();
    assert_eq!(relations, [Relation::Tied, Relation::Dominates, Relation::Dominates]);
}

#[test]
fn five_episodes_are_too_few_to_win() {
    let few: Vec<EpisodeRow> =
        study(&[("better", 6), ("worse", 0)]).into_iter().filter(|row| row.episode < 5).collect();
    assert_eq!(verdict(&few).0, None, "5 pairs have no p value below 0.0625");
}

#[test]
fn a_method_that_does_nothing_wins_nothing() {
    let idle = |injection: &str| {
        let nothing = |seed: u64| {
            let success = (injection != "none").then_some(0);
            let mut one = episode(seed, (0, 0.0, 0), success);
            one["metrics"]["p95_turnaround_s"] = Value::Null;
            one
        };
        let results = json!({ "episodes": (0..12).map(nothing).collect::<Vec<_>>() });
        episode_rows(&key("idle", injection), &results).unwrap()
    };
    let mut all = study(&[("worse", 0), ("worst", 0)]);
    all.extend([idle("none"), idle("INJ-A")].concat());
    let cells = cells(&all, &scoring()).unwrap();
    let found = winners(&cells, &comparisons(&cells, 42));
    assert_eq!(found[0].left_out, [("idle".to_owned(), "it releases nothing in the baseline".to_owned())]);
    assert!(!found[0].indistinguishable.contains(&"idle".to_owned()));
    let dir = written(&all);
    let excluded = &pareto(dir.path())["excluded"];
    assert_eq!(*excluded, json!([{ "scale_id": "small", "method_id": "idle", "missing": ["perf.p95_tat"] }]));
}

#[test]
fn a_method_that_sends_no_messages_does_not_lose_for_it() {
    // Same work; one of them also tells how many of its messages were lost: none.
    let mut all = study(&[("silent", 3), ("talks", 3)]);
    let place = labtrust_comparison::episodes::place_of("comm.drop_rate").unwrap();
    for row in all.iter_mut().filter(|row| row.key.method_id == "talks") {
        row.values[place] = Some(0.0);
    }
    let cells = cells(&all, &scoring()).unwrap();
    let score = |method: &str, column: &str| cells.iter().find(|c| c.key.method_id == method).unwrap().values(column);
    let published = "robustness.resilience_score";
    assert!(score("talks", published)[0] > score("silent", published)[0], "the published score has half marks");
    assert_eq!(verdict(&all), (None, vec!["silent".to_owned(), "talks".to_owned()]));
}

#[test]
fn a_cell_is_one_row_however_many_risks_it_is_about() {
    let dir = written(&study(&[("a", 3), ("b", 1)]));
    let (_, found) = rows(&dir.path().join("summary/summary_coord.csv")).unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(named(&found[0], "risk_id"), "R-1;R-2");
    let (_, risks) = rows(&dir.path().join("summary/cell_risks.csv")).unwrap();
    assert_eq!(risks.len(), 4);
    let text = std::fs::read_to_string(dir.path().join("summary/episodes.csv")).unwrap();
    assert_eq!(text.matches("\r\n").count(), 49, "a head and 48 episodes, each with CRLF");
}

#[test]
fn the_files_do_not_depend_on_the_order_of_the_episodes() {
    let mut all = study(&[("a", 3), ("b", 1)]);
    let forwards = written(&all);
    all.reverse();
    let backwards = written(&all);
    for part in ["summary", "PARETO"] {
        for entry in std::fs::read_dir(forwards.path().join(part)).unwrap() {
            let path = entry.unwrap().path();
            let other = backwards.path().join(part).join(path.file_name().unwrap());
            assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&other).unwrap(), "{}", path.display());
        }
    }
}

#[test]
fn an_episode_that_is_there_twice_and_no_episodes_are_refused() {
    let all = study(&[("a", 3)]);
    let twice: Vec<EpisodeRow> = all.iter().chain(all.first()).cloned().collect();
    let refused = cells(&twice, &scoring()).unwrap_err().to_string();
    assert!(refused.contains("small / a / none, episode 0") && refused.contains("twice"), "{refused}");
    assert!(cells(&[], &scoring()).unwrap_err().to_string().contains("there are none"));
    let refused = episode_rows(&key("a", "none"), &json!({ "episodes": [{ "seed": 1 }] })).unwrap_err().to_string();
    assert!(refused.contains("small / a / none") && refused.contains("episodes[0]"), "{refused}");
}

/// The front of a size by hand, from the table alone: baseline figures and the worst attack.
fn front_by_hand(table: &[Row]) -> Vec<String> {
    let methods: Vec<&str> =
        table.iter().filter(|r| named(r, "injection_id") == "none").map(|r| named(r, "method_id")).collect();
    let merits = |method: &str| -> Option<[f64; 4]> {
        let of = |row: &&Row| named(row, "method_id") == method;
        let baseline = table.iter().filter(of).find(|row| named(row, "injection_id") == "none")?;
        let attacks = table.iter().filter(of).filter(|row| named(row, "injection_id") != "none");
        let worst = attacks
            .filter_map(|row| figure(row, "sec.attack_success_rate"))
            .fold(None, |worst: Option<f64>, rate| Some(worst.map_or(rate, |worst| worst.max(rate))))?;
        Some([
            figure(baseline, "perf.throughput")?,
            -figure(baseline, "perf.p95_tat")?,
            -figure(baseline, "safety.violations_total")?,
            -worst,
        ])
    };
    let beats = |a: &[f64; 4], b: &[f64; 4]| (0..4).all(|i| a[i] >= b[i]) && (0..4).any(|i| a[i] > b[i]);
    let all: Vec<(&str, [f64; 4])> = methods.iter().filter_map(|method| Some((*method, merits(method)?))).collect();
    let kept = all.iter().filter(|(_, a)| !all.iter().any(|(_, b)| beats(b, a)));
    kept.map(|(method, _)| (*method).to_owned()).collect()
}

#[test]
fn fronts_can_be_made_again_from_the_table_of_cells() {
    let all = [study(&[("a", 3), ("b", 1), ("c", 3)]), cell("d", "none", 5), cell("d", "INJ-A", 0)].concat();
    let dir = written(&all);
    let (_, table) = rows(&dir.path().join("summary/summary_coord.csv")).unwrap();
    let document = pareto(dir.path());
    let said = |key: &str| -> Vec<String> {
        let front = document[key]["small"].as_array().unwrap();
        front.iter().map(|point| point["method_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(said("fronts_per_scale"), front_by_hand(&table));
    assert_eq!(said("fronts_per_scale"), ["a", "c", "d"], "d is faster and falls to attacks; a and c are alike");
    // The spread of the seeds is wider than what a has over b.
    assert_eq!(said("fronts_per_scale_robust"), ["a", "b", "c", "d"]);
    assert_eq!(document["winners_per_scale"]["small"]["winner"], Value::Null);
    for row in &table {
        let metric = "perf.throughput";
        let end = |side: &str| figure(row, &format!("{metric}_ci_{side}")).unwrap();
        assert!((end("lower")..=end("upper")).contains(&figure(row, metric).unwrap()));
    }
}

#[test]
fn an_attack_that_never_arrived_shows_no_security() {
    let mut all = study(&[("a", 3), ("b", 3)]);
    let applied = labtrust_comparison::episodes::place_of("sec.applied").unwrap();
    for row in all.iter_mut().filter(|row| row.key == key("b", "INJ-A")) {
        row.values[applied] = Some(0.0);
    }
    let document = pareto(written(&all).path());
    assert_eq!(
        document["excluded"],
        json!([{ "scale_id": "small", "method_id": "b", "missing": ["security_success"] }])
    );
    assert_eq!(document["not_arrived"][0]["injection_id"], "INJ-A");
    let winners = &document["winners_per_scale"]["small"];
    assert_eq!(winners["winner"], Value::Null, "a was attacked and b was not: they did not do the same work");
    assert!(winners["left_out"].to_string().contains("must arrive at all of them"), "{winners}");
}

#[test]
fn attacked_and_undisturbed_work_are_compared_apart() {
    let cells = cells(&study(&[("a", 3), ("b", 1)]), &scoring()).unwrap();
    let all = comparisons(&cells, 42);
    let of = |injection: &str| {
        all.iter().filter(|one| one.injection_id == injection && one.metric == "perf.throughput").count()
    };
    assert_eq!([of("none"), of("INJ-A"), of(ATTACKED)], [1, 1, 1]);
    let one = all.iter().find(|one| one.injection_id == "none" && one.metric == "perf.throughput").unwrap();
    assert_eq!((one.pairs, one.difference, one.p_value), (12, 2.0, 2.0 / 4096.0));
    assert!(one.p_holm >= one.p_value && one.winner() == Some("a"));
}

#[test]
fn comparisons_that_cannot_show_anything_make_others_no_less_sure() {
    let sure = |methods: &[(&str, u64)]| {
        let cells = cells(&study(methods), &scoring()).unwrap();
        let all = comparisons(&cells, 42);
        let asked = |one: &&labtrust_comparison::comparisons::Comparison| {
            (one.injection_id.as_str(), one.metric, one.first.as_str(), one.second.as_str())
                == ("none", "perf.throughput", "a", "b")
        };
        all.iter().find(asked).unwrap().p_holm
    };
    let alone = sure(&[("a", 3), ("b", 1)]);
    assert_eq!(alone, 2.0 / 4096.0);
    // b and c are one method under two names: of three comparisons two can show something.
    assert_eq!(sure(&[("a", 3), ("b", 1), ("c", 1)]), 2.0 * alone);
}

/// The published episodes of cells, where they are beside the repository.
fn reference() -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/reference/outputs/coordination-synthetic/cells.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no outputs of the reference beside the repository ({})", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn agrees(found: Option<f64>, expected: &Value) -> bool {
    match (found, expected.as_f64()) {
        (Some(found), Some(expected)) => libm::fabs(found - expected) <= 1e-12 * libm::fabs(expected).max(1.0),
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn the_published_episodes_come_to_the_published_aggregates() {
    let Some(document) = reference() else { return };
    for published in document["cells"].as_array().unwrap() {
        let id = |name: &str| published[name].as_str().unwrap().to_owned();
        let key = CellKey { scale_id: id("scale_id"), method_id: id("method_id"), injection_id: id("injection_id") };
        let episodes = episode_rows(&key, published).unwrap();
        let found = cells(&episodes, &scoring()).unwrap()[0].row(&[], &scoring(), 42);
        for (column, expected) in published["aggregate"].as_object().unwrap() {
            // Not a column of the table; the score is the one of the policy, below.
            if ["sec.attack_success_observed", "robustness.resilience_score"].contains(&column.as_str()) {
                continue;
            }
            assert!(agrees(figure(&found, column), expected), "{key:?} {column}: {:?} {expected}", found.get(column));
        }
        assert!(agrees(figure(&found, "robustness.resilience_score"), &published["resilience_score"]), "{key:?}");
        for (name, expected) in published["components"].as_object().unwrap() {
            assert!(agrees(figure(&found, &format!("resilience.{name}")), expected), "{key:?} {name}");
        }
    }
}

#[test]
fn a_cell_is_pooled_by_the_rules_of_its_columns() {
    let results = json!({ "episodes": [
        { "seed": 1, "metrics": { "throughput": 4, "p95_turnaround_s": null, "steps": 10, "violations_by_invariant_id": { "A": 1, "B": 2 },
            "coordination": { "llm": { "tokens_in": 20, "tokens_out": 10, "total_tokens": 30, "latency_ms_list": [1.0, 2.0, 9.0] }, "llm_repair": { "repair_success_rate": 0.5 } } } },
        { "seed": 2, "metrics": { "p95_turnaround_s": 100.0, "steps": 10,
            "sec": { "applications_total": 0, "attack_success_rate": 0.0 },
            "coordination": { "comm": { "partition_events": 2 }, "llm": { "estimated_cost_usd": 0.5, "latency_ms_list": [4.0] } } } },
        { "seed": 3, "metrics": { "throughput": 8, "steps": 10,
            "sec": { "applications_total": 5, "attack_success_rate": 0.3 } } },
    ] });
    let rows = episode_rows(&key("a", "INJ-A"), &results).unwrap();
    let all: Vec<&EpisodeRow> = rows.iter().collect();
    for (column, expected) in [
        ("perf.throughput", Some(4.0)),
        ("perf.p95_tat", Some(100.0)),
        ("safety.violations_total", Some(3.0)),
        ("sec.attack_success_rate", Some(0.5)),
        ("sec.detection_latency_steps", None),
        ("comm.msg_count", Some(0.0)),
        ("comm.partition_events", Some(2.0)),
        ("repair_rate", Some(0.5)),
        ("tokens_per_step", Some(3.0)),
        ("cost.total_tokens", Some(30.0)),
        ("cost.estimated_cost_usd", Some(0.5)),
        ("llm.error_rate", Some(0.0)),
    ] {
        assert_eq!(pooled(&all, column), expected, "{column}");
    }
    let row = cells(&rows, &scoring()).unwrap()[0].row(&[], &scoring(), 42);
    assert_eq!(figure(&row, "p95_llm_latency_ms"), Some(9.0 * 0.85 + 4.0 * 0.15), "of all calls together");
    assert_eq!((figure(&row, "sec.applied_episodes"), figure(&row, "n_episodes")), (Some(1.0), Some(3.0)));
    assert_eq!(figure(&row, "safety.violations_per_100_steps"), Some(10.0));
    assert_eq!(table::text(row.get("comm.msg_count")), "0.0", "not -0.0");
}
