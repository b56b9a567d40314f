//! How the tests of tasks run episodes, change tasks, and follow specimens.

use labtrust_bench::approvals::ApprovalHook;
use labtrust_bench::{BenchmarkRun, Cast, RunLogs};
use labtrust_contract::{Metrics, ResultsFile};
use labtrust_kernel::{ClockMode, stats::Tally};
use labtrust_plugin::lab::{ActionKind, LoadedLab, Symbol};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, MeterStep, Metric, MetricSpec};
use labtrust_plugin::{AgentSeat, AgentSet, Injection, Opening, SigningKey, Task, TaskError, TaskSpec};
use labtrust_policy::PolicyStore;
use labtrust_tests::load;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

pub(crate) const SEEDS: u64 = 100;
pub(crate) const FIRST_SEED: u64 = 100;
/// The tasks of one laboratory of seven.
pub(crate) const CREW_TASKS: [&str; 8] = [
    "throughput_sla",
    "stat_insertion",
    "qc_cascade",
    "adversarial_disruption",
    "multi_site_stat",
    "insider_key_misuse",
    "device_outage_surge",
    "reagent_stockout",
];
pub(crate) const COORD_TASKS: [&str; 2] = ["coord_scale", "coord_risk"];

pub(crate) static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
pub(crate) static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| load(&POLICY));

pub(crate) fn registry() -> labtrust_plugin::Registry {
    labtrust_builtin::registry().expect("ids are unique")
}

pub(crate) fn task(id: &str) -> &'static dyn Task {
    registry().task(id).expect("the task exists")
}

/// What to run; the rest is the task's own.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) task: &'a dyn Task,
    pub(crate) timing: Option<ClockMode>,
    pub(crate) episodes: u64,
    pub(crate) first_seed: u64,
    pub(crate) agents: Option<&'a dyn AgentSet>,
    pub(crate) injection: Option<&'a dyn Injection>,
    pub(crate) approvals: Option<&'a ApprovalHook>,
    pub(crate) scale: Option<&'a str>,
    pub(crate) threads: Option<usize>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(task: &'a dyn Task, timing: Option<ClockMode>) -> Self {
        let (agents, injection, approvals, scale, threads) = (None, None, None, None, None);
        Self { task, timing, episodes: SEEDS, first_seed: FIRST_SEED, agents, injection, approvals, scale, threads }
    }

    pub(crate) fn run(self) -> ResultsFile {
        let mut metrics = registry().metrics();
        metrics.push(&Whereabouts);
        let run = BenchmarkRun {
            task: self.task,
            lab: Arc::clone(&LAB),
            policy: &POLICY,
            episodes: self.episodes,
            base_seed: self.first_seed,
            timing: self.timing,
            max_steps: None,
            strict_signatures: false,
            threads: self.threads,
            metrics: &metrics,
            scale: self.scale,
            cast: Cast { agents: self.agents, injection: self.injection, approvals: self.approvals, ..Cast::default() },
            git_sha: None,
        };
        run.run(RunLogs::None, &|| {}).expect("the run succeeds").results
    }
}

pub(crate) fn figures(results: &ResultsFile, figure: impl Fn(&Metrics) -> f64) -> Vec<f64> {
    results.episodes.iter().map(|episode| figure(&episode.metrics)).collect()
}

pub(crate) fn number(name: &'static str) -> impl Fn(&Metrics) -> f64 {
    move |metrics| metrics[name].as_f64().unwrap_or(f64::NAN)
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sum of a map of counts.
pub(crate) fn total(metrics: &Metrics, name: &str) -> f64 {
    metrics[name].as_object().expect("a map of counts").values().filter_map(Value::as_f64).sum()
}

/// The 95 % interval of the mean of `with - without`: its lower and upper end.
pub(crate) fn difference(with: &[f64], without: &[f64]) -> (f64, f64) {
    assert_eq!(with.len(), without.len());
    let mut tally = Tally::new();
    tally.extend(with.iter().zip(without).map(|(with, without)| with - without));
    let interval = tally.interval_95().expect("several episodes");
    (interval.mean - interval.half_width, interval.mean + interval.half_width)
}

/// What happened to each specimen.
pub(crate) struct Whereabouts;

impl Metric for Whereabouts {
    fn id(&self) -> &'static str {
        "whereabouts"
    }
    fn specs(&self) -> &'static [MetricSpec] {
        const {
            &[
                MetricSpec::new("released_s", "s", "time of the first release, by specimen"),
                MetricSpec::new("moved", "count", "specimens taken from one queue to another"),
                MetricSpec::new("reruns", "count", "reruns asked for"),
            ]
        }
    }
    fn meter(&self, _start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::<Follow>::default()
    }
}

