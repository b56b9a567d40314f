//! What every plugin is held to, ready to be called from an author's test.
//!
//! ```
//! # use labtrust_plugin::prelude::*;
//! # struct Idle;
//! # impl Method for Idle {
//! #     const ID: &'static str = "org.example.idle";
//! #     const SUMMARY: &'static str = "Nobody does anything.";
//! #     type Params = NoParams;
//! #     fn new(_: NoParams, _: &Site) -> Result<Self, Problem> { Ok(Self) }
//! #     fn decide(&mut self, _: &Observation, _: &mut Decision) -> Result<(), Problem> { Ok(()) }
//! # }
//! use labtrust_plugin::testing::check;
//!
//! let tried = check::coordination_method::<Idle>();
//! assert_eq!(tried.acts, 0, "this one never does anything");
//! ```

use super::{Size, dispatch_request, mine_site, observation, site};
use crate::agent::{self, Agent};
use crate::method::{CoordinationMethod, Method};
use crate::mine::{self, Dispatch, DispatchPolicy, LoaderId};
use crate::params::Params;
use crate::sdk::Speaker;
use crate::wire::mine::{CreateDispatch, DispatchReply};
use crate::wire::{
    Act, Create, CreateReply, DecideReply, Decision, Manifest, Observation, Settings, Site, decode, encode,
};

/// Sites of all sizes, from one where there is nothing to one that is larger than any task's.
const SIZES: [Size; 6] = [
    Size { zones: 0, devices: 0, agents: 0 },
    Size { zones: 1, devices: 0, agents: 1 },
    Size { zones: 2, devices: 1, agents: 2 },
    Size { zones: 4, devices: 6, agents: 12 },
    Size { zones: 3, devices: 9, agents: 3 },
    Size { zones: 16, devices: 30, agents: 60 },
];
/// Mines of all sizes: trucks and loaders.
const MINES: [(u16, u16); 4] = [(1, 1), (4, 2), (12, 3), (80, 16)];
/// Steps on each site, requests in each mine [count].
const STEPS: u64 = 64;
/// How much there is to do in one step and the next [count].
const WORK: [usize; 8] = [0, 1, 4, 30, 0, 12, 90, 2];

/// What a check tried, for an author who wants to know that it was something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Sites at which the plugin could work [count].
    pub sites: usize,
    /// Decisions that it gave [count].
    pub decisions: usize,
    /// Actions in them that were not NOOP [count].
    pub acts: usize,
}

