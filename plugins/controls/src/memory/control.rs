//! The controls of a memory, by name, and which of them are on.

use crate::shielded::UnknownControl;
use serde::{Serialize, Serializer};

/// A control of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemoryControl {
    /// Wants every write to be signed by somebody who may write.
    Seal,
    /// Takes a number of a writer once.
    Replay,
    /// Refuses entries that give orders.
    Poison,
    /// Refuses fields, lengths and life times that the policy does not have.
    Schema,
    /// Keeps back what gives orders when it is read.
    ReadFilter,
}

impl MemoryControl {
    /// All.
    pub const ALL: [Self; 5] = [Self::Seal, Self::Replay, Self::Poison, Self::Schema, Self::ReadFilter];

    /// Its name, in commands and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seal => "memory.seal",
            Self::Replay => "memory.replay",
            Self::Poison => "memory.poison",
            Self::Schema => "memory.schema",
            Self::ReadFilter => "memory.read_filter",
        }
    }

    /// The control of a name.
    ///
    /// # Errors
    /// [`UnknownControl`].
    pub fn named(name: &str) -> Result<Self, UnknownControl> {
        Self::ALL.into_iter().find(|control| control.name() == name).ok_or_else(|| UnknownControl {
            name: name.to_owned(),
            nearest: labtrust_policy::nearest(Self::ALL.map(Self::name), name).map(str::to_owned),
        })
    }
}

impl Serialize for MemoryControl {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.serialize_str(self.name())
    }
}

/// Which controls of a memory are on. All of them, unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryControls {
    on: [bool; MemoryControl::ALL.len()],
}

impl Default for MemoryControls {
    fn default() -> Self {
        Self { on: [true; MemoryControl::ALL.len()] }
    }
}

impl MemoryControls {
    /// All off.
    #[must_use]
    pub const fn none() -> Self {
        Self { on: [false; MemoryControl::ALL.len()] }
    }

    /// The same without one.
    #[must_use]
    pub const fn without(mut self, control: MemoryControl) -> Self {
        self.on[control as usize] = false;
        self
    }

    /// Whether a control is on.
    #[must_use]
    pub const fn is_on(self, control: MemoryControl) -> bool {
        self.on[control as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_of_memory_is_switched_by_its_name_and_no_other_with_it() {
        for control in MemoryControl::ALL {
            assert_eq!(MemoryControl::named(control.name()), Ok(control));
            let without = MemoryControls::default().without(control);
            assert!(MemoryControl::ALL.iter().all(|other| without.is_on(*other) == (*other != control)));
        }
        let error = MemoryControl::named("memory.sea").unwrap_err();
        assert_eq!(error.to_string(), "there is no runtime control memory.sea; did you mean memory.seal?");
    }
}
