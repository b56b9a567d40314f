//! The calendar: everything that is going to happen, in the one order it will happen in.
//!
//! Order is `(time, class, sequence)`. The sequence number makes it total: a run has exactly one order, whatever the
//! structure underneath, the thread count or the optimisation level. Class comes before sequence so that, say, a
//! device that finishes at the same instant as a specimen arrives is free for that specimen.
//!
//! An event waits in a slot ([`slots`]); what is compared and moved is its sixteen-byte [`key`], in a [`queue`] that
//! is a four-ary heap while little is pending and a ladder of buckets when much is. A cancelled event leaves its key
//! behind as *stale*, and a postponed one keeps its old key until that comes up; both are cheap because nothing has
//! to be searched for. Why this structure, with the figures: `docs/adr/0003-calendar.md`.

mod heap;
mod key;
mod ladder;
mod pool;
mod queue;
mod slots;

use crate::{SimDuration, SimTime};
use key::{Key, SEQUENCE_BITS};
use queue::Queue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use slots::{Found, Slots};
use std::num::NonZeroU32;

/// Stale keys are swept out when there are more of them than this and than a quarter of the pending events.
const STALE_MIN: usize = 64;

/// What happens first among events of one time: the lower class.
///
/// A domain names its classes once, as constants. Events of one time and class happen in the order of scheduling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventClass(pub u8);

/// A pending event, to [`Calendar::cancel`] or [`Calendar::reschedule`] it.
///
/// A handle stays good for its event until that happens or is cancelled, however often it is rescheduled, and never
/// means another event of the same calendar. Eight bytes; so is `Option<Handle>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Handle {
    slot: u32,
    generation: NonZeroU32,
}

/// An event whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due<E> {
    /// The time, which is also the calendar's new [`Calendar::now`].
    pub at: SimTime,
    /// The class it was scheduled in.
    pub class: EventClass,
    /// The event.
    pub event: E,
}

/// Why the calendar refused; it is unchanged then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The time asked for is over.
    #[error("{at} is in the past, the calendar is at {now}")]
    InThePast {
        /// The time asked for.
        at: SimTime,
        /// The calendar's time.
        now: SimTime,
    },
    /// The clock would jump over a pending event.
    #[error("an event is due at {due}, before {to}")]
    WouldSkip {
        /// The time asked for.
        to: SimTime,
        /// When the next event is due.
        due: SimTime,
    },
    /// The event of the handle has happened or was cancelled.
    #[error("the event is no longer pending")]
    NotPending,
    /// 2^26 events are pending.
    #[error("the calendar is full: 67108864 events are pending")]
    Full,
}

/// A future-event list over events of type `E`, and the clock that they drive.
///
/// ```
/// use labtrust_kernel::{Calendar, EventClass, SimTime};
///
/// let mut calendar = Calendar::new();
/// let noon = SimTime::from_secs(12 * 3600);
/// calendar.schedule(noon, EventClass(1), "a specimen arrives")?;
/// calendar.schedule(noon, EventClass(0), "the analyser finishes")?;
/// let alarm = calendar.schedule(SimTime::from_secs(60), EventClass(0), "door alarm")?;
/// calendar.cancel(alarm);
///
/// let due = calendar.pop().expect("two events are pending");
/// assert_eq!((due.at, due.event), (noon, "the analyser finishes"));
/// assert_eq!(calendar.now(), noon);
/// # Ok::<(), labtrust_kernel::CalendarError>(())
/// ```
#[derive(Debug)]
pub struct Calendar<E> {
    now: SimTime,
    next_sequence: u32,
    /// Keys in the queue that stand for nothing [count].
    stale: usize,
    queue: Queue,
    slots: Slots<E>,
}

impl Handle {
    /// Slot and generation in one number.
    pub(crate) const fn number(self) -> u64 {
        (self.slot as u64) << 32 | self.generation.get() as u64
    }
}

/// The pending events in the order in which they will happen, with their handles. Not the time: that goes on by itself.
impl<E: crate::Remembered> crate::Remembered for Calendar<E> {
    fn recall(&self, memory: &mut crate::Memory) {
        let mut pending: Vec<_> = self.slots.entries().collect();
        pending.sort_unstable_by_key(|(key, ..)| *key);
        memory.number(pending.len() as u64);
        for (key, handle, event) in pending {
            key.at().recall(memory);
            key.class().0.recall(memory);
            handle.recall(memory);
            event.recall(memory);
        }
    }
}

