//! An auction with planned ways.
//!
//! **Class** market. **Cost** that of `kernel_auction_edf`, and O(N V H) for the ways where room is limited: V zones, H
//! steps ahead. **Core** the router. **Source** that of `kernel_auction_edf`; Silver (2005) for the ways.

use super::kernel_auction_edf::KernelAuctionEdf;
use super::routed::{Routed, WithRouter};
use crate::core::Rule;
use labtrust_plugin::method::MethodCard;

/// The combination.
pub struct KernelAuctionWhca;

labtrust_plugin::register_method!(crate::core::Driver<WithRouter<KernelAuctionWhca>>);

impl Routed for KernelAuctionWhca {
    type Other = KernelAuctionEdf;
    const ID: &'static str = "kernel_auction_whca";
    const SUMMARY: &'static str = "An auction of the open work, and ways planned together by windowed cooperative A*.";
    const CARD: MethodCard = MethodCard {
        class: "market",
        complexity: "that of kernel_auction_edf, and O(N V H) for ways where room is limited",
        source: "Choi, Brunet and How 2009; Silver, AIIDE 2005",
        core: "the router; off: everybody takes the shortest way and waits where there is no room",
        envelope: "floors with narrow ways and small rooms; elsewhere it is kernel_auction_edf",
        uses_messages: <KernelAuctionEdf as Rule>::CARD.uses_messages,
    };
}
