//! The keys that are not due soon, sorted only as far as need be.
//!
//! Each rung cuts a stretch of time into buckets of equal width; a deeper rung cuts one bucket of the rung above it.
//! What lies beyond the first rung waits on top, in no order. The next bucket is taken as it is when it is small, and
//! cut into a deeper rung when it is not, so the width follows how dense the events are at that place. A key is moved
//! a few times in its life whatever the number of keys; a heap moves it with the logarithm of that number.
//!
//! Source: W. T. Tang, R. S. M. Goh and I. L.-J. Thng, "Ladder queue: an O(1) priority queue structure for
//! large-scale discrete event simulation", ACM TOMACS 15(3), 2005. Here widths are powers of two, a bucket of one
//! single time is never cut, and the sorted bottom is the caller's.

use super::key::Key;
use super::pool::{Bucket, Pool};

/// Keys in a bucket that the width aims at: from this to twice this [count].
const AIM: usize = 16;
/// A bucket with more keys than this is cut [count].
const CUT_ABOVE: usize = 64;

#[derive(Debug)]
struct Rung {
    /// Beginning of the first bucket [ns].
    start: u64,
    /// The last nanosecond that belongs to the last bucket [ns].
    last: u64,
    /// Buckets are 2^shift wide [ns].
    shift: u32,
    /// The first bucket that has not been taken.
    next: usize,
    buckets: Vec<Bucket>,
}

impl Rung {
    #[inline]
    fn bucket_of(&mut self, nanos: u64) -> &mut Bucket {
        let index = usize::try_from((nanos - self.start) >> self.shift).unwrap_or(usize::MAX);
        // The last bucket is wider than the others when the stretch is longer than its keys.
        let last = self.buckets.len() - 1;
        debug_assert!(index.min(last) >= self.next, "a key does not come after its bucket was taken");
        &mut self.buckets[index.min(last)]
    }

    /// The next bucket with keys in it, and the last nanosecond that it covers.
    fn take_next(&mut self) -> Option<(Bucket, u64)> {
        let skipped = self.buckets[self.next..].iter().position(|bucket| !bucket.is_empty())?;
        self.next += skipped + 1;
        let bucket = std::mem::replace(&mut self.buckets[self.next - 1], Bucket::EMPTY);
        let last = if self.next == self.buckets.len() {
            self.last
        } else {
            self.start + ((self.next as u64) << self.shift) - 1
        };
        Some((bucket, last))
    }
}

#[derive(Debug)]
pub(super) struct Ladder {
    pool: Pool,
    /// The widest first; each but the first is one bucket of the one before it. A rung's last bucket has a key for as
    /// long as the rung is there, so an empty ladder has none, and cuts time anew when keys come.
    rungs: Vec<Rung>,
    /// Keys later than the first rung.
    top: Bucket,
    len: usize,
    /// Bucket lists of rungs that are used up, to be used again.
    spare: Vec<Vec<Bucket>>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self { pool: Pool::default(), rungs: Vec::new(), top: Bucket::EMPTY, len: 0, spare: Vec::new() }
    }
}

impl Ladder {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn capacity(&self) -> usize {
        self.pool.capacity()
    }

    /// Adds a key that is later than everything that [`Ladder::take_earliest`] has answered for.
    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        self.len += 1;
        for rung in self.rungs.iter_mut().rev() {
            if key.nanos() <= rung.last {
                self.pool.push(rung.bucket_of(key.nanos()), key);
                return;
            }
        }
        self.pool.push(&mut self.top, key);
    }

    /// Gives back `keys` that all are at `last` [ns] or earlier, earlier than every key that is held.
    pub(super) fn push_front(&mut self, keys: &[Key], last: u64) {
        self.len += keys.len();
        let mut bucket = Bucket::EMPTY;
        for &key in keys {
            self.pool.push(&mut bucket, key);
        }
        // One bucket is a rung too, and is cut when it is taken.
        let mut buckets = self.spare.pop().unwrap_or_default();
        buckets.push(bucket);
        self.rungs.push(Rung { start: 0, last, shift: 63, next: 0, buckets });
    }

    /// Moves the earliest keys to the end of `out`, in no order, and answers with the last nanosecond [ns] that they
    /// cover: what is held after that is later. Moves everything when that is at most `all` keys; nothing is covered
    /// then, and `None` is the answer.
    pub(super) fn take_earliest(&mut self, all: usize, out: &mut Vec<Key>) -> Option<u64> {
        while let Some((bucket, last)) = self.take_next() {
            let mut covered = last;
            if bucket.len() > if last.is_some() { CUT_ABOVE } else { all } {
                let (earliest, latest) = self.pool.span(bucket);
                if earliest < latest {
                    self.cut(bucket, earliest, latest, last);
                    continue;
                }
                covered = last.or(Some(latest));
            }
            self.len -= bucket.len();
            debug_assert!(self.len > 0 || self.rungs.is_empty(), "an empty ladder has no rungs");
            self.pool.drain_into(bucket, out);
            return covered;
        }
        None
    }

    /// The next bucket with keys in it, with the last nanosecond [ns] that it covers; the top has none.
    fn take_next(&mut self) -> Option<(Bucket, Option<u64>)> {
        while let Some(rung) = self.rungs.last_mut() {
            let taken = rung.take_next();
            // A rung that is used up goes at once: what is pushed from now on lies beyond its end.
            if taken.is_none() || rung.next == rung.buckets.len() {
                self.drop_rung();
            }
            if let Some((bucket, last)) = taken {
                return Some((bucket, Some(last)));
            }
        }
        let top = std::mem::replace(&mut self.top, Bucket::EMPTY);
        (!top.is_empty()).then_some((top, None))
    }

    pub(super) fn drain_into(&mut self, out: &mut Vec<Key>) {
        while let Some((bucket, _)) = self.take_next() {
            self.pool.drain_into(bucket, out);
        }
        self.len = 0;
    }

    /// Makes a rung of `bucket`, whose keys lie from `earliest` to `latest` [ns]. It ends at `last`, or with its last
    /// bucket.
    fn cut(&mut self, mut bucket: Bucket, earliest: u64, latest: u64, last: Option<u64>) {
        let span = latest - earliest;
        let wanted = (bucket.len() / AIM).max(2) as u64;
        // The least power of two above span / wanted: at most `wanted` buckets, at least two.
        let shift = u64::BITS - (span / wanted).leading_zeros();
        let count = (span >> shift) + 1;
        let last = last.unwrap_or_else(|| (earliest + ((count - 1) << shift)).saturating_add((1 << shift) - 1));
        let mut buckets = self.spare.pop().unwrap_or_default();
        buckets.resize(usize::try_from(count).expect("no more buckets than keys"), Bucket::EMPTY);
        let mut rung = Rung { start: earliest, last, shift, next: 0, buckets };
        while let Some((keys, filled)) = self.pool.pop_block(&mut bucket) {
            for &key in &keys[..filled] {
                self.pool.push(rung.bucket_of(key.nanos()), key);
            }
        }
        self.rungs.push(rung);
    }

    fn drop_rung(&mut self) {
        if let Some(mut rung) = self.rungs.pop() {
            rung.buckets.clear();
            self.spare.push(rung.buckets);
        }
    }
}
