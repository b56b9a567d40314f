//! Every clause in which the laboratory is to be better than the reference, and what shows that it is.
//!
//! `scenarios/clauses.ron` is the list. `docs/src/reference/clauses.md` is made from it: set `LABTRUST_REGENERATE=1`
//! and run this test to write it anew.

use labtrust_bench::scenario::{
    EngineLoader, FailureKind, Runner, Scenario, ScenarioReport, Semantics, load, load_text,
};
use labtrust_contract::StepResult;
use labtrust_hospital_lab::reference::FrozenEngine;
use labtrust_plugin::lab::{Engine, LabError, QueryError, StateDigest, TimingSummary};
use labtrust_policy::PolicyStore;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// What shows that a clause holds.
#[derive(Debug, Deserialize)]
enum ShownBy {
    /// A scenario of that id.
    Scenario(String),
    /// A test, `FILE::NAME`, and why no scenario can.
    Test(String, String),
    /// Nothing yet: what brings it, and why it waits.
    Later(String, String),
}

#[derive(Debug, Deserialize)]
struct Clause {
    id: String,
    deviation: String,
    text: String,
    shown_by: ShownBy,
    /// Why the frozen reference passes the scenario as well.
    #[serde(default)]
    reference_holds: Option<String>,
}

/// One change of the sources, and the scenarios that have to notice it.
#[derive(Debug, Deserialize)]
struct Mutation {
    file: String,
    find: String,
    replace: String,
    clauses: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_ron<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn clauses() -> Vec<Clause> {
    read_ron("scenarios/clauses.ron")
}

fn scenarios() -> Vec<Scenario> {
    let suites = load(&[root().join("scenarios/golden/clauses")]).expect("the scenarios load");
    suites.into_iter().flat_map(|suite| suite.scenarios).collect()
}

/// An engine of either kind under a policy.
fn loader(semantics: Semantics) -> EngineLoader {
    EngineLoader::new(move |policy| {
        let engine: Box<dyn Engine> = match semantics {
            Semantics::Sound => {
                let registry = labtrust_builtin::registry().expect("ids are unique");
                registry.lab_domain("hospital_lab").expect("it is compiled in").load(policy)?.engine()
            }
            Semantics::Reference => Box::new(FrozenEngine::new(policy)?),
        };
        Ok(engine)
    })
}

/// Plays scenarios on an engine, judged by the laboratory's rules.
fn play(scenarios: &[Scenario], engine: Semantics) -> Vec<ScenarioReport> {
    let policy = PolicyStore::builtin();
    let load = loader(engine);
    let mut engine = load.load(&policy).expect("the policy loads");
    let runner = Runner::new(&policy, Semantics::Sound).expect("the policy loads").with_loader(load);
    scenarios.iter().map(|scenario| runner.run(scenario, engine.as_mut())).collect()
}

fn why(report: &ScenarioReport) -> String {
    let failures = report.failures.iter().map(|failure| format!("{}: {}", failure.event_id, failure.message));
    format!("{}: {}", report.scenario_id, failures.collect::<Vec<_>>().join("; "))
}

#[test]
fn every_clause_scenario_holds_in_the_laboratory() {
    let reports = play(&scenarios(), Semantics::Sound);
    let wrong: Vec<String> = reports.iter().filter(|report| !report.passed).map(why).collect();
    assert!(wrong.is_empty(), "{} of {} do not hold:\n{}", wrong.len(), reports.len(), wrong.join("\n"));
}

#[test]
fn the_reference_breaks_every_clause_but_those_that_say_why_it_does_not() {
    let reports = play(&scenarios(), Semantics::Reference);
    let passes: BTreeSet<&str> =
        reports.iter().filter(|report| report.passed).map(|report| report.scenario_id.as_str()).collect();
    let mut wrong = Vec::new();
    for clause in clauses() {
        let ShownBy::Scenario(id) = &clause.shown_by else { continue };
        if clause.reference_holds.is_some() != passes.contains(id.as_str()) {
            let report = reports.iter().find(|report| report.scenario_id == *id);
            wrong.push(format!("{}, {}", clause.id, report.map(why).unwrap_or_default()));
        }
    }
    assert!(
        wrong.is_empty(),
        "reference_holds should be given exactly where the reference passes:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_clause_is_shown_and_every_scenario_shows_one() {
    let clauses = clauses();
    let deviations = text("docs/src/reference/deviations.md");
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let known: BTreeSet<String> = scenarios().into_iter().map(|scenario| scenario.scenario_id).collect();
    for clause in &clauses {
        assert!(ids.insert(clause.id.as_str()), "{} is there twice", clause.id);
        assert!(clause.text.len() > 20, "{} says nothing", clause.id);
        assert!(
            clause.deviation == "-" || deviations.contains(&clause.deviation),
            "{}: {} is no deviation",
            clause.id,
            clause.deviation
        );
        match &clause.shown_by {
            ShownBy::Scenario(id) => {
                assert!(known.contains(id), "{}: there is no scenario {id}", clause.id);
                assert!(shown.insert(id.clone()), "{id} shows two clauses");
            }
            ShownBy::Test(test, reason) => {
                let (file, name) = test.split_once("::").expect("FILE::NAME");
                assert!(text(file).contains(&format!("fn {name}(")), "{}: there is no test {test}", clause.id);
                assert!(reason.len() > 10, "{}: no reason", clause.id);
            }
            ShownBy::Later(what, reason) => assert!(!what.is_empty() && reason.len() > 10, "{}", clause.id),
        }
    }
    assert_eq!(shown, known, "every scenario shows a clause");
    // One row of the list of weaknesses or more clauses each.
    let rows: BTreeSet<&str> = clauses.iter().filter_map(|clause| clause.id.split('.').next()).collect();
    assert_eq!(rows.len(), 29, "{rows:?}");
}

#[test]
fn the_table_of_clauses_is_what_the_list_says() {
    let titles: BTreeMap<String, String> =
        scenarios().into_iter().map(|scenario| (scenario.scenario_id, scenario.title)).collect();
    let mut table = String::from(
        "# Clauses\n\n<!-- Made by tests/tests/clauses.rs from scenarios/clauses.ron; do not edit. -->\n\n\
         What the laboratory does better than the reference, clause by clause, and what shows it. The first number is that of\n\
         the list of the reference's known weaknesses, D is the [deviation](deviations.md). A scenario is played by\n\
         `labtrust run-scenario scenarios/golden`; *held by both* means that the frozen reference passes it as well.\n\
         [Which change of the code turns which scenario red](../explanation/mutations.md) is tried for a sample.\n\n\
         | clause | what holds | deviation | shown by |\n|---|---|---|---|\n",
    );
    for clause in clauses() {
        let by = match &clause.shown_by {
            ShownBy::Scenario(id) => {
                let title = titles.get(id).cloned().unwrap_or_default();
                let both = clause.reference_holds.map(|why| format!(" *Held by both: {why}.*")).unwrap_or_default();
                format!("`{id}`: {title}.{both}")
            }
            ShownBy::Test(test, reason) => {
                let (file, name) = test.split_once("::").unwrap_or((test, ""));
                format!("test `{name}` in `{file}`: {reason}")
            }
            ShownBy::Later(what, reason) => format!("not built: {what}; {reason}"),
        };
        let _ = writeln!(table, "| {} | {} | {} | {} |", clause.id, clause.text, clause.deviation, by);
    }
    let path = root().join("docs/src/reference/clauses.md");
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        std::fs::write(&path, &table).expect("the table is written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == table,
        "{} is not what scenarios/clauses.ron says; write it anew with\n\
         LABTRUST_REGENERATE=1 cargo test -p labtrust-tests",
        Path::new("docs/src/reference/clauses.md").display()
    );
}

#[test]
fn every_mutation_has_its_place_in_the_sources() {
    let mutations: Vec<Mutation> = read_ron("tests/mutations/clauses.ron");
    let clauses = clauses();
    assert!(mutations.len() >= 20, "{} mutations", mutations.len());
    for mutation in &mutations {
        let found = text(&mutation.file).matches(&mutation.find).count();
        assert_eq!(found, 1, "{} should have {:?} once", mutation.file, mutation.find);
        assert_ne!(mutation.find, mutation.replace);
        assert!(!mutation.clauses.is_empty());
        for id in &mutation.clauses {
            let clause = clauses.iter().find(|clause| clause.id == *id);
            let by_scenario = clause.is_some_and(|clause| matches!(clause.shown_by, ShownBy::Scenario(_)));
            assert!(by_scenario, "{id} is no clause that a scenario shows");
        }
    }
}

/// Policy files that the laboratory does not read are named where users look, and no others.
#[test]
fn files_that_nothing_reads_are_listed_as_such() {
    let policy = PolicyStore::builtin();
    loader(Semantics::Sound).load(&policy).expect("the policy loads");
    let read: BTreeSet<String> = policy.consumed().into_iter().map(|file| file.path).collect();
    let page = text("docs/src/reference/policy.md");
    let (_, listed) = page.split_once("**Not read by any rule today**").expect("the page has the list");
    let listed = listed.split("\n\n").next().unwrap_or_default();
    for file in ["catalogue/test_catalogue.seed.v0.1.json", "tokens/token_enforcement_map.v0.1.yaml"] {
        assert!(listed.contains(file), "{file} is not listed as documentary");
        assert!(!read.contains(file), "{file} is read and listed as not read");
    }
    for file in ["tokens/dual_approval_policy.v0.1.yaml", "equipment/failure_models.v0.1.yaml"] {
        assert!(read.contains(file) && !listed.contains(file), "{file} is read");
    }
}

/// A scenario with one step: time goes by.
fn one_step(expect: &str) -> Scenario {
    let text = format!(
        r#"(scenario_id: "ONE", title: "one", initial_state: {{"workflow": "open", "specimens": [
            {{"specimen_id": "S1", "panel_id": "BIOCHEM_PANEL_CORE", "status": "accepted"}}]}},
            script: [(event_id: "e1", t_s: 10, agent_id: "A_RECEPTION", action_type: "HOLD_SPECIMEN",
            args: {{"specimen_id": "S1"}}, reason_code: "ID_MISMATCH", expect: ({expect}))])"#
    );
    load_text(Path::new("one.ron"), &text).expect("it is a scenario").scenarios.remove(0)
}

