//! The capability gate: what an agent or role may do beyond its role, how often, and with which care.
//!
//! Counters move on every accepted action of the episode. `max_action_rate` is, despite its name, a total per episode
//! (the field's meaning in the published format); a real rate is `max_actions_per_window`.

use crate::TrustError;
use crate::action::{ActionId, ActionSet, ActionTable};
use crate::error::nearest_hint;
use crate::reason::codes;
use labtrust_kernel::{SimDuration, SimTime, Symbol, SymbolMap, Symbols, remembered};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// At most `count` accepted actions in any `window_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateWindow {
    /// Actions [count].
    pub count: u32,
    /// Length of the window [s].
    pub window_s: u64,
}

/// The profile of an agent or a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityProfile {
    /// Actions allowed; empty leaves it to the role.
    #[serde(default)]
    pub allowed_actions: Vec<String>,
    /// Tooling of the agent, for those that run it.
    #[serde(default)]
    pub allowed_tooling: Map<String, Value>,
    /// Most accepted actions in an episode [count].
    #[serde(default)]
    pub max_action_rate: Option<u64>,
    /// Most accepted override actions in an episode [count].
    #[serde(default)]
    pub max_override_tokens: Option<u64>,
    /// Actions that need a reason code and a rationale.
    #[serde(default)]
    pub high_risk_actions: Vec<String>,
    /// A true rate limit.
    #[serde(default)]
    pub max_actions_per_window: Option<RateWindow>,
}

/// The body of `agent_capabilities` in `policy/security/agent_capabilities.v0.1.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityPolicy {
    /// Version of the policy.
    #[serde(default)]
    pub version: String,
    /// Profiles by agent or role; an agent's own comes first.
    #[serde(default)]
    pub profiles: BTreeMap<String, CapabilityProfile>,
    /// Actions that use up the override budget.
    #[serde(default)]
    pub override_action_types: Vec<String>,
}

#[derive(Debug)]
struct Profile {
    allowed: ActionSet,
    high_risk: ActionSet,
    max_actions: u64,
    max_overrides: u64,
    window: Option<(usize, SimDuration)>,
}

#[derive(Debug, Default)]
struct Profiles {
    by_owner: SymbolMap<Profile>,
    overrides: ActionSet,
    any: bool,
    /// Longest window that any profile looks back [count]; 0 when there is none.
    longest_window: usize,
}

/// What was counted of an agent in an episode.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    actions: u64,
    overrides: u64,
    /// Moments of the newest accepted actions, newest last; kept only when some profile has a window.
    recent: VecDeque<SimTime>,
}

/// Why the capability gate refuses, and the counts that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapabilityRefusal {
    /// Reason code.
    pub code: &'static str,
    /// Accepted actions of the agent so far [count].
    pub action_count: u64,
    /// Accepted override actions of the agent so far [count].
    pub override_count: u64,
}

/// The compiled profiles and the episode's counters. Clone the compiled one for every episode.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    profiles: Arc<Profiles>,
    counters: SymbolMap<Counters>,
}

remembered!(Counters { actions, overrides, recent });
remembered!(Capabilities { counters } forgotten { profiles: "policy" });

impl Capabilities {
    /// Compiles `policy`.
    ///
    /// # Errors
    /// A profile or the override list naming an action that the domain does not have.
    pub fn compile(
        policy: &CapabilityPolicy,
        actions: &ActionTable,
        symbols: &mut Symbols,
    ) -> Result<Self, TrustError> {
        let set = |names: &[String], place: &str| -> Result<ActionSet, TrustError> {
            names
                .iter()
                .map(|name| {
                    actions.id(name).ok_or_else(|| TrustError::Undefined {
                        what: "action",
                        name: name.clone(),
                        place: place.to_owned(),
                        hint: nearest_hint(name, actions.names()),
                    })
                })
                .collect()
        };
        let mut compiled = Profiles {
            overrides: set(&policy.override_action_types, "override_action_types")?,
            any: !policy.profiles.is_empty(),
            ..Profiles::default()
        };
        for (owner, profile) in &policy.profiles {
            let place = format!("the capability profile {owner}");
            let allowed = match profile.allowed_actions.as_slice() {
                [] => ActionSet::ALL,
                names => set(names, &place)?,
            };
            let window = profile
                .max_actions_per_window
                .map(|window| (window.count as usize, SimDuration::from_secs(window.window_s)));
            compiled.longest_window = compiled.longest_window.max(window.map_or(0, |(count, _)| count));
            let profile = Profile {
                allowed,
                high_risk: set(&profile.high_risk_actions, &place)?,
                max_actions: profile.max_action_rate.unwrap_or(u64::MAX),
                max_overrides: profile.max_override_tokens.unwrap_or(u64::MAX),
                window,
            };
            compiled.by_owner.insert(symbols.intern(owner), profile);
        }
        Ok(Self { profiles: Arc::new(compiled), counters: SymbolMap::default() })
    }

