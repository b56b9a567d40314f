//! What is written down of the decisions of a coordination method.

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::log::{Beside, COORDINATION_FILES, LogFiles};
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_plugin::Registry;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::method::{CoordinationMethod, Coordinator, Evidence, EvidenceKind};
use labtrust_plugin::wire::{Decision, Observation, Problem, Setting, Settings, Site};
use labtrust_policy::{PolicyStore, schema_complaints, schemas};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("unique ids"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    domain.load(&POLICY).expect("the built-in policy loads")
});

#[path = "../../plugins/api/tests/contract/volunteers.rs"]
mod volunteers;

const EMPTY: &str = "4f53cda18c2baa0c";

/// A run with its files: decisions, trace, events.
struct Asked<'a> {
    method: &'a dyn CoordinationMethod,
    scale: Option<&'a str>,
    episodes: u64,
    max_steps: Option<u32>,
    threads: usize,
    telemetry: bool,
    settings: Settings,
}

impl<'a> Asked<'a> {
    fn of(method: &'a dyn CoordinationMethod) -> Self {
        Self {
            method,
            scale: Some("small_smoke"),
            episodes: 1,
            max_steps: None,
            threads: 2,
            telemetry: true,
            settings: Settings::default(),
        }
    }

    fn files(&self) -> [Vec<u8>; 3] {
        let dir = tempfile::tempdir().expect("there is room");
        let (log, out) = (dir.path().join("log.jsonl"), dir.path().join("results.json"));
        let beside = Beside { coordination: self.telemetry, ..Beside::default() };
        let mut files = LogFiles::create(&log, &out, beside).expect("it can be written");
        let (facts, metrics) = (Map::new(), REGISTRY.metrics());
        let (method, settings) = (self.method, &self.settings);
        let direction = Direction { directing: Directing::Everybody, method, settings, facts: &facts };
        let run = BenchmarkRun {
            task: REGISTRY.task("coord_scale").expect("it is compiled in"),
            lab: Arc::clone(&LAB),
            policy: &POLICY,
            episodes: self.episodes,
            base_seed: 7,
            timing: None,
            max_steps: self.max_steps,
            strict_signatures: false,
            threads: Some(self.threads),
            metrics: &metrics,
            scale: self.scale,
            cast: Cast { method: Some(direction), ..Cast::default() },
            git_sha: None,
        };
        run.run(RunLogs::Files(&mut files), &|| {}).expect("the run succeeds");
        let written = files.persist().expect("it can be written");
        assert_eq!(written.len(), if self.telemetry { 5 } else { 2 });
        COORDINATION_FILES.map(|name| std::fs::read(dir.path().join(name)).unwrap_or_default())
    }
}

fn method(id: &str) -> &'static dyn CoordinationMethod {
    REGISTRY.coordination_method(id).expect("it is compiled in")
}

fn lines(file: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(file).expect("it is ASCII");
    text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

fn has_the_shape(file: &[u8], schema: &str) {
    let (_, text) = schemas().find(|(name, _)| *name == schema).expect("there is such a schema");
    let list = format!("{{\"type\":\"array\",\"items\":{text}}}");
    let complaints = schema_complaints(&list, &Value::Array(lines(file))).expect("it is a schema");
    assert_eq!(complaints, [""; 0], "{schema}");
}

#[test]
fn every_step_of_every_episode_is_written_down_and_threads_make_no_difference() {
    let asked = Asked { episodes: 3, ..Asked::of(method("kernel_centralized_edf")) };
    let files = asked.files();
    assert_eq!(files, Asked { threads: 1, ..asked }.files());
    let [decisions, trace, events] = &files;
    has_the_shape(decisions, "coord_method_output_contract.v0.1");
    has_the_shape(trace, "method_trace_event.v0.1");
    has_the_shape(events, "coord_event.v0.1");
    let steps = |file: &[u8], step: &str| -> Vec<(u64, u64)> {
        let place = |line: &Value| Some((line["episode"].as_u64()?, line[step].as_u64()?));
        lines(file).iter().map(|line| place(line).expect("it says where it belongs")).collect()
    };
    let all: Vec<(u64, u64)> = (0..3).flat_map(|episode| (0..80).map(move |step| (episode, step))).collect();
    assert_eq!(steps(decisions, "t_step"), all);
    assert_eq!(steps(trace, "t_step"), all);
    assert_eq!(steps(events, "step"), all);
    let texts: BTreeSet<_> = lines(trace).into_iter().map(|line| line["hash_or_summary"].to_string()).collect();
    assert!(texts.len() > 40, "{} different steps", texts.len());
    let hash = |name: &str| lines(events).iter().filter(|line| line["coord_decision_payload"][name] != EMPTY).count();
    assert!(hash("allocation_hash") > 20 && hash("schedule_hash") > 20 && hash("route_hash") > 20);
    assert_eq!(hash("state_hash"), 240);
}

#[test]
fn a_decision_costs_less_than_two_hundred_bytes_a_worker() {
    for (scale, workers, steps) in
        [("small_smoke", 4, 80), ("medium_stress_signed_bus", 75, 60), ("corridor_heavy", 200, 40)]
    {
        for id in ["kernel_auction_edf", "centralized_planner"] {
            let asked = Asked { scale: Some(scale), max_steps: Some(steps), ..Asked::of(method(id)) };
            let written: usize = asked.files().iter().map(Vec::len).sum();
            let each = written / (workers * steps as usize);
            assert!(each < 200, "{id} at {scale}: {each} bytes a worker-step");
        }
    }
}

/// A method that has something to put on record in every step.
struct Recorded<'a> {
    inner: &'a dyn CoordinationMethod,
    told: AtomicBool,
}

