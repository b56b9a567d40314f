//! The random numbers of a message, found by its name.
//!
//! ChaCha is a function from (key, nonce, block number) to 64 bytes. The key comes from the episode, the nonce is the link,
//! the block number is the message's number on the link: every message has a block of its own, wherever and whenever it
//! is asked for, and no state is kept for a link. Links are numbers, not hashes of names, so two never share a nonce.
//!
//! A message that is sent again has a block for each time: the number of the time stands in the highest bits of the block number.
//!
//! Every use has its own place in the block. A setting that does not look at its place moves nobody else's numbers.

use labtrust_kernel::Streams;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Words of a block [count].
const BLOCK_WORDS: u128 = 16;
/// Where in a block number it stands how often the message was sent before; no link has 2^60 messages.
const AGAIN: u32 = 60;

#[derive(Clone, Debug)]
pub(super) struct Draws {
    source: ChaCha8Rng,
}

/// The numbers of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice([u64; 8]);

impl Draws {
    pub(super) fn new(episode_seed: u64) -> Self {
        let mut key = [0; 32];
        Streams::new(episode_seed).stream("comms.network", "links").fill_bytes(&mut key);
        Self { source: ChaCha8Rng::from_seed(key) }
    }

    /// Those of a message that was sent `before` times already, at most 15.
    pub(super) fn of(&mut self, link: u64, message: u64, before: u32) -> Dice {
        self.source.set_stream(link);
        self.source.set_word_pos(u128::from(message | u64::from(before) << AGAIN) * BLOCK_WORDS);
        Dice(std::array::from_fn(|_| self.source.next_u64()))
    }
}

impl Dice {
    pub(super) fn lost(&self, chance: f64) -> bool {
        uniform(self.0[0]) < chance
    }

    pub(super) fn doubled(&self, chance: f64) -> bool {
        uniform(self.0[1]) < chance
    }

    /// A normal number with mean 0 and standard deviation 1, by the transform of Box and Muller (1958): it takes two uniform
    /// ones whatever they are.
    pub(super) fn normal(&self, is_copy: bool) -> f64 {
        let at = if is_copy { 5 } else { 2 };
        super::latency::normal(uniform(self.0[at]), uniform(self.0[at + 1]))
    }

    /// By how many places the message is put back, 0 to `window` [count].
    pub(super) fn shift(&self, is_copy: bool, window: u32) -> u64 {
        let number = self.0[if is_copy { 7 } else { 4 }];
        // The high half of a product: the bias of 1 in 2^64 shows nowhere.
        ((u128::from(number) * (u128::from(window) + 1)) >> 64) as u64
    }
}

/// A number in [0, 1), a multiple of 2^-53.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn uniform(number: u64) -> f64 {
    (number >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_message_depend_on_its_name_only() {
        let mut draws = Draws::new(7);
        let first = draws.of(1 << 32 | 2, 9, 0).0;
        let others = [
            draws.of(2 << 32 | 1, 9, 0).0,
            draws.of(1 << 32 | 2, 8, 0).0,
            draws.of(1 << 32 | 2, 9, 1).0,
            Draws::new(8).of(1 << 32 | 2, 9, 0).0,
        ];
        assert!(others.iter().all(|other| *other != first && other[0] != first[0]));
        assert_eq!(draws.of(1 << 32 | 2, 9, 0).0, first);
        assert_eq!(Draws::new(7).of(1 << 32 | 2, 9, 0).0, first);
    }

    #[test]
    fn neighbouring_messages_share_no_number() {
        let mut draws = Draws::new(7);
        let mut seen: Vec<u64> = (0..100).flat_map(|message| draws.of(5, message, 0).0).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 800);
    }

    #[test]
    fn a_shift_reaches_the_window_and_never_passes_it() {
        let mut draws = Draws::new(1);
        let shifts: Vec<u64> = (0..500).map(|message| draws.of(3, message, 0).shift(false, 4)).collect();
        assert_eq!((shifts.iter().min(), shifts.iter().max()), (Some(&0), Some(&4)));
        assert!((0..500).all(|message| draws.of(3, message, 0).shift(true, 0) == 0));
    }
}
