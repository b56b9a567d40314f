//! The gates between an event and the world, one file each.

pub mod capability;
pub mod rbac;
pub mod signature;

pub use capability::{Capabilities, CapabilityPolicy, CapabilityRefusal, Counters};
pub use rbac::{Rbac, RbacPolicy, RbacVerdict};
pub use signature::{Presented, SignatureVerdict};
