//! Which nonces of one sender in one epoch were accepted: the highest, and a bit for each of those before it.
//!
//! Source: the anti-replay window of RFC 4303, section 3.4.3.

/// What is known about a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was not accepted before.
    New,
    /// It was accepted before.
    Before,
    /// It lies before the window: nobody knows.
    Unknown,
}

/// The nonces `highest - window + 1 ..= highest`. Takes window / 8 bytes, whatever was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    highest: Option<u64>,
    /// The newest that was accepted: (epoch, nonce). Kept apart, since each control may be without the other.
    newest: Option<(u64, u64)>,
    /// Bit `nonce % window` says whether the nonce was accepted.
    bits: Vec<u64>,
}

impl Window {
    pub(super) fn look(&self, nonce: u64, window: u64) -> Seen {
        match self.highest {
            Some(highest) if nonce > highest => Seen::New,
            Some(highest) if highest - nonce >= window => Seen::Unknown,
            Some(_) if self.bit(nonce % window) => Seen::Before,
            _ => Seen::New,
        }
    }

    /// Whether something newer of the same epoch was accepted.
    pub(super) fn has_newer(&self, epoch: u64, nonce: u64) -> bool {
        self.newest.is_some_and(|newest| newest.0 == epoch && newest.1 > nonce)
    }

    /// Remembers the newest.
    pub(super) fn advance(&mut self, epoch: u64, nonce: u64) {
        self.newest = self.newest.max(Some((epoch, nonce)));
    }

    /// Remembers a nonce that is [`Seen::New`].
    pub(super) fn record(&mut self, nonce: u64, window: u64) {
        if self.bits.is_empty() {
            let words = usize::try_from(window.div_ceil(64)).expect("a window is small");
            self.bits = vec![0; words];
        }
        match self.highest {
            Some(highest) if nonce <= highest => {}
            Some(highest) if nonce - highest < window => {
                // The places between now stand for nonces that nobody has used yet.
                (highest + 1..=nonce).for_each(|skipped| self.clear(skipped % window));
            }
            _ => self.bits.fill(0),
        }
        self.highest = self.highest.max(Some(nonce));
        let at = nonce % window;
        self.bits[word(at)] |= 1 << (at % 64);
    }

    fn bit(&self, at: u64) -> bool {
        self.bits[word(at)] & (1 << (at % 64)) != 0
    }

    fn clear(&mut self, at: u64) {
        self.bits[word(at)] &= !(1 << (at % 64));
    }
}

fn word(at: u64) -> usize {
    usize::try_from(at / 64).expect("a window is small")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_window_knows_what_a_set_of_all_nonces_knows_as_far_back_as_it_reaches(
            window in 1u64..70,
            nonces in prop::collection::vec(prop_oneof![0u64..200, 5_000u64..5_200], 0..120),
        ) {
            let (mut kept, mut all) = (Window::default(), BTreeSet::new());
            for nonce in nonces {
                let highest = all.last().copied();
                let expected = match highest {
                    Some(highest) if nonce + window <= highest => Seen::Unknown,
                    _ if all.contains(&nonce) => Seen::Before,
                    _ => Seen::New,
                };
                prop_assert_eq!(kept.look(nonce, window), expected);
                if expected == Seen::New {
                    kept.record(nonce, window);
                    all.insert(nonce);
                }
            }
        }
    }
}
