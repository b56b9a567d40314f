//! `generate-official-baselines`: every task of the registry as it is named there, with tables and what must not change.

use super::Timing;
use super::pack_ground::PackGround;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::session;
use crate::talk::Talk;
use labtrust_bench::Building;
use labtrust_official_pack::pack::vacant;
use labtrust_official_pack::registered::{Asked, GUARDED, Registered, write};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Run every official task and write results, tables and guarded figures to a new directory
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory to write, whole or not at all
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Episodes of each task
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    episodes: u64,
    /// Seed of the first episode; the others count up from it
    #[arg(long, value_name = "SEED", default_value_t = 123)]
    seed: u64,
    /// Who moves time
    #[arg(long, value_name = "MODE", default_value = "explicit")]
    timing: Timing,
    /// Partner overlay of the policy (or the one that LABTRUST_PARTNER names)
    #[arg(long, value_name = "ID")]
    partner: Option<String>,
    /// Replace the directory if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "generate-official-baselines",
        notes: "Every task of the [official registry](benchmark_card.md), by its crew and by `random_legal`.",
        writes: &[output("--out/", "results/, tables (summary*), guarded.json, metadata.json; whole or not at all")],
        fails: "a task is played by other agents than the registry names, or releases less than its floor; --out exists",
        json: Json::product(&[
            ("episodes", "of each task [count]"),
            ("base_seed", "of the first episode"),
            ("timing_mode", "who moved time"),
            ("reference_agents", "the line to compare with"),
            (
                "tasks",
                "for every task its id (`task`), `baseline_id`, `throughput_mean` and `reference_throughput_mean`",
            ),
        ]),
        examples: &[
            Example::shown("--out baselines --episodes 200"),
            Example::tried("--out baselines --episodes 1").leaves(&["baselines/metadata.json", "baselines/summary.md"]),
        ],
        refusals: &[Refusal::new("--out baselines --episodes 1", 1, "exists").needs(&["baselines"])],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        if self.out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        if self.out.exists() && !self.force {
            return Err(BaselineError::Exists { path: self.out.clone() }.into());
        }
        vacant(&self.out, GUARDED, "baselines")?;
        let opened = PackGround::open(global, session::partner(self.partner.as_deref()).as_deref())?;
        let start = |facts: &Value| replay::start(global, facts);
        let timing = labtrust_kernel::ClockMode::from(self.timing);
        let asked = Asked {
            episodes: self.episodes,
            seed: self.seed,
            timing,
            strict_signatures: session::strict_signatures(),
            told: &|row, reference| {
                talk.say(&format!(
                    "{}: {:.2} an episode, {:.2} by {reference}",
                    row.task, row.throughput_mean, row.reference_throughput_mean
                ));
            },
        };
        let building = Building::new(&self.out)?;
        let made = write(&opened.ground(None, &start), &asked, building.path())?;
        building.finish(&self.out)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out);
        answer.figures(json!({
            "episodes": self.episodes, "base_seed": self.seed, "timing_mode": timing.as_str(),
            "reference_agents": made.reference_agents,
            "tasks": made.rows.iter().map(Registered::json).collect::<Vec<_>>(),
        }));
        answer.finish::<Self>(true, "")
    }
}

/// Why baselines were not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaselineError {
    #[error("{} exists already; --force replaces it", path.display())]
    Exists { path: PathBuf },
}
