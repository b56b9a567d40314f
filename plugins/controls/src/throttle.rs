//! Not asking a model: because it was blocked too often, or because it was asked too often.
//!
//! Both count calls and seconds of the episode and no clock, so that they say the same in every run.

use std::collections::VecDeque;

/// Figures of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttles {
    /// Blocks in a row that open the breaker [count], at least 1.
    pub breaker_threshold: u32,
    /// How many times the model is then not asked [count].
    pub breaker_cooldown: u32,
    /// Most calls in a window [count].
    pub max_calls: usize,
    /// Length of the window [s].
    pub window_s: u64,
}

impl Default for Throttles {
    fn default() -> Self {
        Self { breaker_threshold: 5, breaker_cooldown: 10, max_calls: 60, window_s: 60 }
    }
}

/// Opens after too many blocks in a row, and then lets one call in each cooldown try again.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    blocks: u32,
    skips_left: u32,
}

impl Breaker {
    /// Whether the model is not asked this time. Counts the time.
    pub fn skips(&mut self) -> bool {
        let open = self.skips_left > 0;
        self.skips_left = self.skips_left.saturating_sub(1);
        open
    }

    /// A call was blocked.
    pub fn blocked(&mut self, throttles: &Throttles) {
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks >= throttles.breaker_threshold.max(1) {
            self.skips_left = throttles.breaker_cooldown;
        }
    }

    /// A call went well.
    pub fn passed(&mut self) {
        self.blocks = 0;
    }
}

/// Lets so many calls pass in any window.
#[derive(Clone, Debug, Default)]
pub struct Limiter {
    calls: VecDeque<u64>,
}

impl Limiter {
    /// Whether a call at `now_s` would be one too many. Time never runs backwards here: an earlier time is the last one.
    #[must_use]
    pub fn is_full(&mut self, now_s: u64, throttles: &Throttles) -> bool {
        let now_s = now_s.max(self.calls.back().copied().unwrap_or(0));
        while self.calls.front().is_some_and(|call| now_s - call >= throttles.window_s) {
            self.calls.pop_front();
        }
        self.calls.len() >= throttles.max_calls
    }

    /// A call was made at `now_s`.
    pub fn called(&mut self, now_s: u64) {
        let now_s = now_s.max(self.calls.back().copied().unwrap_or(0));
        self.calls.push_back(now_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_eighty_blocked_decisions_eleven_ask_the_model() {
        let (mut breaker, throttles) = (Breaker::default(), Throttles::default());
        let mut asked = 0;
        for _ in 0..80 {
            if !breaker.skips() {
                asked += 1;
                breaker.blocked(&throttles);
            }
        }
        assert_eq!(asked, 11);
    }

    #[test]
    fn a_success_closes_the_breaker() {
        let (mut breaker, throttles) = (Breaker::default(), Throttles::default());
        for _ in 0..4 {
            breaker.blocked(&throttles);
        }
        breaker.passed();
        breaker.blocked(&throttles);
        assert!(!breaker.skips());
    }

    proptest! {
        #[test]
        fn no_window_holds_more_calls_than_it_may(mut times in proptest::collection::vec(0u64..300, 0..200), most in 1usize..6) {
            times.sort_unstable();
            let throttles = Throttles { max_calls: most, window_s: 20, ..Throttles::default() };
            let (mut limiter, mut made) = (Limiter::default(), Vec::new());
            for time in times {
                if !limiter.is_full(time, &throttles) {
                    limiter.called(time);
                    made.push(time);
                }
            }
            for first in &made {
                prop_assert!(made.iter().filter(|call| (*first..first + 20).contains(*call)).count() <= most);
            }
        }
    }
}
