//! Every task really contains what its name says, and the scripted crew masters it.
//!
//! Figures are over [`SEEDS`] episodes. Comparisons are paired: the same seeds with and without what is compared, the 95 %
//! interval of the difference.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows the figures that the tests hold to their limits")]

#[path = "tasks/approvals.rs"]
mod approvals;
#[path = "tasks/phenomena.rs"]
mod phenomena;
#[path = "tasks/support.rs"]
mod support;

use labtrust_bench::{BenchmarkRun, Cast, RunLogs, results::results_bytes};
use labtrust_contract::{EpisodeRecord, ResultsFile};
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{Decision, StepFacts};
use labtrust_plugin::{Injection, Injector, Opening, Sensors, Turn};
use phenomena::{Phenomenon, mark_stat, phenomena};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{
    Altered, Asked, COORD_TASKS, CREW_TASKS, LAB, POLICY, SEEDS, bound, difference, figures, mean, number, own,
    registry, share_of_bound, task, total,
};

#[test]
fn in_explicit_timing_nearly_everything_is_released() {
    for id in CREW_TASKS {
        let results = own(id, ClockMode::Explicit);
        let share = share_of_bound(id, &results);
        println!("{id}: {share:.3} of what can be released");
        assert!(share >= if id == "reagent_stockout" { 0.9 } else { 0.95 }, "{id}: {share}");
    }
}

#[test]
fn in_simulated_timing_the_horizon_gives_nine_tenths_of_what_a_correct_laboratory_can() {
    // Released over specimens with a 600 s spin; for the insider's task at the horizon that simulated timing has here.
    let possible = [1.96 / 4.45, 1.0, 1.0, 1.57 / 3.94, 1.0, 1.0, 1.0, 1.0];
    for (id, possible) in CREW_TASKS.into_iter().zip(possible) {
        let results = own(id, ClockMode::Simulated);
        let share = share_of_bound(id, &results);
        println!("{id}: {share:.3} of what can be released, {possible:.3} possible");
        assert!(share >= 0.9 * possible, "{id}: {share} of {possible}");
    }
}

#[test]
fn the_published_seeds_release_every_specimen_of_the_episode() {
    for id in CREW_TASKS {
        let asked = Asked { episodes: 5, first_seed: 123, ..Asked::of(task(id), Some(ClockMode::Explicit)) };
        for EpisodeRecord { seed, metrics } in asked.run().episodes {
            assert_eq!(metrics["throughput"].as_f64(), Some(bound(id, &metrics)), "{id} seed {seed}");
        }
    }
}

#[test]
fn only_attackers_and_what_a_task_names_are_refused_and_honest_work_breaks_nothing() {
    for id in CREW_TASKS {
        let honest = Altered { task: task(id), state: |_| {}, attackers_stay: false };
        let attacked = task(id).spec().attack_start_step.is_some();
        let named: &[&str] = if id == "reagent_stockout" { &["RC_REAGENT_STOCKOUT"] } else { &[] };
        for timing in ClockMode::ALL {
            let results = if attacked { Asked::of(&honest, Some(timing)).run() } else { own(id, timing) };
            for EpisodeRecord { seed, metrics } in results.episodes {
                assert_eq!(metrics["violations_by_invariant_id"], json!({}), "{id} {timing} seed {seed}");
                let blocked = metrics["blocked_by_reason_code"].as_object().expect("a map");
                assert!(blocked.keys().all(|code| named.contains(&code.as_str())), "{id} {timing} {seed}: {blocked:?}");
                let times = blocked.values().filter_map(Value::as_u64).sum::<u64>();
                assert!(times <= 2, "{id} {timing} seed {seed}: every analyst finds out once, not {times} times");
            }
        }
    }
}

