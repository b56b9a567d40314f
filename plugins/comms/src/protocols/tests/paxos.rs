use super::*;
use crate::protocols::paxos::{Outcome, Paxos, PaxosMessage, PaxosRules};

fn machines(rules: PaxosRules) -> Vec<Paxos<Plan>> {
    (0..rules.quorum.agents()).map(|me| Paxos::new(rules, AgentId(me), Plan(me as u8))).collect()
}

fn run(machines: &mut [Paxos<Plan>], settings: &NetworkSettings, seed: u64, rounds: u32, crash: Option<(u32, u32)>) {
    let mut network = Network::new(settings, machines.len() as u32, seed).unwrap();
    let awake = |agent: AgentId, round| crash.is_none_or(|(who, from)| agent.0 != who || round < from);
    Exchange { rounds, round_us: 40_000 }.run(machines, &mut network, awake);
}

fn decisions(machines: &[Paxos<Plan>]) -> Vec<u8> {
    let mut all: Vec<u8> = machines.iter().filter_map(|machine| machine.decided()).map(|plan| plan.0).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn everybody_decides_what_the_leader_proposes_in_one_round_of_a_perfect_network() {
    let mut all = machines(PaxosRules::majority(5));
    let mut network = Network::new(&NetworkSettings::default(), 5, 1).unwrap();
    Exchange::over_a_step(1, &network).run(&mut all, &mut network, |_, _| true);
    assert!(all.iter().all(|machine| machine.outcome() == Outcome::Decided(&Plan(0))));
    assert_eq!(network.metrics().msg_count, 12, "4 proposals, 4 answers, 4 decrees");
}

#[test]
fn the_next_leader_takes_over_when_the_first_one_is_gone() {
    let mut all = machines(PaxosRules::majority(5));
    run(&mut all, &NetworkSettings::default(), 1, 6, Some((0, 0)));
    assert_eq!(decisions(&all), [1]);
    assert_eq!(all[0].outcome(), Outcome::Nothing);
}

#[test]
fn without_a_majority_nobody_decides_and_the_last_decree_is_there_to_fall_back_on() {
    let mut all = machines(PaxosRules::majority(5));
    run(&mut all, &NetworkSettings::default(), 1, 3, None);
    all.iter_mut().for_each(|machine| machine.begin_slot(4, Plan(9)));
    let mut network = Network::new(&NetworkSettings::default(), 5, 1).unwrap();
    Exchange::over_a_step(20, &network).run(&mut all, &mut network, |agent, _| agent.0 < 2);
    assert!(all.iter().all(|machine| machine.outcome() == Outcome::Fallback(0, &Plan(0))));
}

#[test]
fn a_decree_that_comes_too_late_is_still_something_to_fall_back_on() {
    let mut machine = Paxos::new(PaxosRules::majority(3), AgentId(0), Plan(0));
    machine.begin_slot(5, Plan(1));
    let mut out = Outbox::default();
    for (slot, plan) in [(2, 7), (1, 6), (9, 8)] {
        machine.on_message(AgentId(1), PaxosMessage::Decide { slot, value: Plan(plan) }, &mut out);
    }
    assert_eq!(machine.outcome(), Outcome::Fallback(2, &Plan(7)));
}

#[test]
fn no_two_of_many_workers_decide_differently_whatever_the_network_does() {
    let (mut decided, mut undecided) = (0, 0);
    for seed in 0..600 {
        let agents = 5 + seed % 5;
        let rules = PaxosRules { rounds_per_term: 1 + (seed % 4) as u32, ..PaxosRules::majority(agents as u32) };
        let mut all = machines(rules);
        let crash = Some(((seed % agents) as u32, (seed / 7 % 5) as u32));
        run(&mut all, &rough(0.3), seed, 12 + (seed % 20) as u32, crash);
        let values = decisions(&all);
        assert!(values.len() <= 1, "seed {seed}: {values:?}");
        if values.is_empty() { undecided += 1 } else { decided += 1 }
    }
    assert!(decided > 200 && undecided > 20, "{decided} {undecided}: both must be tried");
}

#[test]
fn a_quorum_that_is_too_small_is_found_out() {
    let caught = (0..200).any(|seed| {
        let rules = PaxosRules { quorum: Quorum::unsafe_size(5, 2), rounds_per_term: 2 };
        let mut all = machines(rules);
        run(&mut all, &rough(0.3), seed, 20, None);
        decisions(&all).len() > 1
    });
    assert!(caught);
}
