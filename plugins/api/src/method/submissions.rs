//! Methods in which each agent submits something from its own view, and a rule makes one decision of it.
//!
//! An author writes a [`Submitting`]; [`Combined`] makes a [`Method`] of it, which is asked in every step, however many
//! agents there are: nobody else ever acts in its place.

use super::{Evidence, Method, MethodCard, Told};
use crate::params::Params;
use crate::wire::{Act, Choice, Decision, Observation, Problem, ProblemKind, Site};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What one agent submits in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// What it would do. With the default combination it does.
    Action(Choice),
    /// What it would do, and what that costs it; the least cost wins what two bid for.
    Bid {
        /// The work, for the agent itself.
        work: Choice,
        /// Its price.
        cost: i64,
    },
    /// What it would have somebody do, maybe itself.
    Vote(Choice),
}

impl Submission {
    /// The published name of its shape.
    #[must_use]
    pub const fn shape(&self) -> &'static str {
        match self {
            Self::Action(_) => "action",
            Self::Bid { .. } => "bid",
            Self::Vote(_) => "vote",
        }
    }
}

/// A method whose agents submit, each from its own view.
pub trait Submitting: Send + Sized + 'static {
    /// The id, `org.example.volunteers`.
    const ID: &'static str;
    /// What it does, in one sentence.
    const SUMMARY: &'static str;
    /// Its parameters; made with [`params!`](crate::params!).
    type Params: Params;
    /// Its card, for catalogues.
    const CARD: Option<MethodCard> = None;

    /// The method at the start of an episode.
    ///
    /// # Errors
    /// [`Problem`] when it cannot work with these parameters, or at this site.
    fn new(params: Self::Params, site: &Site) -> Result<Self, Problem>;

    /// What the agent `me` submits; `None` for nothing. Agents are asked in the order of their places, once a step.
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on.
    fn propose(&mut self, seen: &Observation, me: u16) -> Result<Option<Submission>, Problem>;

    /// Makes a decision of what was submitted, in the order of the agents; by itself [`combine`].
    ///
    /// # Errors
    /// [`Problem`] when it cannot go on.
    fn combine_submissions(
        &mut self,
        submissions: &[(u16, Submission)],
        seen: &Observation,
        out: &mut Decision,
    ) -> Result<(), Problem> {
        let _ = seen;
        combine(submissions, out);
        Ok(())
    }

    /// What it wants on record beside its newest decision; asked for only where [`Site::telemetry`] is set.
    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        let _ = out;
    }

    /// What it has to tell of itself so far, for the metrics.
    fn told(&self) -> Told {
        Told::new()
    }
}

/// The default combination. Actions are done as they are. Each work goes to the least bid, of equal ones to the agent
/// that comes first; one agent gets the work of its bid or nothing. Of what is voted for, what has most votes is done
/// first, of equals what was named first; each agent does at most one thing.
pub fn combine(submissions: &[(u16, Submission)], out: &mut Decision) {
    let mut bids: Vec<(i64, u16, &Choice)> = Vec::new();
    let mut votes: Vec<(&Choice, usize)> = Vec::new();
    let mut named = BTreeMap::new();
    for (agent, submission) in submissions {
        match submission {
            Submission::Action(choice) => out.push(choice.clone()),
            Submission::Bid { work, cost } => bids.push((*cost, *agent, work)),
            Submission::Vote(choice) => {
                let place = *named.entry((choice.agent, work_of(choice))).or_insert(votes.len());
                match votes.get_mut(place) {
                    Some((_, count)) => *count += 1,
                    None => votes.push((choice, 1)),
                }
            }
        }
    }
    bids.sort_by_key(|&(cost, agent, _)| (cost, agent));
    let mut won = BTreeSet::new();
    for (_, agent, work) in bids {
        if won.insert(work_of(work)) {
            out.push(Choice { agent, ..work.clone() });
        }
    }
    // Stable: of equals, what was named first.
    votes.sort_by_key(|&(_, count)| Reverse(count));
    let mut busy: BTreeSet<u16> = out.choices.iter().map(|choice| choice.agent).collect();
    for (choice, _) in votes {
        if busy.insert(choice.agent) {
            out.push(choice.clone());
        }
    }
}

/// What a choice is about, whoever makes it.
fn work_of(choice: &Choice) -> (Act, &[u32], Option<u16>, Option<u32>) {
    (choice.act, &choice.specimens, choice.device, choice.object)
}

/// A [`Submitting`] as a [`Method`]: asks everybody, then combines.
pub struct Combined<S> {
    inner: S,
    directed: Vec<u16>,
    submissions: Vec<(u16, Submission)>,
}

impl<S: Submitting> Method for Combined<S> {
    const ID: &'static str = S::ID;
    const SUMMARY: &'static str = S::SUMMARY;
    type Params = S::Params;
    const CARD: Option<MethodCard> = S::CARD;

    fn new(params: S::Params, site: &Site) -> Result<Self, Problem> {
        Ok(Self { inner: S::new(params, site)?, directed: site.directed().collect(), submissions: Vec::new() })
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        let Self { inner, directed, submissions } = self;
        submissions.clear();
        for &me in directed.iter() {
            let Some(submission) = inner.propose(seen, me)? else { continue };
            if let Submission::Action(choice) | Submission::Bid { work: choice, .. } = &submission
                && choice.agent != me
            {
                let message = format!("agent {me} submits the {} of agent {}", submission.shape(), choice.agent);
                return Err(Problem::of_kind(ProblemKind::Decision, message));
            }
            submissions.push((me, submission));
        }
        inner.combine_submissions(submissions, seen, out)
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.inner.evidence(out);
    }

    fn told(&self) -> Told {
        self.inner.told()
    }
}
