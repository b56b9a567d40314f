//! Domains that bring their own program or command.

/// A domain that the registry lists, and that is driven by whoever knows it: its own program, a command, a study.
///
/// A laboratory that agents act in is a [`LabDomain`](crate::lab::LabDomain) instead, which says how it is driven.
pub trait Domain: Send + Sync {
    /// The domain's id.
    fn id(&self) -> &'static str;

    /// What it simulates, in one sentence.
    fn summary(&self) -> &'static str;
}
