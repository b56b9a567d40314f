//! `study plan`: a study as a list of cells.

use super::{PlanOptions, Planned, require_coverage};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_study::plan::NAME;
use std::path::PathBuf;

/// Write a study down as a list of cells, to be made anywhere
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Spec of a coordination study
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// File for the plan, or a directory for plan.jsonl
    #[arg(long, value_name = "FILE|DIR", default_value = NAME)]
    out: PathBuf,
    #[command(flatten)]
    options: PlanOptions,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "study plan",
        notes: "The form of a plan is told in [studies](studies.md#plans); how to use one, in [studies on a cluster](../howto/cluster.md).",
        writes: &[output("--out", "the study, then a line for every cell with a hash over all that it depends on")],
        json: Json::product(&[
            ("study_id", "name of the study"),
            ("cells", "[count]"),
            ("not_run", "methods of the spec that this version does not have"),
            ("coverage_missing", "risks that need evidence and have no injection [count]"),
        ]),
        done: "the plan is written",
        fails: "a size, method or injection that there is not; with LABTRUST_STRICT_COVERAGE=1 a risk that needs evidence and has no injection",
        examples: &[Example::new("study.yaml --out plan.jsonl").needs(&["study.yaml"]).leaves(&["plan.jsonl"])],
        refusals: &[
            Refusal::new("nowhere.yaml", 1, "nowhere.yaml"),
            Refusal::new("study_typo.yaml", 1, "kernel_centralized_edf").needs(&["study_typo.yaml"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let Planned { plan, .. } = self.options.plan(Some(&self.spec), global, talk)?;
        require_coverage(&plan)?;
        let out = match self.out.extension() {
            // What has no ending is a directory, whether it is there or not.
            None => self.out.join(NAME),
            Some(_) => self.out.clone(),
        };
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&plan.write(&out)?);
        let head = &plan.head;
        talk.say(&format!("{} cells. Next: labtrust study cell {} --index 0", plan.cells.len(), out.display()));
        answer.figure("study_id", head.study_id.as_str());
        answer.figure("cells", plan.cells.len());
        answer.figure("not_run", head.not_run.iter().map(|one| one.method_id.as_str()).collect::<Vec<_>>());
        answer.figure("coverage_missing", head.coverage.missing.len());
        answer.finish::<Self>(true, "")
    }
}
