//! `study status`: how far the cells of a plan are.

use super::cells_beside;
use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_study::merge::status;
use labtrust_study::plan::Plan;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Tell how far the cells of a plan are
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The plan, or its directory
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Directory with folders of cells; may be given several times. `cells` beside the plan unless given
    #[arg(long, value_name = "DIR")]
    cells: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "study status",
        json: Json::data(&[
            ("study_id", "name of the study"),
            ("cells", "cells of the plan [count]"),
            ("done", "cells with results [count]"),
            ("failed", "cells that crashed: `cell_id` and `error`"),
            ("missing", "names of cells that there are not"),
            ("foreign", "folders that are of no cell of the plan"),
            ("corrupt", "folders whose content is not what it was"),
            ("complete", "whether `study merge` would put them together"),
        ]),
        done: "it is told, however far they are",
        examples: &[Example::new("plan.jsonl").needs(&["plan.jsonl"])],
        refusals: &[Refusal::new("nowhere.jsonl", 1, "nowhere.jsonl")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        let plan = Plan::read(&self.plan)?;
        let directories = match self.cells.is_empty() {
            true => vec![cells_beside(&self.plan)],
            false => self.cells.clone(),
        };
        let found = status(&plan, &directories)?;
        let complete = found.missing.is_empty() && found.foreign.is_empty() && found.corrupt.is_empty();
        let text = || {
            let mut text = format!("{} of {} cells are done.\n", found.done.len(), plan.cells.len());
            let failed: Vec<String> =
                found.failed.iter().map(|one| format!("{}: {}", one.cell_id, one.error)).collect();
            for (what, names) in [
                ("failed", &failed),
                ("missing", &found.missing),
                ("foreign", &found.foreign),
                ("corrupt", &found.corrupt),
            ] {
                for name in names {
                    let _ = writeln!(text, "{what}  {name}");
                }
            }
            text
        };
        self.format.print::<Self>(text, || {
            let failed = found.failed.iter().map(|one| json!({ "cell_id": one.cell_id, "error": one.error }));
            json!({
                "study_id": plan.head.study_id, "cells": plan.cells.len(), "done": found.done.len(),
                "failed": failed.collect::<Vec<_>>(), "missing": found.missing, "foreign": found.foreign,
                "corrupt": found.corrupt, "complete": complete,
            })
        })
    }
}
