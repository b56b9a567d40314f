//! What all scripted roles share: nobody acts while walking or while the log is frozen, and an action that was refused
//! is not tried again until what the agent saw of its objects has changed.
//!
//! The second rule is what keeps a blocked agent from hammering: a start that lacks reagent is tried once, not four
//! hundred times. A refusal that is about the agent itself (throttled, killed, out of its rate) has no object to watch;
//! the agent then rests for [`REST_S`].

use labtrust_plugin::lab::{
    ActionKind, AgentContext, AgentPolicy, Args, Decision, DeviceStatus, SpecimenView, Stage, Symbol, WorldView,
};
use labtrust_trust::codes;

/// How long an agent rests after a refusal that is about itself [s].
const REST_S: i64 = 60;

/// The rules of a role.
pub trait Rules: Send {
    /// What the first matching rule says. Called only when the agent stands somewhere and may act; what
    /// [`Memory::allows`] forbids must not be returned.
    fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision>;
}

/// A role with its memory of refusals, as an agent.
pub struct Scripted<R> {
    rules: R,
    memory: Memory,
}

impl<R: Rules> Scripted<R> {
    /// A new agent that has experienced nothing.
    pub fn new(rules: R) -> Self {
        Self { rules, memory: Memory::default() }
    }
}

impl<R: Rules> AgentPolicy for Scripted<R> {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        self.memory.learn(ctx);
        let me = ctx.view.agents.get(ctx.me)?;
        if me.walking_to.is_some() || me.zone.is_none() || ctx.view.log_frozen || self.memory.rests(ctx.view) {
            return None;
        }
        let decision = self.rules.first_match(ctx, &self.memory)?;
        self.memory.last = Some(Attempt::new(ctx.view, &decision));
        Some(decision)
    }
}

/// What was refused, and what the agent saw when it tried.
#[derive(Debug, Default)]
pub struct Memory {
    last: Option<Attempt>,
    refused: Vec<Attempt>,
    rests_until_s: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Attempt {
    what: (ActionKind, Option<Symbol>, Option<Symbol>),
    seen: Seen,
}

/// The part of the view that an action was based on.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    specimen: Option<(Stage, i64)>,
    device: Option<(DeviceStatus, bool, u32, u32, Option<Symbol>)>,
    result: Option<(bool, bool, Option<Symbol>, bool)>,
    consignment: Option<(bool, bool, bool)>,
    zone_frozen: bool,
}

impl Attempt {
    fn new(view: &WorldView, decision: &Decision) -> Self {
        let args = &decision.args;
        let device = args.device.and_then(|id| view.devices.iter().find(|d| d.id == id));
        let specimen = args.specimen.or(args.work).or(args.specimens.first().copied());
        // Made-up ids (a run, an aliquot) are new in every attempt and say nothing about what was tried.
        let object = specimen.or(args.result).or(args.consignment).or(args.to_zone).or(args.door);
        let looked_at = specimen.or(device.and_then(|d| d.queue_head));
        let seen = Seen {
            specimen: looked_at.and_then(|id| view.specimens.iter().find(|s| s.id == id)).map(|s| (s.stage, s.since_s)),
            device: device.map(|d| (d.status, d.qc_pass, d.free_units, d.queue_len, d.queue_head)),
            result: args
                .result
                .and_then(|id| view.results.iter().find(|r| r.id == id))
                .map(|r| (r.held, r.critical, r.attempt, r.releasable)),
            consignment: args
                .consignment
                .and_then(|id| view.consignments.iter().find(|c| c.id == id))
                .map(|c| (c.signed, c.received, c.expected_arrival_s <= view.now_s)),
            zone_frozen: args.to_zone.is_some_and(|id| view.zones.iter().any(|z| z.id == id && z.frozen)),
        };
        Self { what: (decision.kind, object, args.device), seen }
    }
}

impl Memory {
    /// Whether there is a point in trying this: it was not refused, or what it was based on has changed since.
    #[must_use]
    pub fn allows(&self, view: &WorldView, decision: &Decision) -> bool {
        self.refused.is_empty() || !self.refused.contains(&Attempt::new(view, decision))
    }

    /// The decision, if there is a point in it.
    #[must_use]
    pub fn check(&self, view: &WorldView, decision: Decision) -> Option<Decision> {
        self.allows(view, &decision).then_some(decision)
    }

    fn learn(&mut self, ctx: &AgentContext<'_>) {
        let Some(attempt) = self.last.take() else { return };
        let Some(code) = ctx.refused else {
            // It worked; an older refusal of the same thing is history.
            self.refused.retain(|refused| refused.what != attempt.what);
            return;
        };
        match code {
            codes::RC_AGENT_THROTTLED | codes::RC_AGENT_KILLED | codes::AGENT_RATE_LIMIT => {
                self.rests_until_s = Some(ctx.view.now_s + REST_S);
            }
            // The agent was still walking; it will see when it has arrived.
            codes::RC_AGENT_IN_TRANSIT => {}
            _ => {
                self.refused.retain(|refused| refused.what != attempt.what);
                self.refused.push(attempt);
            }
        }
    }

    fn rests(&self, view: &WorldView) -> bool {
        self.rests_until_s.is_some_and(|until_s| view.now_s < until_s)
    }
}