/// Tries a coordination method with its default parameters at made-up sites of all sizes, and says how much it did.
///
/// Nothing follows from one observation to the next, so that it sees what no laboratory would show it.
///
/// # Panics
/// With the place and the reason, when the method refuses every site; panics or gives up in a step; names what does not
/// exist; decides otherwise when it is asked again from the start, or when the run writes down how it decides; or decides otherwise as a file of its own, behind the
/// bytes of the contract, than called.
#[must_use]
pub fn coordination_method<M: Method>() -> Tried {
    let mut tried = Tried::default();
    let mut refused = Vec::new();
    for (number, size) in (0..).zip(SIZES) {
        let site = site(number, size);
        let steps = || (0..STEPS).map(|step| seen(number, step, &site));
        let mut method = match started::<M>(&site) {
            Ok(method) => method,
            Err(reason) => {
                refused.push(format!("{size:?}: {reason}"));
                continue;
            }
        };
        tried.sites += 1;
        let decisions: Vec<Decision> =
            (0..).zip(steps()).map(|(step, seen)| decided(&mut method, step, &seen, &site)).collect();
        tried.decisions += decisions.len();
        let acts = decisions.iter().flat_map(|decision| &decision.choices).filter(|choice| choice.act != Act::Noop);
        tried.acts += acts.count();

        // After the first run, so that what the method keeps outside of itself would show.
        let mut again =
            started::<M>(&site).unwrap_or_else(|reason| panic!("{}: {size:?} was accepted once: {reason}", M::ID));
        let mut speaker = Speaker::of::<M, _>();
        assert_created(&mut speaker, &site);
        for ((step, seen), first) in (0..).zip(steps()).zip(&decisions) {
            let place = format!("{}: step {step} at a site of {size:?}", M::ID);
            assert_eq!(
                decided(&mut again, step, &seen, &site),
                *first,
                "{place}: it decided otherwise when asked again"
            );
            let spoken: DecideReply = decode(&speaker.decide(&encode(&seen))).expect("the kit wrote it");
            assert_eq!(spoken.as_ref(), Ok(first), "{place}: it decided otherwise as a file of its own");
        }

        // Whether somebody writes it down makes no difference to what is done.
        let watched = Site { telemetry: !site.telemetry, ..site.clone() };
        let mut other =
            started::<M>(&watched).unwrap_or_else(|reason| panic!("{}: {size:?} was accepted once: {reason}", M::ID));
        for ((step, seen), first) in (0..).zip(steps()).zip(&decisions) {
            let choices = decided(&mut other, step, &seen, &watched).choices;
            assert_eq!(choices, first.choices, "{}: step {step}: it decided otherwise with telemetry", M::ID);
        }
    }
    assert!(tried.sites > 0, "{} refused every site: {refused:#?}", M::ID);
    assert_manifest(&Speaker::of::<M, _>());
    tried
}

/// Tries an agent policy with its default parameters: a team of it at made-up sites of all sizes.
///
/// # Panics
/// As [`coordination_method`], and when an agent decides for another one.
#[must_use]
pub fn agent_policy<A: Agent>() -> Tried {
    let (mut tried, mut refused) = (Tried::default(), Vec::new());
    let team = agent::Compiled::<A>::NEW;
    for (number, size) in (0..).zip(SIZES) {
        let site = site(number, size);
        let (Ok(mut first), Ok(mut again)) =
            (team.create(&Settings::default(), &site), team.create(&Settings::default(), &site))
        else {
            refused.push(format!("{size:?}"));
            continue;
        };
        tried.sites += 1;
        let mut speakers: Vec<Speaker> = site.directed().map(|_| Speaker::of::<A, _>()).collect();
        for (me, speaker) in site.directed().zip(&mut speakers) {
            assert_created(speaker, &agent::site_of(&site, me));
        }
        for step in 0..STEPS {
            let place = format!("{}: step {step} at a site of {size:?}", A::ID);
            let seen = seen(number, step, &site);
            let [mut one, mut other] = [Decision::default(), Decision::default()];
            let decided = first.decide(&seen, &mut one).and_then(|()| one.check(&site, &seen));
            decided.unwrap_or_else(|problem| panic!("{place}: {problem}"));
            assert_eq!(again.decide(&seen, &mut other), Ok(()), "{place}: it decided otherwise when asked again");
            assert_eq!(one, other, "{place}: it decided otherwise when asked again");
            let spoken = speakers.iter_mut().flat_map(|speaker| {
                let reply: DecideReply = decode(&speaker.decide(&encode(&seen))).expect("the kit wrote it");
                reply.unwrap_or_else(|problem| panic!("{place}: as a file of its own: {problem}")).choices
            });
            assert!(spoken.eq(one.choices.iter().cloned()), "{place}: it decided otherwise as a file of its own");
            tried.decisions += 1;
            tried.acts += one.choices.iter().filter(|choice| choice.act != Act::Noop).count();
        }
    }
    assert!(tried.sites > 0, "{} refused every site: {refused:#?}", A::ID);
    assert_manifest(&Speaker::of::<A, _>());
    tried
}

