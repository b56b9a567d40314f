//! `study merge`: from cells to a study.

use super::{cells_beside, draw, ground_of, plan_in, tell_failures};
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use crate::{Global, version};
use labtrust_study::merge::{MANIFEST, merge};
use labtrust_study::plan::{Identity, Plan};
use std::path::PathBuf;

/// Put a study together from cells, wherever they were made
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The plan, or its directory
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Directory with folders of cells; may be given several times. `cells` beside the plan unless given
    #[arg(long, value_name = "DIR")]
    cells: Vec<PathBuf>,
    /// Directory for the study
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "study merge",
        notes: "The files are those of `run-coordination-study`, byte for byte, whoever made the cells and in whatever order they are named.",
        writes: &[
            output("--out/manifest_coordination.json", "what the study is, and which cells failed"),
            output("--out/plan.jsonl", "the plan"),
            output("--out/cells/", "a folder for every cell"),
            output("--out/summary/", "tables and reports"),
            output("--out/PARETO/", "fronts, and the Pareto frontier as SVG and PNG"),
            output("--out/figures/", "figures, each as SVG and as PNG"),
            output("--out/report.html", "all of it as one page that needs no network"),
        ],
        json: Json::product(&[("cells", "[count]"), ("failed", "cells that crashed [count]")]),
        done: "the study is written",
        fails: "a cell that is missing, foreign or corrupt, each by name: then nothing is written; a cell that crashed",
        again: "no room, or a file system that does not answer; the same call may do later",
        examples: &[Example::new("plan.jsonl --cells cells --cells more --out study")
            .needs(&["plan.jsonl", "cells", "more"])
            .leaves(&["study/manifest_coordination.json", "study/cells"])],
        refusals: &[Refusal::new("plan.jsonl --cells nothing --out study", 1, "missing").needs(&["plan.jsonl"])],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let plan = Plan::read(&self.plan)?;
        let (_, policy) = ground_of(&plan, global)?;
        let here = Identity::of(&policy, version::GIT_SHA, plan.head.identity.lab_domain.as_deref())?;
        plan.head.identity.require(&here)?;
        let directories = match self.cells.is_empty() {
            true => vec![cells_beside(&self.plan)],
            false => self.cells.clone(),
        };
        let failures = merge(&plan, &directories, &self.out, &policy)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&plan_in(&self.out));
        answer.wrote(&self.out.join(MANIFEST));
        if let Some(page) = draw(&self.out)? {
            answer.wrote(&page);
        }
        answer.figure("cells", plan.cells.len());
        answer.figure("failed", failures.len());
        answer.finish::<Self>(failures.is_empty(), "")?;
        tell_failures(&failures, plan.cells.len())
    }
}
