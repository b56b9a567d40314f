//! Agent policies and dispatch policies: behind the contract they decide what they decide when they are called.

use labtrust_plugin::agent::{self, Agent};
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::mine::{self, DispatchPolicy};
use labtrust_plugin::prelude::*;
use labtrust_plugin::sdk::Speaker;
use labtrust_plugin::testing::{Size, check, dispatch_request, mine_site, observation, site};
use labtrust_plugin::wire::mine::{CreateDispatch, DispatchReply};
use labtrust_plugin::wire::{Create, CreateReply, DecideReply, Manifest, Setting, Settings, decode, encode};
use labtrust_plugin::{Plugin, Registry};

const SIZE: Size = Size { zones: 4, devices: 6, agents: 5 };

/// An agent with a memory: it does the act that is as many further as it was asked before, from its own place on.
struct Counting {
    next: usize,
    on_behalf: u16,
}

params! {
    /// Parameters of [`Counting`].
    struct Behalf {
        /// How many places further the agent is for whom it decides [count].
        further: u32 = 0;
    }
}

impl Agent for Counting {
    const ID: &'static str = "org.example.counting";
    const SUMMARY: &'static str = "Does one act after the other.";
    type Params = Behalf;

    fn new(params: Behalf, site: &Site, me: u16) -> Result<Self, Problem> {
        if site.directed().collect::<Vec<_>>() != [me] {
            return Err(Problem::of_kind(ProblemKind::Site, "it directs somebody else"));
        }
        Ok(Self { next: usize::from(me), on_behalf: me + params.further as u16 })
    }

    fn decide(&mut self, _: &Observation, _: u16) -> Result<Option<Choice>, Problem> {
        self.next += 1;
        Ok((!self.next.is_multiple_of(3)).then(|| Choice::new(self.on_behalf, Act::ALL[self.next % Act::ALL.len()])))
    }
}
export_wasm!(Counting);
register_agent!(Counting);

/// A policy with a memory: it goes round the loaders.
struct Around {
    next: usize,
}

impl Dispatch for Around {
    const ID: &'static str = "org.example.around";
    const SUMMARY: &'static str = "Sends trucks to one loader after the other.";
    type Params = NoParams;

    fn new(_: NoParams, site: &MineSite) -> Result<Self, Problem> {
        if site.loaders.is_empty() {
            return Err(Problem::of_kind(ProblemKind::Site, "there is no loader"));
        }
        Ok(Self { next: 0 })
    }

    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        self.next += 1;
        Ok(seen.loaders[self.next % seen.loaders.len()].loader)
    }
}

/// One file is one plugin; this one has its exports in a module of its own.
mod other_file {
    use super::Around;
    labtrust_plugin::export_wasm!(Around);
    labtrust_plugin::register_dispatch!(Around);
}

fn further(places: i64) -> Settings {
    Settings([("further".to_owned(), Setting::Number(places))].into())
}

#[test]
fn a_team_is_an_agent_for_each_whom_it_directs_in_the_order_of_their_places() {
    let site = site(5, SIZE);
    let mut team = agent::Compiled::<Counting>::NEW.create(&Settings::default(), &site).unwrap();
    let mut speakers: Vec<(u16, Speaker)> = site.directed().map(|me| (me, Speaker::of::<Counting, _>())).collect();
    for (me, speaker) in &mut speakers {
        let create = Create { settings: Settings::default(), site: agent::site_of(&site, *me) };
        assert_eq!(decode::<CreateReply>(&speaker.create(&encode(&create))).unwrap(), Ok(()));
    }
    let (mut out, mut acts) = (Decision::default(), 0);
    for step in 0..60 {
        let seen = observation(step, &site, 10).unwrap();
        team.decide(&seen, &mut out).unwrap();
        out.check(&site, &seen).unwrap();
        let mut spoken = Decision::default();
        for (_, speaker) in &mut speakers {
            let theirs: DecideReply = decode(&speaker.decide(&encode(&seen))).unwrap();
            spoken.choices.extend(theirs.unwrap().choices);
        }
        assert_eq!(out, spoken);
        assert!(out.choices.is_sorted_by_key(|choice| choice.agent));
        acts += out.choices.len();
    }
    assert_eq!(acts, 60 * 4 * 2 / 3, "four agents, two acts in three steps, each counting for itself");
}

