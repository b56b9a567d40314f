//! Episodes of `coord_scale` under one method, and what they are judged by.

use labtrust_bench::direction::{Directing, Direction};
use labtrust_bench::{Cast, EpisodeOutcome, EpisodeSetup, run_episode};
use labtrust_contract::Metrics;
use labtrust_example_earliest_due::EarliestDue;
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::method::{Compiled, CoordinationMethod, Coordinator, Tally};
use labtrust_plugin::wire::{Decision, Observation, Problem, Setting, Settings, Site, encode_into};
use labtrust_plugin::{Plugin, Registry};
use labtrust_policy::PolicyStore;
use rayon::prelude::*;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
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
    /// How messages travel of those who send any; at once where absent.
    pub(crate) network: Option<&'static str>,
}

impl Size {
    pub(crate) fn name(self) -> String {
        let network = self.network.map(|network| format!(", {network}")).unwrap_or_default();
        format!("{}, {}{network}", self.scale.unwrap_or("own"), self.timing)
    }
}

/// Who directs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Agents that do anything that is legal.
    Random,
    /// A method, with its core or without.
    Method { id: &'static str, core: bool },
    /// A method that talks, over this network, with signatures or without.
    Talking { id: &'static str, network: &'static str, signed: bool },
    /// `group_evolving_study` with this genome.
    Bred(String),
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
    pub(crate) most: u64,
    /// Mean time from the arrival to the first run [s], and the least that it could be ([`crate::hall`]).
    pub(crate) wait_s: Option<(f64, f64)>,
    /// Specimens of the episode [count].
    pub(crate) specimens: u64,
    /// Moves that were refused for want of room [count].
    pub(crate) no_room: u64,
}

/// Mean of the most that could be released in these episodes.
pub(crate) fn bound(episodes: &[Judged]) -> f64 {
    episodes.iter().map(|episode| episode.most).sum::<u64>() as f64 / episodes.len().max(1) as f64
}

/// Ids of the methods of this project, sorted.
pub(crate) fn all_methods() -> Vec<&'static str> {
    let of = |entry: &&labtrust_plugin::Registration| match entry.plugin {
        Plugin::CoordinationMethod(method) if method.card().is_some() => Some(method.id()),
        _ => None,
    };
    REGISTRY.entries().iter().filter_map(of).collect()
}

/// Those that can be run as they are: without a file that nobody has for these sizes.
pub(crate) fn methods() -> Vec<&'static str> {
    let lacks = |id: &str| REGISTRY.coordination_method(id).ok()?.lacks(&Settings::default());
    all_methods().into_iter().filter(|id| lacks(id).is_none()).collect()
}

/// Ids of those that send messages.
pub(crate) fn talking() -> Vec<&'static str> {
    let talks = |id: &&str| {
        REGISTRY.coordination_method(id).ok().and_then(|method| method.card()).is_some_and(|card| card.uses_messages)
    };
    methods().into_iter().filter(talks).collect()
}

/// Episodes on common seeds, in their order.
pub(crate) fn episodes(who: &Who, size: Size, seeds: impl IntoIterator<Item = u64>) -> Vec<Judged> {
    let seeds: Vec<u64> = seeds.into_iter().collect();
    seeds.into_par_iter().map(|seed| episode(who, size, seed)).collect()
}

fn episode(who: &Who, size: Size, seed: u64) -> Judged {
    let mut settings = Settings::default();
    let facts = Map::new();
    let digest = Arc::new(Mutex::new(Sha256::new()));
    let mut cast = Cast::default();
    let taped;
    let set = |name: &str, value: &str| (name.to_owned(), Setting::Text(value.to_owned()));
    match who {
        Who::Random => cast.agents = Some(REGISTRY.agent_set("random_legal").expect("it is compiled in")),
        Who::Method { .. } | Who::Talking { .. } | Who::Bred(_) => {
            let id = match who {
                Who::Method { id, core } => {
                    settings.0.extend((!core).then(|| set("core", "off")));
                    let talks = || REGISTRY.coordination_method(id).ok()?.card().map(|card| card.uses_messages);
                    settings.0.extend(size.network.filter(|_| talks() == Some(true)).map(|how| set("network", how)));
                    id
                }
                Who::Talking { id, network, signed } => {
                    settings.0.extend([set("network", network), set("signed", if *signed { "on" } else { "off" })]);
                    id
                }
                _ => "group_evolving_study",
            };
            if let Who::Bred(genome) = who {
                settings.0.extend([set("genome", genome)]);
            }
            let method: &dyn CoordinationMethod = match id {
                EXAMPLE => &EXAMPLE_METHOD,
                id => REGISTRY.coordination_method(id).expect("it is compiled in"),
            };
            taped = Taped { method, digest: Arc::clone(&digest) };
            let directing = Directing::Everybody;
            cast.method = Some(Direction { directing, method: &taped, settings: &settings, facts: &facts });
        }
    }
    let outcome = play(cast, size, seed);
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
    let wait_s = number("mean_wait_s").zip(number("least_mean_wait_s"));
    let specimens = outcome.specimens_total;
    let blocked = outcome.metrics.get("blocked_by_reason_code");
    let times = |code: &&str| blocked.and_then(|by| by.get(*code)).and_then(Value::as_u64).unwrap_or(0);
    let no_room = ["RC_ZONE_FULL", "RC_WAY_TAKEN"].iter().map(times).sum();
    Judged { figures, decided, failures: failures.unwrap_or(0), most, wait_s, specimens, no_room }
}

/// The end of an episode under this cast.
fn play(cast: Cast<'_>, size: Size, seed: u64) -> EpisodeOutcome {
    let plain = REGISTRY.task("coord_scale").expect("it is compiled in");
    let task = plain.bind(&POLICY, size.scale).expect("the scale exists").expect("it has scales");
    let mut metrics = REGISTRY.metrics();
    metrics.push(&crate::hall::Wait);
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
    run_episode(LAB.engine().as_mut(), &setup, None).expect("the episode runs")
}

/// What an episode is measured by when this directs everybody.
pub(crate) fn measured(method: &dyn CoordinationMethod, size: Size, seed: u64) -> Metrics {
    let (settings, facts) = (Settings::default(), Map::new());
    let direction = Direction { directing: Directing::Everybody, method, settings: &settings, facts: &facts };
    play(Cast { method: Some(direction), ..Cast::default() }, size, seed).metrics
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

    fn tally(&self) -> Tally {
        self.at_work.tally()
    }
}
