//! `build-coordination-matrix`: methods of a run in one table with two scores.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::{Session, rooted};
use crate::talk::Talk;
use labtrust_comparison::matrix::{self, Mode, Request};
use std::path::PathBuf;

/// Put the methods of a coordination study or of a security pack into one matrix: undisturbed work, work under attack, ranks
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of a study or of a pack
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Directory for the matrix, or a file whose name ends in .json
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Directory with a policy directory in it, or a policy directory
    #[arg(long, value_name = "DIR", conflicts_with = "policy_dir")]
    policy_root: Option<PathBuf>,
    /// Take a run that does not say how it was made for a deterministic one
    #[arg(long)]
    no_strict: bool,
    /// Which runs are taken
    #[arg(long, value_name = "MODE", default_value = "llm_live")]
    matrix_mode: MatrixMode,
    #[command(flatten)]
    format: FormatOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum MatrixMode {
    /// Those that models decided over the network
    LlmLive,
    /// All
    Pack,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "build-coordination-matrix",
        notes: "By the three `coordination_matrix_*` files of the policy. A figure that a method lacks is the worst of its size; scores have no intervals ([scores and ranks](comparison.md#the-coordination-matrix)).",
        writes: &[output("--out/coordination_matrix.v0.1.json", "the matrix")],
        fails: "a run of another mode; a run without baselines or without attacks; a cell with two rows",
        json: Json::product(&[
            ("rows", "methods at sizes [count]"),
            ("recommendations", "by size: best undisturbed, best under attack, balanced"),
        ]),
        examples: &[Example::new("--run small --out matrix --matrix-mode pack")
            .needs(&["small/timings.json"])
            .leaves(&["matrix/coordination_matrix.v0.1.json"])],
        refusals: &[
            Refusal::new("--run nowhere --out matrix --matrix-mode pack", 1, "summary_coord.csv"),
            Refusal::new("--run small --out matrix", 1, "--matrix-mode pack").needs(&["small/timings.json"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        let policy = Session::open(&rooted(global, self.policy_root.as_deref()), None)?.policy;
        let mode = match self.matrix_mode {
            MatrixMode::LlmLive => Mode::LlmLive,
            MatrixMode::Pack => Mode::Pack,
        };
        let request = Request { run: &self.run, mode, strict: !self.no_strict, policy: &policy };
        let document = matrix::build(&request, &self.out)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&matrix::target(&self.out));
        answer.figure("rows", document["rows"].as_array().map_or(0, Vec::len));
        answer.figure("recommendations", document["recommendations"].clone());
        answer.finish::<Self>(true, "")
    }
}
