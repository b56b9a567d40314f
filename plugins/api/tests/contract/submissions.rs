//! What each agent submits becomes one decision.

use crate::volunteers::Volunteers;
use labtrust_plugin::Registry;
use labtrust_plugin::method::{Combined, Method, Submission, Submitting, combine};
use labtrust_plugin::params::NoParams;
use labtrust_plugin::testing::{Size, check, observation, site};
use labtrust_plugin::wire::{Act, Choice, Decision, Observation, Problem, ProblemKind, Settings, Site};
use std::collections::BTreeSet;

fn combined(submissions: &[(u16, Submission)]) -> Vec<Choice> {
    let mut out = Decision::default();
    combine(submissions, &mut out);
    out.choices
}

#[test]
fn actions_are_done_as_they_are() {
    let choices = [Choice::new(0, Act::Tick), Choice::new(2, Act::Move).object(1)];
    let submissions = choices.clone().map(|choice| (choice.agent, Submission::Action(choice)));
    assert_eq!(combined(&submissions), choices);
}

#[test]
fn the_least_bid_wins_each_work_and_of_equal_ones_the_first() {
    let bid =
        |agent, place, cost| (agent, Submission::Bid { work: Choice::new(agent, Act::QueueRun).specimen(place), cost });
    let won: Vec<_> = combined(&[bid(0, 7, 3), bid(1, 7, 2), bid(2, 7, 2), bid(3, 8, 9)])
        .into_iter()
        .map(|choice| (choice.agent, choice.specimens[0]))
        .collect();
    assert_eq!(won, [(1, 7), (3, 8)]);
}

#[test]
fn most_votes_are_done_and_nobody_does_two_things() {
    let vote = |agent, choice| (agent, Submission::Vote(choice));
    let (look, walk) = (Choice::new(1, Act::Tick), Choice::new(1, Act::Move).object(0));
    let other = Choice::new(0, Act::Tick);
    let votes = [vote(0, look), vote(1, walk.clone()), vote(2, walk.clone()), vote(3, other.clone())];
    assert_eq!(combined(&votes), [walk, other]);
}

#[test]
fn a_method_of_submissions_is_one_like_any_other() {
    let tried = check::coordination_method::<Combined<Volunteers>>();
    assert!(tried.acts > 0, "{tried:?}");
    assert!(Registry::linked().unwrap().coordination_method(Volunteers::ID).is_ok());
    let site = site(5, Size { zones: 2, devices: 2, agents: 9 });
    let mut given = BTreeSet::new();
    let mut method = <Combined<Volunteers> as Method>::new(NoParams {}, &site).unwrap();
    for step in 0..200 {
        let mut out = Decision::default();
        method.decide(&observation(step, &site, 8).unwrap(), &mut out).unwrap();
        given.extend(out.choices.iter().map(|choice| choice.agent));
    }
    assert!(given.len() > 6, "the work is dealt out: {given:?}");
}

/// Bids for its neighbour.
struct Generous;

impl Submitting for Generous {
    const ID: &'static str = "org.example.generous";
    const SUMMARY: &'static str = "Everybody acts for somebody else.";
    type Params = NoParams;

    fn new(_: NoParams, _: &Site) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn propose(&mut self, _: &Observation, me: u16) -> Result<Option<Submission>, Problem> {
        Ok(Some(Submission::Action(Choice::new(me + 1, Act::Tick))))
    }
}

#[test]
fn nobody_acts_or_bids_for_somebody_else() {
    let site = site(5, Size { zones: 2, devices: 2, agents: 4 });
    let method = labtrust_plugin::method::Compiled::<Combined<Generous>>::NEW;
    let mut at_work =
        labtrust_plugin::method::CoordinationMethod::create(&method, &Settings::default(), &site).unwrap();
    let problem = at_work.decide(&observation(1, &site, 4).unwrap(), &mut Decision::default()).unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Decision);
    assert_eq!(problem.message, "agent 0 submits the action of agent 1");
}
