//! The mine as a registered domain.

use labtrust_plugin::Domain;

/// Mine haulage.
pub struct MineHaulage;

labtrust_plugin::register_plugin!(Domain, MineHaulage);

impl Domain for MineHaulage {
    fn id(&self) -> &'static str {
        "mine_haulage"
    }

    fn summary(&self) -> &'static str {
        "trucks haul ore from loaders to a crusher over roads of limited capacity"
    }
}
