//! What every method is held to.

use labtrust_coordination::core::Driver;
use labtrust_coordination::methods::{
    centralized_planner::CentralizedPlanner, consensus_paxos_lite::ConsensusPaxosLite,
    gossip_consensus::GossipConsensus, group_evolving_experience_sharing::GroupEvolvingExperienceSharing,
    group_evolving_study::GroupEvolvingStudy, hierarchical_hub_local::HierarchicalHubLocal,
    hierarchical_hub_rr::HierarchicalHubRr, kernel_auction_edf::KernelAuctionEdf,
    kernel_centralized_edf::KernelCentralizedEdf, kernel_scheduler_or::KernelSchedulerOr,
    market_auction::MarketAuction, ripple_effect::RippleEffect, swarm_reactive::SwarmReactive,
    swarm_stigmergy_priority::SwarmStigmergyPriority,
};
use labtrust_plugin::Registry;
use labtrust_plugin::method::Figure;
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
    holds!(CentralizedPlanner GroupEvolvingExperienceSharing GroupEvolvingStudy KernelCentralizedEdf);
    holds!(KernelSchedulerOr SwarmReactive SwarmStigmergyPriority);
}

#[test]
fn nothing_that_it_could_be_shown_stops_a_method_that_talks() {
    holds!(ConsensusPaxosLite GossipConsensus HierarchicalHubLocal HierarchicalHubRr MarketAuction RippleEffect);
}

#[test]
fn nothing_that_it_could_be_shown_stops_an_auction_of_bundles() {
    holds!(KernelAuctionEdf);
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
    decided(id, settings, 30, 40)
}

/// What a method decides for so many people in so many steps.
fn decided(id: &str, settings: &[(&str, &str)], agents: usize, steps: u32) -> Vec<Decision> {
    let registry = Registry::linked().unwrap();
    let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Setting::Text((*text).to_owned()));
    let settings = Settings(settings.iter().map(text).collect());
    let site = site(5, Size { zones: 8, devices: 12, agents });
    let mut at_work = registry.coordination_method(id).unwrap().create(&settings, &site).unwrap();
    let decide = |step| {
        let mut out = Decision::default();
        let seen = Observation { step, ..observation(u64::from(step), &site, 40).unwrap() };
        at_work.decide(&seen, &mut out).unwrap();
        out
    };
    (0..steps).map(decide).collect()
}

/// Ids of all methods, and whether each sends messages.
fn all_methods() -> Vec<(&'static str, bool)> {
    let registry = Registry::linked().unwrap();
    let method = |id| registry.coordination_method(id).unwrap();
    let of = |id| (id, method(id).card().unwrap().uses_messages);
    registry.entries().iter().map(|entry| of(entry.plugin.id())).collect()
}

#[test]
fn an_impaired_network_changes_exactly_the_methods_that_talk() {
    let mut talking = 0;
    for (id, talks) in all_methods() {
        let registry = Registry::linked().unwrap();
        let method = registry.coordination_method(id).unwrap();
        let site = site(5, Size { zones: 3, devices: 3, agents: 3 });
        for name in ["network", "signed"] {
            let text = if name == "network" { "drop_rate=0.3" } else { "on" };
            let settings = Settings([(name.to_owned(), Setting::Text(text.to_owned()))].into());
            assert_eq!(method.create(&settings, &site).is_ok(), talks, "{id}: {name}");
        }
        if talks {
            talking += 1;
            let at = |network: &str| decisions(id, &[("network", network)]);
            let perfect = at("");
            assert!(perfect == at("perfect=true"), "{id}");
            assert!(perfect != at("drop_rate=0.3"), "{id}: a third of all messages is lost");
            assert!(perfect != at("partition=0:39:0.5"), "{id}: half of them are cut off");
        }
    }
    assert_eq!(talking, 9);
}

#[test]
fn who_signs_what_they_say_does_what_they_would_have_done() {
    for (id, _) in all_methods().into_iter().filter(|(_, talks)| *talks) {
        for network in ["", "drop_rate=0.3,p50_ms=10,p95_ms=50"] {
            // Signatures take their time, so there are few people here.
            let open = decided(id, &[("network", network)], 12, 12);
            let signed = decided(id, &[("network", network), ("signed", "on")], 12, 12);
            // Another protocol runs in signed mode, or more is said, so other messages are lost.
            let alike = network.is_empty() || !["consensus_paxos_lite", "market_auction"].contains(&id);
            assert_eq!(signed == open, alike, "{id} {network}");
        }
    }
}

