//! `recover-log`: what holds of a log whose writer was stopped.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_bench::checkpoint::CHECKPOINT_NAME;
use labtrust_evidence::disk::{RealDisk, copy_beginning};
use labtrust_evidence::recover::{Tail, recover_file, seal_of};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Keep the longest beginning of a log that holds, and say what stands behind it
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The log that a stopped run left
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// File for what holds
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "recover-log",
        notes: "The log is not changed. A run that is stopped leaves its log as `.NAME.PROCESS.partial` or, with checkpoints, \
                `.NAME.continued.partial`. A torn end is a line that was not finished; a corrupt one has whole lines that do not follow. \
                A log that is sealed, that is, listed by the run_manifest.json of a run that came to its end or by the manifest.json of a \
                bundle, is not recovered: a beginning of it would be another log.",
        writes: &[output("--out", "the lines that hold, in the form that the log has")],
        done: "what holds is in the file, be it all or less",
        fails: "the log is sealed, or less of it holds than its checkpoint says",
        json: Json::product(&[
            ("records", "lines that hold [count]"),
            ("tail", "`none`, `torn` or `corrupt`"),
            ("tail_bytes", "bytes behind them [bytes]"),
            ("why", "why the next line does not hold, or null"),
        ]),
        examples: &[Example::new("--log log.jsonl --out recovered.jsonl")
            .needs(&["log.jsonl"])
            .leaves(&["recovered.jsonl"])],
        refusals: &[Refusal::new("--log nowhere.jsonl --out a.jsonl", 1, "nowhere.jsonl")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let unreadable = |source| CliError::Unreadable { path: self.log.clone(), source };
        if let Some(seal) = seal_of(&self.log).map_err(unreadable)? {
            let by = seal.by.display();
            let problem = match seal.actual == seal.listed {
                true => format!("it is sealed by {by} and is what that lists: there is nothing to recover"),
                false => format!(
                    "it is sealed by {by}, and its SHA-256 is {}, not {}: it was changed, and a part of it is not the log",
                    seal.actual, seal.listed
                ),
            };
            return Err(CliError::Content { path: self.log.clone(), problem });
        }
        let found = recover_file(&self.log).map_err(unreadable)?;
        if let Some(complete) = complete_at_checkpoint(&self.log).filter(|complete| *complete > found.length) {
            let problem = format!(
                "its checkpoint says that {complete} bytes were complete, and {} hold: it was changed",
                found.length
            );
            return Err(CliError::Content { path: self.log.clone(), problem });
        }
        copy_beginning(&RealDisk, &self.log, found.length, &self.out)?;
        let (tail, length, why) = match &found.tail {
            Tail::None => ("none", 0, None),
            Tail::Torn(length) => ("torn", *length, None),
            Tail::Corrupt(line, why, length) => ("corrupt", *length, Some(format!("line {line}: {why}"))),
        };
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out);
        answer.figure("records", found.records);
        answer.figure("tail", tail);
        answer.figure("tail_bytes", length);
        answer.figure("why", why.clone());
        let behind = match (tail, why) {
            ("none", _) => "nothing behind them".to_owned(),
            (tail, why) => {
                format!("a {tail} end of {length} bytes{}", why.map_or(String::new(), |why| format!(" ({why})")))
            }
        };
        answer.finish::<Self>(true, &format!("{} lines hold, {behind}\n", found.records))
    }
}

/// How much of an unfinished log the checkpoint beside it says was complete [bytes].
fn complete_at_checkpoint(log: &Path) -> Option<u64> {
    let bytes = std::fs::read(log.with_file_name(CHECKPOINT_NAME)).ok()?;
    let extra = serde_json::from_slice::<Value>(&bytes).ok()?.get("extra")?.clone();
    let name = extra.get("asked")?.get("log")?.as_str()?.to_owned();
    let own = log.file_name()?.to_str()?;
    let about_it = own == name || own == format!(".{name}.continued.partial");
    extra.get("files")?.get("log")?.get("length")?.as_u64().filter(|_| about_it)
}
