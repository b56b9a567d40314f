//! The keys in their order: a heap while there are few, a ladder behind it when there are many.
//!
//! Three parts, earliest first. `run` is a sorted bucket from the ladder, popped from its end. `near` is the heap of
//! keys that were pushed since, at times that the run covers. `far` is the ladder. While few keys are held the ladder
//! is empty, `near` covers all of time and the queue is a plain heap. When the heap grows past [`SPILL_ABOVE`] its
//! keys go to the ladder; when [`GATHER_BELOW`] are left there they all come back. The distance between the two keeps
//! a queue near either from moving to and fro.

use super::heap::Heap;
use super::key::Key;
use super::ladder::Ladder;

/// The heap spills into the ladder above this many keys, and as many more as the run has [count].
const SPILL_ABOVE: usize = 2048;
/// The ladder is emptied when this many keys are left in it [count].
const GATHER_BELOW: usize = 256;

/// A priority queue of keys, the least first.
#[derive(Debug)]
pub(super) struct Queue {
    /// Sorted, the least last.
    run: Vec<Key>,
    near: Heap,
    /// Keys up to this time [ns] go to `near`, later ones to `far`.
    near_last: u64,
    spill_above: usize,
    far: Ladder,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            run: Vec::new(),
            near: Heap::default(),
            near_last: u64::MAX,
            spill_above: SPILL_ABOVE,
            far: Ladder::default(),
        }
    }
}

impl Queue {
    /// Keys held, stale ones included [count].
    pub(super) fn len(&self) -> usize {
        self.run.len() + self.near.len() + self.far.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.run.capacity() + self.near.capacity() + self.far.capacity()
    }

    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        if key.nanos() > self.near_last {
            self.far.push(key);
        } else {
            self.near.push(key);
            if self.near.len() > self.spill_above {
                self.spill();
            }
        }
    }

    /// The least key. `None` when there is none at hand, which [`Queue::refill`] may change.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<Key> {
        match (self.run.last(), self.near.peek()) {
            (None, near) => near,
            (Some(&first), None) => Some(first),
            (Some(&first), Some(near)) => Some(near.min(first)),
        }
    }

    /// Takes `key`, which [`Queue::peek`] has just shown.
    #[inline]
    pub(super) fn take(&mut self, key: Key) {
        if self.run.last() == Some(&key) {
            self.run.pop();
        } else {
            self.near.take();
        }
    }

    /// Drops the keys that are not worth keeping. A key may only be changed to a later one.
    pub(super) fn retain(&mut self, keep: impl FnMut(&mut Key) -> bool) {
        if self.run.is_empty() && self.far.len() == 0 {
            self.near.retain(keep);
            // A key that has become later may lie behind what the heap covered. It holds all that there is, so it covers
            // all of time.
            self.near_last = u64::MAX;
            self.spill_above = SPILL_ABOVE;
        } else {
            let mut keys = Vec::with_capacity(self.len());
            self.drain_into(&mut keys);
            keys.retain_mut(keep);
            self.fill(&keys);
        }
    }

    pub(super) fn drain_into(&mut self, out: &mut Vec<Key>) {
        out.append(&mut self.run);
        self.near.drain_into(out);
        self.far.drain_into(out);
        self.near_last = u64::MAX;
        self.spill_above = SPILL_ABOVE;
    }

    /// Puts many keys into an empty queue.
    pub(super) fn fill(&mut self, keys: &[Key]) {
        debug_assert!(self.len() == 0, "an empty queue is filled");
        if keys.len() <= SPILL_ABOVE {
            for &key in keys {
                self.near.push(key);
            }
        } else {
            for &key in keys {
                self.far.push(key);
            }
            self.refill(|_| true);
        }
    }

    /// Sorts the ladder's next bucket into the run, less the keys that are not worth keeping. Only where nothing is
    /// at hand. Answers whether there was a bucket.
    #[cold]
    pub(super) fn refill(&mut self, keep: impl FnMut(&Key) -> bool) -> bool {
        if self.far.len() == 0 {
            return false;
        }
        let covered = self.far.take_earliest(GATHER_BELOW, &mut self.run);
        self.run.retain(keep);
        self.run.sort_unstable_by(|a, b| b.cmp(a));
        self.near_last = covered.unwrap_or(u64::MAX);
        self.spill_above = SPILL_ABOVE + self.run.len();
        true
    }

    /// Gives everything that is near to the ladder, which hands the earliest part back.
    #[cold]
    fn spill(&mut self) {
        let mut keys = std::mem::take(&mut self.run);
        self.near.drain_into(&mut keys);
        if self.far.len() == 0 {
            for &key in &keys {
                self.far.push(key);
            }
        } else {
            self.far.push_front(&keys, self.near_last);
        }
        keys.clear();
        self.run = keys;
        self.refill(|_| true);
    }
}
