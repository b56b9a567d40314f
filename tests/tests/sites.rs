//! Episodes of many laboratories.

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::sites::{Manner, SitesAtWork};
use labtrust_bench::{BenchError, BenchmarkRun, Cast, EpisodeSetup, RunLogs};
use labtrust_kernel::{ClockMode, Memory};
use labtrust_plugin::lab::method::{Assignment, Observer, carry_out};
use labtrust_plugin::lab::{Action, AgentContext, EventId, LoadedLab, WorldView};
use labtrust_plugin::wire::{Decision, Settings};
use labtrust_plugin::{Registry, Sites, Task};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("unique ids"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    domain.load(&POLICY).expect("the built-in policy loads")
});

fn run(method: Option<&str>, seed: u64, threads: usize) -> Result<(Vec<u8>, Value), BenchError> {
    let (settings, facts, metrics) = (Settings::default(), Map::new(), REGISTRY.metrics());
    let direction = method.map(|id| Direction {
        directing: Directing::Everybody,
        method: REGISTRY.coordination_method(id).expect("it is compiled in"),
        settings: &settings,
        facts: &facts,
    });
    let run = BenchmarkRun {
        task: REGISTRY.task("coord_scale").expect("it is compiled in"),
        lab: Arc::clone(&LAB),
        policy: &POLICY,
        episodes: 2,
        base_seed: seed,
        timing: None,
        max_steps: None,
        strict_signatures: false,
        threads: Some(threads),
        metrics: &metrics,
        scale: Some("xl_smoke"),
        cast: Cast { method: direction, ..Cast::default() },
        git_sha: None,
    };
    let outcome = run.run(RunLogs::None, &|| ())?;
    let bytes = labtrust_bench::results::results_bytes(&outcome.results)?;
    let metrics = serde_json::to_value(&outcome.results.episodes[0].metrics).expect("metrics are JSON");
    Ok((bytes, metrics))
}

#[test]
fn many_laboratories_come_to_the_same_for_any_number_of_threads() {
    let (one, metrics) = run(Some("kernel_centralized_edf"), 7, 1).unwrap();
    assert_eq!(one, run(Some("kernel_centralized_edf"), 7, 3).unwrap().0);
    assert_eq!(one, run(Some("kernel_centralized_edf"), 7, 2).unwrap().0);
    let sites = &metrics["sites"];
    assert_eq!((&sites["count"], &sites["agents"], &sites["window_steps"]), (&json!(3), &json!(60), &json!(10)));
    assert!(metrics["throughput"].as_u64() > Some(20), "{metrics}");
    assert_eq!(sites["merkle_root"].as_str().map(str::len), Some(64));
    let (_, other) = run(Some("kernel_centralized_edf"), 8, 1).unwrap();
    assert_ne!(sites["merkle_root"], other["sites"]["merkle_root"]);
}

/// Specimens come from next door: there are more than the sites' own.
#[test]
fn what_one_releases_goes_on_to_the_next() {
    let (_, metrics) = run(Some("kernel_centralized_edf"), 7, 1).unwrap();
    let bound = REGISTRY.task("coord_scale").unwrap().bind(&POLICY, Some("xl_smoke")).unwrap().unwrap();
    let own = bound.sites().unwrap().own(7)["specimens"].as_array().unwrap().len() as u64;
    let total = metrics["specimens_total"].as_u64().unwrap();
    assert!(total > 3 * own, "{total} specimens, {own} of each site's own");
}

/// Whether sites rest between windows or stay awake: everything comes to the same.
#[test]
fn sites_at_rest_come_to_the_same() {
    let bound = REGISTRY.task("coord_scale").unwrap().bind(&POLICY, Some("xl_smoke")).unwrap().unwrap();
    let (settings, facts) = (Settings::default(), Map::new());
    for method in ["kernel_centralized_edf", "swarm_reactive", "market_auction"] {
        let method = REGISTRY.coordination_method(method).unwrap();
        let direction = Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts };
        let setup = EpisodeSetup {
            task: &*bound,
            seed: 11,
            max_steps: 40,
            timing: ClockMode::Explicit,
            strict_signatures: false,
            calibration: None,
            metrics: &[],
            cast: Cast { method: Some(direction), ..Cast::default() },
        };
        let [awake, at_rest] = [false, true].map(|rests| {
            let manner = Manner { recorded: true, at_rest: Some(rests) };
            let mut at_work = SitesAtWork::open(&**LAB, &setup, bound.sites().unwrap(), manner).unwrap();
            while at_work.advance() {}
            let outcome = at_work.finish();
            (outcome.chain_head, outcome.metrics)
        });
        assert!(awake.1["throughput"].as_u64() > Some(0), "{}", method.id());
        assert_eq!(awake, at_rest, "{}", method.id());
    }
}

