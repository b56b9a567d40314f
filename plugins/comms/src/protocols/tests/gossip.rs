use super::*;
use crate::protocols::gossip::{Claim, Gossip, GossipMessage};
use crate::protocols::{Machine as _, Outbox};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn gossips(agents: u32) -> Vec<Gossip> {
    let peers = |me: u32| (0..agents).filter(|other| *other != me).map(AgentId).collect();
    (0..agents).map(|me| Gossip::new(AgentId(me), peers(me), 1, 42)).collect()
}

fn spread(machines: &mut [Gossip], settings: &NetworkSettings, rounds: u32) {
    let mut network = Network::new(settings, machines.len() as u32, 7).unwrap();
    Exchange::over_a_step(rounds, &network).run(machines, &mut network, |_, _| true);
}

fn agree(machines: &[Gossip]) -> bool {
    let known = |machine: &Gossip| machine.known().copied().collect::<Vec<Claim>>();
    machines.iter().all(|machine| known(machine) == known(&machines[0]))
}

#[test]
fn everybody_knows_everything_after_a_few_rounds_and_nothing_without_any() {
    for rounds in [0, 9] {
        let mut machines = gossips(32);
        machines.iter_mut().enumerate().for_each(|(me, machine)| machine.claim(100 + me as u32, me as i64));
        spread(&mut machines, &NetworkSettings::default(), rounds);
        assert_eq!(agree(&machines), rounds > 0, "{rounds}");
        assert_eq!(machines[0].known().count(), if rounds > 0 { 32 } else { 1 });
    }
}

#[test]
fn loss_costs_rounds_and_not_agreement() {
    let settings = NetworkSettings { drop_rate: 0.3, duplicate_rate: 0.2, ..NetworkSettings::ideal() };
    let mut machines = gossips(16);
    machines.iter_mut().enumerate().for_each(|(me, machine)| machine.claim(me as u32 % 5, me as i64 % 3));
    spread(&mut machines, &settings, 25);
    assert!(agree(&machines));
}

#[test]
fn conflicts_are_decided_by_priority_then_by_the_older_claim_then_by_the_smaller_number() {
    let mut machines = gossips(4);
    machines[3].claim(1, 9);
    machines[2].claim(1, 5);
    machines[1].claim(2, 5);
    machines[1].claim(2, 7);
    machines[0].claim(3, 7);
    machines[2].claim(2, 7);
    machines[3].claim(3, 7);
    spread(&mut machines, &NetworkSettings::default(), 8);
    for machine in &machines {
        let winners: Vec<u32> = [1, 2, 3].iter().map(|key| machine.winner(*key).unwrap().owner.0).collect();
        assert_eq!(winners, [3, 2, 0]);
    }
}

#[test]
fn a_withdrawn_claim_stays_withdrawn_whoever_still_tells_the_old_one() {
    let mut machines = gossips(6);
    machines[0].claim(1, 9);
    machines[5].claim(1, 3);
    spread(&mut machines, &NetworkSettings::default(), 8);
    machines[0].withdraw(1);
    machines[0].withdraw(2);
    assert_eq!(machines[4].winner(1).unwrap().owner, AgentId(0));
    spread(&mut machines, &NetworkSettings::default(), 8);
    assert!(agree(&machines) && machines.iter().all(|machine| machine.winner(1).unwrap().owner == AgentId(5)));
    machines.iter_mut().for_each(|machine| machine.keep_only([0, 2].into()));
    assert!(machines.iter().all(|machine| machine.known().count() == 0));
}

#[test]
fn what_is_done_does_not_come_back_with_a_late_message() {
    let mut agent = gossips(2).swap_remove(0);
    let claim = |key| Claim { key, owner: AgentId(1), version: 1, priority: 3, live: true };
    let late = vec![claim(1), claim(2)];
    let mut out = Outbox::default();
    agent.on_message(AgentId(1), GossipMessage::Supply(late.clone()), &mut out);
    agent.keep_only([0, 2].into());
    let is_known = |agent: &Gossip| agent.known().map(|claim| claim.key).collect::<Vec<_>>();
    assert_eq!(is_known(&agent), [2]);
    agent.on_message(AgentId(1), GossipMessage::Supply(late), &mut out);
    assert_eq!(is_known(&agent), [2]);
    // Nor is it asked for, while what there is is.
    let offer = [0, 1, 2].map(|key| (key, AgentId(1), 1)).to_vec();
    agent.on_message(AgentId(1), GossipMessage::Offer(offer), &mut out);
    let said: Vec<_> = out.drain().map(|(_, message)| message).collect();
    assert_eq!(said, [GossipMessage::Answer(Vec::new(), vec![(0, AgentId(1))])]);
}