    /// Whether `agent` may do `action` now. `has_reason` and `has_rationale`: the event carries a reason code and a
    /// rationale that are not blank.
    ///
    /// # Errors
    /// The refusal, with the counts of the agent. Nothing changes either way.
    pub fn check(
        &self,
        agent: Symbol,
        role: Option<Symbol>,
        action: ActionId,
        has_reason: bool,
        has_rationale: bool,
        now: SimTime,
    ) -> Result<(), CapabilityRefusal> {
        if !self.profiles.any {
            return Ok(());
        }
        let of_role = || role.and_then(|role| self.profiles.by_owner.get(role));
        let Some(profile) = self.profiles.by_owner.get(agent).or_else(of_role) else { return Ok(()) };
        let counters = self.counters.get(agent);
        let (action_count, override_count) = counters.map_or((0, 0), |c| (c.actions, c.overrides));
        let careless = profile.high_risk.contains(action) && !(has_reason && has_rationale);
        let code = if !profile.allowed.contains(action) {
            codes::AGENT_CAPABILITY_DENY
        } else if action_count >= profile.max_actions
            || profile.window.is_some_and(|(count, window)| too_many(counters, count, window, now))
        {
            codes::AGENT_RATE_LIMIT
        } else if self.profiles.overrides.contains(action) && override_count >= profile.max_overrides {
            codes::AGENT_OVERRIDE_BUDGET_EXCEEDED
        } else if careless {
            codes::AGENT_CAPABILITY_DENY
        } else {
            return Ok(());
        };
        Err(CapabilityRefusal { code, action_count, override_count })
    }

    /// Counts an accepted action.
    pub fn record(&mut self, agent: Symbol, action: ActionId, now: SimTime) {
        if self.counters.get(agent).is_none() {
            self.counters.insert(agent, Counters::default());
        }
        let counters = self.counters.get_mut(agent).expect("put there the line before");
        counters.actions += 1;
        counters.overrides += u64::from(self.profiles.overrides.contains(action));
        if self.profiles.longest_window > 0 {
            if counters.recent.len() == self.profiles.longest_window {
                counters.recent.pop_front();
            }
            counters.recent.push_back(now);
        }
    }

    /// What was counted of each agent so far: all that an episode adds to the compiled profiles.
    pub const fn counters_mut(&mut self) -> &mut SymbolMap<Counters> {
        &mut self.counters
    }

    /// Accepted actions and accepted override actions of `agent` so far [count].
    #[must_use]
    pub fn counts(&self, agent: Symbol) -> (u64, u64) {
        self.counters.get(agent).map_or((0, 0), |counters| (counters.actions, counters.overrides))
    }
}

