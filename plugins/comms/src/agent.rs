//! Numbers for agents, and sets of them.

use serde::{Deserialize, Serialize};

/// An agent of an episode: its place in the roster of the episode, counted from 0.
///
/// Numbers, not names: text order puts `worker_10` before `worker_2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AgentId(pub u32);

impl AgentId {
    /// Whoever tells facts about the world. It sends, receives nothing and is on no side of a partition but the larger.
    pub const WORLD: Self = Self(u32::MAX);

    /// The place in a list with an entry for each agent.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for AgentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::WORLD => f.write_str("the world"),
            Self(number) => write!(f, "agent {number}"),
        }
    }
}

/// A set of agents, a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AgentSet {
    words: Vec<u64>,
}

impl AgentSet {
    /// Puts `agent` in; `false` when it was in already.
    pub fn insert(&mut self, agent: AgentId) -> bool {
        let (word, bit) = (agent.index() / 64, 1 << (agent.0 % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        fresh
    }

    /// Whether `agent` is in.
    #[must_use]
    pub fn contains(&self, agent: AgentId) -> bool {
        self.words.get(agent.index() / 64).is_some_and(|word| word & (1 << (agent.0 % 64)) != 0)
    }

    /// How many are in [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether nobody is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Takes everybody out and keeps the memory. A cleared set equals a fresh one.
    pub fn clear(&mut self) {
        self.words.clear();
    }
}

impl Extend<AgentId> for AgentSet {
    fn extend<I: IntoIterator<Item = AgentId>>(&mut self, agents: I) {
        for agent in agents {
            self.insert(agent);
        }
    }
}

impl FromIterator<AgentId> for AgentSet {
    fn from_iter<I: IntoIterator<Item = AgentId>>(agents: I) -> Self {
        let mut set = Self::default();
        set.extend(agents);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_whom_it_was_given_and_nobody_else() {
        let set: AgentSet = [3, 64, 200].map(AgentId).into_iter().collect();
        let held: Vec<u32> = (0..300).filter(|n| set.contains(AgentId(*n))).collect();
        assert_eq!((held, set.len()), (vec![3, 64, 200], 3));
        let mut again = set.clone();
        assert!(!again.insert(AgentId(64)) && again == set);
        again.clear();
        assert!(again.is_empty() && again == AgentSet::default());
    }
}
