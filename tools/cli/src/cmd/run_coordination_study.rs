//! `run-coordination-study`: sizes, methods and injections set against each other, with tables and fronts.

use super::common_options::ThreadsOption;
use super::study::progress::{How, Progress};
use super::study::{PlanOptions, Planned, draw, plan_in, require_coverage, tell_failures, tools};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_study::merge::{COVERAGE, MANIFEST, merge, write_coverage};
use labtrust_study::plan::{PlannedCell, Shard};
use labtrust_study::run::{CELLS, Run, refuse_others};
use std::path::{Path, PathBuf};

/// Run a coordination study: every size with every method under every injection, compared
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Spec of the study; unless given that of the laboratory profile, of the partner, or of the policy
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Directory for the study; what is there of it already is not made again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    threads: ThreadsOption,
    /// Make the cells of one of so many machines only; `study merge` puts the parts together
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// How progress is told, on stderr
    #[arg(long, value_name = "HOW", default_value = "text")]
    progress: How,
    /// Remove what is there of a study, and begin anew
    #[arg(long)]
    fresh: bool,
    #[arg(long, hide = true)]
    llm_backend: Option<String>,
    #[arg(long, hide = true)]
    llm_model: Option<String>,
    #[arg(long, hide = true)]
    allow_network: bool,
    #[arg(long, hide = true)]
    emit_coordination_matrix: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "run-coordination-study",
        notes: "Spec, cells, seeds and files: [studies](studies.md). A study that was interrupted goes on where it was. `LABTRUST_REPRO_SMOKE=1` runs one episode a cell.",
        writes: &[
            output(
                "--out/manifest_coordination.json",
                "what the study is, its cells with their seeds, methods that were not run, and cells that failed",
            ),
            output("--out/plan.jsonl", "its cells, for `study status` and `study merge`"),
            output("--out/cells/", "for every cell results.json and cell.json; with --logs its logs"),
            output("--out/summary/", "tables of cells and episodes, and reports"),
            output("--out/summary/coverage_missing.json", "where a risk that needs evidence has no injection"),
            output("--out/PARETO/", "fronts, and the Pareto frontier as SVG and PNG"),
            output("--out/figures/", "figures, each as SVG and as PNG; other colours by `make-plots`"),
            output("--out/report.html", "all of it as one page that needs no network"),
        ],
        json: Json::product(&[
            ("study_id", "name of the study"),
            ("cells", "[count]"),
            ("failed", "cells that crashed [count]"),
            ("not_run", "methods of the spec that this version does not have"),
            ("coverage_missing", "risks that need evidence and have no injection [count]"),
            ("complete", "whether the tables are written: not by one shard of several"),
        ]),
        done: "the study is written, whatever it says",
        fails: "a size, method or injection that there is not; a cell that crashed: the others are there; with LABTRUST_STRICT_COVERAGE=1 a risk that needs evidence and has no injection, before any cell",
        again: "no room, or a file system that does not answer; the same call goes on",
        examples: &[
            Example::shown("--spec policy/coordination/coordination_study_spec.v0.1.yaml --out study"),
            Example::shown("--partner my_lab --out study"),
            Example::tried("--spec study.yaml --out small_study --threads 1").needs(&["study.yaml"]).leaves(&[
                "small_study/manifest_coordination.json",
                "small_study/plan.jsonl",
                "small_study/cells",
                "small_study/PARETO/pareto.json",
                "small_study/report.html",
            ]),
            Example::tried("--spec study.yaml --out part --shard 1/2 --progress json")
                .needs(&["study.yaml"])
                .leaves(&["part/cells"]),
        ],
        refusals: &[
            Refusal::new("--spec study_typo.yaml --out s", 1, "kernel_centralized_edf").needs(&["study_typo.yaml"]),
            Refusal::new("--spec study.yaml --out s --llm-backend openai_live", 1, "--llm-backend")
                .needs(&["study.yaml"]),
            Refusal::new("--spec study.yaml --out s --emit-coordination-matrix", 1, "--emit-coordination-matrix")
                .needs(&["study.yaml"]),
            Refusal::new("--spec study.yaml --out s --shard 3/2", 2, "I/N").needs(&["study.yaml"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        self.refuse()?;
        let Planned { plan, registry, session } = self.plan.plan(self.spec.as_deref(), global, talk)?;
        if self.fresh {
            remove(&self.out)?;
        }
        refuse_others(&plan, &self.out)?;
        write_coverage(&plan, &self.out)?;
        require_coverage(&plan)?;
        plan.write(&plan_in(&self.out))?;
        let asked: Vec<&PlannedCell> = match self.shard {
            Some(shard) => plan.shard(shard).collect(),
            None => plan.cells.iter().collect(),
        };
        let progress = Progress::new(self.progress, asked.len(), talk);
        let run = Run {
            tools: tools(&plan, &registry, &session.policy)?,
            threads: self.threads.threads,
            progress: &|cell, made| progress.tell(cell, made),
        };
        let failures = run.cells(&plan, &asked, &self.out);
        progress.finish();
        let mut failures = failures?;
        let cells = self.out.join(CELLS);
        let mut answer = Answer::new(self.format, talk);
        if self.shard.is_none() {
            failures = merge(&plan, &[cells], &self.out, &session.policy)?;
            answer.wrote(&self.out.join(MANIFEST));
            if let Some(page) = draw(&self.out)? {
                answer.wrote(&page);
            }
        } else {
            answer.wrote(&cells);
        }
        let head = &plan.head;
        if !head.coverage.missing.is_empty() {
            answer.wrote(&self.out.join(COVERAGE));
        }
        answer.figure("study_id", head.study_id.as_str());
        answer.figure("cells", asked.len());
        answer.figure("failed", failures.len());
        answer.figure("not_run", head.not_run.iter().map(|one| one.method_id.as_str()).collect::<Vec<_>>());
        answer.figure("coverage_missing", head.coverage.missing.len());
        answer.figure("complete", self.shard.is_none());
        answer.finish::<Self>(failures.is_empty(), "")?;
        tell_failures(&failures, asked.len())?;
        if self.shard.is_some() {
            talk.say("Next: labtrust study merge PLAN --cells EVERY/cells --out OUT");
        }
        Ok(())
    }
}

impl Options {
    fn refuse(&self) -> Result<(), CliError> {
        const MODEL: &str =
            "no method in it works with a language model; a spec may name such methods, they are listed as not run";
        let live = self.llm_backend.as_deref().is_some_and(|backend| backend != "deterministic");
        let flags = [
            (live, "--llm-backend", MODEL),
            (self.llm_model.is_some(), "--llm-model", MODEL),
            (self.allow_network, "--allow-network", "nothing in it uses the network"),
            (
                self.emit_coordination_matrix,
                "--emit-coordination-matrix",
                "the matrix is about live language models; `build-coordination-matrix` makes one of a security pack",
            ),
        ];
        match flags.into_iter().find(|(given, ..)| *given) {
            Some((_, flag, reason)) => Err(CliError::NotAvailable { flag, reason }),
            None => Ok(()),
        }
    }
}

/// Removes the files of a study, and nothing that somebody else has put beside them.
fn remove(out: &Path) -> Result<(), CliError> {
    for name in [CELLS, "summary", "PARETO", "figures", "report.html", "plan.jsonl", MANIFEST] {
        let path = out.join(name);
        let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match gone {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::Directory { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}