#[test]
fn an_agent_that_decides_for_another_fails_and_nobody_acts() {
    let site = site(5, SIZE);
    let mut team = agent::Compiled::<Counting>::NEW.create(&further(1), &site).unwrap();
    let mut out = Decision::from(vec![Choice::new(0, Act::Tick)]);
    let problem = team.decide(&observation(1, &site, 3).unwrap(), &mut out).unwrap_err();
    assert_eq!(problem, Problem::of_kind(ProblemKind::Decision, "agent A_0 decides for agent 1, A_1"));
    assert_eq!(out, Decision::default());
    let mut twice = Decision::from(vec![Choice::new(0, Act::Tick), Choice::new(0, Act::Noop)]);
    let problem = agent::join(0, &site, std::mem::take(&mut twice), &mut out).unwrap_err();
    assert_eq!(problem.message, "agent A_0 makes 2 choices in one step");
}

#[test]
fn an_agent_is_told_of_a_site_where_it_is_the_only_one_that_is_directed() {
    let mut speaker = Speaker::of::<Counting, _>();
    let create = Create { settings: Settings::default(), site: site(5, SIZE) };
    let refused = decode::<CreateReply>(&speaker.create(&encode(&create))).unwrap().unwrap_err();
    assert_eq!(refused, Problem::of_kind(ProblemKind::Site, "an agent policy directs one agent of a site, not 4"));
    let only = Create { site: agent::site_of(&create.site, 2), ..create };
    assert_eq!(decode::<CreateReply>(&speaker.create(&encode(&only))).unwrap(), Ok(()));
    let problem = |bytes: Vec<u8>| decode::<DecideReply>(&bytes).unwrap().unwrap_err().kind;
    assert_eq!(problem(speaker.decide(&encode(&Observation::default()))), ProblemKind::Message, "of another site");
}

#[test]
fn a_dispatch_policy_says_in_bytes_what_it_says_when_called() {
    let site = mine_site(7, 9, 5);
    let mut called = mine::Compiled::<Around>::NEW.dispatcher(&Settings::default(), &site).unwrap();
    let mut spoken = Speaker::of::<Around, _>();
    let create = CreateDispatch { settings: Settings::default(), site: site.clone() };
    assert_eq!(decode::<CreateReply>(&spoken.create(&encode(&create))).unwrap(), Ok(()));
    let mut sent = [0; 5];
    for number in 0..200 {
        let seen = dispatch_request(number, &site);
        let chosen = called.choose(&seen).unwrap();
        assert_eq!(decode::<DispatchReply>(&spoken.decide(&encode(&seen))).unwrap(), Ok(chosen));
        seen.on_offer(chosen).unwrap();
        sent[usize::from(chosen.0)] += 1;
    }
    assert!(sent.iter().all(|&trucks| trucks > 10), "{sent:?}");
    // The next replication knows nothing of this one.
    let seen = dispatch_request(3, &site);
    let first =
        |settings: &Settings| mine::Compiled::<Around>::NEW.dispatcher(settings, &site).unwrap().choose(&seen).unwrap();
    assert_eq!(first(&Settings::default()), first(&Settings::default()));
}