#[derive(Default)]
pub(crate) struct Follow {
    released_s: BTreeMap<Symbol, i64>,
    queued: BTreeSet<Symbol>,
    moved: u64,
    reruns: u64,
}

impl Meter for Follow {
    fn on_step(&mut self, step: MeterStep<'_>) {
        let Some(action) = step.facts.action.filter(|_| step.facts.outcome.accepted) else { return };
        for specimen in &step.facts.outcome.specimens {
            match action.decision.kind {
                ActionKind::ReleaseResult => _ = self.released_s.entry(*specimen).or_insert(action.t_s),
                ActionKind::QueueRun => self.moved += u64::from(!self.queued.insert(*specimen)),
                ActionKind::StartRun => _ = self.queued.remove(specimen),
                ActionKind::RerunRequest => self.reruns += 1,
                _ => {}
            }
        }
    }
    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics) {
        let times: Map<String, Value> =
            self.released_s.iter().map(|(id, at_s)| (end.symbols.text(*id).to_owned(), json!(at_s))).collect();
        out.insert("released_s".to_owned(), times.into());
        out.insert("moved".to_owned(), json!(self.moved));
        out.insert("reruns".to_owned(), json!(self.reruns));
    }
}

/// A task with something changed.
pub(crate) struct Altered<'a> {
    pub(crate) task: &'a dyn Task,
    pub(crate) state: fn(&mut Map<String, Value>),
    pub(crate) attackers_stay: bool,
}

impl Task for Altered<'_> {
    fn id(&self) -> &'static str {
        self.task.id()
    }
    fn spec(&self) -> &TaskSpec {
        self.task.spec()
    }
    fn bind(&self, _policy: &PolicyStore, _scale: Option<&str>) -> Result<Option<Box<dyn Task>>, TaskError> {
        Ok(None)
    }
    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        let mut state = self.task.initial_state(seed, calibration);
        (self.state)(&mut state);
        state
    }
    fn agents(&self, opening: &Opening<'_>) -> Vec<AgentSeat> {
        let mut seats = self.task.agents(opening);
        seats.retain(|seat| self.attackers_stay || !seat.attacker);
        seats
    }
    fn accepts_injections(&self) -> bool {
        self.task.accepts_injections()
    }
    fn signing_keys(&self, episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        self.task.signing_keys(episode_seed, agent_id)
    }
}

pub(crate) fn for_each_specimen(state: &mut Map<String, Value>, change: impl FnMut(&mut Value)) {
    state["specimens"].as_array_mut().expect("a list").iter_mut().for_each(change);
}

/// The episodes of a task as it is, run once for all tests of a process.
pub(crate) fn own(id: &'static str, timing: ClockMode) -> ResultsFile {
    type Runs = Mutex<BTreeMap<(&'static str, &'static str), Arc<OnceLock<ResultsFile>>>>;
    static RUNS: Runs = Mutex::new(BTreeMap::new());
    let run = Arc::clone(RUNS.lock().expect("no test panics here").entry((id, timing.as_str())).or_default());
    run.get_or_init(|| Asked::of(task(id), Some(timing)).run()).clone()
}

/// What can be released at most, by stock: all specimens, or one where the reagent is for one run.
pub(crate) fn bound(id: &str, metrics: &Metrics) -> f64 {
    if id == "reagent_stockout" { 1.0 } else { number("specimens_total")(metrics) }
}

pub(crate) fn share_of_bound(id: &str, results: &ResultsFile) -> f64 {
    let sum = |figure: &dyn Fn(&Metrics) -> f64| figures(results, figure).iter().sum::<f64>();
    sum(&number("throughput")) / sum(&|metrics| bound(id, metrics))
}
