//! How many are enough.

/// Enough of a number of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quorum {
    agents: u32,
    size: u32,
}

impl Quorum {
    /// More than half: any two share an agent.
    #[must_use]
    pub const fn majority(agents: u32) -> Self {
        Self { agents, size: agents / 2 + 1 }
    }

    /// Of n agents n - f, where f is the greatest number with 3 f < n: any two share an honest agent when f lie.
    #[must_use]
    pub const fn byzantine(agents: u32) -> Self {
        Self { agents, size: agents - agents.saturating_sub(1) / 3 }
    }

    /// A chosen size, at least 1: below [`Quorum::majority`] nothing is safe. For ablation.
    #[must_use]
    pub const fn unsafe_size(agents: u32, size: u32) -> Self {
        Self { agents, size: if size == 0 { 1 } else { size } }
    }

    /// Of how many agents [count].
    #[must_use]
    pub const fn agents(self) -> u32 {
        self.agents
    }

    /// How many are enough [count].
    #[must_use]
    pub const fn size(self) -> u32 {
        self.size
    }

    /// Whether `count` are enough.
    #[must_use]
    pub const fn reached(self, count: usize) -> bool {
        count >= self.size as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Quorum;

    #[test]
    fn two_quorums_share_an_agent_and_two_byzantine_ones_an_honest_one() {
        for n in 1..100 {
            assert!(2 * Quorum::majority(n).size() > n);
            let (size, faults) = (Quorum::byzantine(n).size(), (n - 1) / 3);
            assert!(2 * size > n + faults && size <= n - faults, "{n}");
        }
    }
}
