//! What every method is held to.

use labtrust_coordination::core::Driver;
use labtrust_coordination::methods::{
    centralized_planner::CentralizedPlanner, group_evolving_experience_sharing::GroupEvolvingExperienceSharing,
    hierarchical_hub_local::HierarchicalHubLocal, hierarchical_hub_rr::HierarchicalHubRr,
    kernel_auction_edf::KernelAuctionEdf, kernel_centralized_edf::KernelCentralizedEdf,
    kernel_scheduler_or::KernelSchedulerOr, market_auction::MarketAuction, swarm_reactive::SwarmReactive,
    swarm_stigmergy_priority::SwarmStigmergyPriority,
};
use labtrust_plugin::Registry;
use labtrust_plugin::testing::{Size, check, observation, site};
use labtrust_plugin::wire::{Decision, Setting, Settings};

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
    holds!(CentralizedPlanner GroupEvolvingExperienceSharing HierarchicalHubLocal HierarchicalHubRr);
    holds!(KernelAuctionEdf KernelCentralizedEdf KernelSchedulerOr MarketAuction SwarmReactive SwarmStigmergyPriority);
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