#[test]
fn what_is_known_already_is_not_sent_again() {
    let bytes = |rounds| {
        let mut machines = gossips(8);
        machines.iter_mut().enumerate().for_each(|(me, machine)| machine.claim(me as u32, 1));
        let mut network = Network::new(&NetworkSettings::default(), 8, 7).unwrap();
        Exchange::over_a_step(rounds, &network).run(&mut machines, &mut network, |_, _| true);
        network.metrics().bytes
    };
    // A round in which all is known is 8 offers of 8 versions.
    assert_eq!(bytes(20) - bytes(19), 8 * (8 * 12 + 5));
}

#[test]
fn nobody_can_put_words_into_an_agents_own_mouth() {
    let mut machine = gossips(2).remove(0);
    machine.claim(1, 5);
    let forged = Claim { key: 1, owner: AgentId(0), version: 99, priority: -1, live: false };
    machine.on_message(AgentId(1), GossipMessage::Supply(vec![forged]), &mut Outbox::default());
    assert_eq!(machine.winner(1).map(|claim| (claim.priority, claim.version)), Some((5, 1)));
}

fn any_claims() -> impl Strategy<Value = Vec<Claim>> {
    let claim =
        (0_u32..6, 0_u32..5, 1_u32..4, -2_i64..3, any::<bool>()).prop_map(|(key, owner, version, priority, live)| {
            let owner = AgentId(owner);
            Claim { key, owner, version, priority, live }
        });
    proptest::collection::vec(claim, 0..40)
}

/// What an agent 0 knows after hearing these, register by register.
fn model(heard: &[Claim]) -> BTreeMap<(u32, AgentId), Claim> {
    let mut known: BTreeMap<_, Claim> = BTreeMap::new();
    for claim in heard.iter().filter(|claim| claim.owner != AgentId(0)) {
        let mine = known.entry((claim.key, claim.owner)).or_insert(*claim);
        *mine = (*mine).max(*claim);
    }
    known
}

proptest! {
    /// Whatever comes, sorted or not, once or twice: of each register the greatest claim is known.
    #[test]
    fn of_each_register_the_greatest_claim_is_known(parts in proptest::collection::vec(any_claims(), 0..5)) {
        let mut agent = gossips(2).swap_remove(0);
        let mut out = Outbox::default();
        for claims in &parts {
            agent.on_message(AgentId(1), GossipMessage::Supply(claims.clone()), &mut out);
        }
        let known: Vec<Claim> = agent.known().copied().collect();
        let model = model(&parts.concat());
        prop_assert_eq!(&known, &model.values().copied().collect::<Vec<_>>());
        for key in 0..6 {
            let live: Vec<Claim> = model.values().filter(|claim| claim.key == key && claim.live).copied().collect();
            prop_assert_eq!(agent.claims_on(key).copied().collect::<Vec<_>>(), live);
        }
    }

    #[test]
    fn every_message_is_as_long_as_it_says(claims in any_claims(), more in any_claims(), priority: i64, key: u32) {
        let mut claims = claims;
        claims.push(Claim { key, owner: AgentId(key / 3), version: key / 7, priority, live: key % 2 == 0 });
        let offer = more.iter().map(|claim| (claim.key, claim.owner, claim.version)).collect();
        let wanted = more.iter().map(|claim| (claim.key, claim.owner)).collect();
        let messages =
            [GossipMessage::Offer(offer), GossipMessage::Answer(more, wanted), GossipMessage::Supply(claims)];
        for message in messages {
            prop_assert_eq!(message.canonical_len(), labtrust_trust::canonical::canonical_len(&message).ok());
        }
    }

    /// An offer is answered with what is newer, and with a wish for what is newer in it.
    #[test]
    fn an_offer_is_answered_with_what_is_newer_on_either_side(heard in any_claims(), offered in any_claims()) {
        let mut agent = gossips(2).swap_remove(0);
        let mut out = Outbox::default();
        agent.on_message(AgentId(1), GossipMessage::Supply(heard.clone()), &mut out);
        let offered = model(&offered);
        let versions = offered.values().map(|claim| (claim.key, claim.owner, claim.version)).collect();
        agent.on_message(AgentId(1), GossipMessage::Offer(versions), &mut out);
        let known = model(&heard);
        let newer = |one: &BTreeMap<(u32, AgentId), Claim>, other: &BTreeMap<(u32, AgentId), Claim>| -> Vec<Claim> {
            let later = |claim: &&Claim| {
                other.get(&(claim.key, claim.owner)).is_none_or(|theirs| theirs.version < claim.version)
            };
            one.values().filter(later).copied().collect()
        };
        let wanted: Vec<_> = newer(&offered, &known).iter().map(|claim| (claim.key, claim.owner)).collect();
        let answer = GossipMessage::Answer(newer(&known, &offered), wanted);
        let said: Vec<_> = out.drain().map(|(_, message)| message).collect();
        prop_assert_eq!(said, if answer == GossipMessage::Answer(vec![], vec![]) { vec![] } else { vec![answer] });
    }
}