#[test]
fn every_attack_is_refused_for_its_own_reason_and_put_down_to_the_attacker() {
    let adversary = json!({
        "INV-TOK-002": 1, "RBAC_ACTION_DENY": 2, "RBAC_RESTRICTED_ENTRY_DENY": 2, "RC_ILLEGAL_MOVE": 1,
    });
    let insider = json!({ "RBAC_ACTION_DENY": 2, "SIG_INVALID": 3, "SIG_KEY_REVOKED": 1 });
    for (id, codes) in [("adversarial_disruption", adversary), ("insider_key_misuse", insider)] {
        let honest = Altered { task: task(id), state: |_| {}, attackers_stay: false };
        for timing in ClockMode::ALL {
            let with = own(id, timing);
            let without = Asked::of(&honest, Some(timing)).run();
            for (EpisodeRecord { seed, metrics }, undisturbed) in with.episodes.iter().zip(&without.episodes) {
                let mut refused = metrics["attacker_blocked_by_reason_code"].clone();
                assert_eq!(metrics["blocked_by_reason_code"], refused, "{id} {timing} seed {seed}");
                if refused["RBAC_ACTION_DENY"] == 3 {
                    // The adversary found a real result to release before its time.
                    refused["RBAC_ACTION_DENY"] = json!(2);
                }
                assert_eq!(refused, codes, "{id} {timing} seed {seed}");
                assert_eq!(
                    metrics["attacker_actions"].as_f64(),
                    Some(total(metrics, "attacker_blocked_by_reason_code"))
                );
                assert_eq!(metrics["fraction_of_attacks_contained"], 1.0);
                assert_eq!(metrics["containment_success"], true);
                // Work goes on as if nobody had tried.
                assert_eq!(metrics["released_s"], undisturbed.metrics["released_s"], "{id} {timing} seed {seed}");
            }
        }
    }
}

#[test]
fn where_nobody_asks_for_signatures_the_insider_walks_freely() {
    let unsigned = Altered {
        task: task("insider_key_misuse"),
        state: |state| _ = state.remove("strict_signatures"),
        attackers_stay: true,
    };
    for EpisodeRecord { seed, metrics } in Asked::of(&unsigned, None).run().episodes {
        assert_eq!(metrics["attacker_blocked_by_reason_code"]["RBAC_ACTION_DENY"], 2, "seed {seed}");
        assert_eq!(metrics["containment_success"], false, "seed {seed}");
    }
}

