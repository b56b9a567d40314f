//! What an episode remembers, written out so that two moments can be compared.
//!
//! A type says what it remembers with [`remembered!`](crate::remembered), which names every field: those that are
//! written, and those that are left out with the reason. A new field that is in neither list does not compile. Symbols
//! and entities are written as numbers, so memories are comparable within one episode, and between episodes that were
//! told the same.

use crate::{Handle, SimDuration, SimTime, Symbol, SymbolMap};
use bevy_ecs::entity::Entity;
use sha2::{Digest, Sha256};
use smallvec::{Array, SmallVec};
use std::collections::VecDeque;
use std::sync::Arc;

/// Something that an episode remembers.
pub trait Remembered {
    /// Names of the fields that are written, `Type.field`; empty for what has none.
    const FIELDS: &'static [&'static str] = &[];

    /// Writes it.
    fn recall(&self, memory: &mut Memory);
}

/// What was written, with the names of the fields in between.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    bytes: Vec<u8>,
    /// Where each field begins [bytes].
    marks: Vec<(usize, &'static str)>,
}

impl Memory {
    /// An empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What follows belongs to the field `name`.
    pub fn mark(&mut self, name: &'static str) {
        self.marks.push((self.bytes.len(), name));
    }

    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    /// Writes a list: its length, then its members.
    pub fn list<'a, T: Remembered + 'a>(&mut self, items: impl ExactSizeIterator<Item = &'a T>) {
        self.number(items.len() as u64);
        for item in items {
            item.recall(self);
        }
    }

    /// SHA-256 of what was written.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// The first field in which two memories differ; `None` when they are equal.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<&'static str> {
        if self.bytes == other.bytes {
            return None;
        }
        let pairs = self.bytes.iter().zip(&other.bytes);
        let place = pairs.take_while(|(a, b)| a == b).count();
        let after = self.marks.partition_point(|(begin, _)| *begin <= place);
        Some(after.checked_sub(1).map_or("(before the first field)", |last| self.marks[last].1))
    }
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Memory {}

/// Says what a type remembers: `remembered!(Type { fields } through { field: function } forgotten { field: "why" })`.
#[macro_export]
macro_rules! remembered {
    ($type:ident { $($field:ident),* $(,)? }
     $(through { $($special:ident: $with:path),* $(,)? })?
     $(forgotten { $($gone:ident: $why:literal),* $(,)? })?) => {
        impl $crate::Remembered for $type {
            const FIELDS: &'static [&'static str] = &[
                $(concat!(stringify!($type), ".", stringify!($field)),)*
                $($(concat!(stringify!($type), ".", stringify!($special)),)*)?
            ];

            fn recall(&self, memory: &mut $crate::Memory) {
                let Self { $($field,)* $($($special,)*)? $($($gone: _,)*)? } = self;
                $(
                    memory.mark(concat!(stringify!($type), ".", stringify!($field)));
                    $crate::Remembered::recall($field, memory);
                )*
                $($(
                    memory.mark(concat!(stringify!($type), ".", stringify!($special)));
                    $with($special, memory);
                )*)?
            }
        }
    };
}

/// The same for enumerations without fields.
#[macro_export]
macro_rules! remembered_as_number {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::Remembered for $type {
            fn recall(&self, memory: &mut $crate::Memory) {
                memory.number(*self as u64);
            }
        })+
    };
}

remembered_as_number!(bool, u8, u16, u32, u64, i32, i64, usize, crate::ClockMode);

impl Remembered for f64 {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.to_bits());
    }
}

impl Remembered for str {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.len() as u64);
        memory.write(self.as_bytes());
    }
}

impl Remembered for String {
    fn recall(&self, memory: &mut Memory) {
        self.as_str().recall(memory);
    }
}

impl Remembered for Symbol {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.index() as u64);
    }
}

impl Remembered for Entity {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.to_bits());
    }
}

impl Remembered for SimTime {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.as_nanos());
    }
}

impl Remembered for SimDuration {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.as_nanos());
    }
}

impl Remembered for Handle {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.number());
    }
}

impl<T: Remembered> Remembered for Option<T> {
    fn recall(&self, memory: &mut Memory) {
        memory.write(&[u8::from(self.is_some())]);
        if let Some(value) = self {
            value.recall(memory);
        }
    }
}

