//! A population of habits that evolves over generations of episodes.
//!
//! Ask and tell: [`Evolution::population`] says which genomes are to be tried, [`Evolution::seeds`] on which episodes, the same for all of
//! them (common random numbers, so that what differs is the genome), and [`Evolution::tell`] takes how they fared and makes the next
//! generation: the best stay and are tried again, the rest are children of them. What is drawn depends on the seed and the
//! generation alone, so an evolution that was stopped goes on from its checkpoint as if it had not been: [`Evolution::checkpoint`] is the whole
//! of it, under its SHA-256.
//!
//! Source: Jaderberg et al. (2017), population based training; Rechenberg (1973) and Schwefel (1977) for (mu + lambda).

use super::genome::Genome;
use labtrust_kernel::{Stream, Streams};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cmp::Reverse;

/// An evolution between two generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evolution {
    seed: u64,
    generation: u32,
    /// How many stay [count].
    elite: usize,
    /// On how many episodes each is tried [count].
    episodes: u32,
    population: Vec<Genome>,
    /// The best of each generation so far, and how it fared.
    archive: Vec<(Genome, i64)>,
}

/// Why a checkpoint is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is no checkpoint.
    #[error("this is no checkpoint: {0}")]
    Form(#[from] serde_json::Error),
    /// Somebody has changed it.
    #[error("the checkpoint is of SHA-256 {found} and says {told}: it was changed")]
    Changed {
        /// What it says.
        told: String,
        /// What it is.
        found: String,
    },
    /// It holds what cannot be.
    #[error("the checkpoint has nobody in it, or genes that cannot be, or keeps more than it has")]
    Impossible,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    sha256: String,
    state: Evolution,
}

/// How those who were tried fared is not told of each, or of more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{told} were told of, but {asked} were to be tried")]
pub struct WrongCount {
    /// How many were told of.
    pub told: usize,
    /// How many there are.
    pub asked: usize,
}

impl Evolution {
    /// Generation 0: `size` different habits of chance (at least 2), of which half will stay, each tried on so many episodes.
    #[must_use]
    pub fn new(seed: u64, size: usize, episodes: u32) -> Self {
        let size = size.max(2);
        let mut draws = stream(seed, "first", 0);
        let population = (0..size).map(|_| Genome::random(&mut draws)).collect();
        Self { seed, generation: 0, elite: size / 2, episodes: episodes.max(1), population, archive: Vec::new() }
    }

    /// Which generation it is, from 0.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Who is to be tried.
    #[must_use]
    pub fn population(&self) -> &[Genome] {
        &self.population
    }

    /// The best of each generation so far, and how it fared.
    #[must_use]
    pub fn archive(&self) -> &[(Genome, i64)] {
        &self.archive
    }

    /// On which episodes: others in every generation, so that nobody is bred for a few.
    #[must_use]
    pub fn seeds(&self) -> Vec<u64> {
        let mut draws = stream(self.seed, "episodes", self.generation);
        // Far from the seeds that people choose to compare methods on.
        (0..self.episodes).map(|_| 1_000_000 + draws.below(1_000_000_000)).collect()
    }

    /// Takes how each of the population fared, more is better, and makes the next generation.
    ///
    /// # Errors
    /// [`WrongCount`]; nothing changes.
    pub fn tell(&mut self, fitness: &[i64]) -> Result<(), WrongCount> {
        if fitness.len() != self.population.len() {
            return Err(WrongCount { told: fitness.len(), asked: self.population.len() });
        }
        let mut ranked: Vec<(i64, Genome)> = fitness.iter().copied().zip(self.population.iter().copied()).collect();
        ranked.sort_by_key(|&(fitness, genome)| (Reverse(fitness), genome));
        self.archive.push((ranked[0].1, ranked[0].0));
        let elite: Vec<Genome> = ranked.iter().take(self.elite.max(1)).map(|(_, genome)| *genome).collect();
        self.generation += 1;
        let mut draws = stream(self.seed, "children", self.generation);
        let mut parent = || elite[draws.below(elite.len() as u64) as usize];
        let pairs: Vec<(Genome, Genome)> = (elite.len()..self.population.len()).map(|_| (parent(), parent())).collect();
        let children = pairs.iter().map(|(mother, father)| Genome::child(mother, father, &mut draws));
        self.population = elite.iter().copied().chain(children.collect::<Vec<_>>()).collect();
        Ok(())
    }

