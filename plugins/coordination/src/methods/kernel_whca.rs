//! Earliest due date with planned ways: nobody blocks anybody in rooms and on ways with little room.
//!
//! **Class** centralized. **Cost** that of `kernel_centralized_edf`, and O(N V H) for the ways where room is limited: V
//! zones, H steps ahead. **Core** the router. **Source** Silver (2005), raising who is stuck as in Ma et al. (2019).

use super::kernel_centralized_edf::KernelCentralizedEdf;
use super::routed::{Routed, WithRouter};
use labtrust_plugin::method::MethodCard;

/// The combination.
pub struct KernelWhca;

labtrust_plugin::register_method!(crate::core::Driver<WithRouter<KernelWhca>>);

impl Routed for KernelWhca {
    type Other = KernelCentralizedEdf;
    const ID: &'static str = "kernel_whca";
    const SUMMARY: &'static str = "Earliest due date first, and ways planned together by windowed cooperative A*.";
    const CARD: MethodCard = MethodCard {
        class: "centralized",
        complexity: "O(W log W + N log N + C W log W), and O(N V H) for ways where room is limited",
        source: "Silver, AIIDE 2005; Ma et al., AAAI 2019",
        core: "the router; off: everybody takes the shortest way and waits where there is no room",
        envelope: "floors with narrow ways and small rooms; elsewhere it is kernel_centralized_edf",
        uses_messages: false,
    };
}