fn kinds(expect: &str) -> Vec<FailureKind> {
    let reports = play(&[one_step(expect)], Semantics::Sound);
    reports[0].failures.iter().map(|failure| failure.details.kind).collect()
}

#[test]
fn a_state_that_is_another_fails_the_scenario() {
    assert_eq!(kinds(r#"state: {"specimen_status": {"S1": "held"}, "last_reason_code": {"S1": "ID_MISMATCH"}}"#), []);
    assert_eq!(kinds(r#"state: {"specimen_status": {"S1": "accepted"}}"#), [FailureKind::State]);
    assert_eq!(kinds(r#"state: {"last_reason_code": {"S1": "INT_LEAKING"}}"#), [FailureKind::State]);
    assert_eq!(kinds(r#"state: {"token_active": ["T1"]}"#), [FailureKind::State]);
    assert_eq!(kinds(r#"state: {"device_qc_state": {"DEV_HAEM_01": "fail"}}"#), [FailureKind::State]);
    assert_eq!(kinds(r#"state: {"separated_ts_set": {"S1": true}}"#), [FailureKind::State]);
}

#[test]
fn a_chain_that_grew_by_another_number_fails_the_scenario() {
    assert_eq!(kinds("hashchain_len_delta: 1, chain_moved: true"), []);
    assert_eq!(kinds("hashchain_len_delta: 0"), [FailureKind::ChainLength]);
    assert_eq!(kinds("chain_moved: false"), [FailureKind::Chain]);
}

#[test]
fn an_exact_expectation_allows_nothing_more() {
    assert_eq!(kinds(r#"exact: true, emits: ["HOLD_SPECIMEN"]"#), []);
    assert_eq!(kinds("emits: []"), []);
    assert_eq!(kinds("exact: true, emits: []"), [FailureKind::Emits]);
    assert_eq!(kinds(r#"result: {"enforcements": [], "blocked_reason_code": None}"#), []);
    assert_eq!(kinds(r#"result: {"emits": []}"#), [FailureKind::Answer], "an empty list is an empty list");
}

#[test]
fn a_scenario_that_cannot_even_begin_does_not_keep_the_next_from_running() {
    let mut broken = one_step("");
    broken.initial_state.insert("timing_mode".into(), "warp".into());
    let reports = play(&[broken, one_step("")], Semantics::Sound);
    assert!(!reports[0].passed && reports[0].failures[0].details.kind == FailureKind::Reset);
    assert!(reports[1].passed);
}

#[test]
fn a_scenario_with_nothing_to_do_is_refused() {
    let idle = r#"(scenario_id: "IDLE", initial_state: {"workflow": "open"}, script: [])"#;
    let error = load_text(Path::new("idle.ron"), idle).expect_err("it does nothing").to_string();
    assert!(error.contains("expect_reset"), "{error}");
}

#[test]
fn a_policy_that_loads_although_it_should_not_fails_the_scenario() {
    let scenario = |rest: &str| {
        let text = format!(r#"(scenario_id: "LOAD", initial_state: {{"workflow": "open"}}, {rest})"#);
        load_text(Path::new("load.ron"), &text).expect("it is a scenario").scenarios.remove(0)
    };
    let kind = |rest: &str| {
        let report = play(&[scenario(rest)], Semantics::Sound).remove(0);
        report.failures.first().map(|failure| failure.details.kind)
    };
    const FILE: &str = "reagents/reagent_policy.v0.1.yaml";
    assert_eq!(kind(&format!(r#"policy: {{"{FILE}": "reagents"}}, expect_load: "reagent_policy""#)), None);
    assert_eq!(
        kind(&format!(r#"policy: {{"{FILE}": "reagents"}}, expect_load: "something else""#)),
        Some(FailureKind::Load)
    );
    assert_eq!(kind(r#"expect_load: "reagent_policy""#), Some(FailureKind::Load));
    assert_eq!(kind(r#"expect_reset: "anything""#), Some(FailureKind::Reset));
    // A runner that was not told how to load another policy says so.
    let policy = PolicyStore::builtin();
    let runner = Runner::new(&policy, Semantics::Sound).expect("the policy loads");
    let mut engine = loader(Semantics::Sound).load(&policy).expect("the policy loads");
    assert!(runner.run(&scenario(r#"expect_load: "x""#), engine.as_mut()).only_unsupported());
}

/// A laboratory whose state is another every time somebody looks.
struct Restless {
    engine: Box<dyn Engine>,
    looked: u8,
}

impl Engine for Restless {
    fn reset(&mut self, initial_state: &Map<String, Value>, seed: u64) -> Result<(), LabError> {
        self.engine.reset(initial_state, seed)
    }

    fn begin_batch(&mut self) {
        self.engine.begin_batch();
    }

    fn signing_payload(&mut self, event: &Map<String, Value>) -> Option<Vec<u8>> {
        self.engine.signing_payload(event)
    }

    fn play(&mut self, event: &Map<String, Value>) -> StepResult {
        self.engine.play(event)
    }

    fn query(&mut self, expression: &str) -> Result<Value, QueryError> {
        self.engine.query(expression)
    }

    fn timing_summary(&mut self) -> TimingSummary {
        self.engine.timing_summary()
    }

    fn digest_at(&mut self, _t_s: i64) -> Option<StateDigest> {
        self.looked += 1;
        Some(StateDigest([self.looked; 32]))
    }
}

#[test]
fn a_refused_step_that_changes_the_state_fails_the_scenario_and_an_accepted_one_may() {
    let policy = PolicyStore::builtin();
    let runner = Runner::new(&policy, Semantics::Sound).expect("the policy loads");
    let kinds = |scenario: &Scenario| {
        let engine = loader(Semantics::Sound).load(&policy).expect("the policy loads");
        let report = runner.run(scenario, &mut Restless { engine, looked: 0 });
        report.failures.iter().map(|failure| failure.details.kind).collect::<Vec<_>>()
    };
    let mut scenario = one_step("");
    assert_eq!(kinds(&scenario), []);
    scenario.script[0].reason_code = None;
    assert_eq!(kinds(&scenario), [FailureKind::Touched]);
}
