//! Which sort of method a method is.

/// The class of a method: the published map, then its name.
#[must_use]
pub fn class_of(method: &str) -> &'static str {
    let starts = |head: &str| method.starts_with(head);
    match method {
        "kernel_centralized_edf" | "kernel_whca" | "kernel_scheduler_or" | "kernel_scheduler_or_whca" => {
            "kernel_schedulers"
        }
        "centralized_planner" | "hierarchical_hub_rr" | "hierarchical_hub_local" => "centralized",
        "ripple_effect" => "ripple",
        "group_evolving_experience_sharing" | "group_evolving_study" => "evolving",
        "market_auction" => "auctions",
        "gossip_consensus" => "decentralized",
        "swarm_reactive" => "swarm",
        "marl_ppo" => "learning",
        // By the registry's class, these are markets, decentralised ones and swarms.
        "kernel_auction_edf" | "kernel_auction_whca" | "kernel_auction_whca_shielded" => "auctions",
        "consensus_paxos_lite" => "decentralized",
        "swarm_stigmergy_priority" => "swarm",
        _ if starts("llm_auction_bidder") => "auctions",
        _ if starts("llm_") => "llm",
        _ if starts("kernel_") => "kernel_schedulers",
        _ if starts("hierarchical_") => "centralized",
        _ if method.contains("auction") => "auctions",
        _ if method.contains("ripple") => "ripple",
        _ if method.contains("evolving") => "evolving",
        _ => "other",
    }
}
