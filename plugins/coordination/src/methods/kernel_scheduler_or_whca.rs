//! Scheduling over a rolling horizon with planned ways.
//!
//! **Class** centralized. **Cost** that of `kernel_scheduler_or`, and O(N V H) for the ways where room is limited: V
//! zones, H steps ahead. **Core** the router. **Source** that of `kernel_scheduler_or`; Silver (2005) for the ways.

use super::kernel_scheduler_or::KernelSchedulerOr;
use super::routed::{Routed, WithRouter};
use labtrust_plugin::method::MethodCard;

/// The combination.
pub struct KernelSchedulerOrWhca;

labtrust_plugin::register_method!(crate::core::Driver<WithRouter<KernelSchedulerOrWhca>>);

impl Routed for KernelSchedulerOrWhca {
    type Other = KernelSchedulerOr;
    const ID: &'static str = "kernel_scheduler_or_whca";
    const SUMMARY: &'static str = "Rolling-horizon scheduling, and ways planned together by windowed cooperative A*.";
    const CARD: MethodCard = MethodCard {
        class: "centralized",
        complexity: "O(N W) and at most `budget` insertions of O(horizon), and O(N V H) for ways where room is limited",
        source: "Ropke and Pisinger 2006; Silver, AIIDE 2005",
        core: "the router; off: everybody takes the shortest way and waits where there is no room",
        envelope: "up to a few hundred workers on floors with narrow ways; elsewhere it is kernel_scheduler_or",
        uses_messages: false,
    };
}