/// The zone called `name`, an index into [`WorldView::zones`].
pub(super) fn zone_named(ctx: &AgentContext<'_>, name: &str) -> Option<usize> {
    let id = ctx.symbols.get(name)?;
    ctx.view.zones.iter().position(|zone| zone.id == id)
}

/// Where the deciding agent stands.
pub(super) fn my_zone(ctx: &AgentContext<'_>) -> Option<usize> {
    ctx.view.agents.get(ctx.me)?.zone
}

/// One step of the way to `goal`; `None` when the agent is there or there is no way.
pub(super) fn walk(ctx: &mut AgentContext<'_>, memory: &Memory, goal: usize) -> Option<Decision> {
    let here = my_zone(ctx)?;
    // A device without a place is in no zone, and there is no way to it.
    let goal = Some(goal).filter(|&goal| goal < ctx.view.zones.len())?;
    let next = ctx.view.hop(here, goal)?;
    let args = Args {
        entity_type: Some(ctx.symbols.intern("Agent")),
        entity: Some(ctx.id()),
        from_zone: Some(ctx.view.zones.get(here)?.id),
        to_zone: Some(ctx.view.zones.get(next)?.id),
        ..Args::default()
    };
    memory.check(ctx.view, Decision::new(ActionKind::Move, args))
}

/// How long a specimen may lack reagent before it is set aside [s]: whoever runs the analyser tries it once first.
const VAIN_S: i64 = 30;

/// Whether a specimen waits for an analyser in vain, because nothing is left of its reagent. Those who run analysers leave
/// such a specimen alone, so that reception can set it aside.
pub(super) fn waits_in_vain(view: &WorldView, specimen: &SpecimenView) -> bool {
    !view.stockouts.is_empty()
        && matches!(specimen.stage, Stage::Ready | Stage::Queued)
        && view.stockouts.iter().any(|stockout| Some(stockout.panel) == specimen.panel)
        && specimen.since_s + VAIN_S <= view.now_s
}

/// Whether a specimen that is ready to be measured has lost its stability: only a token for it lets it be run.
pub(super) fn too_late(view: &WorldView, specimen: &SpecimenView) -> bool {
    matches!(specimen.stage, Stage::Ready | Stage::Queued) && specimen.deadline_s < view.now_s
}

/// A token that somebody made for this specimen.
pub(super) fn token_for(view: &WorldView, specimen: &SpecimenView) -> Option<Symbol> {
    view.tokens.iter().find(|token| token.subject == specimen.id).map(|token| token.id)
}

/// An action on one specimen.
pub(super) fn on_specimen(kind: ActionKind, specimen: Symbol) -> Decision {
    Decision::new(kind, Args { specimen: Some(specimen), ..Args::default() })
}

#[cfg(test)]
mod tests {
    use super::super::test_view::Lab;
    use super::*;

    /// Starts the first device, whatever happens.
    struct Stubborn;

    impl Rules for Stubborn {
        fn first_match(&mut self, ctx: &mut AgentContext<'_>, memory: &Memory) -> Option<Decision> {
            let args = Args { device: Some(ctx.view.devices[0].id), ..Args::default() };
            memory.check(ctx.view, Decision::new(ActionKind::StartRun, args))
        }
    }

    fn lab() -> Lab {
        let mut lab = Lab::new(&["Z_HALL", "Z_DESK"]);
        lab.device("D1", "CHEM_ANALYZER", "Z_HALL");
        lab.agent("A1", "Z_HALL");
        lab
    }

    #[test]
    fn a_refused_action_is_tried_again_only_when_its_object_looks_different() {
        let (mut lab, mut agent) = (lab(), Scripted::new(Stubborn));
        assert!(lab.decide(&mut agent, 0, None).is_some());
        assert_eq!(lab.decide(&mut agent, 0, Some(codes::RC_REAGENT_STOCKOUT)), None);
        lab.view.now_s += 1000;
        assert_eq!(lab.decide(&mut agent, 0, None), None);
        lab.view.devices[0].queue_len += 1;
        assert!(lab.decide(&mut agent, 0, None).is_some());
    }

    #[test]
    fn a_throttled_agent_rests_and_then_goes_on() {
        let (mut lab, mut agent) = (lab(), Scripted::new(Stubborn));
        assert!(lab.decide(&mut agent, 0, None).is_some());
        assert_eq!(lab.decide(&mut agent, 0, Some(codes::RC_AGENT_THROTTLED)), None);
        lab.view.now_s += REST_S - 1;
        assert_eq!(lab.decide(&mut agent, 0, None), None);
        lab.view.now_s += 1;
        assert!(lab.decide(&mut agent, 0, None).is_some());
    }

    #[test]
    fn nobody_acts_on_the_way_or_under_a_frozen_log() {
        let (mut lab, mut agent) = (lab(), Scripted::new(Stubborn));
        lab.view.agents[0].walking_to = Some(1);
        assert_eq!(lab.decide(&mut agent, 0, None), None);
        lab.view.agents[0].walking_to = None;
        lab.view.log_frozen = true;
        assert_eq!(lab.decide(&mut agent, 0, None), None);
        lab.view.log_frozen = false;
        assert!(lab.decide(&mut agent, 0, None).is_some());
    }
}