#[test]
fn who_talks_tells_what_was_said() {
    for (id, talks) in all_methods() {
        for (signed, drops) in [("off", false), ("on", true)].into_iter().filter(|_| talks) {
            let network = if drops { "drop_rate=0.3,p50_ms=20,p95_ms=60" } else { "" };
            let text = |text: &str| Setting::Text(text.to_owned());
            let settings = [("network".to_owned(), text(network)), ("signed".to_owned(), text(signed))];
            let site = site(5, Size { zones: 8, devices: 12, agents: 12 });
            let method = Registry::linked().unwrap().coordination_method(id).unwrap();
            let mut at_work = method.create(&Settings(settings.into()), &site).unwrap();
            for step in 0..10 {
                let seen = Observation { step, ..observation(u64::from(step), &site, 40).unwrap() };
                at_work.decide(&seen, &mut Decision::default()).unwrap();
            }
            let tally = at_work.tally();
            let count = |name: &str| match &tally.told["comm"][name] {
                Figure::Count(count) => *count,
                other => panic!("{id}: {name} is {other:?}"),
            };
            assert!(count("msg_count") > 20 && count("bytes") > count("msg_count"), "{id}: {tally:?}");
            assert_eq!(count("dropped_count") > 0, drops, "{id}");
            assert_eq!(count("sent_count"), count("msg_count") + count("dropped_count"), "{id}");
            assert_eq!(count("rejected_count"), 0, "{id}: nobody lies: {tally:?}");
            let Figure::Decimal(p95, 2) = tally.told["comm"]["p95_latency_ms"] else { panic!("{id}") };
            assert_eq!(p95 > 0, drops, "{id}");
        }
        if !talks {
            let site = site(5, Size { zones: 3, devices: 3, agents: 3 });
            let method = Registry::linked().unwrap().coordination_method(id).unwrap();
            let at_work = method.create(&Settings::default(), &site).unwrap();
            assert!(!at_work.tally().told.contains_key("comm"), "{id}");
        }
    }
}

#[test]
fn who_hears_nothing_does_as_if_nobody_spoke() {
    for id in ["gossip_consensus", "ripple_effect"] {
        let alone = decisions(id, &[("network", "drop_rate=1")]);
        assert!(alone == decisions(id, &[("core", "off")]), "{id}");
    }
    // Nobody acts on what no majority has accepted, or what no auctioneer has awarded; some are sent to their posts.
    for id in ["consensus_paxos_lite", "market_auction"] {
        let undecided = decisions(id, &[("network", "drop_rate=1")]);
        assert!(undecided.iter().flat_map(|decision| &decision.choices).all(|choice| choice.act == Act::Move), "{id}");
    }
    // Who hears of nothing else does what is where they stand.
    let alone = decisions("kernel_auction_edf", &[("network", "drop_rate=1")]);
    assert!(alone.iter().flat_map(|decision| &decision.choices).any(|choice| choice.act != Act::Move));
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
    seen.agents.arrives_s = vec![None; 3];
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

#[test]
fn every_method_accounts_for_everybody_who_is_idle() {
    for (id, _) in all_methods() {
        let site = Site { telemetry: true, ..site(5, Size { zones: 8, devices: 12, agents: 12 }) };
        let method = Registry::linked().unwrap().coordination_method(id).unwrap();
        let mut at_work = method.create(&Settings::default(), &site).unwrap();
        let (mut idle, mut intended, mut with_date) = (0, 0, 0);
        for step in 0..10 {
            let seen = Observation { step, ..observation(u64::from(step), &site, 40).unwrap() };
            let mut out = Decision::default();
            at_work.decide(&seen, &mut out).unwrap();
            let here = |agent: &u16| seen.is_idle(*agent) && seen.agents.zone[usize::from(*agent)].is_some();
            idle += site.directed().filter(here).count() as u64;
            intended += out.intents.len() as u64;
            with_date += out.intents.iter().filter(|intent| intent.due_s.is_some()).count() as u64;
        }
        let told = at_work.tally().told;
        let count = |block: &str, name: &str| match told.get(block).map(|figures| &figures[name]) {
            Some(Figure::Count(count)) => *count,
            other => panic!("{id}: {name} is {other:?}"),
        };
        assert_eq!(count("alloc", "given_count"), intended, "{id}");
        assert_eq!(count("alloc", "given_count") + count("alloc", "unassigned_count"), idle, "{id}");
        assert_eq!(told.contains_key("sched"), with_date > 0, "{id}");
        if with_date > 0 {
            assert_eq!(count("sched", "due_count"), with_date, "{id}");
            assert!(count("sched", "overdue_count") <= with_date, "{id}");
        }
        assert!(!told.contains_key("method"), "{id}: that block is the program's");
    }
}
