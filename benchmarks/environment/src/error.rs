//! Why an environment could not be made, begun or stepped.

use crate::reward::UnknownWeight;
use labtrust_bench::BenchError;
use labtrust_plugin::lab::Malformed;
use labtrust_policy::PolicyError;

/// Why an environment could not be made, begun or stepped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The episode could not be opened.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A reward that there is not.
    #[error(transparent)]
    Weight(#[from] UnknownWeight),
    /// An episode of many laboratories has no single place to act in.
    #[error("task {task} has many laboratories at this scale, an environment has one; choose a smaller scale")]
    ManySites {
        /// The task.
        task: String,
    },
    /// A seat that there is not, or an attacker's.
    #[error("task {task} has no seat {seat} to be played; there are: [{}]", seats.join(", "))]
    NoSeat {
        /// The task.
        task: String,
        /// What was asked for.
        seat: String,
        /// What there is.
        seats: Vec<String>,
    },
    /// Nobody would be played from outside.
    #[error("an environment needs at least one agent")]
    NoAgents,
    /// A batch of nothing.
    #[error("a batch needs at least one environment")]
    NoEnvironments,
    /// A log of what is not recorded.
    #[error("an episode that is not recorded has no log")]
    UnrecordedLog,
    /// Another seed has other seats or another floor.
    #[error("task {task}, seed {seed}: seats or floor differ from those of other seeds")]
    Shape {
        /// The task.
        task: String,
        /// The seed.
        seed: u64,
    },
    /// A step before the first reset, or after the end.
    #[error("there is no episode to step: {why}; call reset")]
    NoEpisode {
        /// Why not.
        why: &'static str,
    },
    /// Not one action for every agent.
    #[error("{given} actions for {agents} agents")]
    Actions {
        /// Actions given [count].
        given: usize,
        /// Agents played from outside [count].
        agents: usize,
    },
    /// A buffer of another size.
    #[error("a buffer of {given} places where {needed} are needed")]
    Buffer {
        /// Places given [count].
        given: usize,
        /// Places needed [count].
        needed: usize,
    },
    /// What stands beside an index cannot be read.
    #[error("agent {agent}: {source}")]
    Action {
        /// The agent.
        agent: String,
        /// What is wrong.
        source: Malformed,
    },
}
