//! `summarize-coordination`: means of a study or of a pack by method and by class of methods.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_comparison::leaderboard;
use std::path::PathBuf;

/// Average the cells of a coordination study or of a security pack by method and by class of methods
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory with summary/summary_coord.csv, summary_coord.csv or pack_summary.csv, the first that is there
    #[arg(long = "in", value_name = "DIR")]
    input: PathBuf,
    /// Directory that summary/ is written to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "summarize-coordination",
        notes: "Means over cells say nothing of chance: which methods differ is in `comparisons.csv` of a study ([columns and formulas](comparison.md)).",
        writes: &[
            output("--out/summary/sota_leaderboard.csv", "means by method; .md for people"),
            output("--out/summary/sota_leaderboard_full.csv", "means of all figures by method; .md for people"),
            output("--out/summary/method_class_comparison.csv", "means by class of methods; .md for people"),
            output(
                "--out/summary/sota_leaderboard_by_phase.csv",
                "by method and phase, where cells have one; .md for people",
            ),
            output("--out/summary/README.md", "what the files are"),
        ],
        fails: "a directory without such a table; a table without rows",
        json: Json::product(&[("source", "the table that was read"), ("cells", "its rows [count]")]),
        examples: &[Example::new("--in small --out averaged").needs(&["small/timings.json"]).leaves(&[
            "averaged/summary/sota_leaderboard.csv",
            "averaged/summary/sota_leaderboard_full.md",
            "averaged/summary/method_class_comparison.csv",
            "averaged/summary/README.md",
        ])],
        refusals: &[Refusal::new("--in nowhere --out averaged", 1, "summary_coord.csv")],
        ..Spec::NEW
    };

    fn run(&self, _global: &Global, talk: Talk) -> Result<(), CliError> {
        let summary = leaderboard::summarise(&self.input, &self.out)?;
        let mut answer = Answer::new(self.format, talk);
        for name in &summary.written {
            answer.wrote(&self.out.join(name));
        }
        answer.figure("source", summary.source);
        answer.figure("cells", summary.cells);
        answer.finish::<Self>(true, "")
    }
}
