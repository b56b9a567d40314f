//! A watch over the flow of work: whether actions come to results.
//!
//! It reads the record alone, as everybody can who has it. Two alarms: too many actions a result (detours), and too many
//! actions since the last result, or since the beginning (work that goes round in circles).

/// How many actions are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Accepted actions a released result [count].
    pub actions_a_result: u64,
    /// Accepted actions without a released result [count].
    pub actions_without_result: u64,
}

impl Default for Bounds {
    /// A result takes ten actions on its shortest way; three times that is a detour, five times nothing that helps.
    fn default() -> Self {
        Self { actions_a_result: 30, actions_without_result: 50 }
    }
}

/// What the watch calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Too many actions a result.
    Inefficient {
        /// Actions of this result [count].
        actions: u64,
    },
    /// Too many actions without a result.
    NoProgress {
        /// Actions since the last one [count].
        actions: u64,
    },
}

/// A watch at work.
#[derive(Clone, Debug, Default)]
pub struct Watchdog {
    bounds: Bounds,
    since: u64,
    told: bool,
}

impl Watchdog {
    /// A watch at the beginning of an episode.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self { bounds, since: 0, told: false }
    }

    /// Takes an accepted action; whether it released a result.
    pub fn take(&mut self, released: bool) -> Option<Alarm> {
        self.since += 1;
        let actions = self.since;
        if released {
            (self.since, self.told) = (0, false);
            return (actions > self.bounds.actions_a_result).then_some(Alarm::Inefficient { actions });
        }
        if actions >= self.bounds.actions_without_result && !self.told {
            self.told = true;
            return Some(Alarm::NoProgress { actions });
        }
        None
    }
}
