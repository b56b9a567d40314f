//! A heap of keys with four children a node, and a head that may stay open.
//!
//! Four children halve the depth of two, and the sixteen-byte keys of one family share a cache line. Taking the head
//! leaves a hole there instead of filling it: the handler of an event most often schedules another one, and that
//! key then fills the hole with one walk down where two walks would have been needed.

use super::key::Key;

#[derive(Debug, Default)]
pub(super) struct Heap {
    keys: Vec<Key>,
    /// The head has been taken and nothing has come in its place; `keys[0]` means nothing.
    open: bool,
}

impl Heap {
    pub(super) fn len(&self) -> usize {
        self.keys.len() - usize::from(self.open)
    }

    pub(super) fn capacity(&self) -> usize {
        self.keys.capacity()
    }

    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        if self.open {
            self.open = false;
            self.sink(0, key);
        } else {
            self.keys.push(key);
            self.rise(key);
        }
    }

    /// The least key. Closes the head.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<Key> {
        self.close();
        self.keys.first().copied()
    }

    /// Takes the key that [`Heap::peek`] has just shown.
    #[inline]
    pub(super) fn take(&mut self) {
        debug_assert!(!self.open && !self.keys.is_empty(), "a key is peeked at before it is taken");
        self.open = true;
    }

    /// Drops the keys that are not worth keeping. A key may only be changed to a later one.
    pub(super) fn retain(&mut self, keep: impl FnMut(&mut Key) -> bool) {
        self.close();
        self.keys.retain_mut(keep);
        // From the last parent to the head (R. W. Floyd, "Algorithm 245: treesort 3", CACM 7(12), 1964).
        for parent in (0..self.keys.len().saturating_sub(1).div_ceil(4)).rev() {
            self.sink(parent, self.keys[parent]);
        }
    }

    /// Moves every key to the end of `out`, in no order.
    pub(super) fn drain_into(&mut self, out: &mut Vec<Key>) {
        self.close();
        out.append(&mut self.keys);
    }

    #[inline]
    fn close(&mut self) {
        if self.open {
            self.open = false;
            if let Some(last) = self.keys.pop()
                && !self.keys.is_empty()
            {
                self.sink(0, last);
            }
        }
    }

    /// Puts `key` where the last place is, and walks it up.
    #[inline]
    fn rise(&mut self, key: Key) {
        let keys = &mut self.keys[..];
        let mut at = keys.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 4;
            if keys[parent] < key {
                break;
            }
            keys[at] = keys[parent];
            at = parent;
        }
        keys[at] = key;
    }

    /// Puts `key` at the place `at`, and walks it down.
    #[inline]
    fn sink(&mut self, mut at: usize, key: Key) {
        let keys = &mut self.keys[..];
        loop {
            let first = 4 * at + 1;
            let least = if let Some(four) = keys.get(first..).and_then(|rest| rest.first_chunk::<4>()) {
                // Two pairs, then their winners: the two compares of the pairs do not wait for each other.
                let left = usize::from(four[1] < four[0]);
                let right = 2 + usize::from(four[3] < four[2]);
                first + if four[right] < four[left] { right } else { left }
            } else {
                let rest = keys.len().min(first)..keys.len();
                match rest.min_by_key(|&child| keys[child]) {
                    Some(child) => child,
                    None => break,
                }
            };
            if key < keys[least] {
                break;
            }
            keys[at] = keys[least];
            at = least;
        }
        keys[at] = key;
    }
}