impl<'a> Recorded<'a> {
    fn new(inner: &'a dyn CoordinationMethod) -> Self {
        Self { inner, told: AtomicBool::new(false) }
    }
}

impl CoordinationMethod for Recorded<'_> {
    fn id(&self) -> &str {
        "org.example.recorded"
    }

    fn summary(&self) -> &str {
        self.inner.summary()
    }

    fn params_schema(&self) -> String {
        self.inner.params_schema()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        self.told.store(site.telemetry, Ordering::Relaxed);
        let inner = self.inner.create(settings, site)?;
        Ok(Box::new(Recording { inner }))
    }
}

struct Recording {
    inner: Box<dyn Coordinator>,
}

impl Coordinator for Recording {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.inner.decide(seen, out)
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        let new = |kind, code, figures| Evidence { kind, agent: Some(1), code, figures };
        out.push(new(EvidenceKind::Shield, "COORD_SHIELD_REJECT_COLLISION", vec![("collisions", 2)]));
        out.push(new(EvidenceKind::Detector, "", vec![]));
        out.push(new(EvidenceKind::Bus, "COORD_REPLAY_DETECTED", vec![("nonce", 9)]));
        out.push(new(EvidenceKind::Stale, "COORD_STALE_VIEW", vec![("view_age_ms", 30_000), ("max_ms", 5)]));
        out.push(new(EvidenceKind::Stale, "COORD_STALE_VIEW", vec![("view_age_ms", 20_000)]));
    }
}

/// Every router of `plugins/mapf` against the first, and against none, where there is little room.
#[test]
fn another_router_changes_the_route_and_nothing_else() {
    let mut rerouted = 0;
    for id in ["kernel_whca", "kernel_scheduler_or_whca", "kernel_auction_whca"] {
        let payloads = |name: &str, value: &str| {
            let settings = Settings([(name.to_owned(), Setting::Text(value.to_owned()))].into());
            let asked = Asked { scale: Some("corridor"), max_steps: Some(12), settings, ..Asked::of(method(id)) };
            let [_, _, events] = asked.files();
            lines(&events).into_iter().map(|line| line["coord_decision_payload"].clone()).collect::<Vec<_>>()
        };
        let first = payloads("router_backend", "whca");
        let others = ["pibt", "lacam", "cbs", "ecbs", "rhcr", "lns"].map(|backend| ("router_backend", backend));
        for (name, value) in others.into_iter().chain([("core", "off")]) {
            let other = payloads(name, value);
            // Up to the step in which they first go another way: what follows is another episode.
            let mut steps = 0;
            for (one, other) in first.iter().zip(&other) {
                for name in ["state_hash", "allocation_hash", "schedule_hash"] {
                    assert_eq!(one[name], other[name], "{id} {value}, step {steps}: {name}");
                }
                steps += 1;
                if one["route_hash"] != other["route_hash"] {
                    rerouted += 1;
                    break;
                }
            }
            assert!(steps > 0, "{id} {value}");
        }
    }
    assert!(rerouted >= 3, "{rerouted}: all routers went the same way");
}

