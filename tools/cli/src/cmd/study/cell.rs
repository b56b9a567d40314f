//! `study cell`: one cell of a plan, or a few.

use super::{cells_beside, ground_of, tell_failures, tools};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_bench::CleanCourses;
use labtrust_study::folder::{State, inspect};
use labtrust_study::plan::{Plan, PlannedCell};
use labtrust_study::run::Failure;
use labtrust_study::workshop::Workshop;
use std::path::PathBuf;

/// Make one cell of a plan, unless it is there
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The plan, or its directory
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Which cell, from 0
    #[arg(long, value_name = "I")]
    index: usize,
    /// Make this one and those behind it, so many together; behind the last there is nothing to do
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    count: usize,
    /// Directory for the folders of cells; `cells` beside the plan unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "study cell",
        notes: "For schedulers of clusters: any number of processes may make any cells of one plan at the same time, on one file system or on many. [Studies on a cluster](../howto/cluster.md) shows how. RAYON_NUM_THREADS sets the threads.",
        writes: &[output(
            "--out/HASH/",
            "results.json and cell.json, which has their digests; with a plan of logs, these too",
        )],
        json: Json::product(&[
            ("made", "cells that were made now [count]"),
            ("there_before", "cells that were there [count]"),
            ("failed", "cells that crashed [count]"),
        ]),
        done: "the cell is there, now or since before",
        fails: "a cell that crashed, which would do so again; a plan of another program, policy or plugin",
        again: "no room, or a file system that does not answer; the same call may do later",
        examples: &[
            Example::new("plan.jsonl --index 0").needs(&["plan.jsonl"]).leaves(&["cells"]),
            Example::tried("plan.jsonl --index 1 --count 9 --out more").needs(&["plan.jsonl"]).leaves(&["more"]),
        ],
        refusals: &[
            Refusal::new("plan.jsonl --index 99", 1, "99").needs(&["plan.jsonl"]),
            Refusal::new("nowhere.jsonl --index 0", 1, "nowhere.jsonl"),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let plan = Plan::read(&self.plan)?;
        let first = plan.cell(self.index)?;
        let behind = plan.cells.iter().skip(self.index + 1).take(self.count - 1);
        let cells = self.out.clone().unwrap_or_else(|| cells_beside(&self.plan));
        let mut waiting: Vec<&PlannedCell> = Vec::new();
        for cell in std::iter::once(first).chain(behind) {
            match inspect(&cells.join(&cell.hash))? {
                State::Whole(record) if record.hash == cell.hash && record.error.is_none() => {
                    talk.say(&format!("{} is there", cell.cell_id));
                }
                _ => waiting.push(cell),
            }
        }
        let asked = self.count.min(plan.cells.len() - self.index);
        let mut answer = Answer::new(self.format, talk);
        let mut failures = Vec::new();
        if !waiting.is_empty() {
            let (registry, policy) = ground_of(&plan, global)?;
            let workshop = Workshop::open(tools(&plan, &registry, &policy)?, &plan, &waiting)?;
            let mut clean = (waiting[0].group(), CleanCourses::default());
            for cell in &waiting {
                if clean.0 != cell.group() {
                    clean = (cell.group(), CleanCourses::default());
                }
                match workshop.make(cell, Some(&clean.1), &cells, &cell.hash)?.error {
                    None => answer.wrote(&cells.join(&cell.hash)),
                    Some(error) => failures.push(Failure { cell_id: cell.cell_id.clone(), error }),
                }
            }
        }
        answer.figure("made", waiting.len() - failures.len());
        answer.figure("there_before", asked - waiting.len());
        answer.figure("failed", failures.len());
        answer.finish::<Self>(failures.is_empty(), "")?;
        tell_failures(&failures, asked)
    }
}
