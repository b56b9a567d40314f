//! A queue for bounded-suboptimal search: the most promising of those that are good enough.
//!
//! Every entry has a lower bound, a cost and a number of troubles. [`Focal::pop`] gives the one with the fewest troubles
//! among those whose cost is at most `w` times the smallest lower bound that is still in the queue (focal search; Pearl and
//! Kim 1982, as Barer et al. 2014 use it on both levels of ECBS).

use crate::backend::Ratio;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

pub(crate) struct Focal {
    w: Ratio,
    open: BTreeSet<(u64, u32)>,
    /// Not yet good enough, by cost.
    later: BinaryHeap<Reverse<(u64, u32, u32, u64)>>,
    /// Good enough, by troubles.
    focal: BinaryHeap<Reverse<(u32, u64, u32, u64)>>,
}

impl Focal {
    pub(crate) fn new(w: Ratio) -> Self {
        Self { w, open: BTreeSet::new(), later: BinaryHeap::new(), focal: BinaryHeap::new() }
    }

    pub(crate) fn push(&mut self, lower: u64, cost: u64, troubles: u32, id: u32) {
        self.open.insert((lower, id));
        self.later.push(Reverse((cost, troubles, id, lower)));
    }

    /// The next entry, and the smallest lower bound that was in the queue with it. The younger entry goes first.
    pub(crate) fn pop(&mut self) -> Option<(u32, u64)> {
        let &(least, _) = self.open.first()?;
        while let Some(&Reverse((cost, troubles, id, lower))) = self.later.peek()
            && self.w.covers(cost, least)
        {
            self.later.pop();
            self.focal.push(Reverse((troubles, cost, u32::MAX - id, lower)));
        }
        let Reverse((_, _, id, lower)) = self.focal.pop().expect("the entry with the least bound is good enough");
        let id = u32::MAX - id;
        self.open.remove(&(lower, id));
        Some((id, least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_troubles_win_among_those_that_are_good_enough() {
        let mut queue = Focal::new(Ratio::new(3, 2).unwrap());
        queue.push(10, 10, 5, 0);
        queue.push(15, 15, 1, 1);
        queue.push(16, 16, 0, 2);
        assert_eq!(queue.pop(), Some((1, 10)));
        assert_eq!(queue.pop(), Some((0, 10)));
        assert_eq!(queue.pop(), Some((2, 16)));
        assert_eq!(queue.pop(), None);
    }
}
