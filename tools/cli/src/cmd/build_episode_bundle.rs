//! `build-episode-bundle`: an episode as one document for the viewer.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::disk::{RealDisk, write_file};
use labtrust_evidence::episode_bundle::build;
use labtrust_evidence::release::pretty;
use serde_json::Value;
use std::path::PathBuf;

/// Write an episode as one document: rooms, agents, and every step with its entries
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of a run
    #[arg(long, value_name = "DIR")]
    run_dir: PathBuf,
    /// The document; episode_bundle.json in the directory of the run where this is not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Episode of the log, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    episode: u64,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "build-episode-bundle",
        notes: "The log is `episode_log.jsonl`, else the first of `logs/*.jsonl`, `log.jsonl`, `episodes.jsonl` that has steps.",
        writes: &[output("--out", "the document, indented JSON")],
        done: "the document is there",
        fails: "the run has no log, or no such episode",
        json: Json::product(&[("steps", "[count]"), ("agents", "[count]")]),
        examples: &[Example::new("--run-dir labtrust_runs/quick_eval_a --out episode.json")
            .needs(&["labtrust_runs/quick_eval_a/summary.md"])
            .leaves(&["episode.json"])],
        refusals: &[Refusal::new("--run-dir nowhere", 1, "has no log")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let document = build(&self.run_dir, self.episode)?;
        let path = self.out.clone().unwrap_or_else(|| self.run_dir.join("episode_bundle.json"));
        write_file(&RealDisk, &path, &pretty(&document))?;
        let count = |key: &str| document.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&path);
        answer.figure("steps", count("steps"));
        answer.figure("agents", count("agents"));
        answer.finish::<Self>(true, &format!("{} steps of {} agents\n", count("steps"), count("agents")))
    }
}
