//! Options of the published command line whose feature is not built yet. They are known by name, so that a script that
//! relies on one gets one clear sentence and never a run that silently ignored it.

use crate::error::CliError;
use std::path::PathBuf;

pub(super) const MODEL: &str = "there are no language models in it";
const COORDINATION: &str = "no method in it works with a language model";

/// See the module.
#[derive(Debug, clap::Args)]
pub(crate) struct NotYet {
    #[arg(long, hide = true)]
    llm_backend: Option<String>,
    #[arg(long, hide = true)]
    llm_model: Option<String>,
    #[arg(long, hide = true)]
    llm_output_mode: Option<String>,
    #[arg(long, hide = true)]
    llm_agents: Option<String>,
    #[arg(long, hide = true)]
    use_llm_live_openai: bool,
    #[arg(long, hide = true)]
    allow_network: bool,
    #[arg(long, hide = true)]
    preset: Option<String>,
    #[arg(long, hide = true)]
    coord_fixtures_path: Option<PathBuf>,
    #[arg(long, hide = true)]
    record_coord_fixtures_path: Option<PathBuf>,
    #[arg(long, hide = true)]
    coord_planner_backend: Option<String>,
    #[arg(long, hide = true)]
    coord_bidder_backend: Option<String>,
    #[arg(long, hide = true)]
    coord_repair_backend: Option<String>,
    #[arg(long, hide = true)]
    coord_detector_backend: Option<String>,
    #[arg(long, hide = true)]
    coord_planner_model: Option<String>,
    #[arg(long, hide = true)]
    coord_bidder_model: Option<String>,
    #[arg(long, hide = true)]
    coord_repair_model: Option<String>,
    #[arg(long, hide = true)]
    coord_detector_model: Option<String>,
    #[arg(long, hide = true)]
    agent_driven: bool,
    #[arg(long, hide = true)]
    multi_agentic: bool,
}

impl NotYet {
    /// Refuses the first option that asks for something that is not there. Values that ask for nothing pass.
    ///
    /// # Errors
    /// [`CliError::NotAvailable`] naming the option.
    pub(crate) fn refuse(&self) -> Result<(), CliError> {
        let flags: [(bool, &'static str, &'static str); 19] = [
            (self.llm_backend.is_some(), "--llm-backend", MODEL),
            (self.llm_model.is_some(), "--llm-model", MODEL),
            (self.llm_output_mode.is_some(), "--llm-output-mode", MODEL),
            (self.llm_agents.is_some(), "--llm-agents", MODEL),
            (self.use_llm_live_openai, "--use-llm-live-openai", MODEL),
            (self.allow_network, "--allow-network", "nothing in it uses the network"),
            (self.preset.is_some(), "--preset", MODEL),
            (self.coord_fixtures_path.is_some(), "--coord-fixtures-path", COORDINATION),
            (self.record_coord_fixtures_path.is_some(), "--record-coord-fixtures-path", COORDINATION),
            (self.coord_planner_backend.is_some(), "--coord-planner-backend", COORDINATION),
            (self.coord_bidder_backend.is_some(), "--coord-bidder-backend", COORDINATION),
            (self.coord_repair_backend.is_some(), "--coord-repair-backend", COORDINATION),
            (self.coord_detector_backend.is_some(), "--coord-detector-backend", COORDINATION),
            (self.coord_planner_model.is_some(), "--coord-planner-model", COORDINATION),
            (self.coord_bidder_model.is_some(), "--coord-bidder-model", COORDINATION),
            (self.coord_repair_model.is_some(), "--coord-repair-model", COORDINATION),
            (self.coord_detector_model.is_some(), "--coord-detector-model", COORDINATION),
            (self.agent_driven, "--agent-driven", COORDINATION),
            (self.multi_agentic, "--multi-agentic", COORDINATION),
        ];
        match flags.into_iter().find(|(given, ..)| *given) {
            Some((_, flag, reason)) => Err(CliError::NotAvailable { flag, reason }),
            None => Ok(()),
        }
    }
}

/// Refuses a pipeline mode other than `deterministic`.
///
/// # Errors
/// [`CliError::NotAvailable`].
pub(crate) fn refuse_pipeline(mode: Option<&str>) -> Result<(), CliError> {
    match mode {
        None | Some("deterministic") => Ok(()),
        Some("llm_live") => Err(CliError::NotAvailable { flag: "--pipeline-mode llm_live", reason: MODEL }),
        Some(_) => Err(CliError::NotAvailable { flag: "--pipeline-mode llm_offline", reason: MODEL }),
    }
}

/// Refuses the preset that the published command line calls a profile.
///
/// # Errors
/// [`CliError::NotAvailable`].
pub(crate) fn refuse_preset(profile: Option<&str>) -> Result<(), CliError> {
    if profile == Some("llm_live_eval") {
        return Err(CliError::NotAvailable { flag: "--profile llm_live_eval", reason: MODEL });
    }
    Ok(())
}
