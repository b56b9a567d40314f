//! What the policy says of the suite, and what may be wrong with it.
//!
//! All files have to be there: a policy directory without them has no suite, and that is an error and not an empty
//! suite that passes.

use crate::AssuranceError;
use crate::pack::Asked;
use crate::register::policy::{RISKS, risks};
use labtrust_policy::PolicyStore;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The attacks.
pub const SUITE: &str = "golden/security_attack_suite.v0.1.yaml";
/// The notes.
pub const SCENARIOS: &str = "golden/prompt_injection_scenarios.v0.1.yaml";
/// The bounds of what an agent may do meanwhile.
pub const ASSERTIONS: &str = "golden/prompt_injection_assertion_policy.v0.1.yaml";
/// What an attacker's model is asked for.
pub const PROMPTS: &str = "golden/llm_attacker_prompts.v0.1.yaml";
/// Recorded payloads.
pub const PAYLOADS: &str = "golden/llm_attacker_payloads.v0.1.yaml";
/// Texts that have to stay harmless.
pub const REGRESSION: &str = "golden/security_pi_regression_strings.v0.1.yaml";
/// Exercises that may be run.
pub const ALLOWLIST: &str = "golden/security_suite_test_ref_allowlist.v0.1.yaml";

/// What has to come of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// It does not come through.
    Blocked,
    /// It is noticed.
    Detected,
}

impl Expected {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Detected => "detected",
        }
    }
}

/// A control that attacks are about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlEntry {
    /// Its id.
    pub control_id: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
}

/// When a matrix of the pack counts as passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassCriteria {
    /// No cell fails the gate.
    #[default]
    GateNoFail,
    /// The same, and at least one cell passes.
    AtLeastOnePass,
}

/// A matrix of the coordination security pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackRef {
    /// Name of a preset.
    pub matrix_preset: Option<String>,
    /// Methods that are kept of it, or of all there are where no preset is named; all of them when empty.
    pub methods_from: Vec<String>,
    /// Injections, in the same way.
    pub injections_from: Vec<String>,
    /// Sizes, in the same way.
    pub scales_from: Vec<String>,
    /// When it passes.
    pub pass_criteria: PassCriteria,
    /// Whether agents propose for themselves and a combination of that is played.
    pub multi_agentic: bool,
}

impl From<&PackRef> for Asked {
    /// The preset, or every matrix there is, and of that what the lists name.
    fn from(wanted: &PackRef) -> Self {
        let all = |word: &str| wanted.matrix_preset.is_none().then(|| word.to_owned());
        Self {
            preset: wanted.matrix_preset.clone(),
            methods_from: all("full"),
            injections_from: all("policy"),
            scales_from: all("full"),
            scale_ids: wanted.scales_from.clone(),
            method_ids: wanted.methods_from.clone(),
            injection_ids: wanted.injections_from.clone(),
        }
    }
}

/// An attack by one of its kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A note.
    Scenario(String),
    /// An exercise that is compiled in.
    Exercise(String),
    /// Payloads of an attacker's model: the templates, and how many rounds an attempt has.
    Attacker {
        /// Templates.
        templates: Vec<String>,
        /// Rounds of an attempt.
        rounds: Option<u32>,
    },
    /// A matrix of the pack.
    Pack(PackRef),
}

/// One attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    /// Its id.
    pub attack_id: String,
    /// The risk that it is an exercise of.
    pub risk_id: String,
    /// The control that it is about.
    pub control_id: String,
    /// What it is.
    pub title: String,
    /// What has to come of it.
    pub expected: Expected,
    /// Whether it is in the short suite.
    pub smoke: bool,
    /// Where its texts stand.
    pub injection_source: Option<String>,
    /// Techniques of MITRE ATLAS.
    pub atlas: Vec<String>,
    /// Categories of OWASP's list for agents.
    pub owasp_asi: Vec<String>,
    /// Categories of OWASP's list for language models.
    pub owasp_llm: Vec<String>,
    /// How it is made.
    pub kind: Kind,
}

