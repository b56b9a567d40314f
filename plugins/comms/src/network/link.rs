//! What the network remembers of one link: how full it is, and when its last messages arrive.

use super::settings::NetworkSettings;
use smallvec::SmallVec;

/// A link. 72 bytes; more only where the reorder window is wider than one.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    messages: u64,
    /// The step that is being filled, and what is in it.
    filling_step: u64,
    used_bytes: u64,
    used_messages: u64,
    /// How many arrivals were fixed.
    arrivals: u64,
    /// The latest arrival so far [µs].
    latest_us: u64,
    /// The latest arrival up to each of the last window + 1 messages [µs], at place `number % (window + 1)`.
    latest_until: SmallVec<[u64; 2]>,
}

impl Link {
    /// The number of the next message on this link, from 0.
    pub(super) fn next_message(&mut self) -> u64 {
        self.messages += 1;
        self.messages - 1
    }

    /// When a message of `bytes` that is sent now leaves [µs]: now if the step has room for it, else at the beginning of the next
    /// step that has. A message larger than a whole step's room takes as many steps as it needs and leaves in the last.
    pub(super) fn depart(&mut self, now_us: u64, bytes: u32, step_us: u64, settings: &NetworkSettings) -> u64 {
        let step = now_us / step_us;
        if step > self.filling_step {
            (self.filling_step, self.used_bytes, self.used_messages) = (step, 0, 0);
        }
        let mut bytes = u64::from(bytes);
        let room = settings.messages_per_step.unwrap_or(u64::MAX);
        let width = settings.bytes_per_step.unwrap_or(u64::MAX);
        let fits = self.used_bytes.saturating_add(bytes) <= width || (self.used_bytes == 0 && bytes > width);
        if self.used_messages >= room || !fits {
            (self.filling_step, self.used_bytes, self.used_messages) = (self.filling_step + 1, 0, 0);
        }
        if bytes > width {
            let whole = (bytes - 1) / width;
            self.filling_step = self.filling_step.saturating_add(whole);
            bytes -= whole * width;
            self.used_messages = 0;
        }
        self.used_bytes += bytes;
        self.used_messages += 1;
        now_us.max(self.filling_step.saturating_mul(step_us))
    }

    /// Fixes when a message arrives that would by itself at `us`, and its rank among arrivals of the same time.
    ///
    /// It arrives no sooner than the one that was sent `window` + 1 before it, and neither does any later one: so nothing moves by
    /// more than `window` places, forward or back. At one time, `shift` (0 to `window`) places it behind later ones.
    pub(super) fn arrive(&mut self, us: u64, shift: u64, window: u32) -> (u64, u64) {
        let length = window as usize + 1;
        if self.latest_until.len() != length {
            // The first message, or another window: then everything sent so far comes before everything from now on.
            self.latest_until.clear();
            self.latest_until.resize(length, self.latest_us);
        }
        #[expect(clippy::cast_possible_truncation, reason = "below the window")]
        let place = (self.arrivals % length as u64) as usize;
        let at_us = us.max(self.latest_until[place]);
        self.latest_us = self.latest_us.max(at_us);
        self.latest_until[place] = self.latest_us;
        self.arrivals += 1;
        (at_us, self.arrivals - 1 + shift)
    }
}
