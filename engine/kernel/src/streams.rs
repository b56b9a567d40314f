//! Random numbers by name: a stream for each purpose and entity of an episode.
//!
//! A stream is ChaCha with eight rounds under a key that is the SHA-256 of the episode's seed, the purpose and the
//! entity. Two names never share a key, so a draw that is added in one place never moves the numbers of another, and
//! methods can be compared on common random numbers. Why this derivation: `docs/adr/0004-random-streams.md`.
//!
//! Everything here is integer arithmetic, IEEE addition, multiplication and division, and `libm`: the same numbers
//! on every platform.

mod ziggurat;

use crate::SimDuration;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng, TryRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::convert::Infallible;

/// Begins every derivation; a changed derivation changes it.
const DOMAIN: &[u8] = b"labtrust.stream.v1\0";

/// The streams of one episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    episode_seed: u64,
}

impl Streams {
    /// The streams of `episode_seed`.
    #[must_use]
    pub const fn new(episode_seed: u64) -> Self {
        Self { episode_seed }
    }

    /// The seed they come from.
    #[must_use]
    pub const fn episode_seed(&self) -> u64 {
        self.episode_seed
    }

    /// The stream of `purpose` and `entity`, at its beginning. Asking twice gives the same numbers twice: keep it.
    ///
    /// ```
    /// let streams = labtrust_kernel::Streams::new(7);
    /// let mut arrivals = streams.stream("arrivals", "site_north");
    /// assert_eq!(arrivals.below(1000), streams.stream("arrivals", "site_north").below(1000));
    /// ```
    #[must_use]
    pub fn stream(&self, purpose: &str, entity: &str) -> Stream {
        self.derive(purpose, b't', entity.as_bytes())
    }

    /// The stream of `purpose` and the entity numbered `index`. Not the stream of the entity named by the same digits.
    #[must_use]
    pub fn stream_indexed(&self, purpose: &str, index: u64) -> Stream {
        self.derive(purpose, b'i', &index.to_le_bytes())
    }

    fn derive(&self, purpose: &str, kind: u8, entity: &[u8]) -> Stream {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(self.episode_seed.to_le_bytes());
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((purpose.len() as u64).to_le_bytes());
        hash.update(purpose.as_bytes());
        hash.update([kind]);
        hash.update(entity);
        Stream { source: ChaCha8Rng::from_seed(hash.finalize().into()) }
    }
}

/// A sequence of random numbers that no other stream can move.
///
/// It is a [`Rng`], so distributions of other crates take it; whether those give the same numbers on every platform
/// is then for them to promise. About 350 bytes.
#[derive(Clone, Debug)]
pub struct Stream {
    source: ChaCha8Rng,
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.source.next_u32())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.source.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.source.fill_bytes(bytes);
        Ok(())
    }
}

/// Where in its sequence a stream is. Its name it keeps for life.
impl crate::Remembered for Stream {
    fn recall(&self, memory: &mut crate::Memory) {
        memory.write(&self.source.get_word_pos().to_le_bytes());
    }
}

/// Its key and where in its sequence it is: what is read back goes on with the same numbers.
impl Serialize for Stream {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.source.get_seed(), self.source.get_word_pos()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (key, place) = <([u8; 32], u128)>::deserialize(from)?;
        let mut source = ChaCha8Rng::from_seed(key);
        source.set_word_pos(place);
        Ok(Self { source })
    }
}

impl Stream {
    /// A number in [0, 1), a multiple of 2^-53.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A number in (0, 1], for what takes a logarithm.
    #[inline]
    fn uniform_above_zero(&mut self) -> f64 {
        1.0 - self.uniform()
    }

    /// A whole number below `n`, each equally likely.
    ///
    /// Source: D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
    ///
    /// # Panics
    /// When `n` is 0: there is no such number.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a product")]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a whole number below zero was asked for");
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            // 2^64 mod n: products with a low half below this are the surplus that would favour some numbers.
            let surplus = n.wrapping_neg() % n;
            while (product as u64) < surplus {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// A whole number from `lo` to `hi`, both included, each equally likely.
    ///
    /// # Panics
    /// When `lo` is above `hi`.
    #[inline]
    pub fn between(&mut self, lo: i64, hi: i64) -> i64 {
        assert!(lo <= hi, "no whole number lies from {lo} to {hi}");
        let offset = match hi.abs_diff(lo).checked_add(1) {
            Some(n) => self.below(n),
            None => self.next_u64(),
        };
        lo.wrapping_add_unsigned(offset)
    }

    /// True with probability `p`; always for `p >= 1`, never for `p <= 0` or not a number. Draws once in any case.
    #[inline]
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// An exponential number with the given mean, in the mean's unit.
    #[inline]
    pub fn exponential(&mut self, mean: f64) -> f64 {
        mean * ziggurat::exponential(self)
    }

    /// An exponential length of time, rounded to the nearest nanosecond; at most the longest representable one.
    #[inline]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a random length: 53 bits are enough, and the conversion back stops at the longest length"
    )]
    pub fn exp_duration(&mut self, mean: SimDuration) -> SimDuration {
        SimDuration::from_nanos((self.exponential(mean.as_nanos() as f64) + 0.5) as u64)
    }

    /// A normal number with mean `mean` and standard deviation `sd`.
    #[inline]
    pub fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        mean + sd * ziggurat::normal(self)
    }

    /// A log-normal number: the exponential function of a normal one with mean `mu` and standard deviation `sigma`.
    #[inline]
    pub fn lognormal(&mut self, mu: f64, sigma: f64) -> f64 {
        libm::exp(self.normal(mu, sigma))
    }

    /// Puts `items` into a random order, each equally likely.
    ///
    /// Source: the shuffle of Fisher and Yates as in Knuth, *The Art of Computer Programming* vol. 2, algorithm 3.4.2P.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for unplaced in (2..=items.len()).rev() {
            #[expect(clippy::cast_possible_truncation, reason = "below a usize")]
            let chosen = self.below(unplaced as u64) as usize;
            items.swap(unplaced - 1, chosen);
        }
    }
}

#[cfg(test)]
mod tests;
