//! Episodes of `coord_scale` under one method, and what they are judged by.

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::{Cast, EpisodeSetup, run_episode};
use labtrust_contract::Metrics;
use labtrust_example_earliest_due::EarliestDue;
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{ActionKind, LoadedLab, Priority, Symbol};
use labtrust_plugin::method::{Compiled, CoordinationMethod, Coordinator};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use labtrust_plugin::wire::{Decision, Observation, Problem, Setting, Settings, Site, encode_into};
use labtrust_plugin::{Plugin, Registry};
use labtrust_policy::PolicyStore;
use rayon::prelude::*;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

pub(crate) static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("unique ids"));
static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    domain.load(&POLICY).expect("the built-in policy loads")
});

/// The kit's example, which is not linked into the program: the simple rule that every method is measured against.
pub(crate) const EXAMPLE: &str = "org.example.earliest_due";
static EXAMPLE_METHOD: Compiled<EarliestDue> = Compiled::NEW;

/// A size of the laboratory and who moves its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// An entry of the scale configurations; the task's own where absent.
    pub(crate) scale: Option<&'static str>,
    pub(crate) timing: ClockMode,
}

impl Size {
    pub(crate) fn name(self) -> String {
        format!("{}, {}", self.scale.unwrap_or("own"), self.timing)
    }
}

/// Who directs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Agents that do anything that is legal.
    Random,
    /// A method, with its core or without.
    Method { id: &'static str, core: bool },
}

/// What an episode is judged by. All but `completed` are better when they are less.
pub(crate) const FIGURES: [&str; 4] = ["completed", "p95 turnaround", "STAT mean turnaround", "weighted tardiness"];

/// One episode: its figures (none where nothing was released), and the digest of all that was decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) figures: [Option<f64>; 4],
    pub(crate) decided: String,
    pub(crate) failures: u64,
    /// Most that could be released [count].
    most: u64,
}

/// Mean of the most that could be released in these episodes.
pub(crate) fn bound(episodes: &[Judged]) -> f64 {
    episodes.iter().map(|episode| episode.most).sum::<u64>() as f64 / episodes.len().max(1) as f64
}

/// Ids of the methods of this project, sorted.
pub(crate) fn methods() -> Vec<&'static str> {
    let of = |entry: &&labtrust_plugin::Registration| match entry.plugin {
        Plugin::CoordinationMethod(method) if method.card().is_some() => Some(method.id()),
        _ => None,
    };
    REGISTRY.entries().iter().filter_map(of).collect()
}

/// Episodes on common seeds, in their order.
pub(crate) fn episodes(who: &Who, size: Size, seeds: std::ops::Range<u64>) -> Vec<Judged> {
    seeds.into_par_iter().map(|seed| episode(who, size, seed)).collect()
}

fn episode(who: &Who, size: Size, seed: u64) -> Judged {
    let plain = REGISTRY.task("coord_scale").expect("it is compiled in");
    let task = plain.bind(&POLICY, size.scale).expect("the scale exists").expect("it has scales");
    let mut metrics = REGISTRY.metrics();
    metrics.push(&StatMean);
    let mut settings = Settings::default();
    let facts = Map::new();
    let digest = Arc::new(Mutex::new(Sha256::new()));
    let mut cast = Cast::default();
    let taped;
    match who {
        Who::Random => cast.agents = Some(REGISTRY.agent_set("random_legal").expect("it is compiled in")),
        Who::Method { id, core } => {
            if !core {
                settings.0.insert("core".to_owned(), Setting::Text("off".to_owned()));
            }
            let method: &dyn CoordinationMethod = match *id {
                EXAMPLE => &EXAMPLE_METHOD,
                id => REGISTRY.coordination_method(id).expect("it is compiled in"),
            };
            taped = Taped { method, digest: Arc::clone(&digest) };
            let directing = Directing::Everybody;
            cast.method = Some(Direction { directing, method: &taped, settings: &settings, facts: &facts });
        }
    }
    let spec = task.spec();
    let setup = EpisodeSetup {
        task: task.as_ref(),
        seed,
        max_steps: if size.timing == ClockMode::Simulated { spec.max_steps_simulated } else { spec.max_steps },
        timing: size.timing,
        strict_signatures: false,
        calibration: None,
        metrics: &metrics,
        cast,
    };
    let outcome = run_episode(LAB.engine().as_mut(), &setup, None).expect("the episode runs");
    let number = |name: &str| outcome.metrics.get(name).and_then(Value::as_f64);
    let figures = [
        Some(outcome.throughput as f64),
        number("p95_turnaround_s"),
        number("stat_mean_turnaround_s"),
        number("weighted_tardiness_s"),
    ];
    let failures = outcome.metrics.get("coordination").and_then(|told| told["method"]["failures"].as_u64());
    let decided = digest.lock().expect("nobody panicked").clone().finalize();
    let decided = decided.iter().map(|byte| format!("{byte:02x}")).collect();
    let most = outcome.metrics.get("throughput_bound").and_then(Value::as_u64).unwrap_or(0);
    Judged { figures, decided, failures: failures.unwrap_or(0), most }
}

