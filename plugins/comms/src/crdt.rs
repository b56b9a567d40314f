//! Values that replicas change apart and merge in any order to the same result.
//!
//! Source: M. Shapiro, N. Preguiça, C. Baquero and M. Zawirski, "A comprehensive study of convergent and commutative replicated data
//! types", INRIA RR-7506, 2011; the set without tombstones is that of A. Bieniusa et al., INRIA RR-8083, 2012.

mod lww;
mod or_set;

pub use lww::LwwRegister;
pub use or_set::OrSet;
