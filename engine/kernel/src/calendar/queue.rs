//! The keys in their order.

use super::heap::Heap;
use super::key::Key;

/// A priority queue of keys, the least first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    near: Heap,
}

impl Queue {
    /// Keys held, stale ones included [count].
    pub(super) fn len(&self) -> usize {
        self.near.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.near.capacity()
    }

    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        self.near.push(key);
    }

    #[inline]
    pub(super) fn peek(&mut self) -> Option<Key> {
        self.near.peek()
    }

    /// Takes the key that [`Queue::peek`] has just shown.
    #[inline]
    pub(super) fn take(&mut self) {
        self.near.take();
    }

    pub(super) fn drain_into(&mut self, out: &mut Vec<Key>) {
        self.near.drain_into(out);
    }
}
