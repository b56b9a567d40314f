//! Many environments that step together, written into one buffer.
//!
//! Environment i of n begins with seed s + i and goes on with s + i + n, s + i + 2n, and so on: no seed is played twice.
//! They share nothing but the compiled policy, so the result does not depend on how many threads step them.

use crate::{Environment, EnvironmentError, World};
use labtrust_bench::EpisodeOutcome;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// When an environment whose episode is over begins the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autoreset {
    /// In the step after the last; what was asked of it is not played in that step.
    NextStep,
    /// At the end of the last step, which then shows the first observation of the new episode.
    SameStep,
}

/// Where a step is written. Environments come one after the other; within each, agents do.
pub struct Rows<'a> {
    /// Observations: [`Layout::observation_len`](labtrust_plugin::lab::contract::vector::Layout::observation_len) for
    /// every agent.
    pub observations: &'a mut [f32],
    /// Observations at the end of an episode, for those environments that have begun another in the same step; what the
    /// others have here is left as it is.
    pub last_observations: &'a mut [f32],
    /// Masks: one value for every agent and index.
    pub masks: &'a mut [i8],
    /// Rewards: one for every agent.
    pub rewards: &'a mut [f64],
    /// Whether the episode ended in this step: one for every environment.
    pub over: &'a mut [bool],
}

/// One environment of a batch.
struct Place {
    environment: Environment,
    /// Of the episode that is played.
    seed: u64,
    /// The episode is over and the next is not begun.
    waits: bool,
    /// The newest episode that ended in it.
    outcome: Option<EpisodeOutcome>,
}

/// What one environment is written into.
struct Row<'a> {
    observations: &'a mut [f32],
    last_observations: &'a mut [f32],
    masks: &'a mut [i8],
    rewards: &'a mut [f64],
    over: &'a mut bool,
}

/// Many environments of one [`World`].
pub struct Batch {
    world: Arc<World>,
    places: Vec<Place>,
    autoreset: Autoreset,
    /// None where everything is done by the thread that asks.
    pool: Option<rayon::ThreadPool>,
}

