//! What every method is held to.

use labtrust_coordination::core::Driver;
use labtrust_coordination::methods::{
    centralized_planner::CentralizedPlanner, consensus_paxos_lite::ConsensusPaxosLite,
    gossip_consensus::GossipConsensus, group_evolving_experience_sharing::GroupEvolvingExperienceSharing,
    hierarchical_hub_local::HierarchicalHubLocal, hierarchical_hub_rr::HierarchicalHubRr,
    kernel_auction_edf::KernelAuctionEdf, kernel_centralized_edf::KernelCentralizedEdf,
    kernel_scheduler_or::KernelSchedulerOr, market_auction::MarketAuction, ripple_effect::RippleEffect,
    swarm_reactive::SwarmReactive, swarm_stigmergy_priority::SwarmStigmergyPriority,
};
use labtrust_plugin::Registry;
use labtrust_plugin::testing::{Size, check, observation, site};
use labtrust_plugin::wire::{Act, AgentSite, Decision, Observation, Priority, Setting, Settings, Site, Stage};

/// Nothing that it could be shown stops it, it says the same when asked again, and it does something.
macro_rules! holds {
    ($($method:ident)*) => {
        $({
            let tried = check::coordination_method::<Driver<$method>>();
            assert!(tried.acts > 100, "{}: {tried:?}", stringify!($method));
        })*
    };
}

#[test]
fn nothing_that_it_could_be_shown_stops_a_method() {
    holds!(CentralizedPlanner ConsensusPaxosLite GossipConsensus GroupEvolvingExperienceSharing HierarchicalHubLocal HierarchicalHubRr);
    holds!(KernelAuctionEdf KernelCentralizedEdf KernelSchedulerOr MarketAuction RippleEffect SwarmReactive SwarmStigmergyPriority);
}

#[test]
fn every_method_keeps_roles_and_gives_no_job_twice_with_its_core_and_without() {
    let registry = Registry::linked().unwrap();
    let methods = registry.entries().iter().map(|entry| registry.coordination_method(entry.plugin.id()).unwrap());
    for method in methods {
        for core in ["on", "off"] {
            let settings = Settings([("core".to_owned(), Setting::Text(core.to_owned()))].into());
            let site = site(5, Size { zones: 8, devices: 12, agents: 30 });
            let mut at_work = method.create(&settings, &site).unwrap();
            let mut out = Decision::default();
            for step in 0..60 {
                let seen = observation(step, &site, 40).unwrap();
                at_work.decide(&seen, &mut out).unwrap();
                out.check(&site, &seen).unwrap();
                let mut about = Vec::new();
                for choice in &out.choices {
                    let may = seen.may(choice.agent, choice.act);
                    assert!(may || choice.act.name() == "MOVE", "{} {core}: {choice:?}", method.id());
                    if choice.act.name() != "MOVE" {
                        about.push((choice.act, choice.specimens.clone(), choice.device, choice.object));
                    }
                }
                let all = about.len();
                about.sort();
                about.dedup();
                assert_eq!(about.len(), all, "{} {core}: somebody does what another does", method.id());
            }
        }
    }
}

/// What a method decides in some steps.
fn decisions(id: &str, settings: &[(&str, &str)]) -> Vec<Decision> {
    let registry = Registry::linked().unwrap();
    let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Setting::Text((*text).to_owned()));
    let settings = Settings(settings.iter().map(text).collect());
    let site = site(5, Size { zones: 8, devices: 12, agents: 30 });
    let mut at_work = registry.coordination_method(id).unwrap().create(&settings, &site).unwrap();
    let decide = |step| {
        let mut out = Decision::default();
        let seen = Observation { step, ..observation(u64::from(step), &site, 40).unwrap() };
        at_work.decide(&seen, &mut out).unwrap();
        out
    };
    (0..40).map(decide).collect()
}

