//! `normalize-tokens`: a valid `token_usage.json` in every submission.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_protocol::tokens::{Normalized, normalize};
use std::path::PathBuf;

/// Create missing token_usage.json files (nothing known) and check those that are there
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folders of submissions, or token_usage.json files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "normalize-tokens",
        notes: "A file that is there is never changed. A total has to be the sum of what went in and out, every number needs a \
                method (`exact`, `reported`, `estimated`), and a sum with an estimated part is not `exact`.",
        writes: &[output("PATH/token_usage.json", "all null and `unknown`, where there was none")],
        done: "every file is valid now",
        fails: "a file misleads; the others were seen to",
        json: Json::product(&[
            ("valid", "files that were valid"),
            ("findings", "file, place, problem and hint of the others"),
        ]),
        examples: &[Example::new("submissions/2026-01-31__001_synthetic_mine_throughput__shell__by-hand")
            .needs(&["submissions"])],
        refusals: &[
            Refusal::new("nowhere", 1, "nowhere"),
            Refusal::new("token_usage_mixed/token_usage.json", 1, "mixes methods").needs(&["token_usage_mixed"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let mut answer = Answer::new(options.format, talk);
    let (mut valid, mut findings, mut text) = (Vec::new(), Vec::new(), String::new());
    for path in &options.paths {
        match normalize(path) {
            Ok(Normalized::Created(file)) => answer.wrote(&file),
            Ok(Normalized::Valid(file)) => {
                talk.detail(&format!("{} is valid", file.display()));
                valid.push(file.display().to_string());
            }
            Err(error) => {
                let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                text.push_str(&format!("{error}{hint}\n"));
                findings.push(serde_json::json!({ "problem": error.to_string(), "hint": error.hint() }));
            }
        }
    }
    let count = findings.len();
    answer.figure("valid", valid);
    answer.figure("findings", findings);
    answer.finish::<Options>(count == 0, &text)?;
    if count == 0 { Ok(()) } else { Err(CliError::TokenFindings { count }) }
}
