//! What packs and releases are run with, as the command line has it.

use super::deps_inventory;
use crate::error::CliError;
use crate::session::Session;
use crate::{Global, plugin_files, version};
use labtrust_evidence::verify::StartReplay;
use labtrust_official_pack::Ground;
use labtrust_plugin::Registry;
use serde_json::Value;

/// What packs and releases are run with.
pub(super) struct PackGround {
    pub(super) registry: Registry,
    pub(super) session: Session,
    inventory: Value,
}

impl PackGround {
    /// Opens policy and plugins.
    ///
    /// # Errors
    /// [`CliError`] for what cannot be opened.
    pub(super) fn open(global: &Global, partner: Option<&str>) -> Result<Self, CliError> {
        let (registry, session) = (plugin_files::registry(global)?, Session::open(global, partner)?);
        Ok(Self { registry, session, inventory: deps_inventory::inventory() })
    }

    /// It as the library wants it.
    pub(super) fn ground<'a>(&'a self, threads: Option<usize>, replay: &'a StartReplay<'a>) -> Ground<'a> {
        Ground {
            registry: &self.registry,
            policy: &self.session.policy,
            lab_domain: self.session.lab_domain(),
            threads,
            git_sha: version::GIT_SHA,
            inventory: &self.inventory,
            replay: Some(replay),
        }
    }
}
