//! The event queues that the plain loops use.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Due time [ns], sequence, entity.
pub type Key = (u64, u64, u32);

/// The standard library's binary heap, first in first out among equal times.
#[derive(Debug, Default)]
pub struct Plain {
    heap: BinaryHeap<Reverse<Key>>,
    sequence: u64,
}

impl Plain {
    /// Room for `n` events.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(n), sequence: 0 }
    }

    /// Adds an event of `id` at `at` [ns].
    #[inline]
    pub fn push(&mut self, at: u64, id: u32) {
        self.heap.push(Reverse((at, self.sequence, id)));
        self.sequence += 1;
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, u32)> {
        self.heap.pop().map(|Reverse((at, _, id))| (at, id))
    }
}

/// A four-ary heap that knows where each id's one entry is, so that it can move it.
#[derive(Debug, Default)]
pub struct Indexed {
    heap: Vec<Key>,
    place: Vec<u32>,
    sequence: u64,
}

impl Indexed {
    /// Room for the ids below `n`.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { heap: Vec::with_capacity(n), place: vec![u32::MAX; n], sequence: 0 }
    }

    /// Entries held [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Adds an event of `id` at `at` [ns].
    #[inline]
    pub fn push(&mut self, at: u64, id: u32) {
        let entry = self.entry(at, id);
        self.heap.push(entry);
        self.rise(self.heap.len() - 1, entry);
    }

    /// Moves the event of `id` to `at` [ns].
    #[inline]
    pub fn change(&mut self, at: u64, id: u32) {
        let entry = self.entry(at, id);
        let place = self.place[id as usize] as usize;
        if entry < self.heap[place] { self.rise(place, entry) } else { self.sink(place, entry) }
    }

    /// Takes the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, u32)> {
        let first = *self.heap.first()?;
        let last = self.heap.pop()?;
        if !self.heap.is_empty() {
            self.sink(0, last);
        }
        Some((first.0, first.2))
    }

    #[inline]
    fn entry(&mut self, at: u64, id: u32) -> Key {
        self.sequence += 1;
        (at, self.sequence, id)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a place is below the number of ids")]
    fn put(&mut self, place: usize, entry: Key) {
        self.heap[place] = entry;
        self.place[entry.2 as usize] = place as u32;
    }

    #[inline]
    fn rise(&mut self, mut place: usize, entry: Key) {
        while place > 0 {
            let parent = (place - 1) / 4;
            if self.heap[parent] <= entry {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, entry);
    }

    #[inline]
    fn sink(&mut self, mut place: usize, entry: Key) {
        loop {
            let first = 4 * place + 1;
            if first >= self.heap.len() {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + 4).min(self.heap.len()) {
                if self.heap[child] < self.heap[least] {
                    least = child;
                }
            }
            if entry <= self.heap[least] {
                break;
            }
            self.put(place, self.heap[least]);
            place = least;
        }
        self.put(place, entry);
    }
}