#[test]
fn what_a_task_names_changes_the_figure_that_it_is_about() {
    let mut idle = Vec::new();
    for Phenomenon { id, timing, without, attackers_stay, figure, raises } in phenomena() {
        let whole = Altered { task: task(id), state: mark_stat, attackers_stay: true };
        let bare = Altered { task: task(id), state: without, attackers_stay };
        // A large laboratory needs fewer episodes.
        let episodes = if id == "coord_scale" { 20 } else { SEEDS };
        let run = |task| Asked { episodes, ..Asked::of(task, Some(timing)) }.run();
        let as_it_is = match id {
            "stat_insertion" | "coord_scale" => run(&whole),
            _ => own(id, timing),
        };
        let (with, without) = (figures(&as_it_is, figure), figures(&run(&bare), figure));
        let (low, high) = difference(&with, &without);
        println!(
            "{id} {timing}: {:.1} with, {:.1} without; difference {low:.1} to {high:.1}",
            mean(&with),
            mean(&without)
        );
        let changes = if raises { low > 0.0 } else { high < 0.0 };
        idle.extend((!changes).then(|| format!("{id} {timing}: {low:.2} to {high:.2}")));
    }
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn stat_tubes_overtake_routine_ones() {
    for timing in ClockMode::ALL {
        let results = own("stat_insertion", timing);
        let [stat, routine] =
            ["p50_turnaround_stat_s", "p50_turnaround_routine_s"].map(|n| figures(&results, number(n)));
        let (low, high) = difference(&stat, &routine);
        println!("{timing}: STAT {:.1}, routine {:.1}; difference {low:.1} to {high:.1}", mean(&stat), mean(&routine));
        assert!(high < 0.0, "{timing}: {low} to {high}");
    }
}

#[test]
fn a_failed_control_holds_what_was_measured_and_every_held_specimen_is_measured_again() {
    for timing in ClockMode::ALL {
        let mut failed = 0;
        for EpisodeRecord { seed, metrics } in own("qc_cascade", timing).episodes {
            // A walk, the control, a walk back, the recheck.
            let controlled = metrics["actions_by_agent"]["qc_0"].as_u64() >= Some(4);
            failed += u64::from(controlled && metrics["reruns"].as_u64() >= Some(1));
            assert_eq!(metrics["throughput"], metrics["specimens_total"], "{timing} seed {seed}");
        }
        // In simulated timing the device may be broken by chance, and then nothing is measured on it.
        let least = if timing == ClockMode::Explicit { SEEDS } else { SEEDS - 3 };
        assert!(failed >= least, "{timing}: the control failed in {failed} episodes");
    }
}

#[test]
fn work_that_waits_at_a_broken_device_is_moved_to_another() {
    let moved = |results: &ResultsFile| figures(results, number("moved")).iter().sum::<f64>();
    let outage = own("device_outage_surge", ClockMode::Simulated);
    let whole = Altered {
        task: task("device_outage_surge"),
        state: |state| _ = state.remove("device_outages"),
        attackers_stay: true,
    };
    let without = Asked::of(&whole, Some(ClockMode::Simulated)).run();
    println!("moved: {} with the outage, {} without", moved(&outage), moved(&without));
    assert!(moved(&outage) >= 5.0 && moved(&without) < 0.2 * moved(&outage));
}

#[test]
fn a_state_that_plans_for_a_device_that_is_not_there_is_refused() {
    let plans = [
        ("planned_controls", json!([{ "device_id": "DEV_NONE", "after_runs": 1, "outcome": "fail" }])),
        ("planned_controls", json!([{ "device_id": "DEV_CHEM_A_01", "after_runs": -1 }])),
        ("planned_controls", json!([{ "device_id": "DEV_CHEM_A_01", "after_runs": 1, "outcome": "perhaps" }])),
        ("device_outages", json!([{ "device_id": "DEV_NONE", "start_ts_s": 1, "end_ts_s": 2 }])),
        ("device_outages", json!([{ "device_id": "DEV_CHEM_A_01", "start_ts_s": 2, "end_ts_s": 2 }])),
    ];
    for (key, plan) in plans {
        let mut state = task("throughput_sla").initial_state(1, None);
        state.insert(key.to_owned(), plan.clone());
        let error = LAB.engine().reset(&state, 1).err().unwrap_or_else(|| panic!("{plan} is accepted"));
        assert!(error.to_string().contains(key), "{error}");
    }
}

#[test]
fn without_reagent_everything_else_is_held_with_the_reason() {
    let mut tried = 0.0;
    for timing in ClockMode::ALL {
        for EpisodeRecord { seed, metrics } in own("reagent_stockout", timing).episodes {
            assert_eq!(metrics["throughput"], 1, "{timing} seed {seed}");
            let held = metrics["specimens_total"].as_u64().map(|all| all - 1);
            assert_eq!(metrics["holds_count"].as_u64(), held, "{timing} seed {seed}");
            tried += total(&metrics, "blocked_by_reason_code");
        }
    }
    assert!(tried > 0.5 * SEEDS as f64, "the shortage shows as refusals: {tried}");
}

#[test]
fn random_legal_agents_release_clearly_less_and_null_agents_nothing() {
    let registry = registry();
    let set = |id| registry.agent_set(id).expect("it is compiled in");
    for id in CREW_TASKS.into_iter().chain(["coord_scale"]) {
        let asked = Asked { episodes: 30, ..Asked::of(task(id), None) };
        let released = |agents| {
            let results = Asked { agents: Some(agents), ..asked }.run();
            (figures(&results, number("throughput")), results)
        };
        let (scripted, own) = released(set("scripted"));
        let (random, random_results) = released(set("random_legal"));
        let (null, _) = released(set("null"));
        let (low, high) = difference(&random, &scripted);
        println!(
            "{id}: scripted {:.2}, random {:.2}; difference {low:.2} to {high:.2}",
            mean(&scripted),
            mean(&random)
        );
        assert!(high < 0.0, "{id}: {low} to {high}");
        assert!(mean(&random) <= 0.8 * mean(&scripted), "{id}");
        assert!(null.iter().all(|released| *released == 0.0), "{id}");
        let baseline = (&random_results.agent_baseline_id, &random_results.config["agent_set"]);
        assert_eq!(baseline, (&"random_legal_v1".to_owned(), &json!("random_legal")));
        assert_eq!(own.config["agent_set"], "scripted_workflow_v1");
    }
}

#[test]
fn attackers_stay_whoever_else_sits_at_the_table() {
    let registry = registry();
    let null = registry.agent_set("null").expect("it is compiled in");
    for id in ["adversarial_disruption", "insider_key_misuse"] {
        let results = Asked { agents: Some(null), episodes: 3, ..Asked::of(task(id), None) }.run();
        for episode in results.episodes {
            assert!(episode.metrics["attacker_actions"].as_u64() >= Some(5), "{id}");
            assert_eq!(episode.metrics["actions_attempted"], episode.metrics["attacker_actions"], "{id}");
        }
    }
}

#[test]
fn a_run_with_every_agent_set_gives_the_same_bytes_for_any_number_of_threads() {
    let registry = registry();
    for id in CREW_TASKS.into_iter().chain(COORD_TASKS) {
        for set in ["scripted", "random_legal"] {
            let agents = Some(registry.agent_set(set).expect("it is compiled in"));
            let bytes = |threads| {
                let asked = Asked { agents, episodes: 3, threads: Some(threads), ..Asked::of(task(id), None) };
                String::from_utf8(results_bytes(&asked.run()).expect("results are finite")).expect("JSON is text")
            };
            assert_eq!(bytes(1), bytes(3), "{id} {set}");
        }
    }
}

#[test]
fn a_scale_brings_its_own_workers_horizon_and_timing_and_releases_what_arrives() {
    // At least this share of all specimens, those that arrive in the last minute included, and 0.6 of what a crew that
    // knows everything beforehand could release.
    let scales = [
        (None, 10, 200, "explicit", 0.8),
        (Some("small_smoke"), 4, 80, "explicit", 0.5),
        (Some("small_8"), 8, 60, "explicit", 0.5),
        (Some("exploratory_scale"), 8, 500, "explicit", 0.8),
        (Some("medium_stress_signed_bus"), 75, 300, "simulated", 0.5),
        (Some("corridor_heavy"), 200, 150, "explicit", 0.8),
    ];
    for (scale, workers, steps, timing, least) in scales {
        let episodes = if workers > 10 { 3 } else { 20 };
        let results = Asked { scale, episodes, ..Asked::of(task("coord_scale"), None) }.run();
        let config = &results.config;
        assert_eq!((&config["max_steps"], &config["timing_mode"]), (&json!(steps), &json!(timing)), "{scale:?}");
        assert_eq!((&config["scale_id"], &config["coord_method"]), (&json!(scale), &Value::Null));
        assert_eq!(config["agent_set"], "scripted_workflow_v1");
        let share = mean(&figures(&results, number("completion_rate")));
        println!("{scale:?}: {share:.3} of the specimens");
        for EpisodeRecord { seed, metrics } in &results.episodes {
            assert_eq!(metrics["actions_by_agent"].as_object().expect("a map").len(), workers, "{scale:?}");
            assert_eq!(metrics["blocked_by_reason_code"], json!({}), "{scale:?} seed {seed}");
            assert_eq!(metrics["violations_by_invariant_id"], json!({}), "{scale:?} seed {seed}");
        }
        assert!(share >= least, "{scale:?}: {share}");
        let of_bound = figures(&results, number("throughput_share_of_bound"));
        println!("{scale:?}: {:.3} of the clairvoyant bound", mean(&of_bound));
        assert!(mean(&of_bound) >= 0.6 && of_bound.iter().all(|share| *share <= 1.0), "{scale:?}: {of_bound:?}");
    }
}

#[test]
fn a_scale_that_does_not_exist_is_an_error_with_the_list_and_so_is_a_scale_of_a_task_without() {
    let unknown = task("coord_scale").bind(&POLICY, Some("huge")).err().expect("there is no such scale");
    let known = "corridor, corridor_busy, corridor_heavy, corridor_tight, exploratory_scale, full_lane, \
                 medium_stress_signed_bus, multi_site, one_hall, outage, scale_1000, scale_200, scale_75, small_8, \
                 small_smoke, surge, two_halls, xl_100k, xl_10k, xl_1m, xl_smoke";
    assert_eq!(unknown.to_string(), format!("unknown scale: huge. Known: [{known}]"));
    let none = task("qc_cascade").bind(&POLICY, Some("small_8")).err().expect("it has one size");
    assert_eq!(none.to_string(), "task qc_cascade has no scales");
}

/// Lets nobody with an even number do anything, and counts what it is shown.
struct Sabotage;

impl Injection for Sabotage {
    fn id(&self) -> &'static str {
        "sabotage"
    }
    fn injector(&self, _opening: &Opening<'_>, armed: bool) -> Box<dyn Injector> {
        Box::new(Saboteur { armed, seen: 0 })
    }
}