#[test]
fn who_does_not_write_it_down_does_not_ask_for_it() {
    let recorded = Recorded::new(method("kernel_centralized_edf"));
    Asked { telemetry: false, max_steps: Some(3), ..Asked::of(&recorded) }.files();
    assert!(!recorded.told.load(Ordering::Relaxed));
    Asked { max_steps: Some(3), ..Asked::of(&recorded) }.files();
    assert!(recorded.told.load(Ordering::Relaxed));
}

#[test]
fn shield_detector_bus_and_stale_views_are_on_record_with_episode_and_step() {
    let recorded = Recorded::new(method("kernel_centralized_edf"));
    let [decisions, _, events] = Asked { episodes: 2, max_steps: Some(3), ..Asked::of(&recorded) }.files();
    has_the_shape(&events, "coord_event.v0.1");
    has_the_shape(&decisions, "coord_method_output_contract.v0.1");
    let events = lines(&events);
    assert_eq!(events.len(), 2 * 3 * 6);
    let newest: Vec<_> = events[30..].iter().map(|line| (&line["kind"], &line["emits"][0], &line["code"])).collect();
    let told = [
        ("decision", "COORD_DECISION", None),
        ("shield", "COORD_SHIELD_DECISION", Some("COORD_SHIELD_REJECT_COLLISION")),
        ("detector", "LLM_DETECTOR_DECISION", Some("")),
        ("bus", "COORD_REPLAY_DETECTED", Some("COORD_REPLAY_DETECTED")),
        ("stale", "COORD_STALE_DECISION", Some("COORD_STALE_VIEW")),
        ("stale", "COORD_STALE_DECISION", Some("COORD_STALE_VIEW")),
    ];
    for (number, (kind, emit, code)) in told.into_iter().enumerate() {
        let code = code.map_or(Value::Null, Value::from);
        assert_eq!(newest[number], (&kind.into(), &emit.into(), &code));
        assert_eq!((&events[30 + number]["episode"], &events[30 + number]["step"]), (&1.into(), &2.into()));
    }
    assert_eq!(events[31]["figures"]["collisions"], 2);
    assert!(events[31]["agent_id"].is_string());
    let decision = &lines(&decisions)[5];
    assert_eq!(decision["view_age_ms"], 30_000);
    assert_eq!(decision["safety_shield_details"]["count"], 1);
    assert_eq!(
        (&decision["safety_shield_applied"], &decision["safety_shield_intervened"]),
        (&true.into(), &true.into())
    );
}

/// The method is asked in every step at every size, and nobody acts in its place.
#[test]
fn the_method_is_asked_in_every_step_whatever_the_number_of_workers() {
    let file = "coordination/scale_configs.v0.1.yaml";
    for workers in [4, 50, 51, 75, 200, 1000] {
        let text = POLICY.text(file).expect("it is there");
        let text = text.replacen("num_agents_total: 4", &format!("num_agents_total: {workers}"), 1);
        let policy = PolicyStore::builtin().with_text(file, &text);
        let lab = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in").load(&policy).expect("it loads");
        for id in ["org.example.volunteers", "kernel_centralized_edf"] {
            let (settings, facts, metrics) = (Settings::default(), Map::new(), REGISTRY.metrics());
            let direction =
                Direction { directing: Directing::Everybody, method: method(id), settings: &settings, facts: &facts };
            let run = BenchmarkRun {
                task: REGISTRY.task("coord_scale").expect("it is compiled in"),
                lab: Arc::clone(&lab),
                policy: &policy,
                episodes: 1,
                base_seed: 7,
                timing: None,
                max_steps: Some(12),
                strict_signatures: false,
                threads: Some(1),
                metrics: &metrics,
                scale: Some("small_smoke"),
                cast: Cast { method: Some(direction), ..Cast::default() },
                git_sha: None,
            };
            let results = run.run(RunLogs::None, &|| {}).expect("the run succeeds").results;
            let told = &results.episodes[0].metrics;
            let coordination = &told["coordination"]["method"];
            assert_eq!((&coordination["id"], &coordination["decisions"]), (&id.into(), &12.into()), "{workers}");
            assert_eq!(coordination["failures"], 0, "{id} with {workers}: {coordination}");
            assert_eq!(told["actions_by_agent"].as_object().map(Map::len), Some(workers));
            // All that anybody did is what the method chose.
            let (chosen, done) = (coordination["choices"].as_u64(), told["actions_attempted"].as_u64());
            assert!(done > Some(0) && done <= chosen, "{id} with {workers}: {done:?} of {chosen:?}");
        }
    }
}
