//! `study emit`: a script for the scheduler of a cluster.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_bench::files::write_whole;
use labtrust_study::emit::{Emission, k8s, slurm};
use labtrust_study::plan::Plan;
use std::path::PathBuf;

/// Write a script that makes the cells of a plan on a cluster
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// For which scheduler
    #[arg(value_name = "SCHEDULER")]
    scheduler: Scheduler,
    /// The plan, or its directory
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// File for the script; stdout unless given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The plan as the cluster knows it; on Kubernetes /study/plan.jsonl unless given
    #[arg(long, value_name = "PATH")]
    plan_path: Option<String>,
    /// Where the cells go on the cluster; on Kubernetes /study/cells unless given
    #[arg(long, value_name = "PATH")]
    cells_path: Option<String>,
    /// Cells of one task; as few as make at most 1000 tasks unless given
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    per_task: Option<usize>,
    /// Most tasks at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    at_once: usize,
    /// Container image with labtrust in it, for Kubernetes
    #[arg(long, value_name = "IMAGE", default_value = "labtrust:latest")]
    image: String,
    /// Claim of the volume with plan and cells, for Kubernetes
    #[arg(long, value_name = "NAME", default_value = "labtrust-study")]
    claim: String,
    #[command(flatten)]
    format: FormatOption,
}

/// What runs the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scheduler {
    /// Slurm: a script for sbatch.
    Slurm,
    /// Kubernetes: an Indexed Job for kubectl.
    K8s,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "study emit",
        notes: "The script is a beginning: times, memory and accounts are those of your site. With `--format json` the script goes to --out.",
        writes: &[output("--out", "the script, if asked for")],
        json: Json::product(&[("cells", "[count]"), ("script?", "the script, without --out")]),
        done: "the script is written",
        examples: &[
            Example::new("slurm plan.jsonl --out study.sbatch").needs(&["plan.jsonl"]).leaves(&["study.sbatch"]),
            Example::new("k8s plan.jsonl --image registry.example/labtrust:0.1 > job.yaml").needs(&["plan.jsonl"]),
        ],
        refusals: &[
            Refusal::new("pbs plan.jsonl", 2, "slurm").needs(&["plan.jsonl"]),
            Refusal::new("slurm nowhere.jsonl", 1, "nowhere.jsonl"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let plan = Plan::read(&self.plan)?;
        let path = Plan::file(&self.plan).display().to_string();
        let (own_plan, own_cells) = match self.scheduler {
            Scheduler::Slurm => (path, super::cells_beside(&self.plan).display().to_string()),
            Scheduler::K8s => ("/study/plan.jsonl".to_owned(), "/study/cells".to_owned()),
        };
        let how = Emission {
            plan_path: self.plan_path.as_deref().unwrap_or(&own_plan),
            cells_path: self.cells_path.as_deref().unwrap_or(&own_cells),
            per_task: self.per_task,
            at_once: self.at_once,
            image: &self.image,
            claim: &self.claim,
        };
        let script = match self.scheduler {
            Scheduler::Slurm => slurm(&plan, &how),
            Scheduler::K8s => k8s(&plan, &how),
        };
        let mut answer = Answer::new(self.format, talk);
        answer.figure("cells", plan.cells.len());
        match &self.out {
            Some(out) => {
                write_whole(out, script.as_bytes())?;
                answer.wrote(out);
                answer.finish::<Self>(true, "")
            }
            None => {
                answer.figure("script", script.as_str());
                answer.finish::<Self>(true, &script)
            }
        }
    }
}
