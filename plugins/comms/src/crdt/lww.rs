//! A register in which the last writer wins.

use crate::agent::AgentId;

/// A value and when it was written: by (clock, writer, value), so that every two writes have an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LwwRegister<T> {
    clock: u64,
    writer: AgentId,
    value: T,
}

impl<T: Ord + Clone> LwwRegister<T> {
    /// A register written at `clock`: a Lamport clock, not a time of day.
    pub const fn new(clock: u64, writer: AgentId, value: T) -> Self {
        Self { clock, writer, value }
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// The clock of the last write.
    pub const fn clock(&self) -> u64 {
        self.clock
    }

    /// Who wrote last.
    pub const fn writer(&self) -> AgentId {
        self.writer
    }

    /// Writes `value` after everything that this replica knows.
    pub fn set(&mut self, writer: AgentId, value: T) {
        *self = Self { clock: self.clock + 1, writer, value };
    }

    /// Takes the other's value if it was written later; `true` when this changed something.
    pub fn merge(&mut self, other: &Self) -> bool {
        let later = other > self;
        if later {
            self.clone_from(other);
        }
        later
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_higher_clock_wins_and_then_the_higher_writer() {
        let mut register = LwwRegister::new(3, AgentId(1), "a");
        assert!(!register.merge(&LwwRegister::new(2, AgentId(9), "b")));
        assert!(register.merge(&LwwRegister::new(3, AgentId(2), "c")));
        register.set(AgentId(0), "d");
        assert_eq!((register.get(), register.clock(), register.writer()), (&"d", 4, AgentId(0)));
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent(raw in prop::array::uniform3((0u64..3, 0u32..3, 0u8..3))) {
            let [a, b, c] = raw.map(|(clock, writer, value)| LwwRegister::new(clock, AgentId(writer), value));
            let merged = |mut one: LwwRegister<u8>, other: &LwwRegister<u8>| { one.merge(other); one };
            prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
            prop_assert_eq!(merged(merged(a.clone(), &b), &c), merged(a.clone(), &merged(b.clone(), &c)));
            prop_assert_eq!(merged(a.clone(), &a), a);
        }
    }
}
