//! Agent policies as modules: a team of instances that share nothing, decided for in the order of the agents.

use crate::guest::{Guest, floor, seen};
use labtrust_plugin::agent::{Agent, Compiled};
use labtrust_plugin::method::{CoordinationMethod, Coordinator};
use labtrust_plugin::prelude::*;
use labtrust_plugin::wire::{Settings, encode};
use labtrust_plugin_host::OnTrap;

/// Remembers which agent it is, of the first two on the floor: what it is told ends with the agents, five bytes each, of
/// which the last is the flag.
const WHO: &str = "
    (global.set $me (i32.load8_u (i32.sub (i32.add (local.get 0) (local.get 1)) (i32.const 6))))
    (i64.or (i64.const 0x0000100000000000) (i64.extend_i32_u (global.get $created)))";
const STATE: &str = "(global $me (mut i32) (i32.const 0)) (global $calls (mut i32) (i32.const 0))";

/// Its agent does the act that has the number of the calls so far. The second agent stops at every odd step.
const COUNTING: &str = "
    (if (i32.and (global.get $me) (i32.and (i32.load8_u (local.get 0)) (i32.const 1))) (then unreachable))
    (i32.store8 (i32.const 0x2002) (global.get $me))
    (i32.store8 (i32.const 0x2003) (global.get $calls))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i64.const 0x000020000000000a)";

fn counting() -> Guest {
    Guest { create: WHO, decide: COUNTING, after: STATE, ..Guest::of_kind("agent-policy") }
}

fn begun(policy: &dyn CoordinationMethod) -> Box<dyn Coordinator> {
    policy.create(&Settings::default(), &floor()).unwrap()
}

/// Who does which act in a step, or why the decision failed.
fn acts(team: &mut dyn Coordinator, step: u32) -> Result<Vec<(u16, u8)>, String> {
    let mut out = Decision::default();
    team.decide(&seen(step), &mut out).map_err(|problem| problem.message)?;
    Ok(out.choices.iter().map(|choice| (choice.agent, choice.act.index())).collect())
}

fn failure(guest: &Guest) -> String {
    acts(begun(&guest.loaded()).as_mut(), 0).unwrap_err()
}

#[test]
fn every_directed_agent_has_an_instance_that_counts_for_itself() {
    let policy = counting().loaded();
    let mut team = begun(&policy);
    assert_eq!(acts(team.as_mut(), 0).unwrap(), [(0, 0), (1, 0)]);
    assert_eq!(acts(team.as_mut(), 2).unwrap(), [(0, 1), (1, 1)]);
    let tally = team.tally();
    assert_eq!((tally.decisions, tally.failures), (2, 0), "a decision is one of the whole team");
    assert!(tally.fuel > 0 && tally.fuel <= 2 * tally.fuel_max, "{tally:?}");
    // A second episode, beside the first, knows nothing of it.
    assert_eq!(acts(begun(&policy).as_mut(), 0).unwrap(), [(0, 0), (1, 0)]);
}

#[test]
fn one_agent_that_fails_fails_the_team_and_is_named() {
    let mut team = begun(&counting().loaded());
    acts(team.as_mut(), 0).unwrap();
    let message = acts(team.as_mut(), 1).unwrap_err();
    assert!(message.starts_with("agent A_1: it stopped with a trap: "), "{message}");
    assert_eq!(team.tally().first_failure, Some(message));
}

#[test]
fn with_noop_nobody_acts_in_the_step_and_all_begin_anew() {
    let policy = counting().loaded().on_trap(OnTrap::Noop, None).unwrap();
    let mut team = begun(&policy);
    let steps = [0, 2, 1, 4].map(|step| acts(team.as_mut(), step).unwrap());
    assert_eq!(steps, [vec![(0, 0), (1, 0)], vec![(0, 1), (1, 1)], vec![], vec![(0, 0), (1, 0)]]);
    assert_eq!((team.tally().decisions, team.tally().failures), (4, 1));
}

/// What the team falls back to.
struct Ticking;

impl Agent for Ticking {
    const ID: &'static str = "org.example.ticking";
    const SUMMARY: &'static str = "Looks at the doors.";
    type Params = NoParams;

    fn new(_: NoParams, _: &Site, _: u16) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn decide(&mut self, _: &Observation, me: u16) -> Result<Option<Choice>, Problem> {
        Ok(Some(Choice::new(me, Act::Tick)))
    }
}

#[test]
fn a_fallback_is_a_team_too_and_decides_from_the_failure_on() {
    static TICKING: Compiled<Ticking> = Compiled::NEW;
    let policy = counting().loaded().on_trap(OnTrap::Fallback(Ticking::ID.to_owned()), Some(&TICKING)).unwrap();
    let mut team = begun(&policy);
    let steps = [0, 1, 2].map(|step| acts(team.as_mut(), step).unwrap());
    assert_eq!(steps, [[(0, 0), (1, 0)], [(0, 1), (1, 1)], [(0, 1), (1, 1)]]);
    assert_eq!((team.tally().decisions, team.tally().failures), (3, 1));
}

#[test]
fn an_agent_decides_for_itself_and_once() {
    // The default guest always decides for agent 0.
    assert_eq!(failure(&Guest::of_kind("agent-policy")), "agent A_1 decides for agent 0, A_0");
    let twice = Ok(vec![Choice::new(0, Act::Noop), Choice::new(0, Act::Tick)].into());
    let len = encode(&twice).len();
    assert_eq!(len, 13, "the length in the answer below");
    let guest =
        Guest { decide_reply: twice, decide: "(i64.const 0x000020000000000D)", ..Guest::of_kind("agent-policy") };
    assert_eq!(failure(&guest), "agent A_0 makes 2 choices in one step");
}

#[test]
fn what_does_not_exist_cannot_be_chosen() {
    // Specimen 99 is one byte, the sixth.
    let decide = "(i32.store8 (i32.const 0x2002) (global.get $me)) (i32.store8 (i32.const 0x2005) (i32.const 99))
        (i64.const 0x000020000000000a)";
    assert_eq!(failure(&Guest { decide, ..counting() }), "choice 0, NOOP: there is no specimen 99, only 6");
}

#[test]
fn an_answer_of_another_kind_cannot_be_read() {
    // A loader's place.
    let guest = Guest {
        other_reply: Some(vec![0, 2]),
        decide: "(i64.const 0x0000200000000002)",
        ..Guest::of_kind("agent-policy")
    };
    let message = failure(&guest);
    assert!(message.starts_with("agent A_0: its answer cannot be read: ") && message.ends_with("they end too early"));
}

#[test]
fn where_nobody_is_directed_nobody_is_asked() {
    let mut site = floor();
    site.agents.iter_mut().for_each(|agent| agent.directed = false);
    let mut team = Guest { decide: "unreachable", ..counting() }.loaded().create(&Settings::default(), &site).unwrap();
    assert_eq!(acts(team.as_mut(), 0).unwrap(), []);
}

#[test]
fn an_agent_that_cannot_begin_begins_no_episode() {
    let problem = Problem::of_kind(ProblemKind::Site, "too small");
    let guest = Guest { create_reply: Err(problem.clone()), ..Guest::of_kind("agent-policy") };
    assert_eq!(guest.loaded().create(&Settings::default(), &floor()).err(), Some(problem));
}