/// Everything but how the keys are arranged, which no one can see: what is read back does the same as what was written.
impl<E: Serialize> Serialize for Calendar<E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.now, self.next_sequence, &self.slots).serialize(to)
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Calendar<E> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (now, next_sequence, slots) = <(SimTime, u32, Slots<E>)>::deserialize(from)?;
        let mut queue = Queue::default();
        let pending: Vec<Key> = slots.pending().collect();
        queue.fill(&pending);
        Ok(Self { now, next_sequence, stale: 0, queue, slots })
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Calendar<E> {
    /// An empty calendar at the episode's beginning. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { now: SimTime::ZERO, next_sequence: 0, stale: 0, queue: Queue::default(), slots: Slots::new() }
    }

    /// The time of the last event, or what [`Calendar::advance_to`] moved it to.
    #[must_use]
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// Pending events [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing is going to happen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts `event` into the calendar. [`Calendar::now`] itself is a fine time: the event comes after those of the
    /// same time and class that are pending already.
    ///
    /// # Errors
    /// [`CalendarError::InThePast`] when `at` is before [`Calendar::now`], [`CalendarError::Full`] at 2^26 pending
    /// events. The event is dropped, the calendar unchanged.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, class: EventClass, event: E) -> Result<Handle, CalendarError> {
        self.refuse_past(at)?;
        let sequence = self.fresh_sequence();
        let (handle, key) = self.slots.insert(at, class, sequence, event).ok_or(CalendarError::Full)?;
        self.queue.push(key);
        Ok(handle)
    }

    /// Puts `event` into the calendar `delay` from now; at [`SimTime::MAX`] when that is sooner. See
    /// [`Calendar::schedule`].
    ///
    /// # Errors
    /// [`CalendarError::Full`] at 2^26 pending events. The event is dropped, the calendar unchanged.
    #[inline]
    pub fn schedule_after(&mut self, delay: SimDuration, class: EventClass, event: E) -> Result<Handle, CalendarError> {
        self.schedule(self.now.saturating_add(delay), class, event)
    }

    /// Takes an event out again. `None` when it has happened or was cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> Option<E> {
        let event = self.slots.remove(handle)?;
        self.leave_stale();
        Some(event)
    }

    /// Moves a pending event to another time; it keeps its class and its handle. Among the events of its new time
    /// and class it comes last, as if it had been scheduled now (also when the time is the same as before).
    ///
    /// Postponing is the cheap direction: a time-out that every sign of life moves on costs one write.
    ///
    /// # Errors
    /// [`CalendarError::NotPending`] when it has happened or was cancelled, [`CalendarError::InThePast`] when `at` is
    /// before [`Calendar::now`]; nothing changes then.
    pub fn reschedule(&mut self, handle: Handle, at: SimTime) -> Result<(), CalendarError> {
        self.slots.due(handle).ok_or(CalendarError::NotPending)?;
        self.refuse_past(at)?;
        // Numbering anew changes due keys, so the old one is read after this.
        let sequence = self.fresh_sequence();
        let old = self.slots.due(handle).ok_or(CalendarError::NotPending)?;
        let new = Key::new(at, old.class(), sequence, old.slot());
        self.slots.postpone(new);
        if new < old {
            // The key in the queue might come up too late. This one takes its place.
            self.slots.carry(new.slot());
            self.queue.push(new);
            self.leave_stale();
        }
        Ok(())
    }

    /// When the event of `handle` is due; `None` when it has happened or was cancelled.
    #[must_use]
    pub fn due(&self, handle: Handle) -> Option<SimTime> {
        self.slots.due(handle).map(Key::at)
    }

    /// When the next event is due. Changes nothing that can be seen (it tidies the head of the queue).
    pub fn peek_time(&mut self) -> Option<SimTime> {
        self.head().map(Key::at)
    }

    /// Takes the next event and moves the clock to it. `None` when nothing is left to happen.
    #[inline]
    pub fn pop(&mut self) -> Option<Due<E>> {
        self.pop_until(SimTime::MAX)
    }

    /// Takes the next event, if it is due at `limit` or before, and moves the clock to it. The clock stays otherwise.
    #[inline]
    pub fn pop_until(&mut self, limit: SimTime) -> Option<Due<E>> {
        let key = self.head().filter(|key| key.at() <= limit)?;
        self.queue.take(key);
        assert!(key.at() >= self.now, "time runs forward");
        self.now = key.at();
        Some(Due { at: key.at(), class: key.class(), event: self.slots.take(key) })
    }

    /// Moves the clock where no event is. Events due at `to` itself stay pending.
    ///
    /// # Errors
    /// [`CalendarError::InThePast`] when `to` is before [`Calendar::now`], [`CalendarError::WouldSkip`] when an event
    /// is due before `to`; the clock stays then.
    pub fn advance_to(&mut self, to: SimTime) -> Result<(), CalendarError> {
        self.refuse_past(to)?;
        if let Some(due) = self.peek_time().filter(|due| *due < to) {
            return Err(CalendarError::WouldSkip { to, due });
        }
        self.now = to;
        Ok(())
    }

    /// Cancels everything. The clock and the memory stay; old handles mean nothing.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.queue.drain_into(&mut Vec::new());
        self.stale = 0;
    }

    /// Keys held for the pending events [count]. Cancelling lets them be at most a quarter (or 64) more than
    /// [`Calendar::len`]; popping sheds the rest as it meets them.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.queue.len()
    }

    /// Room for events and keys that is allocated [count]. It follows the most that was ever pending, not the length
    /// of the run.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.capacity() + self.queue.capacity()
    }

    #[inline]
    fn refuse_past(&self, at: SimTime) -> Result<(), CalendarError> {
        if at < self.now { Err(CalendarError::InThePast { at, now: self.now }) } else { Ok(()) }
    }

    /// The least key, which stands for a due event.
    #[inline]
    fn head(&mut self) -> Option<Key> {
        loop {
            let Some(key) = self.queue.peek() else {
                if self.refill() {
                    continue;
                }
                return None;
            };
            match self.slots.find(key) {
                Found::Due => return Some(key),
                Found::Postponed => {
                    self.queue.take(key);
                    self.queue.push(self.slots.carry(key.slot()));
                }
                Found::Stale => {
                    self.queue.take(key);
                    self.stale -= 1;
                }
            }
        }
    }

    /// Brings the next keys to hand. Looking at all their slots now also brings those into the cache together, where
    /// one by one each pop would wait for its own.
    #[cold]
    fn refill(&mut self) -> bool {
        self.queue.refill(|key| {
            let stale = matches!(self.slots.find(*key), Found::Stale);
            self.stale -= usize::from(stale);
            !stale
        })
    }

    fn leave_stale(&mut self) {
        self.stale += 1;
        if self.stale > STALE_MIN && self.stale > self.len() / 4 {
            self.sweep();
        }
    }

    /// Drops the stale keys, and lets those of postponed events catch up.
    #[cold]
    fn sweep(&mut self) {
        self.queue.retain(|key| match self.slots.find(*key) {
            Found::Due => true,
            Found::Postponed => {
                *key = self.slots.carry(key.slot());
                true
            }
            Found::Stale => false,
        });
        self.stale = 0;
        assert_eq!(self.queue.len(), self.slots.len(), "a pending event has one key");
    }

    #[inline]
    fn fresh_sequence(&mut self) -> u32 {
        if self.next_sequence >> SEQUENCE_BITS != 0 {
            self.number_anew();
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// Gives the pending events the numbers from 0, in the order that they have.
    #[cold]
    fn number_anew(&mut self) {
        self.queue.drain_into(&mut Vec::new());
        let mut pending: Vec<Key> = self.slots.pending().collect();
        pending.sort_unstable();
        self.next_sequence = 0;
        for key in &mut pending {
            *key = Key::new(key.at(), key.class(), self.next_sequence, key.slot());
            self.next_sequence += 1;
            self.slots.postpone(*key);
            self.slots.carry(key.slot());
        }
        self.queue.fill(&pending);
        self.stale = 0;
    }
}

#[cfg(test)]
mod tests;