#[test]
fn what_the_network_loses_changes_what_is_done() {
    for id in ["consensus_paxos_lite", "gossip_consensus", "ripple_effect"] {
        let at = |network: &str| decisions(id, &[("network", network)]);
        let perfect = at("");
        assert!(perfect == at("perfect=true"), "{id}");
        assert!(perfect != at("drop_rate=0.5"), "{id}");
        assert!(perfect != at("partition=0:39:0.5"), "{id}: half of them are cut off");
    }
}

#[test]
fn who_hears_nothing_does_as_if_nobody_spoke() {
    for id in ["gossip_consensus", "ripple_effect"] {
        let alone = decisions(id, &[("network", "drop_rate=1")]);
        assert!(alone == decisions(id, &[("core", "off")]), "{id}");
    }
    // Nobody acts on what no majority has accepted; some are sent to their posts.
    let undecided = decisions("consensus_paxos_lite", &[("network", "drop_rate=1")]);
    assert!(undecided.iter().flat_map(|decision| &decision.choices).all(|choice| choice.act == Act::Move));
}

#[test]
fn a_core_is_on_or_off() {
    let registry = Registry::linked().unwrap();
    for entry in registry.entries() {
        let method = registry.coordination_method(entry.plugin.id()).unwrap();
        let settings = Settings([("core".to_owned(), Setting::Text("of".to_owned()))].into());
        let site = site(5, Size { zones: 3, devices: 3, agents: 3 });
        let Err(problem) = method.create(&settings, &site) else { panic!("{} takes it", method.id()) };
        assert_eq!(problem.message, "core: \"of\" is neither \"on\" nor \"off\"");
        assert!(method.card().is_some(), "{} has no card", method.id());
    }
}

/// A step in which a job waits that three people may do, and `refused` of them was just refused.
fn counter(step: i64, refused: &[u16]) -> Observation {
    let may = [Act::CreateAccession, Act::Move].iter().fold(1, |bits, act| bits | 1 << act.index());
    let mut seen = Observation { now_s: 10 * step, zone_frozen: vec![false], ..Observation::default() };
    seen.agents.zone = vec![Some(0); 3];
    (seen.agents.walking_to, seen.agents.role, seen.agents.may) = (vec![None; 3], vec![None; 3], vec![may; 3]);
    seen.agents.refused = refused.iter().map(|&agent| (agent, "RC_SPECIMEN_STATE".to_owned())).collect();
    let column = &mut seen.specimens;
    (column.key, column.stage, column.priority) = (vec![7], vec![Stage::Arrived], vec![Priority::Stat]);
    (column.panel, column.device, column.compatible_end) = (vec![None], vec![None], vec![0]);
    (column.arrival_s, column.since_s, column.deadline_s) = (vec![0], vec![0], vec![9999]);
    seen
}

#[test]
fn an_auction_awards_what_was_refused_to_the_next_bidder_and_then_rests() {
    let agents = ["A", "B", "C"].map(|id| AgentSite { id: id.to_owned(), directed: true });
    let site = Site {
        dt_s: 10,
        zones: vec!["Z_SRA_RECEPTION".to_owned()],
        next_hop: vec![0],
        agents: agents.into(),
        ..Site::default()
    };
    let method = Registry::linked().unwrap().coordination_method("market_auction").unwrap();
    let mut at_work = method.create(&Settings::default(), &site).unwrap();
    let mut winner = |seen: &Observation| {
        let mut out = Decision::default();
        at_work.decide(seen, &mut out).unwrap();
        out.choices.first().map(|choice| choice.agent)
    };
    assert_eq!(winner(&counter(1, &[])), Some(0));
    assert_eq!(winner(&counter(2, &[0])), Some(1), "the next bidder");
    assert_eq!(winner(&counter(3, &[0, 1])), None, "it rests");
    assert_eq!(winner(&counter(10, &[0, 1])), Some(0), "after a minute it is tried again");
}