/// Tries a dispatch policy with its default parameters in made-up mines of all sizes. What it did counts as acts.
///
/// # Panics
/// With the place and the reason, when the policy refuses every mine; panics or gives up; chooses a loader that is not
/// on offer; chooses otherwise when it is asked again from the start; or as a file of its own than called.
#[must_use]
pub fn mine_dispatch<D: Dispatch>() -> Tried {
    let (mut tried, mut refused) = (Tried::default(), Vec::new());
    let policy = mine::Compiled::<D>::NEW;
    for (number, (trucks, loaders)) in (0..).zip(MINES) {
        let site = mine_site(number, trucks, loaders);
        let begun = || policy.dispatcher(&Settings::default(), &site);
        let (mut first, mut again) = match (begun(), begun()) {
            (Ok(first), Ok(again)) => (first, again),
            (Err(problem), _) | (_, Err(problem)) => {
                refused.push(format!("{trucks} trucks, {loaders} loaders: {problem}"));
                continue;
            }
        };
        tried.sites += 1;
        let mut speaker = Speaker::of::<D, _>();
        let create = CreateDispatch { settings: Settings::default(), site: site.clone() };
        let created: CreateReply = decode(&speaker.create(&encode(&create))).expect("the kit wrote it");
        assert_eq!(created, Ok(()), "it accepted this mine before");
        for step in 0..STEPS {
            let place = format!("{}: request {step} in a mine of {trucks} trucks and {loaders} loaders", D::ID);
            let seen = dispatch_request(number * STEPS + step, &site);
            let chosen = first.choose(&seen).and_then(|chosen| seen.on_offer(chosen).map(|()| chosen));
            let chosen: LoaderId = chosen.unwrap_or_else(|problem| panic!("{place}: {problem}"));
            assert_eq!(again.choose(&seen), Ok(chosen), "{place}: it chose otherwise when asked again");
            let spoken: DispatchReply = decode(&speaker.decide(&encode(&seen))).expect("the kit wrote it");
            assert_eq!(spoken, Ok(chosen), "{place}: it chose otherwise as a file of its own");
            tried.decisions += 1;
            tried.acts += 1;
        }
    }
    assert!(tried.sites > 0, "{} refused every mine: {refused:#?}", D::ID);
    assert_manifest(&Speaker::of::<D, _>());
    tried
}

fn assert_manifest(speaker: &Speaker) {
    let manifest: Manifest = decode(&speaker.manifest("0.1.0")).expect("the kit wrote it");
    assert_eq!(manifest.handshake.check(), Ok(()));
    let id = &manifest.id;
    assert!(!id.is_empty() && !id.contains(char::is_whitespace), "{id:?} is no id: it is typed on a command line");
}

fn seen(site_number: u64, step: u64, site: &Site) -> Observation {
    let work = WORK[step as usize % WORK.len()];
    observation(site_number * STEPS + step, site, work).expect("a made-up observation is regular")
}

fn started<M: Method>(site: &Site) -> Result<M, String> {
    let params = M::Params::read(&Settings::default())
        .unwrap_or_else(|problem| panic!("{}: its defaults are no parameters: {problem}", M::ID));
    M::new(params, site).map_err(|problem| problem.to_string())
}

fn decided<M: Method>(method: &mut M, step: u64, seen: &Observation, site: &Site) -> Decision {
    let place = || {
        format!("{}: step {step} with {} agents and {} specimens", M::ID, site.agents.len(), seen.specimens.key.len())
    };
    let mut decision = Decision::default();
    if let Err(problem) = method.decide(seen, &mut decision) {
        panic!("{}: it gave up: {problem}", place());
    }
    if let Err(problem) = decision.check(site, seen) {
        panic!("{}: {problem}", place());
    }
    decision
}

fn assert_created(speaker: &mut Speaker, site: &Site) {
    let request = encode(&Create { settings: Settings::default(), site: site.clone() });
    let reply: CreateReply = decode(&speaker.create(&request)).expect("the kit wrote it");
    assert_eq!(reply, Ok(()), "it accepted this site before");
}
