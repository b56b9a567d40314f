//! The coordination security pack.
