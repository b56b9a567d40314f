//! What happens when a method fails at work: it is counted, and then done what the study says.

use labtrust_plugin::lab::contract::Rows;
use labtrust_plugin::method::{CoordinationMethod, Coordinator, Tally};
use labtrust_plugin::wire::{Decision, Observation, Problem, Settings, Site};
use serde::{Deserialize, Serialize};

/// What happens when a method fails: when it traps, reports a problem, or answers what cannot be read or done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTrap {
    /// The episode ends, and its result says why.
    #[default]
    EndEpisode,
    /// Nobody acts in this step. The method begins anew with the next, knowing nothing of the steps before.
    Noop,
    /// The method of this id decides from this step on, for the rest of the episode.
    Fallback(String),
}

/// Why a way to deal with failures cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnTrapError {
    /// The fallback has another id than the one that was asked for.
    #[error("the fallback should be {wanted}, and {given} was given")]
    OtherFallback {
        /// The id in the study.
        wanted: String,
        /// The id of the method that was given, or "none".
        given: String,
    },
    /// A dispatch policy cannot do nothing.
    #[error("{id} sends trucks, and a truck has to go somewhere: use end_episode, or a fallback, and not noop")]
    TruckMustGo {
        /// The policy.
        id: String,
    },
}

impl OnTrap {
    /// Whether the fallback of this id is the one that is named here.
    pub(crate) fn check_fallback(&self, given: Option<&str>) -> Result<(), OnTrapError> {
        match self {
            Self::Fallback(wanted) if given != Some(wanted) => {
                let given = given.unwrap_or("none").to_owned();
                Err(OnTrapError::OtherFallback { wanted: wanted.clone(), given })
            }
            _ => Ok(()),
        }
    }
}

/// Counts what a decision took [fuel].
pub(crate) fn count(tally: &mut Tally, fuel: u64) {
    tally.fuel = tally.fuel.saturating_add(fuel);
    tally.fuel_max = tally.fuel_max.max(fuel);
}

/// Counts a failure, and keeps the first.
pub(crate) fn count_failure(tally: &mut Tally, failure: &str) {
    tally.failures += 1;
    tally.first_failure.get_or_insert_with(|| failure.to_owned());
}

/// What a guard watches over: an instance of a plugin.
pub(crate) trait Worker: Send {
    /// Decides, and says how much fuel it took, whether it succeeded or not.
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> (u64, Result<(), String>);

    /// Forgets everything: as at the start of the episode.
    ///
    /// # Errors
    /// What went wrong, in words.
    fn restart(&mut self) -> Result<(), String>;
}

/// A worker, its fallback, and what is counted of it.
pub(crate) struct Guard<W> {
    worker: W,
    policy: Policy,
    site: Site,
    tally: Tally,
    /// The worker has failed and must not be asked again before it was restarted.
    broken: bool,
}

/// [`OnTrap`] with its fallback at hand.
pub(crate) enum Policy {
    EndEpisode,
    Noop,
    Fallback(Box<dyn Coordinator>),
}

impl Policy {
    /// The policy of an episode.
    pub(crate) fn new(
        on_trap: &OnTrap,
        fallback: Option<&'static dyn CoordinationMethod>,
        site: &Site,
    ) -> Result<Self, Problem> {
        match (on_trap, fallback) {
            (OnTrap::EndEpisode, _) => Ok(Self::EndEpisode),
            (OnTrap::Noop, _) => Ok(Self::Noop),
            // The fallback works with its defaults: the parameters belong to the method that failed.
            (OnTrap::Fallback(_), Some(method)) => method.create(&Settings::default(), site).map(Self::Fallback),
            (OnTrap::Fallback(id), None) => Err(Problem::new(format!("the fallback {id} was not given"))),
        }
    }
}

impl<W: Worker> Guard<W> {
    pub(crate) fn new(worker: W, policy: Policy, site: Site) -> Self {
        Self { worker, policy, site, tally: Tally::default(), broken: false }
    }

    fn ask(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), String> {
        if self.broken {
            // Half a decision can leave anything behind, so nothing of the failed instance is used again.
            self.worker.restart()?;
            self.broken = false;
        }
        let (fuel, decided) = self.worker.decide(seen, out);
        count(&mut self.tally, fuel);
        decided?;
        out.check(&self.site, seen).map_err(|problem| problem.message)
    }
}

impl<W: Worker> Coordinator for Guard<W> {
    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        out.clear();
        self.tally.decisions += 1;
        if let (Policy::Fallback(fallback), true) = (&mut self.policy, self.broken) {
            return fallback.decide(seen, out);
        }
        let Err(failure) = self.ask(seen, out) else { return Ok(()) };
        self.broken = true;
        count_failure(&mut self.tally, &failure);
        out.clear();
        match &mut self.policy {
            Policy::EndEpisode => Err(Problem::new(failure)),
            Policy::Noop => Ok(()),
            Policy::Fallback(fallback) => fallback.decide(seen, out),
        }
    }

    fn rows(&mut self) -> Option<&mut Rows> {
        match &mut self.policy {
            Policy::Fallback(fallback) => fallback.rows(),
            Policy::EndEpisode | Policy::Noop => None,
        }
    }

    fn tally(&self) -> Tally {
        self.tally.clone()
    }
}