/// A method whose decisions go into a digest.
struct Taped<'a> {
    method: &'a dyn CoordinationMethod,
    digest: Arc<Mutex<Sha256>>,
}

impl CoordinationMethod for Taped<'_> {
    fn id(&self) -> &str {
        self.method.id()
    }

    fn summary(&self) -> &str {
        self.method.summary()
    }

    fn params_schema(&self) -> String {
        self.method.params_schema()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        let at_work = self.method.create(settings, site)?;
        Ok(Box::new(Running { at_work, digest: Arc::clone(&self.digest), bytes: Vec::new() }))
    }
}

struct Running {
    at_work: Box<dyn Coordinator>,
    digest: Arc<Mutex<Sha256>>,
    bytes: Vec<u8>,
}

impl Coordinator for Running {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.at_work.decide(seen, out)?;
        // What is decided counts, not the order in which it is said.
        let mut sorted = out.clone();
        sorted.choices.sort_by_key(|choice| choice.agent);
        self.bytes.clear();
        encode_into(&sorted, &mut self.bytes);
        self.digest.lock().expect("nobody panicked").update(&self.bytes);
        Ok(())
    }
}

/// Mean time from the arrival of a STAT specimen to its first release [s]. What waits to be accepted waits, too.
struct StatMean;

impl Metric for StatMean {
    fn id(&self) -> &'static str {
        "stat_mean"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        &[]
    }

    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        let mut arrived_s = BTreeMap::new();
        for specimen in start.state.get("specimens").and_then(Value::as_array).into_iter().flatten() {
            let id = specimen["specimen_id"].as_str().expect("it has an id");
            if specimen["priority_class"].as_str().map(Priority::parse_lenient) == Some(Priority::Stat) {
                arrived_s.insert(start.symbols.intern(id), specimen["arrival_ts_s"].as_i64().unwrap_or(0));
            }
        }
        Box::new(StatMeter { arrived_s, served_s: BTreeMap::new(), horizon_s: start.facts.horizon_s })
    }
}

struct StatMeter {
    arrived_s: BTreeMap<Symbol, i64>,
    served_s: BTreeMap<Symbol, i64>,
    horizon_s: i64,
}

impl Meter for StatMeter {
    fn on_step(&mut self, step: MeterStep<'_>) {
        let outcome = step.facts.outcome;
        let Some(action) = step.facts.action else { return };
        if outcome.accepted && action.decision.kind == ActionKind::ReleaseResult {
            for specimen in &outcome.specimens {
                self.served_s.entry(*specimen).or_insert(action.t_s);
            }
        }
    }

    /// A specimen that is not released has taken until the end: to leave one lying makes nothing better.
    fn finish(&mut self, _: &EpisodeEnd<'_>, out: &mut Metrics) {
        let due = self.arrived_s.iter().filter(|(_, arrived_s)| **arrived_s < self.horizon_s);
        let took = due.map(|(specimen, s)| self.served_s.get(specimen).copied().unwrap_or(self.horizon_s) - s);
        let (count, sum) = took.fold((0, 0), |(count, sum), s| (count + 1, sum + s));
        if count > 0 {
            out.insert("stat_mean_turnaround_s".to_owned(), (sum as f64 / f64::from(count)).into());
        }
    }
}
