//! Options that several commands have, said once.

use super::not_yet::refuse_pipeline;
use super::pack_ground::is_smoke_pack;
use crate::error::CliError;
use std::path::PathBuf;

/// How many threads work.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ThreadsOption {
    /// Threads to use; what is written does not depend on it. All that there are unless given
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    pub(crate) threads: Option<usize>,
}

/// What is made as a whole: a pack, a pipeline, a release.
#[derive(Debug, clap::Args)]
pub(crate) struct WholeOptions {
    /// Directory for it, whole or not at all; what an earlier run of this command made there is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Everything is drawn from it
    #[arg(long, value_name = "SEED", default_value_t = 100)]
    pub(crate) seed_base: u64,
    #[command(flatten)]
    pub(crate) threads: ThreadsOption,
    /// What decides: only `deterministic` is available
    #[arg(long, value_name = "MODE", value_parser = ["deterministic", "llm_offline", "llm_live"])]
    pipeline_mode: Option<String>,
    #[arg(long, hide = true)]
    allow_network: bool,
}

impl WholeOptions {
    /// Refuses what is asked for and not there.
    ///
    /// # Errors
    /// [`CliError::NotAvailable`], and [`CliError::Empty`] for a directory without a name.
    pub(crate) fn refuse(&self) -> Result<(), CliError> {
        refuse_pipeline(self.pipeline_mode.as_deref())?;
        if self.allow_network {
            return Err(CliError::NotAvailable { flag: "--allow-network", reason: "nothing in it uses the network" });
        }
        match self.out.as_os_str().is_empty() {
            true => Err(CliError::Empty { option: "--out" }),
            false => Ok(()),
        }
    }
}

/// Which pack, and how much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct PackOptions {
    /// Few episodes; so it is, too, where LABTRUST_OFFICIAL_PACK_SMOKE or LABTRUST_PAPER_SMOKE is 1
    #[arg(long)]
    smoke: bool,
    /// As many episodes as the pack says, whatever else asks for few
    #[arg(long)]
    no_smoke: bool,
    /// Pack to begin with instead of that of the laboratory profile, of the partner, or of the policy
    #[arg(long, value_name = "FILE")]
    pub(crate) pack_policy: Option<PathBuf>,
    /// Partner overlay of the policy
    #[arg(long, value_name = "ID")]
    pub(crate) partner: Option<String>,
}

impl PackOptions {
    /// Whether the pack is to be short.
    pub(crate) fn is_smoke(&self) -> bool {
        is_smoke_pack(self.smoke, self.no_smoke)
    }
}
