//! What the tests of studies share.

use labtrust_plugin::lab::LoadedLab;
use labtrust_plugin::{Course, Injection, Injector, Opening, Registry, Report, Turn};
use labtrust_policy::PolicyStore;
use labtrust_study::StudyError;
use labtrust_study::merge::merge;
use labtrust_study::plan::{Grounds, Identity, Plan, PlannedCell};
use labtrust_study::run::{CELLS, Failure, Made, Run};
use labtrust_study::spec::{CoordinationSpec, Reading};
use labtrust_study::workshop::Tools;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

/// Somebody else's injection, with a bug.
struct Crash;

impl Injection for Crash {
    fn id(&self) -> &'static str {
        "org.example.crash"
    }
    fn injector(&self, _opening: &Opening<'_>, armed: bool) -> Box<dyn Injector> {
        assert!(!armed, "an index that was never there");
        Box::new(Quiet)
    }
}

struct Quiet;

impl Injector for Quiet {}

labtrust_plugin::register_plugin!(Injection, Crash);

/// Somebody else's injection that is in the way also when it is disarmed, and says how much was done then.
struct InTheWay;

impl Injection for InTheWay {
    fn id(&self) -> &'static str {
        "org.example.in_the_way"
    }
    fn injector(&self, _opening: &Opening<'_>, _armed: bool) -> Box<dyn Injector> {
        Box::new(Blocking)
    }
}

struct Blocking;

impl Injector for Blocking {
    fn on_turn(&mut self, turn: &mut Turn<'_>) {
        turn.decisions.iter_mut().skip(1).for_each(|decision| *decision = None);
    }
    fn report(&mut self, _attacked: &Course, clean: &Course) -> Option<Report> {
        let done = [("undisturbed_actions".to_owned(), clean.metrics["actions_attempted"].clone())];
        Some(Report { sec: done.into_iter().collect(), ..Report::default() })
    }
}

labtrust_plugin::register_plugin!(Injection, InTheWay);

pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| labtrust_builtin::registry().expect("ids are unique"));
pub(crate) static POLICY: LazyLock<PolicyStore> = LazyLock::new(PolicyStore::builtin);

/// A small size, two methods that talk, an attack on what is said, one on a model, and the baseline.
pub(crate) const SPEC: &str = "
study_id: small
seed_base: 7
episodes_per_cell: 2
scales:
  - name: num_agents
    values: [4]
  - name: horizon_steps
    values: [30]
methods: [kernel_auction_edf, gossip_consensus, llm_central_planner]
injections:
  - { injection_id: INJ-ID-SPOOF-001, intensity: 0.5 }
  - { injection_id: INJ-COORD-PROMPT-INJECT-001, intensity: 0.5 }
";

/// The plan of a text.
pub(crate) fn plan_of(text: &str, policy: &PolicyStore) -> Result<Plan, StudyError> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("study.yaml");
    std::fs::write(&path, text).expect("it can be written");
    let reading = Reading { registry: &REGISTRY, policy, baseline: true, most_episodes: None };
    let spec = CoordinationSpec::load(&path, &reading)?;
    let identity = Identity::of(policy, None, None)?;
    Plan::make(&spec, &Grounds { registry: &REGISTRY, policy, identity, logs: false })
}

pub(crate) fn plan(text: &str) -> Plan {
    plan_of(text, &POLICY).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn tools(policy: &PolicyStore) -> Tools<'_> {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    let lab: Arc<dyn LoadedLab> = domain.load(policy).expect("it loads");
    Tools { registry: &REGISTRY, policy, lab, identity: Identity::of(policy, None, None).expect("it has a digest") }
}

/// Makes cells below `out`; what came of each.
pub(crate) fn make(
    plan: &Plan,
    cells: &[&PlannedCell],
    threads: usize,
    out: &Path,
) -> (Vec<Failure>, BTreeMap<String, Made>) {
    let told = Mutex::new(BTreeMap::new());
    let tell = |cell: &PlannedCell, made| {
        told.lock().expect("nobody has panicked").insert(cell.cell_id.clone(), made);
    };
    let run = Run { tools: tools(&POLICY), threads: Some(threads), progress: &tell };
    let failures = run.cells(plan, cells, out).unwrap_or_else(|error| panic!("{error}"));
    (failures, told.into_inner().expect("nobody has panicked"))
}

/// A whole study.
pub(crate) fn study(plan: &Plan, threads: usize, out: &Path) -> (Vec<Failure>, BTreeMap<String, Made>) {
    let told = make(plan, &plan.cells.iter().collect::<Vec<_>>(), threads, out);
    merge(plan, &[out.join(CELLS)], out, &POLICY).unwrap_or_else(|error| panic!("{error}"));
    told
}

/// All files below a directory, hidden ones too.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open: Vec<PathBuf> = vec![dir.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("it is below").display().to_string();
                all.insert(name, std::fs::read(path).expect("it can be read"));
            }
        }
    }
    all
}

/// Fails with the names of files that differ.
pub(crate) fn assert_same(one: &Path, two: &Path) {
    let (one, two) = (files(one), files(two));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    let differ: Vec<_> = one.iter().filter(|(name, bytes)| two[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

/// The results of a cell.
pub(crate) fn results(out: &Path, cell: &str) -> serde_json::Value {
    let bytes = std::fs::read(out.join(CELLS).join(cell).join("results.json")).expect("the cell is there");
    serde_json::from_slice(&bytes).expect("it is JSON")
}
