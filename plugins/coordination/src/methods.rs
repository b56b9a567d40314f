//! The methods, one a file.

pub mod centralized_planner;
pub mod kernel_centralized_edf;
pub mod kernel_scheduler_or;
pub mod market_auction;
