//! `review`: a coordination study as an external reviewer looks at it.

use super::common_options::ThreadsOption;
use super::pack_ground::{PackGround, tell};
use super::study::{is_smoke, is_strict};
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::replay;
use crate::talk::Talk;
use labtrust_official_pack::card::CARD;
use labtrust_official_pack::review::{COVERAGE, REVIEW, Request, review};
use labtrust_official_pack::steps::{Step, require};
use labtrust_study::spec::{CoordinationSpec, Reading};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Review a coordination study: its tables, what it covers, its bundles, and the card of language models
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of the study
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Run this study into the directory first, with the logs of its cells; what is there of it is not made again
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Fail where a required cell has no row; so it is, too, where LABTRUST_STRICT_COVERAGE is 1
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    threads: ThreadsOption,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "review",
        notes: "What is looked at, in order: [official pack](official_pack.md#review). It needs no network. `LABTRUST_REPRO_SMOKE=1` runs one episode a cell.",
        writes: &[
            output("DIR/review.json", "what was looked at, and what came of it"),
            output("DIR/summary/coverage_gate.json", "required pairs of method and risk without a row, and why"),
            output("DIR/COORDINATION_LLM_CARD.md", "what language models had to do with it, unless it is there"),
            output("DIR/receipts/", "with --spec: an evidence bundle of the first cell; verify_report.json in each"),
        ],
        done: "tables are whole, there is a bundle and all of them hold; with --strict, every required cell has a row",
        fails: "a step that failed, no bundle to verify, or a required cell without a row under --strict; the report is there",
        json: Json::product(&[
            ("steps", "for every step `name`, `status` and `error`"),
            ("missing", "required pairs of method and risk without a row [count]"),
            ("bundles", "that were verified [count]"),
        ]),
        examples: &[
            Example::new("reviewed --spec study.yaml --threads 1").needs(&["study.yaml"]).leaves(&[
                "reviewed/review.json",
                "reviewed/COORDINATION_LLM_CARD.md",
                "reviewed/receipts",
            ]),
            Example::shown("study --strict"),
        ],
        refusals: &[Refusal::new("nowhere", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let opened = PackGround::open(global, None)?;
        let reading = Reading {
            registry: &opened.registry,
            policy: &opened.session.policy,
            baseline: true,
            most_episodes: is_smoke().then_some(1),
        };
        let spec = match &self.spec {
            Some(path) => Some(CoordinationSpec::load(path, &reading)?),
            None => None,
        };
        let start = |facts: &Value| replay::start(global, facts);
        let reviewed = review(&Request {
            ground: &opened.ground(self.threads.threads, &start),
            spec: spec.as_ref(),
            strict: self.strict || is_strict(),
            dir: &self.dir,
            told: &|step| tell(talk, step),
        })?;
        let mut answer = Answer::new(self.format, talk);
        for name in [REVIEW, COVERAGE, CARD] {
            if self.dir.join(name).is_file() {
                answer.wrote(&self.dir.join(name));
            }
        }
        if !reviewed.missing.is_empty() {
            talk.say(&format!("{} required pairs of method and risk have no row.", reviewed.missing.len()));
        }
        answer.figures(json!({
            "steps": reviewed.steps.iter().map(Step::json).collect::<Vec<_>>(),
            "missing": reviewed.missing.len(),
            "bundles": reviewed.bundles,
        }));
        let done = require(&reviewed.steps);
        answer.finish::<Self>(done.is_ok(), "")?;
        Ok(done?)
    }
}
