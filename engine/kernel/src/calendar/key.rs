//! The sixteen bytes that say when an event is due and where it is kept.

use super::EventClass;
use crate::SimTime;
use std::cmp::Ordering;

/// Bits of [`Key`]'s second word that number the slot: 67 million events may be pending at once.
pub(super) const SLOT_BITS: u32 = 26;
/// Bits that number the scheduling. When they are used up the pending events are numbered anew, which at sixteen
/// times the slots is rare enough to cost nothing.
pub(super) const SEQUENCE_BITS: u32 = 30;

/// Due time, then class, sequence and slot in one word. Comparing keys is comparing numbers.
///
/// The slot never decides: a sequence number is used by one key only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    time: u64,
    order: u64,
}

impl Key {
    pub(super) const fn new(at: SimTime, class: EventClass, sequence: u32, slot: u32) -> Self {
        debug_assert!(sequence < 1 << SEQUENCE_BITS && slot < 1 << SLOT_BITS);
        let order = (class.0 as u64) << (SEQUENCE_BITS + SLOT_BITS) | (sequence as u64) << SLOT_BITS | slot as u64;
        Self { time: at.as_nanos(), order }
    }

    pub(super) const fn at(self) -> SimTime {
        SimTime::from_nanos(self.time)
    }

    pub(super) const fn nanos(self) -> u64 {
        self.time
    }

    pub(super) const fn class(self) -> EventClass {
        EventClass((self.order >> (SEQUENCE_BITS + SLOT_BITS)) as u8)
    }

    #[expect(clippy::cast_possible_truncation, reason = "masked to 30 bits")]
    pub(super) const fn sequence(self) -> u32 {
        (self.order >> SLOT_BITS) as u32 & ((1 << SEQUENCE_BITS) - 1)
    }

    #[expect(clippy::cast_possible_truncation, reason = "masked to 26 bits")]
    pub(super) const fn slot(self) -> u32 {
        self.order as u32 & ((1 << SLOT_BITS) - 1)
    }

    const fn number(self) -> u128 {
        (self.time as u128) << 64 | self.order as u128
    }
}

// Not derived: comparing one 128-bit number has no branch, comparing two fields has one that is often mispredicted.
impl Ord for Key {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Key {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    #[inline]
    fn lt(&self, other: &Self) -> bool {
        self.number() < other.number()
    }

    #[inline]
    fn le(&self, other: &Self) -> bool {
        self.number() <= other.number()
    }
}
