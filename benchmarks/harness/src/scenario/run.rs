//! One scenario, from its state to its report.

use super::check::{Finding, Judgement, Rules};
use super::patch::{EngineLoader, patched};
use super::report::{Beginning, Failure, FailureDetails, FailureKind, ScenarioReport, StepReport};
use super::{Scenario, Semantics, around, post_run, sign};
use labtrust_contract::HashChain;
use labtrust_plugin::lab::Engine;
use labtrust_policy::{PolicyError, PolicyStore};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const VOCABULARY_FILE: &str = "emits/emits_vocab.v0.1.yaml";
const CODES_FILE: &str = "reason_codes/reason_code_registry.v0.1.yaml";
const KEYS_FILE: &str = "keys/key_registry.v0.1.yaml";

/// Plays scenarios and judges what comes of them.
#[derive(Debug)]
pub struct Runner {
    policy: PolicyStore,
    rules: Rules,
    keys: Vec<Value>,
    loader: Option<EngineLoader>,
}

#[derive(Deserialize)]
struct Vocabulary {
    #[serde(default)]
    canonical_set: Vec<String>,
    #[serde(default)]
    categories: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Codes {
    codes: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default)]
    keys: Vec<Value>,
}

impl Runner {
    /// A runner that judges by the words, codes and keys of a policy.
    ///
    /// # Errors
    /// [`PolicyError`] when one of the three files is missing or cannot be read.
    pub fn new(policy: &PolicyStore, semantics: Semantics) -> Result<Self, PolicyError> {
        let words: Vocabulary = policy.section(VOCABULARY_FILE, Some("emits_vocab"))?;
        let mut vocabulary: BTreeSet<String> = words.canonical_set.into_iter().collect();
        if vocabulary.is_empty() {
            vocabulary = words.categories.into_values().flatten().collect();
        }
        // The codes that the program itself raises are its own, under whatever policy.
        let mut codes = BTreeSet::new();
        for store in [policy, &PolicyStore::builtin()] {
            let registry: Codes = store.section(CODES_FILE, Some("reason_code_registry"))?;
            codes.extend(registry.codes.into_iter().map(|entry| entry.code));
        }
        let keys: Keys = policy.section(KEYS_FILE, Some("key_registry"))?;
        Ok(Self {
            policy: policy.clone(),
            rules: Rules { semantics, vocabulary, codes },
            keys: keys.keys,
            loader: None,
        })
    }

    /// The same runner, able to play scenarios that change the policy: `load` makes an engine under the changed one.
    #[must_use]
    pub fn with_loader(mut self, load: EngineLoader) -> Self {
        self.loader = Some(load);
        self
    }

    /// Plays one scenario. The script ends at the first step that is not as expected; what comes after it would only say
    /// so again. Whatever goes wrong is in the report.
    pub fn run(&self, scenario: &Scenario, engine: &mut dyn Engine) -> ScenarioReport {
        if scenario.policy.is_empty() && scenario.expect_load.is_none() {
            self.play(scenario, engine)
        } else {
            self.play_under_changed_policy(scenario)
        }
    }

    fn play_under_changed_policy(&self, scenario: &Scenario) -> ScenarioReport {
        let mut report = ScenarioReport::new(&scenario.scenario_id, &scenario.title);
        let mut fail = |kind, message: String| {
            report.failures.push(Failure::outside_the_script("__LOAD__", kind, message));
        };
        let Some(loader) = &self.loader else {
            fail(FailureKind::Unsupported, "this runner cannot change the policy".to_owned());
            return report;
        };
        let loaded = patched(&self.policy, &scenario.policy).and_then(|policy| {
            let engine = loader.load(&policy)?;
            Ok((Self::new(&policy, self.rules.semantics)?, engine))
        });
        match (loaded, &scenario.expect_load) {
            (Ok((runner, mut engine)), None) => return runner.play(scenario, engine.as_mut()),
            (Err(error), Some(wanted)) if error.to_string().contains(wanted) => report.passed = true,
            (Err(error), _) => fail(FailureKind::Load, error.to_string()),
            (Ok(_), Some(_)) => fail(FailureKind::Load, "the policy is loaded".to_owned()),
        }
        report
    }

    fn play(&self, scenario: &Scenario, engine: &mut dyn Engine) -> ScenarioReport {
        let mut report = ScenarioReport::new(&scenario.scenario_id, &scenario.title);
        let mut state = scenario.state();
        sign::overlay_keys(scenario, &self.keys, &mut state);
        let outcome = engine.reset(&state, scenario.seed());
        let semantics = self.rules.semantics;
        report.beginning = Some(Beginning { initial_state: state, seed: scenario.seed(), semantics });
        let mut fail = |message: String| {
            report.failures.push(Failure::outside_the_script("__RESET__", FailureKind::Reset, message));
        };
        match (outcome, &scenario.expect_reset) {
            (Ok(()), None) => {}
            (Err(error), Some(wanted)) if error.to_string().contains(wanted) => {
                report.passed = true;
                return report;
            }
            (Err(error), _) => {
                fail(error.to_string());
                return report;
            }
            (Ok(()), Some(_)) => {
                fail("the initial state is used".to_owned());
                return report;
            }
        }
        let mut before = HashChain::default();
        let mut batch: VecDeque<Map<String, Value>> = VecDeque::new();
        for (index, step) in scenario.script.iter().enumerate() {
            if !step.same_step || batch.is_empty() {
                // All events of a batch are signed before the first of them is played.
                engine.begin_batch();
                let others = scenario.script[index + 1..].iter().take_while(|step| step.same_step);
                batch = std::iter::once(step).chain(others).map(|step| sign::signed_event(step, engine)).collect();
            }
            let Some(event) = batch.pop_front() else { unreachable!("the batch of a step holds its event") };
            let state_before = engine.digest_at(step.t_s);
            let result = engine.play(&event);
            let mut judgement = Judgement {
                rules: &self.rules,
                event: &event,
                expect: &step.expect,
                result: &result,
                before: &before,
                findings: Vec::new(),
                checked: Vec::new(),
            };
            judgement.judge(engine);
            judgement.untouched(state_before, engine);
            let Judgement { findings, checked, .. } = judgement;
            before.clone_from(&result.hashchain);
            let failed = !findings.is_empty();
            if failed {
                let queries = around::queries(&event, engine);
                report.failures.extend(findings.into_iter().map(|finding| failure(finding, index, &event, &queries)));
            }
            report.step_reports.push(StepReport::new(step, result, checked, event));
            if failed {
                return report;
            }
        }
        report.failures.extend(post_run::run(scenario, &report, &self.policy));
        report.passed = report.failures.is_empty();
        report
    }
}

fn failure(finding: Finding, index: usize, event: &Map<String, Value>, queries: &Map<String, Value>) -> Failure {
    let event_id = event.get("event_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let details = FailureDetails {
        kind: finding.kind,
        step: Some(index + 1),
        event: Some(event.clone()),
        expected: finding.expected,
        actual: finding.actual,
        queries: queries.clone(),
    };
    Failure { event_id, message: finding.message, details }
}