impl Batch {
    /// So many environments, stepped by so many threads.
    ///
    /// # Errors
    /// [`EnvironmentError::NoEnvironments`]; [`EnvironmentError::Bench`] where there are no such threads.
    pub fn new(
        world: Arc<World>,
        environments: usize,
        autoreset: Autoreset,
        threads: usize,
    ) -> Result<Self, EnvironmentError> {
        if environments == 0 {
            return Err(EnvironmentError::NoEnvironments);
        }
        let place =
            |_| Place { environment: Environment::new(Arc::clone(&world)), seed: 0, waits: false, outcome: None };
        let places = (0..environments).map(place).collect();
        let threaded = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.map_err(|error| labtrust_bench::BenchError::Threads { threads, message: error.to_string() })
        };
        let pool = (threads > 1).then(|| threaded(threads)).transpose()?;
        Ok(Self { world, places, autoreset, pool })
    }

    /// What its environments share.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Environments [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// A batch without environments does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The seeds of the episodes that are played.
    pub fn seeds(&self) -> impl Iterator<Item = u64> {
        self.places.iter().map(|place| place.seed)
    }

    /// The figures of the newest episode that ended in an environment, where it was measured; once.
    pub fn take_outcome(&mut self, environment: usize) -> Option<EpisodeOutcome> {
        self.places.get_mut(environment)?.outcome.take()
    }

    /// One environment of it.
    #[must_use]
    pub fn environment(&self, number: usize) -> Option<&Environment> {
        self.places.get(number).map(|place| &place.environment)
    }

    /// Begins all of them, from this seed on.
    ///
    /// # Errors
    /// That of the first environment that has one, or [`EnvironmentError::Buffer`].
    pub fn reset(&mut self, seed: u64, rows: Rows<'_>) -> Result<(), EnvironmentError> {
        for (number, place) in (0..).zip(&mut self.places) {
            place.seed = seed.wrapping_add(number);
            place.waits = false;
            place.outcome = None;
        }
        self.each(rows, |_, place, row| {
            place.environment.reset(place.seed)?;
            row.begun(place);
            Ok(())
        })
    }

    /// Plays a step in all of them: one index for every agent of every environment.
    ///
    /// # Errors
    /// That of the first environment that has one; others have played their step. [`EnvironmentError::Actions`] and
    /// [`EnvironmentError::Buffer`] where nothing has.
    pub fn step(&mut self, indices: &[i64], rows: Rows<'_>) -> Result<(), EnvironmentError> {
        let (agents, environments) = (self.world.agents().len(), self.places.len());
        if indices.len() != agents * environments {
            return Err(EnvironmentError::Actions { given: indices.len(), agents: agents * environments });
        }
        let (same_step, stride) = (self.autoreset == Autoreset::SameStep, environments as u64);
        self.each(rows, |number, place, mut row| {
            if place.waits {
                place.begin_next(stride)?;
                row.begun(place);
                return Ok(());
            }
            let indices = &indices[number * agents..][..agents];
            *row.over = place.environment.step(indices, &BTreeMap::new())?;
            place.environment.write_rewards(row.rewards);
            if *row.over {
                place.outcome = place.environment.outcome().cloned();
                place.waits = !same_step;
                if same_step {
                    place.environment.write_observations(row.last_observations);
                    place.begin_next(stride)?;
                }
            }
            row.look(place);
            Ok(())
        })
    }

    /// Does something in every environment; what it says is that of the first of them that failed.
    fn each(
        &mut self,
        rows: Rows<'_>,
        work: impl Fn(usize, &mut Place, Row<'_>) -> Result<(), EnvironmentError> + Sync,
    ) -> Result<(), EnvironmentError> {
        let (environments, agents) = (self.places.len(), self.world.agents().len());
        let (numbers, actions) = (agents * self.world.layout().observation_len(), agents * self.world.actions());
        let buffers = [
            (rows.observations.len(), numbers),
            (rows.last_observations.len(), numbers),
            (rows.masks.len(), actions),
            (rows.rewards.len(), agents),
            (rows.over.len(), 1),
        ];
        for (given, each) in buffers {
            let needed = each * environments;
            if given != needed {
                return Err(EnvironmentError::Buffer { given, needed });
            }
        }
        let rows = rows
            .observations
            .chunks_exact_mut(numbers)
            .zip(rows.last_observations.chunks_exact_mut(numbers))
            .zip(rows.masks.chunks_exact_mut(actions))
            .zip(rows.rewards.chunks_exact_mut(agents))
            .zip(rows.over.iter_mut())
            .map(|((((observations, last_observations), masks), rewards), over)| Row {
                observations,
                last_observations,
                masks,
                rewards,
                over,
            });
        let all = self.places.iter_mut().zip(rows).enumerate();
        match &self.pool {
            None => {
                let mut first = Ok(());
                for (number, (place, row)) in all {
                    let done = work(number, place, row);
                    first = first.and(done);
                }
                first
            }
            Some(pool) => {
                let all: Vec<_> = all.collect();
                let work = |(number, (place, row))| work(number, place, row);
                let done: Vec<_> = pool.install(|| all.into_par_iter().map(work).collect());
                done.into_iter().collect()
            }
        }
    }
}

impl Place {
    fn begin_next(&mut self, stride: u64) -> Result<(), EnvironmentError> {
        self.seed = self.seed.wrapping_add(stride);
        self.waits = false;
        self.environment.reset(self.seed)
    }
}

impl Row<'_> {
    /// Writes an episode that was begun.
    fn begun(mut self, place: &mut Place) {
        self.rewards.fill(0.0);
        *self.over = false;
        self.look(place);
    }

    fn look(&mut self, place: &mut Place) {
        place.environment.write_observations(self.observations);
        place.environment.write_masks(self.masks);
    }
}
