//! The methods, one a file.

pub mod centralized_planner;
pub mod consensus_paxos_lite;
pub mod gossip_consensus;
pub mod group_evolving_experience_sharing;
pub mod group_evolving_study;
pub mod hierarchical_hub_local;
pub mod hierarchical_hub_rr;
pub mod kernel_auction_edf;
pub mod kernel_auction_whca;
pub mod kernel_auction_whca_shielded;
pub mod kernel_centralized_edf;
pub mod kernel_scheduler_or;
pub mod kernel_scheduler_or_whca;
pub mod kernel_whca;
pub mod market_auction;
pub mod ripple_effect;
pub mod routed;
pub mod swarm_reactive;
pub mod swarm_stigmergy_priority;
