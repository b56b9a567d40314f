//! What packs and releases are run with, as the command line has it.

use super::deps_inventory;
use super::study::is_set;
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use crate::{Global, plugin_files, version};
use labtrust_evidence::verify::StartReplay;
use labtrust_official_pack::{Ground, PackPolicy, Step};
use labtrust_plugin::Registry;
use serde_json::Value;
use std::path::Path;

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

    /// The official pack: `file`, else the one that the laboratory profile names, else that of the partner or of the policy.
    ///
    /// # Errors
    /// [`CliError::Policy`] with file, line and hint.
    pub(super) fn pack(&self, file: Option<&Path>) -> Result<PackPolicy, CliError> {
        let named = self.session.named(|profile| profile.benchmark_pack_path.as_deref());
        Ok(match file {
            Some(file) => PackPolicy::load_file(file, &self.registry)?,
            None => PackPolicy::load(&self.session.policy, named, &self.registry)?,
        })
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

/// Variables that ask for a short pack.
const SMOKE_VARIABLES: [&str; 2] = ["LABTRUST_OFFICIAL_PACK_SMOKE", "LABTRUST_PAPER_SMOKE"];

/// Whether a pack is to be short: `no_smoke` outranks everything else.
pub(super) fn is_smoke_pack(smoke: bool, no_smoke: bool) -> bool {
    !no_smoke && (smoke || SMOKE_VARIABLES.into_iter().any(is_set))
}

/// Tells how a step ended.
pub(super) fn tell(talk: Talk, step: &Step) {
    let why = step.error.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    talk.say(&format!("{}: {}{why}", step.name, step.status.name()));
}

/// How much is asked for. The published commands call that `--profile`, too: it then names no laboratory.
///
/// # Errors
/// [`CliError::Amount`] for none, and for one that there is not.
pub(super) fn amount<T: Copy>(
    global: &Global,
    known: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<(T, Global), CliError> {
    let given = global.profile.as_deref();
    let found = known.iter().copied().find(|one| Some(name(*one)) == given);
    match found {
        Some(found) => Ok((found, Global { profile: None, ..global.clone() })),
        None => {
            let known = known.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
            Err(CliError::Amount { given: given.map(str::to_owned), known })
        }
    }
}