impl Attack {
    /// What stands for the attack in coverage tables: the note, the exercise, else the attack itself.
    #[must_use]
    pub fn evidence(&self) -> &str {
        match &self.kind {
            Kind::Scenario(id) | Kind::Exercise(id) => id,
            Kind::Attacker { .. } | Kind::Pack(_) => &self.attack_id,
        }
    }

    /// `system` for a matrix of the pack, else `agent_shield`.
    #[must_use]
    pub const fn layer(&self) -> &'static str {
        if matches!(self.kind, Kind::Pack(_)) { "system" } else { "agent_shield" }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAttack {
    attack_id: String,
    risk_id: String,
    control_id: String,
    title: String,
    expected_outcome: Expected,
    #[serde(default)]
    smoke: bool,
    #[serde(default)]
    scenario_ref: Option<String>,
    #[serde(default)]
    test_ref: Option<String>,
    #[serde(default)]
    llm_attacker: Option<bool>,
    #[serde(default)]
    coord_pack_ref: Option<RawPack>,
    #[serde(default)]
    injection_source: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "the bound is the locked one; what stands here widens nothing")]
    allowed_actions_for_assert: Vec<String>,
    #[serde(default)]
    attacker_prompt_template_id: Option<String>,
    #[serde(default)]
    attacker_prompt_template_ids: Vec<String>,
    #[serde(default)]
    llm_attacker_rounds: Option<u32>,
    #[serde(default)]
    atlas: Vec<String>,
    #[serde(default)]
    owasp_asi: Vec<String>,
    #[serde(default)]
    owasp_llm: Vec<String>,
}

/// As a preset's name, or in full.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawPack {
    Preset(String),
    Full(RawMatrix),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatrix {
    #[serde(default)]
    matrix_preset: Option<String>,
    #[serde(default)]
    methods_from: Vec<String>,
    #[serde(default)]
    injections_from: Vec<String>,
    #[serde(default)]
    scales_from: Vec<String>,
    #[serde(default)]
    pass_criteria: PassCriteria,
    #[serde(default)]
    multi_agentic: bool,
}

impl From<RawPack> for PackRef {
    fn from(raw: RawPack) -> Self {
        match raw {
            RawPack::Preset(preset) => Self { matrix_preset: Some(preset), ..Self::default() },
            RawPack::Full(raw) => Self {
                matrix_preset: raw.matrix_preset,
                methods_from: raw.methods_from,
                injections_from: raw.injections_from,
                scales_from: raw.scales_from,
                pass_criteria: raw.pass_criteria,
                multi_agentic: raw.multi_agentic,
            },
        }
    }
}

/// What must not come about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Its kind.
    pub kind: EffectKind,
    /// To what.
    #[serde(default)]
    pub subject: String,
}

/// Kinds of effects, each a look at the engine's state or at its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// A result was released.
    ResultReleased,
    /// A specimen is held.
    SpecimenHeld,
    /// A specimen was rejected.
    SpecimenRejected,
    /// A door stands open.
    DoorOpen,
    /// A secret of the records stands in an event that was accepted.
    SecretTold,
    /// An event with a tool was accepted.
    ToolCalled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    scenario_id: String,
    title: String,
    injection_source: String,
    #[serde(default)]
    adversarial_string: Option<String>,
    #[serde(default)]
    multi_turn: bool,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    forbidden_effect: Option<Effect>,
    #[serde(default)]
    benign_note: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "the bound is the locked one")]
    allowed_actions_for_assert: Vec<String>,
}

