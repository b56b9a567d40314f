//! Exponential draws: by the logarithm of a uniform one, and as the kernel's streams make them.
//!
//! Random times are drawn for nearly every event, so this is part of each of the other rows. The two ways draw
//! different numbers; their check figure is how many draws there were.

use crate::Row;
use labtrust_kernel::{Stream, Streams};
use std::hint::black_box;

/// How a draw is made.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// Minus the logarithm of a uniform draw, by `libm`.
    Logarithm,
    /// [`Stream::exponential`].
    Kernel,
}

/// Draws and nothing else.
#[derive(Debug)]
pub struct Exponential {
    way: Way,
    stream: Stream,
    drawn: u64,
}

impl Exponential {
    /// A stream at its beginning.
    #[must_use]
    pub fn new(way: Way, seed: u64) -> Self {
        Self { way, stream: Streams::new(seed).stream("draws", "all"), drawn: 0 }
    }
}

impl Row for Exponential {
    fn run(&mut self, events: u64) {
        match self.way {
            Way::Logarithm => (0..events).for_each(|_| _ = black_box(-libm::log(1.0 - self.stream.uniform()))),
            Way::Kernel => (0..events).for_each(|_| _ = black_box(self.stream.exponential(1.0))),
        }
        self.drawn += events;
    }

    fn check(&self) -> f64 {
        self.drawn as f64
    }
}