/// Whether the newest `count` accepted actions all happened less than `window` ago.
fn too_many(counters: Option<&Counters>, count: usize, window: SimDuration, now: SimTime) -> bool {
    let recent = counters.map(|counters| &counters.recent);
    let known = recent.map_or(0, VecDeque::len);
    if count == 0 {
        return true;
    }
    known >= count
        && recent.and_then(|recent| recent.get(known - count)).is_some_and(|&at| now.saturating_since(at) < window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::ActionSpec;
    use serde_json::json;

    const SPECS: &[ActionSpec] = &[
        ActionSpec { name: "MOVE", mutating: true, runtime_control: false },
        ActionSpec { name: "OVERRIDE", mutating: true, runtime_control: false },
    ];
    const MOVE: ActionId = ActionId(0);
    const OVERRIDE: ActionId = ActionId(1);

    fn bench(profiles: Value) -> (Capabilities, Symbol, Symbol) {
        let policy = json!({"profiles": profiles, "override_action_types": ["OVERRIDE"]});
        let mut symbols = Symbols::default();
        let policy = serde_json::from_value(policy).unwrap();
        let capabilities = Capabilities::compile(&policy, &ActionTable::new(SPECS), &mut symbols).unwrap();
        (capabilities, symbols.intern("A"), symbols.intern("R"))
    }

    fn at(secs: u64) -> SimTime {
        SimTime::from_secs(secs)
    }

    #[test]
    fn an_agents_own_profile_comes_before_its_roles() {
        let (gate, a, r) = bench(json!({"A": {}, "R": {"allowed_actions": ["OVERRIDE"]}}));
        assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(0)), Ok(()));
        let (gate, a, r) = bench(json!({"R": {"allowed_actions": ["OVERRIDE"]}}));
        assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(0)).unwrap_err().code, "AGENT_CAPABILITY_DENY");
        assert_eq!(gate.check(a, None, MOVE, false, false, at(0)), Ok(()), "no profile does not restrict");
    }

    #[test]
    fn the_action_after_the_last_allowed_one_is_refused_with_the_counts() {
        let (mut gate, a, r) = bench(json!({"R": {"max_action_rate": 2}}));
        for _ in 0..2 {
            assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(0)), Ok(()));
            gate.record(a, MOVE, at(0));
        }
        assert_eq!(
            gate.check(a, Some(r), MOVE, false, false, at(9999)),
            Err(CapabilityRefusal { code: "AGENT_RATE_LIMIT", action_count: 2, override_count: 0 })
        );
    }

    #[test]
    fn only_override_actions_use_up_the_override_budget() {
        let (mut gate, a, r) = bench(json!({"R": {"max_override_tokens": 1}}));
        gate.record(a, MOVE, at(0));
        assert_eq!(gate.check(a, Some(r), OVERRIDE, false, false, at(0)), Ok(()));
        gate.record(a, OVERRIDE, at(0));
        assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(0)), Ok(()));
        let refusal = gate.check(a, Some(r), OVERRIDE, false, false, at(0)).unwrap_err();
        assert_eq!((refusal.code, refusal.override_count), ("AGENT_OVERRIDE_BUDGET_EXCEEDED", 1));
    }

    #[test]
    fn a_high_risk_action_needs_a_reason_and_a_rationale() {
        let (gate, a, r) = bench(json!({"R": {"high_risk_actions": ["OVERRIDE"]}}));
        for (reason, rationale, allowed) in
            [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
        {
            assert_eq!(gate.check(a, Some(r), OVERRIDE, reason, rationale, at(0)).is_ok(), allowed);
        }
        assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(0)), Ok(()));
    }

    #[test]
    fn a_rate_window_refuses_until_its_oldest_action_has_left_it() {
        let (mut gate, a, r) = bench(json!({"R": {"max_actions_per_window": {"count": 2, "window_s": 60}}}));
        gate.record(a, MOVE, at(0));
        gate.record(a, MOVE, at(30));
        assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(59)).unwrap_err().code, "AGENT_RATE_LIMIT");
        assert_eq!(gate.check(a, Some(r), MOVE, false, false, at(60)), Ok(()));
        gate.record(a, MOVE, at(60));
        assert!(gate.check(a, Some(r), MOVE, false, false, at(89)).is_err());
        assert!(gate.check(a, Some(r), MOVE, false, false, at(90)).is_ok());
    }

    #[test]
    fn counters_of_one_episode_do_not_reach_the_next() {
        let (compiled, a, r) = bench(json!({"R": {"max_action_rate": 1}}));
        let mut first = compiled.clone();
        first.record(a, MOVE, at(0));
        assert!(first.check(a, Some(r), MOVE, false, false, at(0)).is_err());
        assert!(compiled.clone().check(a, Some(r), MOVE, false, false, at(0)).is_ok());
    }

    #[test]
    fn a_profile_that_names_an_unknown_action_is_an_error_that_names_it() {
        let policy = serde_json::from_value(json!({"profiles": {"R": {"allowed_actions": ["MVOE"]}}})).unwrap();
        let error = Capabilities::compile(&policy, &ActionTable::new(SPECS), &mut Symbols::default()).unwrap_err();
        assert_eq!((error.token(), error.hint()), ("MVOE", "did you mean `MOVE`?"));
    }
}