struct Saboteur {
    armed: bool,
    seen: u64,
}

impl Injector for Saboteur {
    fn on_view(&mut self, sensors: &mut Sensors<'_>) {
        if self.armed {
            // Nobody sees the last room any more.
            sensors.view.specimens.truncate(5);
        }
    }
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        assert_eq!(turn.seats.len(), turn.decisions.len());
        if !self.armed {
            return;
        }
        let blocked = turn.decisions.iter_mut().skip(1).step_by(2);
        blocked.for_each(|decision: &mut Option<Decision>| *decision = None);
    }
    fn on_step(&mut self, _facts: &StepFacts<'_>) {
        self.seen += 1;
    }
}

#[test]
fn an_injection_reaches_what_agents_see_and_decide_and_the_empty_one_changes_nothing() {
    let registry = registry();
    let none = registry.injection("none").expect("it is compiled in");
    let asked = Asked { episodes: 10, ..Asked::of(task("coord_risk"), None) };
    let (plain, idle) = (asked.run(), Asked { injection: Some(none), ..asked }.run());
    assert_eq!(plain.episodes, idle.episodes);
    assert_eq!((&plain.config["injection_id"], &idle.config["injection_id"]), (&Value::Null, &json!("none")));
    let sabotaged = Asked { injection: Some(&Sabotage), ..asked }.run();
    let [before, after] = [&plain, &sabotaged].map(|results| figures(results, number("throughput")));
    assert!(difference(&after, &before).1 < 0.0, "{after:?} {before:?}");
}

