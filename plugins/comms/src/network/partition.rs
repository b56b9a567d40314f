//! When parts of the agents are cut off from the others.

use super::settings::Partition;
use crate::agent::{AgentId, AgentSet};
use labtrust_kernel::Streams;

/// The schedule with everybody's side drawn. Messages cross no cut; those within one side travel as always.
#[derive(Clone, Debug, Default)]
pub(super) struct Partitions(Vec<Cut>);

#[derive(Clone, Debug)]
struct Cut {
    first_step: u64,
    last_step: u64,
    apart: AgentSet,
}

impl Partitions {
    /// Fractions are of all agents, rounded down; which ones is drawn from a stream of each interval.
    pub(super) fn resolve(schedule: &[Partition], agents: u32, episode_seed: u64) -> Self {
        let cuts = schedule.iter().enumerate().map(|(at, partition)| {
            let mut apart: AgentSet = partition.affected_agents.iter().map(|agent| AgentId(*agent)).collect();
            if let Some(fraction) = partition.affected_agent_fraction {
                let mut all: Vec<AgentId> = (0..agents).map(AgentId).collect();
                Streams::new(episode_seed).stream_indexed("comms.partition", at as u64).shuffle(&mut all);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
                let count = (f64::from(agents) * fraction) as usize;
                apart.extend(all.into_iter().take(count));
            }
            Cut { first_step: partition.start_t, last_step: partition.end_t, apart }
        });
        Self(cuts.collect())
    }

    /// Whether nothing gets from one to the other in `step`.
    pub(super) fn cut(&self, from: AgentId, to: AgentId, step: u64) -> bool {
        self.0.iter().any(|cut| {
            (cut.first_step..=cut.last_step).contains(&step) && apart(&cut.apart, from) != apart(&cut.apart, to)
        })
    }
}

/// The world is never apart: it is where the facts are.
fn apart(set: &AgentSet, agent: AgentId) -> bool {
    agent != AgentId::WORLD && set.contains(agent)
}
