//! What a study of the mine draws: its roads in [`topology`], a swept setting in [`curve`].

mod colour;
pub(crate) mod curve;
pub(crate) mod topology;