#[test]
fn injections_are_for_the_task_that_takes_them() {
    let registry = registry();
    let unknown = registry.injection("INJ-NOBODY-001").err().expect("there is none");
    let mut known: Vec<&str> = labtrust_redteam::catalogue::ids().collect();
    known.sort_unstable();
    assert_eq!(unknown.to_string(), format!("unknown injection: INJ-NOBODY-001. Known: [{}]", known.join(", ")));
    let metrics = registry.metrics();
    let run = BenchmarkRun {
        task: task("coord_scale"),
        lab: Arc::clone(&LAB),
        policy: &POLICY,
        episodes: 1,
        base_seed: 1,
        timing: None,
        max_steps: None,
        strict_signatures: false,
        threads: None,
        metrics: &metrics,
        scale: None,
        cast: Cast { injection: Some(&Sabotage), ..Cast::default() },
        git_sha: None,
    };
    let error = run.run(RunLogs::None, &|| {}).expect_err("the task takes none");
    assert_eq!(error.to_string(), "task coord_scale takes no injections");
}

#[test]
fn every_crew_signs_where_every_event_has_to_be_signed() {
    for id in CREW_TASKS.into_iter().chain(["coord_scale"]) {
        let signed = Altered {
            task: task(id),
            state: |state| _ = state.insert("strict_signatures".to_owned(), json!(true)),
            attackers_stay: false,
        };
        let strict = Asked { episodes: 5, ..Asked::of(&signed, None) }.run();
        for EpisodeRecord { seed, metrics } in strict.episodes {
            let blocked = metrics["blocked_by_reason_code"].as_object().expect("a map");
            assert!(blocked.keys().all(|code| code == "RC_REAGENT_STOCKOUT"), "{id} seed {seed}: {blocked:?}");
            assert!(metrics["throughput"].as_u64() > Some(0), "{id} seed {seed}");
        }
    }
}
