//! Columns of an observation: cells of one width, one after the other, so that a plugin reads one with a single loop.
//!
//! An observation is most of what crosses, in every step. As lists of numbers in seven bits a byte, reading it was more
//! work than most methods do, in a plugin that is WebAssembly several times more; as cells it is little more than a copy, into the
//! memory of the step before. An optional number has a value that says there is none.

use super::{DeviceStatus, Priority, Stage};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::fmt;
use std::marker::PhantomData;

/// A value of fixed width.
pub(super) trait Cell: Copy {
    /// Bytes of one.
    const WIDTH: usize;
    /// Any value.
    const ANY: Self;

    /// The value in that many bytes; none if they hold none.
    fn get(bytes: &[u8]) -> Option<Self>;

    /// Appends its bytes; whether it has any.
    fn put(self, out: &mut Vec<u8>) -> bool;
}

macro_rules! number {
    ($($number:ty: $none:expr;)+) => {
        $(impl Cell for $number {
            const WIDTH: usize = size_of::<Self>();
            const ANY: Self = 0;

            #[inline(always)]
            fn get(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }

            #[inline(always)]
            fn put(self, out: &mut Vec<u8>) -> bool {
                out.extend_from_slice(&self.to_le_bytes());
                true
            }
        }

        impl Cell for Option<$number> {
            const WIDTH: usize = size_of::<$number>();
            const ANY: Self = None;

            #[inline(always)]
            fn get(bytes: &[u8]) -> Option<Self> {
                <$number>::get(bytes).map(|number| Some(number).filter(|&number| number != $none))
            }

            #[inline(always)]
            fn put(self, out: &mut Vec<u8>) -> bool {
                self.unwrap_or($none).put(out) && self != Some($none)
            }
        })+
    };
}
number! {
    u16: u16::MAX;
    u32: u32::MAX;
    i64: i64::MIN;
}

macro_rules! choice {
    ($($kind:ty: $list:expr;)+) => {
        $(impl Cell for $kind {
            const WIDTH: usize = 1;
            const ANY: Self = $list[0];

            #[inline(always)]
            fn get(bytes: &[u8]) -> Option<Self> {
                $list.get(usize::from(*bytes.first()?)).copied()
            }

            #[inline(always)]
            fn put(self, out: &mut Vec<u8>) -> bool {
                out.push(self as u8);
                true
            }
        })+
    };
}
choice! {
    bool: [false, true];
    Priority: Priority::ALL;
    DeviceStatus: DeviceStatus::ALL;
    Stage: Stage::ALL;
}

/// Becomes the column that `bytes` hold, in the memory that it has; whether they hold one.
#[inline]
pub(super) fn fill<C: Cell>(column: &mut Vec<C>, bytes: &[u8]) -> bool {
    column.clear();
    let (cells, mut right) = (bytes.chunks_exact(C::WIDTH), bytes.len().is_multiple_of(C::WIDTH));
    // One loop to the end, whatever is found: with a way out of it, every cell would ask whether there is room for it.
    column.extend(cells.map(|cell| {
        C::get(cell).unwrap_or_else(|| {
            right = false;
            C::ANY
        })
    }));
    right
}

/// As bytes where a machine reads it, as a list where people do.
pub(super) fn serialize<C: Cell + Serialize, S: Serializer>(column: &[C], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return column.serialize(serializer);
    }
    let mut bytes = Vec::with_capacity(column.len() * C::WIDTH);
    match column.iter().all(|cell| cell.put(&mut bytes)) {
        true => serializer.serialize_bytes(&bytes),
        false => Err(ser::Error::custom("a number is the one that says there is none")),
    }
}

/// What [`serialize`] wrote.
pub(super) fn deserialize<'de, C, D>(deserializer: D) -> Result<Vec<C>, D::Error>
where
    C: Cell + Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Bytes<C>(PhantomData<C>);
    impl<C: Cell> de::Visitor<'_> for Bytes<C> {
        type Value = Vec<C>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(out, "cells of {} bytes", C::WIDTH)
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<C>, E> {
            let mut column = Vec::new();
            match fill(&mut column, bytes) {
                true => Ok(column),
                false => Err(E::invalid_value(de::Unexpected::Bytes(bytes), &self)),
            }
        }
    }
    match deserializer.is_human_readable() {
        true => Vec::deserialize(deserializer),
        false => deserializer.deserialize_bytes(Bytes(PhantomData)),
    }
}

/// Reads an observation from the front. What is wrong where something is, [`decode`](super::decode) says.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// A value that is no column.
    pub(super) fn one<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let (value, rest) = postcard::take_from_bytes(self.0).ok()?;
        self.0 = rest;
        Some(value)
    }

    /// A column.
    pub(super) fn column<C: Cell>(&mut self, column: &mut Vec<C>) -> Option<()> {
        let bytes: &[u8] = self.one()?;
        fill(column, bytes).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Reader};
    use crate::testing::{Size, observation, site};
    use crate::wire::{Observation, Priority, decode, encode};

    #[test]
    fn what_the_program_writes_is_read_without_the_general_decoder() {
        let site = site(1, Size { zones: 3, devices: 4, agents: 5 });
        for seed in 0..100 {
            let written = observation(seed, &site, 12).unwrap();
            let bytes = encode(&written);
            let (mut read, mut reader) = (Observation::default(), Reader(&bytes));
            assert_eq!((read.read(&mut reader), reader.0), (Some(()), &[][..]), "seed {seed}");
            assert_eq!(read, written);
        }
    }

    fn cell<C: Cell>(cell: C) -> (bool, Vec<u8>) {
        let mut bytes = Vec::new();
        (cell.put(&mut bytes), bytes)
    }

    #[test]
    fn an_optional_number_is_as_wide_as_a_number() {
        assert_eq!(cell(Some(0x0102_u16)), (true, vec![2, 1]));
        assert_eq!(cell(None::<u16>), (true, vec![255, 255]));
        assert_eq!(cell(None::<i64>), (true, vec![0, 0, 0, 0, 0, 0, 0, 128]));
        assert!(!cell(Some(u32::MAX)).0, "this number means that there is none");
        assert!(cell(u32::MAX).0, "here it is a number");
        assert_eq!(Option::<u32>::get(&[255; 4]), Some(None));
    }

    #[test]
    fn what_is_no_cell_is_no_column() {
        let mut column: Vec<u16> = vec![7];
        assert!(super::fill(&mut column, &[1, 0, 2, 0]) && column == [1, 2]);
        assert!(!super::fill(&mut column, &[1, 0, 2]), "half a cell is left over");
        assert_eq!((Priority::get(&[2]), Priority::get(&[3])), (Some(Priority::Routine), None));
        let bytes = encode(&Observation { zone_frozen: vec![true, false], ..Observation::default() });
        let at = bytes.windows(3).position(|three| three == [2, 1, 0]).unwrap();
        let with = |place: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at + place] = byte;
            decode::<Observation>(&bytes).map_err(|error| error.to_string())
        };
        assert_eq!(with(1, 0).unwrap().zone_frozen, [false, false]);
        assert!(with(1, 2).unwrap_err().contains("a value is not allowed here"));
        // The next column, of two bytes a cell, begins one byte early and has one.
        assert!(with(0, 1).is_err());
    }
}
