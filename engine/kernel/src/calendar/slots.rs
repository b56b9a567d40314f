//! Where the events themselves wait, so that the keys that are compared and moved stay small.

use super::key::{Key, SLOT_BITS};
use super::{EventClass, Handle};
use crate::SimTime;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::num::NonZeroU32;

/// End of the list of free slots.
const NONE: u32 = u32::MAX;
const FIRST: NonZeroU32 = NonZeroU32::MIN;

#[derive(Debug)]
struct Slot<E> {
    /// When the event is due. The queue may still hold an earlier key for it, see [`Found::Postponed`].
    due: Key,
    /// Sequence number of the queue's key that stands for this event; in a free slot the next free slot.
    carrier: u32,
    /// Counts the events that the slot has held, so that an old handle is told from a new one.
    generation: NonZeroU32,
    event: Option<E>,
}

/// A slab of pending events.
#[derive(Debug)]
pub(super) struct Slots<E> {
    slots: Vec<Slot<E>>,
    free: u32,
    pending: usize,
}

/// What a key of the queue stands for.
pub(super) enum Found {
    /// Its event, due at the key's time.
    Due,
    /// Its event, due later than the key says.
    Postponed,
    /// Nothing: the event was cancelled, or moved to an earlier key.
    Stale,
}

/// A slot as it is written: what it holds, or which free slot comes after it.
#[derive(Serialize, Deserialize)]
enum Written<E> {
    Pending { at: SimTime, class: u8, sequence: u32, generation: NonZeroU32, event: E },
    Free { next: u32, generation: NonZeroU32 },
}

/// Free slots keep their order and their generations, so that handles to come are the same too.
impl<E: Serialize> Serialize for Slots<E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let slots: Vec<Written<&E>> = self.slots.iter().map(Slot::written).collect();
        (self.free.wrapping_add(1), slots).serialize(to)
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Slots<E> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (free, written) = <(u32, Vec<Written<E>>)>::deserialize(from)?;
        let count = u32::try_from(written.len()).ok().filter(|count| *count <= 1 << SLOT_BITS);
        let count = count.ok_or_else(|| D::Error::custom("a calendar of more slots than there can be"))?;
        let mut slots = Self { slots: Vec::with_capacity(written.len()), free: free.wrapping_sub(1), pending: 0 };
        for (index, written) in (0..count).zip(written) {
            slots.slots.push(match written {
                Written::Pending { at, class, sequence, generation, event } => {
                    slots.pending += 1;
                    let due = Key::new(at, EventClass(class), sequence, index);
                    Slot { due, carrier: sequence, generation, event: Some(event) }
                }
                Written::Free { next, generation } => {
                    let due = Key::new(SimTime::ZERO, EventClass(0), 0, index);
                    Slot { due, carrier: next.wrapping_sub(1), generation, event: None }
                }
            });
        }
        Ok(slots)
    }
}

impl<E> Slot<E> {
    fn written(&self) -> Written<&E> {
        let Self { due, carrier, generation, ref event } = *self;
        match event {
            Some(event) => {
                Written::Pending { at: due.at(), class: due.class().0, sequence: due.sequence(), generation, event }
            }
            // One more, so that the end of the list is the least number.
            None => Written::Free { next: carrier.wrapping_add(1), generation },
        }
    }
}

impl<E> Slots<E> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: NONE, pending: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.pending
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Stores `event`. `None` when every slot number is in use.
    #[inline]
    pub(super) fn insert(&mut self, at: SimTime, class: EventClass, sequence: u32, event: E) -> Option<(Handle, Key)> {
        let index = self.free;
        let (due, generation) = if let Some(slot) = self.slots.get_mut(index as usize) {
            self.free = slot.carrier;
            slot.due = Key::new(at, class, sequence, index);
            slot.carrier = sequence;
            slot.event = Some(event);
            (slot.due, slot.generation)
        } else {
            (self.grow(at, class, sequence, event)?, FIRST)
        };
        self.pending += 1;
        Some((Handle { slot: due.slot(), generation }, due))
    }

    #[cold]
    fn grow(&mut self, at: SimTime, class: EventClass, sequence: u32, event: E) -> Option<Key> {
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index < 1 << SLOT_BITS)?;
        let due = Key::new(at, class, sequence, index);
        self.slots.push(Slot { due, carrier: sequence, generation: FIRST, event: Some(event) });
        Some(due)
    }

    #[inline]
    pub(super) fn find(&self, key: Key) -> Found {
        let slot = &self.slots[key.slot() as usize];
        // A free slot's carrier is a slot number, and might look like a sequence number.
        if slot.event.is_none() || slot.carrier != key.sequence() {
            Found::Stale
        } else if slot.due == key {
            Found::Due
        } else {
            Found::Postponed
        }
    }

    /// Takes the event at the slot of a due `key`.
    #[inline]
    pub(super) fn take(&mut self, key: Key) -> E {
        self.release(key.slot()).expect("a due key has an event")
    }

    /// Takes the event of `handle`, if it is still pending.
    #[inline]
    pub(super) fn remove(&mut self, handle: Handle) -> Option<E> {
        self.due(handle)?;
        self.release(handle.slot)
    }

    /// When the event of `handle` is due, if it is still pending.
    #[inline]
    pub(super) fn due(&self, handle: Handle) -> Option<Key> {
        let slot = self.slots.get(handle.slot as usize)?;
        (slot.generation == handle.generation && slot.event.is_some()).then_some(slot.due)
    }

    /// Moves the event of slot `due.slot()` to `due`; its key in the queue stays as it is.
    #[inline]
    pub(super) fn postpone(&mut self, due: Key) {
        self.slots[due.slot() as usize].due = due;
    }

    /// Makes the event's own due key the one that the queue holds for it.
    #[inline]
    pub(super) fn carry(&mut self, slot: u32) -> Key {
        let slot = &mut self.slots[slot as usize];
        slot.carrier = slot.due.sequence();
        slot.due
    }

    fn release(&mut self, index: u32) -> Option<E> {
        let slot = &mut self.slots[index as usize];
        let event = slot.event.take()?;
        self.pending -= 1;
        // A slot whose generations are used up is never used again: better one slot lost in four billion events
        // than a handle that cancels a stranger.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            slot.carrier = self.free;
            self.free = index;
        }
        Some(event)
    }

    /// Every pending event's due key, in the order of the slots.
    pub(super) fn pending(&self) -> impl Iterator<Item = Key> {
        self.slots.iter().filter(|slot| slot.event.is_some()).map(|slot| slot.due)
    }

    /// Every pending event with its due key and handle, in the order of the slots.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Key, Handle, &E)> {
        self.slots.iter().filter_map(|slot| {
            let handle = Handle { slot: slot.due.slot(), generation: slot.generation };
            Some((slot.due, handle, slot.event.as_ref()?))
        })
    }

    /// Drops every event.
    pub(super) fn clear(&mut self) {
        for index in 0..self.slots.len() {
            self.release(u32::try_from(index).expect("slot numbers are small"));
        }
    }

    /// As if the slot of `handle` had held four billion events; returns the handle of the last one.
    #[cfg(test)]
    pub(super) fn age_to_the_last_generation(&mut self, handle: Handle) -> Handle {
        self.slots[handle.slot as usize].generation = NonZeroU32::MAX;
        Handle { generation: NonZeroU32::MAX, ..handle }
    }
}
