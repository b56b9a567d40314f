//! Numbers for ids, in the order of their first appearance: what a method knows a thing by for a whole episode.

use crate::lab::Symbol;
use labtrust_kernel::SymbolMap;
use serde::{Deserialize, Serialize};

/// Numbers of one kind of thing, from 0.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Numbers {
    of: SymbolMap<u32>,
    next: u32,
}

impl Numbers {
    /// The number of `id`, the next one if it is new.
    pub(super) fn of(&mut self, id: Symbol) -> u32 {
        match self.of.get(id) {
            Some(&number) => number,
            None => {
                let number = self.next;
                self.of.insert(id, number);
                self.next += 1;
                number
            }
        }
    }

    /// The number of `id`, if it has one.
    pub(super) fn known(&self, id: Symbol) -> Option<u32> {
        self.of.get(id).copied()
    }

    /// How many there are [count].
    pub(super) const fn len(&self) -> usize {
        self.next as usize
    }
}