    /// The whole state as JSON, with its SHA-256.
    #[must_use]
    pub fn checkpoint(&self) -> String {
        let checkpoint = Checkpoint { sha256: self.sha256(), state: self.clone() };
        serde_json::to_string_pretty(&checkpoint).expect("it is numbers and lists") + "\n"
    }

    /// The SHA-256 of the state, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("it is numbers and lists");
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`] for what is no checkpoint, or one that was changed.
    pub fn resume(text: &str) -> Result<Self, CheckpointError> {
        let Checkpoint { sha256: told, state } = serde_json::from_str(text)?;
        let found = state.sha256();
        if told != found {
            return Err(CheckpointError::Changed { told, found });
        }
        let all = state.population.iter().chain(state.archive.iter().map(|(genome, _)| genome));
        let possible = state.population.len() >= 2
            && state.elite <= state.population.len()
            && state.episodes > 0
            && all.clone().all(Genome::is_possible);
        possible.then_some(state).ok_or(CheckpointError::Impossible)
    }
}

fn stream(seed: u64, purpose: &str, generation: u32) -> Stream {
    Streams::new(seed).stream(&format!("coordination.evolution.{purpose}"), &generation.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Likes short ways above all: what evolution should find.
    fn fitness(genome: &Genome) -> i64 {
        -(genome.score(1, 0, 0, 0, 0) + 80).abs() - (genome.fairness() - 30).abs()
    }

    fn told(evolution: &mut Evolution) {
        let fitness: Vec<i64> = evolution.population().iter().map(fitness).collect();
        evolution.tell(&fitness).unwrap();
    }

    #[test]
    fn generations_get_better_and_the_best_is_never_lost() {
        let mut evolution = Evolution::new(7, 16, 4);
        for _ in 0..30 {
            told(&mut evolution);
        }
        let best: Vec<i64> = evolution.archive().iter().map(|(_, fitness)| *fitness).collect();
        assert!(best.windows(2).all(|pair| pair[0] <= pair[1]), "{best:?}");
        assert!(best[0] < -10 && best[29] >= -4, "{best:?}");
    }

    #[test]
    fn who_goes_on_from_a_checkpoint_ends_where_who_never_stopped_ends() {
        let mut whole = Evolution::new(11, 8, 3);
        (0..4).for_each(|_| told(&mut whole));
        let mut resumed = Evolution::resume(&whole.checkpoint()).unwrap();
        assert_eq!(resumed, whole);
        for evolution in [&mut whole, &mut resumed] {
            (0..4).for_each(|_| told(evolution));
        }
        assert_eq!((resumed.checkpoint(), resumed.seeds()), (whole.checkpoint(), whole.seeds()));
        assert_ne!(whole.sha256(), Evolution::new(11, 8, 3).sha256());
    }

    #[test]
    fn a_checkpoint_that_was_changed_is_refused() {
        let text = Evolution::new(11, 8, 3).checkpoint();
        let changed = text.replacen("\"generation\": 0", "\"generation\": 1", 1);
        assert!(matches!(Evolution::resume(&changed), Err(CheckpointError::Changed { .. })));
        assert!(matches!(Evolution::resume("{}"), Err(CheckpointError::Form(_))));
        let nobody = Evolution { population: Vec::new(), ..Evolution::new(11, 8, 3) };
        assert!(matches!(Evolution::resume(&nobody.checkpoint()), Err(CheckpointError::Impossible)));
    }

    #[test]
    fn all_are_tried_on_the_same_episodes_and_each_generation_on_others() {
        let mut evolution = Evolution::new(1, 4, 5);
        let first = evolution.seeds();
        assert_eq!((first.len(), &evolution.seeds()), (5, &first));
        assert_eq!(evolution.tell(&[1, 2]), Err(WrongCount { told: 2, asked: 4 }));
        told(&mut evolution);
        assert_ne!(evolution.seeds(), first);
    }
}
