//! Episodes of `coord_risk` under an injection, with controls and without.

use labtrust_bench::{Ablation, BenchmarkRun, Cast, Directing, Direction, RunLogs};
use labtrust_plugin::lab::{Control, LoadedLab};
use labtrust_plugin::method::{CoordinationMethod, Coordinator};
use labtrust_plugin::wire::{Decision, Observation, Problem, Setting, Settings, Site};
use labtrust_plugin::{Plugin, Registry, SharedTap, Task};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value};
use std::sync::{Arc, LazyLock, Mutex};

pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| labtrust_builtin::registry().expect("ids are unique"));
pub(crate) static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);
static LAB: LazyLock<Arc<dyn LoadedLab>> =
    LazyLock::new(|| REGISTRY.lab_domain("hospital_lab").expect("it is compiled in").load(&POLICY).expect("it loads"));

/// What one run of some episodes gave.
pub(crate) struct Outcome {
    /// The results file, as JSON.
    pub(crate) results: Value,
}

/// A run to make.
#[derive(Clone, Copy)]
pub(crate) struct Campaign<'a> {
    pub(crate) method: &'a str,
    pub(crate) injection: &'a str,
    /// Controls that it does without.
    pub(crate) without: &'a [&'a str],
    pub(crate) scale: &'a str,
    pub(crate) episodes: u64,
    pub(crate) seed: u64,
    pub(crate) threads: Option<usize>,
}

impl<'a> Campaign<'a> {
    pub(crate) const fn of(method: &'a str, injection: &'a str) -> Self {
        Self { method, injection, without: &[], scale: "small_smoke", episodes: 10, seed: 1, threads: None }
    }

    pub(crate) fn run(self) -> Outcome {
        self.run_with(REGISTRY.coordination_method(self.method).expect("it is compiled in"))
    }

    /// The same with a method of one's own in the place of the named one.
    fn run_with(self, method: &dyn CoordinationMethod) -> Outcome {
        let lab = self.without.iter().filter_map(|id| id.parse::<Control>().ok());
        let without: Vec<String> = self.without.iter().map(|id| (*id).to_owned()).collect();
        let bus: Vec<&str> = self.without.iter().filter_map(|id| id.strip_prefix("bus.")).collect();
        let task = Ablation::new(REGISTRY.task("coord_risk").expect("it is compiled in"), lab.collect());
        let mut settings = Settings::default();
        if method.params_schema().contains("\"signed\"") {
            let signed = if bus.is_empty() { "on".to_owned() } else { format!("on without {}", bus.join(" ")) };
            settings.0.insert("signed".to_owned(), Setting::Text(signed));
        }
        let facts = Map::new();
        let direction = Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts };
        let metrics = REGISTRY.metrics();
        let outcome = BenchmarkRun {
            task: &task as &dyn Task,
            lab: Arc::clone(&LAB),
            policy: &POLICY,
            episodes: self.episodes,
            base_seed: self.seed,
            timing: None,
            max_steps: None,
            strict_signatures: false,
            threads: self.threads,
            metrics: &metrics,
            scale: Some(self.scale),
            cast: Cast {
                method: Some(direction),
                injection: Some(REGISTRY.injection(self.injection).expect("it is compiled in")),
                without: &without,
                ..Cast::default()
            },
            git_sha: None,
        }
        .run(RunLogs::None, &|| ())
        .expect("the episodes run");
        Outcome { results: serde_json::to_value(&outcome.results).expect("it is JSON") }
    }
}

impl Outcome {
    fn metrics(&self) -> impl Iterator<Item = &Value> {
        self.results["episodes"].as_array().into_iter().flatten().map(|episode| &episode["metrics"])
    }

    fn figures(&self, name: &str) -> Vec<f64> {
        self.metrics().filter_map(|metrics| metrics["sec"][name].as_f64()).collect()
    }

    /// Attempts that arrived, in all episodes [count].
    pub(crate) fn applied(&self) -> f64 {
        self.figures("applications_total").iter().sum()
    }

    /// Episodes in which the attack succeeded [count].
    pub(crate) fn successes(&self) -> usize {
        self.figures("attack_success_rate").iter().filter(|success| **success > 0.0).count()
    }

    /// The mean share of the work that was done.
    pub(crate) fn work(&self) -> f64 {
        let all = self.figures("utility_ratio");
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }

    /// The mean share of false alarms.
    pub(crate) fn false_positive_rate(&self) -> f64 {
        let all = self.figures("false_positive_rate");
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }
}

/// Every method that is compiled in and lacks nothing.
pub(crate) fn methods() -> impl Iterator<Item = &'static dyn CoordinationMethod> {
    REGISTRY.entries().iter().filter_map(|entry| match entry.plugin {
        Plugin::CoordinationMethod(method) if method.lacks(&Settings::default()).is_none() => Some(method),
        _ => None,
    })
}

/// Everything that a method is shown in an episode under this injection, as text.
pub(crate) fn shown_to_a_method(injection: &str) -> String {
    let shown = Arc::new(Mutex::new(String::new()));
    let inner = REGISTRY.coordination_method("market_auction").expect("it is compiled in");
    let spy = Spy { inner, shown: Arc::clone(&shown) };
    Campaign { episodes: 1, ..Campaign::of("market_auction", injection) }.run_with(&spy);
    let shown = shown.lock().expect("nobody panicked");
    shown.clone()
}

/// A method that writes down what it is shown.
struct Spy {
    inner: &'static dyn CoordinationMethod,
    shown: Arc<Mutex<String>>,
}

struct SpyAtWork {
    inner: Box<dyn Coordinator>,
    shown: Arc<Mutex<String>>,
}

impl CoordinationMethod for Spy {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn summary(&self) -> &str {
        self.inner.summary()
    }

    fn params_schema(&self) -> String {
        self.inner.params_schema()
    }

    fn create(&self, settings: &Settings, site: &Site) -> Result<Box<dyn Coordinator>, Problem> {
        self.shown.lock().expect("nobody panicked").push_str(&format!("{settings:?}{site:?}"));
        Ok(Box::new(SpyAtWork { inner: self.inner.create(settings, site)?, shown: Arc::clone(&self.shown) }))
    }
}

impl Coordinator for SpyAtWork {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        self.shown.lock().expect("nobody panicked").push_str(&format!("{seen:?}"));
        self.inner.decide(seen, out)
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.inner.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.inner.unreached()
    }
}
