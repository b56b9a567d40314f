//! The commands, one a file; [`crate::commands`] lists them.

mod ablate;
pub(crate) mod audit_selfcheck;
pub(crate) mod bench_scaling;
pub(crate) mod bench_smoke;
pub(crate) mod build_coordination_matrix;
pub(crate) mod build_episode_bundle;
pub(crate) mod check_security_gate;
pub(crate) mod check_trace;
pub(crate) mod commands;
mod common_options;
pub(crate) mod completions;
pub(crate) mod controls;
pub(crate) mod deps_inventory;
pub(crate) mod determinism_report;
pub(crate) mod diff;
pub(crate) mod eval_agent;
pub(crate) mod eval_ppo;
pub(crate) mod evaluate_submission;
pub(crate) mod explain;
pub(crate) mod export_fhir;
pub(crate) mod export_receipts;
pub(crate) mod forker_quickstart;
pub(crate) mod full_pipeline;
pub(crate) mod generate_official_baselines;
pub(crate) mod injections;
pub(crate) mod keys;
pub(crate) mod lab_draw;
pub(crate) mod lab_report;
pub(crate) mod leaderboard;
pub(crate) mod make_plots;
pub(crate) mod man;
mod manifest;
pub(crate) mod measure_run;
mod method_options;
pub(crate) mod method_risk_matrix;
pub(crate) mod methods;
pub(crate) mod new_task;
pub(crate) mod normalize_tokens;
mod not_yet;
mod pack_ground;
pub(crate) mod package_release;
mod plain_run;
pub(crate) mod plugins;
pub(crate) mod plugins_new;
pub(crate) mod quick_eval;
pub(crate) mod record_score;
pub(crate) mod recover_log;
pub(crate) mod release;
pub(crate) mod replay_log;
pub(crate) mod report;
pub(crate) mod reproduce;
pub(crate) mod review;
pub(crate) mod risk_register;
pub(crate) mod run_benchmark;
pub(crate) mod run_coordination_study;
pub(crate) mod run_mine;
pub(crate) mod run_official_pack;
mod run_options;
pub(crate) mod run_scenario;
pub(crate) mod run_security_pack;
pub(crate) mod run_security_suite;
pub(crate) mod run_study;
pub(crate) mod run_summary;
pub(crate) mod run_vectors;
pub(crate) mod safety_case;
pub(crate) mod schema;
pub(crate) mod show_pack;
mod step_timing;
mod strict_gate;
pub(crate) mod study;
pub(crate) mod summarize_coordination;
pub(crate) mod summarize_results;
pub(crate) mod throughput_compare;
pub(crate) mod train_ppo;
pub(crate) mod transparency_log;
pub(crate) mod ui_export;
pub(crate) mod validate_coverage;
pub(crate) mod validate_fhir;
pub(crate) mod validate_policy;
pub(crate) mod validate_results;
pub(crate) mod verify_bundle;
pub(crate) mod witness;

/// Who moves time, as an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Timing {
    /// Services take no time.
    Explicit,
    /// Services take the time that the policy says.
    Simulated,
}

impl From<Timing> for labtrust_kernel::ClockMode {
    fn from(timing: Timing) -> Self {
        match timing {
            Timing::Explicit => Self::Explicit,
            Timing::Simulated => Self::Simulated,
        }
    }
}