#[test]
fn a_dispatch_policy_refuses_what_it_cannot_answer() {
    let mut speaker = Speaker::of::<Around, _>();
    let refused = decode::<CreateReply>(&speaker.create(&encode(&CreateDispatch::default()))).unwrap().unwrap_err();
    assert_eq!(refused, Problem::of_kind(ProblemKind::Site, "there is no loader"));
    let site = mine_site(7, 2, 2);
    speaker.create(&encode(&CreateDispatch { settings: Settings::default(), site: site.clone() }));
    let good = dispatch_request(1, &site);
    let option = good.loaders[0];
    let damaged = [
        ("truck", DispatchRequest { truck: labtrust_plugin::mine::TruckId(2), ..good.clone() }),
        ("loaders", DispatchRequest { loaders: vec![], ..good.clone() }),
        ("loaders", DispatchRequest { loaders: vec![option, option], ..good.clone() }),
        ("loaders", DispatchRequest { loaders: vec![LoaderOption { capacity: 0, ..option }], ..good.clone() }),
        ("loaders", DispatchRequest { loaders: vec![LoaderOption { loader: LoaderId(2), ..option }], ..good.clone() }),
    ];
    for (field, request) in damaged {
        let problem = decode::<DispatchReply>(&speaker.decide(&encode(&request))).unwrap().unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Message);
        assert!(problem.message.starts_with(field), "{problem}");
    }
    assert!(decode::<DispatchReply>(&speaker.decide(&encode(&good))).unwrap().is_ok(), "it goes on");
}

#[test]
fn a_loader_that_is_not_on_offer_is_refused_with_those_that_are() {
    let seen = DispatchRequest { truck: labtrust_plugin::mine::TruckId(4), ..dispatch_request(1, &mine_site(7, 9, 1)) };
    let refused = seen.on_offer(LoaderId(3)).unwrap_err();
    let message = "it chose loader 3, and truck 4 can be sent to one of [0]";
    assert_eq!(refused, Problem::of_kind(ProblemKind::Decision, message));
}

#[test]
fn the_kits_checks_try_both_kinds() {
    let team = check::agent_policy::<Counting>();
    assert!(team.sites == 6 && team.acts > 1000, "{team:?}");
    let reception = check::agent_policy::<crate::receptionist::Receptionist>();
    assert!(reception.acts > 10, "{reception:?}");
    let trucks = check::mine_dispatch::<Around>();
    assert_eq!((trucks.sites, trucks.decisions), (4, 256));
}

#[test]
#[should_panic(expected = "agent A_0 decides for agent 1, nobody")]
fn the_kits_check_tells_an_agent_that_decides_for_others() {
    struct Meddling;
    impl Agent for Meddling {
        const ID: &'static str = "org.example.meddling";
        const SUMMARY: &'static str = "Decides for its neighbour.";
        type Params = NoParams;
        fn new(_: NoParams, _: &Site, _: u16) -> Result<Self, Problem> {
            Ok(Self)
        }
        fn decide(&mut self, _: &Observation, me: u16) -> Result<Option<Choice>, Problem> {
            Ok(Some(Choice::new(me + 1, Act::Noop)))
        }
    }
    let _ = check::agent_policy::<Meddling>();
}

#[test]
fn every_kind_says_in_its_manifest_which_it_is() {
    let kind = |speaker: Speaker| decode::<Manifest>(&speaker.manifest("1.0.0")).unwrap().kind;
    assert_eq!(kind(Speaker::of::<Counting, _>()), "agent-policy");
    assert_eq!(kind(Speaker::of::<Around, _>()), "mine-dispatch");
}

#[test]
fn both_kinds_are_found_by_their_ids() {
    let registry = Registry::linked().unwrap();
    assert_eq!(registry.agent_policy(Counting::ID).unwrap().summary(), Counting::SUMMARY);
    assert_eq!(registry.mine_dispatch(Around::ID).unwrap().summary(), Around::SUMMARY);
    let unknown = registry.agent_policy("org.example.around").err().unwrap().to_string();
    assert_eq!(
        unknown,
        "unknown agent-policy: org.example.around. Known: [org.example.counting, org.example.receptionist]"
    );
    let entry = registry.entries().iter().find(|entry| entry.plugin.id() == Counting::ID).unwrap();
    assert!(matches!(entry.plugin, Plugin::AgentPolicy(_)) && entry.plugin.kind() == agent::KIND);
}