impl<T: Remembered + ?Sized> Remembered for Box<T> {
    fn recall(&self, memory: &mut Memory) {
        (**self).recall(memory);
    }
}

impl<T: Remembered + ?Sized> Remembered for Arc<T> {
    fn recall(&self, memory: &mut Memory) {
        (**self).recall(memory);
    }
}

impl<T: Remembered> Remembered for Vec<T> {
    fn recall(&self, memory: &mut Memory) {
        memory.list(self.iter());
    }
}

impl<T: Remembered> Remembered for VecDeque<T> {
    fn recall(&self, memory: &mut Memory) {
        memory.list(self.iter());
    }
}

impl<A: Array<Item: Remembered>> Remembered for SmallVec<A> {
    fn recall(&self, memory: &mut Memory) {
        memory.list(self.iter());
    }
}

impl<A: Remembered, B: Remembered> Remembered for (A, B) {
    fn recall(&self, memory: &mut Memory) {
        self.0.recall(memory);
        self.1.recall(memory);
    }
}

impl<A: Remembered, B: Remembered, C: Remembered> Remembered for (A, B, C) {
    fn recall(&self, memory: &mut Memory) {
        self.0.recall(memory);
        self.1.recall(memory);
        self.2.recall(memory);
    }
}

/// Members only: how much room a table has taken says nothing.
impl<T: Remembered> Remembered for SymbolMap<T> {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.iter().count() as u64);
        for (symbol, value) in self.iter() {
            symbol.recall(memory);
            value.recall(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Calendar, EventClass, Streams, Symbols};

    struct Box2 {
        width: u32,
        label: Option<String>,
        #[expect(dead_code, reason = "what is left out is left out")]
        seen: u32,
    }
    remembered!(Box2 { width, label } forgotten { seen: "a counter of looks" });

    fn memory_of(value: &impl Remembered) -> Memory {
        let mut memory = Memory::new();
        value.recall(&mut memory);
        memory
    }

    #[test]
    fn the_field_that_differs_is_named() {
        let of = |width, label: &str, seen| memory_of(&Box2 { width, label: Some(label.to_owned()), seen });
        assert_eq!(of(1, "a", 1).first_difference(&of(1, "a", 2)), None);
        assert_eq!(of(1, "a", 1).digest(), of(1, "a", 2).digest());
        assert_eq!(of(1, "a", 1).first_difference(&of(2, "a", 1)), Some("Box2.width"));
        assert_eq!(of(1, "a", 1).first_difference(&of(1, "b", 1)), Some("Box2.label"));
        assert_ne!(of(1, "a", 1).digest(), of(1, "b", 1).digest());
        assert_eq!(Box2::FIELDS, ["Box2.width", "Box2.label"]);
    }

    #[test]
    fn a_table_is_its_members_and_not_its_room() {
        let mut symbols = Symbols::default();
        let (a, b) = (symbols.intern("a"), symbols.intern("b"));
        let mut map = SymbolMap::default();
        map.insert(a, 1u32);
        let before = memory_of(&map);
        map.insert(b, 2);
        assert_ne!(memory_of(&map), before);
        map.remove(b);
        assert_eq!(memory_of(&map), before);
    }

    #[test]
    fn a_drawn_number_is_remembered() {
        let mut stream = Streams::new(1).stream("test", "one");
        for draw in 0..100 {
            let before = memory_of(&stream);
            stream.uniform();
            assert_ne!(memory_of(&stream), before, "draw {draw}");
        }
    }

    #[test]
    fn a_calendar_is_its_pending_events_in_their_order() {
        let schedule = |order: [u32; 2]| {
            let mut calendar = Calendar::new();
            for event in order {
                calendar.schedule(SimTime::from_secs(5), EventClass(0), event).unwrap();
            }
            calendar
        };
        let mut calendar = schedule([1, 2]);
        let before = memory_of(&calendar);
        assert_ne!(before, memory_of(&schedule([2, 1])));
        let handle = calendar.schedule(SimTime::from_secs(9), EventClass(0), 3).unwrap();
        assert_ne!(memory_of(&calendar), before);
        calendar.cancel(handle);
        assert_eq!(memory_of(&calendar), before);
    }
}