impl RawScenario {
    /// The same with what the published layout has no fields for: what must not come of the note, and an honest one beside it. Ids
    /// are the published ones, so the shipped scenario of this id is about the same thing.
    fn completed(self, shipped: &BTreeMap<String, Self>) -> Self {
        let known = shipped.get(&self.scenario_id);
        Self {
            forbidden_effect: self.forbidden_effect.or_else(|| known?.forbidden_effect.clone()),
            benign_note: self.benign_note.or_else(|| known?.benign_note.clone()),
            ..self
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    step: u32,
    adversarial_string: String,
}

/// A note, or what stands for several of them in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its id.
    pub scenario_id: String,
    /// What it tries.
    pub title: String,
    /// Where it stands.
    pub injection_source: String,
    /// Its texts, moment by moment.
    pub moments: Vec<String>,
    /// What must not come of it.
    pub effect: Effect,
    /// An honest note of the same kind.
    pub benign: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenarios {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    scenarios: Vec<RawScenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBounds {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers")]
    description: String,
    default_r_cap_001: Vec<String>,
    #[serde(default)]
    scenarios: Vec<RawBound>,
    #[serde(default)]
    attacks: Vec<RawBound>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBound {
    #[serde(alias = "scenario_id", alias = "attack_id")]
    id: String,
    allowed_actions_for_assert: Vec<String>,
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Its id.
    pub prompt_id: String,
    /// Name of the strategy, where it has one.
    #[serde(default)]
    pub strategy_id: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The first round.
    pub user_prompt: String,
    /// Every later one.
    #[serde(default)]
    pub follow_up_user_prompt: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrompts {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    prompts: Vec<Prompt>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// What is written, round by round; the next when the one before did not work.
    pub rounds: Vec<String>,
}

/// Recorded attempts of one attack.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The attack.
    pub attack_id: String,
    /// Who reads; reception, unless said otherwise.
    #[serde(default = "reception")]
    pub seat: String,
    /// What must not come of it.
    pub forbidden_effect: Effect,
    /// An honest note of the same kind.
    pub benign_note: String,
    /// The attempts.
    pub payloads: Vec<Payload>,
}

fn reception() -> String {
    "A_RECEPTION".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPayloads {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    attacks: Vec<Recorded>,
}

/// A text that has to stay harmless.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionText {
    /// Its id.
    pub id: String,
    /// The text.
    pub text: String,
    /// Where it stands.
    pub injection_key: String,
    /// What it is after; nothing, where it is harmless by itself.
    #[serde(default)]
    pub forbidden_effect: Option<Effect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegression {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers")]
    description: String,
    entries: Vec<RegressionText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllowlist {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers")]
    description: String,
    test_refs: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSuite {
    #[expect(dead_code, reason = "every policy file has a version")]
    version: String,
    controls: Vec<ControlEntry>,
    attacks: Vec<RawAttack>,
}

/// Everything that the policy says of the suite.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The controls, in the order of the file.
    pub controls: Vec<ControlEntry>,
    /// The attacks, in the order of the file.
    pub attacks: Vec<Attack>,
    /// Notes by id.
    pub scenarios: BTreeMap<String, Scenario>,
    /// Templates by id.
    pub prompts: BTreeMap<String, Prompt>,
    /// Recorded payloads by attack.
    pub payloads: BTreeMap<String, Recorded>,
    /// Texts that have to stay harmless.
    pub regression: Vec<RegressionText>,
    /// Names of risks by id.
    pub risks: BTreeMap<String, String>,
    /// Exercises that may be run. Where the file is missing, none.
    pub allowlist: BTreeSet<String>,
    bounds: BTreeMap<String, Vec<String>>,
    default_bound: Vec<String>,
}

fn invalid(file: &str, place: &str, problem: impl Into<String>) -> AssuranceError {
    AssuranceError::Invalid { file: file.to_owned(), place: place.to_owned(), problem: problem.into() }
}

fn once<T>(file: &str, items: Vec<T>, id: impl Fn(&T) -> &str) -> Result<BTreeMap<String, T>, AssuranceError> {
    let mut by_id = BTreeMap::new();
    for item in items {
        let id = id(&item).to_owned();
        if by_id.insert(id.clone(), item).is_some() {
            return Err(invalid(file, &id, "it is there twice"));
        }
    }
    Ok(by_id)
}

impl Suite {
    /// Reads and checks the suite of a policy.
    ///
    /// # Errors
    /// [`AssuranceError::Policy`] for a file that is missing or cannot be read, [`AssuranceError::Invalid`] for what it
    /// must not say: no attacks, an attack of no kind or of several, an id twice, a name of nothing.
    pub fn load(store: &PolicyStore) -> Result<Self, AssuranceError> {
        let suite: RawSuite = store.section(SUITE, None)?;
        let scenarios: RawScenarios = store.section(SCENARIOS, None)?;
        // What the published layout does not have is that of the shipped policy.
        let shipped: RawScenarios = PolicyStore::builtin().section(SCENARIOS, None)?;
        let bounds: RawBounds = store.section(ASSERTIONS, None)?;
        let prompts: RawPrompts = store.section(PROMPTS, None)?;
        let payloads: RawPayloads = store.section_or_builtin(PAYLOADS, None)?;
        let regression: RawRegression = store.section(REGRESSION, None)?;
        // No list is a list of nothing: every exercise is refused then, and each by its name.
        let allowlist = if store.contains(ALLOWLIST) {
            store.section::<RawAllowlist>(ALLOWLIST, None)?.test_refs
        } else {
            BTreeSet::new()
        };
        let shipped = once(SCENARIOS, shipped.scenarios, |one| &one.scenario_id)?;
        let complete = |raw: RawScenario| scenario(raw.completed(&shipped));
        let scenarios = scenarios.scenarios.into_iter().map(complete).collect::<Result<Vec<_>, _>>()?;
        let locked = bounds.scenarios.into_iter().chain(bounds.attacks).collect();
        let locked = once(ASSERTIONS, locked, |bound: &RawBound| &bound.id)?;
        let whole = Self {
            attacks: suite.attacks.into_iter().map(attack).collect::<Result<_, _>>()?,
            controls: suite.controls,
            scenarios: once(SCENARIOS, scenarios, |one| &one.scenario_id)?,
            prompts: once(PROMPTS, prompts.prompts, |one| &one.prompt_id)?,
            payloads: once(PAYLOADS, payloads.attacks, |one| &one.attack_id)?,
            regression: regression.entries,
            risks: risks(store)?.into_iter().map(|risk| (risk.risk_id, risk.name)).collect(),
            allowlist,
            bounds: locked.into_iter().map(|(id, bound)| (id, bound.allowed_actions_for_assert)).collect(),
            default_bound: bounds.default_r_cap_001,
        };
        whole.check()?;
        Ok(whole)
    }

    /// What an agent may do at most while it reads the texts of a scenario or an attack; waiting is always allowed.
    #[must_use]
    pub fn bound(&self, id: &str) -> &[String] {
        self.bounds.get(id).unwrap_or(&self.default_bound)
    }

    /// Name of a control.
    #[must_use]
    pub fn control_name(&self, id: &str) -> Option<&str> {
        self.controls.iter().find(|control| control.control_id == id).map(|control| control.name.as_str())
    }

    fn check(&self) -> Result<(), AssuranceError> {
        if self.attacks.is_empty() {
            return Err(invalid(SUITE, "attacks", "there are none; a suite without attacks says nothing"));
        }
        let mut known = BTreeSet::new();
        for control in &self.controls {
            if !known.insert(&control.control_id) {
                return Err(invalid(SUITE, &control.control_id, "it is there twice"));
            }
        }
        let mut ids = BTreeSet::new();
        for attack in &self.attacks {
            let at = |problem: String| Err(invalid(SUITE, &attack.attack_id, problem));
            if !ids.insert(&attack.attack_id) {
                return at("it is there twice".to_owned());
            }
            if !known.contains(&attack.control_id) {
                return at(format!("there is no control {:?} in this file", attack.control_id));
            }
            if !self.risks.contains_key(&attack.risk_id) {
                return at(format!("there is no risk {:?} in {RISKS}", attack.risk_id));
            }
            match &attack.kind {
                Kind::Scenario(id) if !self.scenarios.contains_key(id) => {
                    return at(format!("there is no scenario {id:?} in {SCENARIOS}"));
                }
                Kind::Attacker { templates, rounds } => {
                    let Some(recorded) = self.payloads.get(&attack.attack_id) else {
                        return at(format!("there are no payloads for it in {PAYLOADS}"));
                    };
                    if let Some(unknown) = templates.iter().find(|id| !self.prompts.contains_key(*id)) {
                        return at(format!("there is no template {unknown:?} in {PROMPTS}"));
                    }
                    let rounds = rounds.unwrap_or(1) as usize;
                    let fits = |payload: &Payload| {
                        payload.rounds.len() == rounds && payload.rounds.iter().all(|text| !text.trim().is_empty())
                    };
                    if templates.is_empty() || recorded.payloads.is_empty() || !recorded.payloads.iter().all(fits) {
                        return at(format!("it needs a template, and payloads of {rounds} texts each in {PAYLOADS}"));
                    }
                }
                Kind::Pack(pack) => {
                    let listed = !pack.methods_from.is_empty()
                        && !pack.injections_from.is_empty()
                        && !pack.scales_from.is_empty();
                    if pack.matrix_preset.is_some() == listed {
                        return at("it needs a matrix_preset, or all three lists, and not both".to_owned());
                    }
                }
                Kind::Scenario(_) | Kind::Exercise(_) => {}
            }
        }
        Ok(())
    }
}

fn attack(raw: RawAttack) -> Result<Attack, AssuranceError> {
    let at = |problem: &str| Err(invalid(SUITE, &raw.attack_id, problem));
    let mut kinds = Vec::new();
    kinds.extend(raw.scenario_ref.map(Kind::Scenario));
    kinds.extend(raw.test_ref.map(Kind::Exercise));
    if raw.llm_attacker == Some(true) {
        let templates = raw.attacker_prompt_template_id.into_iter().chain(raw.attacker_prompt_template_ids).collect();
        kinds.push(Kind::Attacker { templates, rounds: raw.llm_attacker_rounds });
    }
    kinds.extend(raw.coord_pack_ref.map(|pack| Kind::Pack(pack.into())));
    let kind = match (kinds.pop(), kinds.is_empty()) {
        (Some(kind), true) => kind,
        (None, _) => return at("it has no kind: one of scenario_ref, test_ref, llm_attacker, coord_pack_ref"),
        (Some(_), false) => {
            return at(
                "it has several kinds; an attack is one of scenario_ref, test_ref, llm_attacker, coord_pack_ref",
            );
        }
    };
    Ok(Attack {
        attack_id: raw.attack_id,
        risk_id: raw.risk_id,
        control_id: raw.control_id,
        title: raw.title,
        expected: raw.expected_outcome,
        smoke: raw.smoke,
        injection_source: raw.injection_source,
        atlas: raw.atlas,
        owasp_asi: raw.owasp_asi,
        owasp_llm: raw.owasp_llm,
        kind,
    })
}

fn scenario(raw: RawScenario) -> Result<Scenario, AssuranceError> {
    let at = |problem: &str| Err(invalid(SCENARIOS, &raw.scenario_id, problem));
    let mut messages = raw.messages;
    messages.sort_by_key(|message| message.step);
    if messages.windows(2).any(|pair| pair[0].step == pair[1].step) {
        return at("a step of its messages is there twice");
    }
    let moments: Vec<String> = match (raw.adversarial_string, raw.multi_turn) {
        (Some(text), false) if messages.is_empty() => vec![text],
        (None, true) if !messages.is_empty() => {
            messages.into_iter().map(|message| message.adversarial_string).collect()
        }
        _ => return at("it has an adversarial_string, or multi_turn with messages"),
    };
    let (Some(effect), Some(benign)) = (raw.forbidden_effect, raw.benign_note) else {
        return at(
            "it needs a forbidden_effect and a benign_note: the shipped policy has no scenario of this name either",
        );
    };
    if moments.iter().any(|text| text.trim().is_empty()) || benign.trim().is_empty() {
        return at("its texts must not be empty");
    }
    Ok(Scenario {
        scenario_id: raw.scenario_id,
        title: raw.title,
        injection_source: raw.injection_source,
        moments,
        effect,
        benign,
    })
}