/// What a laboratory remembers in each step, and its chain: at rest after the steps of `rests`, or always awake.
fn remembered(timing: &str, seed: u64, rests: impl Fn(u32) -> bool) -> Vec<(Memory, String)> {
    let bound = REGISTRY.task("coord_scale").unwrap().bind(&POLICY, Some("xl_smoke")).unwrap().unwrap();
    let sites = bound.sites().unwrap();
    let mut common = sites.common();
    common.extend([("workflow".to_owned(), json!("enforced")), ("timing_mode".to_owned(), json!(timing))]);
    let mut own = sites.own(seed);
    own.extend([("workflow".to_owned(), json!("enforced")), ("timing_mode".to_owned(), json!(timing))]);
    let mut engine = LAB.under(&common).unwrap().engine();
    engine.reset(&own, seed).unwrap();
    let mut view = WorldView { horizon_s: Some(1000), without_done: true, ..WorldView::default() };
    engine.observe(&mut view);
    let directed: Vec<usize> = (0..view.agents.len()).collect();
    let assignment = Assignment { seed, dt_s: 10, directed: &directed, telemetry: false };
    let mut observer = Observer::new(&view, engine.symbols(), &assignment);
    let method = REGISTRY.coordination_method("kernel_centralized_edf").unwrap();
    let mut method = method.create(&Settings::default(), observer.site()).unwrap();
    let (mut refused, mut chosen, mut out) = (vec![None; directed.len()], Decision::default(), Vec::new());
    for step in 0..60 {
        let t_s = 10 * (i64::from(step) + 1);
        engine.advance_to(t_s, &mut ());
        engine.begin_batch();
        engine.observe(&mut view);
        let seen = observer.observe(step, &view, engine.symbols(), &refused);
        method.decide(seen, &mut chosen).unwrap();
        for choice in &chosen.choices {
            let me = usize::from(choice.agent);
            let mut ctx = AgentContext { view: &view, symbols: engine.symbols_mut(), me, refused: refused[me] };
            let Some(decision) = carry_out(&mut ctx, choice) else { continue };
            let agent = view.agents[me].id;
            engine.step(&Action { event_id: EventId::Step { agent, step: step + 1 }, t_s, agent, decision }, &mut ());
            refused[me] = engine.outcome().reason.filter(|_| !engine.outcome().accepted);
        }
        let before = engine.memory_at(0).unwrap();
        if rests(step) {
            assert!(engine.rest(), "step {step}");
            engine.wake();
            let after = engine.memory_at(0).unwrap();
            assert_eq!(before.first_difference(&after), None, "step {step}");
        }
        out.push((before, engine.chain().last_hash.to_owned()));
    }
    assert!(engine.chain().length > 100);
    out
}

/// A laboratory that rests remembers the same when it wakes, and goes on as one that never rested.
#[test]
fn a_rest_changes_nothing() {
    for (timing, seed) in [("explicit", 3), ("explicit", 4), ("simulated", 5)] {
        let awake = remembered(timing, seed, |_| false);
        for every in [1, 7] {
            let rested = remembered(timing, seed, |step| step % every == 0);
            for (step, (a, b)) in awake.iter().zip(&rested).enumerate() {
                assert_eq!(a.0.first_difference(&b.0), None, "{timing}, step {step}");
                assert_eq!(a.1, b.1, "{timing}, step {step}");
            }
        }
    }
}

#[test]
fn what_many_laboratories_cannot_do_is_refused() {
    let said = run(None, 7, 1).unwrap_err().to_string();
    assert!(said.contains("--coord-method"), "{said}");
}

/// A laboratory under the common part of a state is the same as one that reads all of it.
#[test]
fn what_is_common_may_be_read_once() {
    let bound: Box<dyn Task> = REGISTRY.task("coord_scale").unwrap().bind(&POLICY, Some("xl_smoke")).unwrap().unwrap();
    let sites: &dyn Sites = bound.sites().unwrap();
    let (common, mut own) = (sites.common(), sites.own(5));
    own.insert("workflow".to_owned(), json!("enforced"));
    let (mut apart, mut together) = (LAB.under(&common).unwrap().engine(), LAB.engine());
    let mut whole = common;
    whole.extend(own.clone());
    apart.reset(&own, 5).unwrap();
    together.reset(&whole, 5).unwrap();
    for (number, zone) in ["Z_SRA_RECEPTION", "Z_SORTING_LANES"].iter().enumerate() {
        let event = json!({
            "event_id": format!("e{number}"), "t_s": 10, "agent_id": "A_WORKER_0002", "action_type": "MOVE",
            "args": { "entity_type": "Agent", "entity_id": "A_WORKER_0002", "from_zone": "Z_SORTING_LANES", "to_zone": zone },
            "reason_code": null, "token_refs": [],
        });
        let event = event.as_object().unwrap();
        let (a, b) = (apart.play(event), together.play(event));
        assert_eq!(serde_json::to_value(a).unwrap(), serde_json::to_value(b).unwrap());
    }
    apart.advance_to(300, &mut ());
    together.advance_to(300, &mut ());
    assert_eq!(apart.chain(), together.chain());
    assert!(apart.chain().length > 2);
    let zone = "agent_zone('A_WORKER_0002')";
    assert_eq!(apart.query(zone).unwrap(), together.query(zone).unwrap());
}
