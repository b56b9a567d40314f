//! `reproduce`: two studies of what controls do, with plots, for anybody to repeat.

use super::common_options::ThreadsOption;
use super::pack_ground::{PackGround, amount, tell};
use super::quick_eval::utc_stamp;
use super::study::is_smoke;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_official_pack::reproduce::{MANIFEST, Profile, Request, reproduce};
use labtrust_official_pack::steps::{Step, require};
use serde_json::Value;
use std::path::PathBuf;
use std::time::SystemTime;

/// Repeat two studies of what controls do, and draw them; --profile is minimal, full or full_with_coordination
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for it; runs/repro_PROFILE_TIME unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Everything is drawn from it
    #[arg(long, value_name = "SEED", default_value_t = 100)]
    seed_base: u64,
    #[command(flatten)]
    threads: ThreadsOption,
    #[command(flatten)]
    format: FormatOption,
}

/// What `--profile` may be.
const PROFILES: [Profile; 3] = [Profile::Minimal, Profile::Full, Profile::FullWithCoordination];

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "reproduce",
        notes: "`--profile` says how much here, and names no laboratory: `minimal` is 2 episodes of each condition, `full` 4, `full_with_coordination` the coordination security pack, too. `LABTRUST_REPRO_SMOKE=1` is one episode. See [official pack](official_pack.md#reproduce).",
        writes: &[
            output("--out/throughput_sla/", "a study with its plots; qc_cascade/ is another"),
            output("--out/spec_throughput_sla.yaml", "its spec; spec_qc_cascade.yaml"),
            output("--out/coordination_pack/", "with `--profile full_with_coordination`"),
            output("--out/repro_manifest.json", "what was done, and how every step ended"),
        ],
        done: "every step was done",
        fails: "a step that failed; the others are there",
        usage: "no `--profile`, or one that there is not",
        json: Json::product(&[("steps", "for every step `name`, `status` and `error`")]),
        examples: &[
            Example::shown("--profile full_with_coordination --out repro"),
            Example::new("--profile minimal --out repro_minimal --threads 1").leaves(&[
                "repro_minimal/repro_manifest.json",
                "repro_minimal/qc_cascade/manifest.json",
                "repro_minimal/throughput_sla/RUN_SUMMARY.md",
            ]),
        ],
        refusals: &[
            Refusal::new("--out r", 2, "minimal"),
            Refusal::new("--profile hospital_lab --out r", 2, "minimal"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let (profile, global) = amount(global, &PROFILES, Profile::name)?;
        let out = self.out.clone().unwrap_or_else(|| {
            PathBuf::from(format!("runs/repro_{}_{}", profile.name(), utc_stamp(SystemTime::now())))
        });
        if out.as_os_str().is_empty() {
            return Err(CliError::Empty { option: "--out" });
        }
        let opened = PackGround::open(&global, None)?;
        let start = |facts: &Value| replay::start(&global, facts);
        let steps = reproduce(&Request {
            ground: &opened.ground(self.threads.threads, &start),
            profile,
            seed_base: self.seed_base,
            smoke: is_smoke(),
            out: &out,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&out.join(MANIFEST));
        answer.figure("steps", steps.iter().map(Step::json).collect::<Vec<_>>());
        let done = require(&steps);
        answer.finish::<Self>(done.is_ok(), "")?;
        Ok(done?)
    }
}
