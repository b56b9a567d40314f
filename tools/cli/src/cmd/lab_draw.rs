//! `lab draw`: a picture of the laboratory, from the zone policy.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_bench::files::write_whole;
use labtrust_environment::floor_plan;
use std::path::PathBuf;

/// Draw the laboratory of the policy as an SVG picture
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// File to write; stdout where this is not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "lab draw",
        writes: &[output("--out", "with --out: the picture, which otherwise goes to stdout")],
        json: Json::product(&[("picture?", "the SVG, without --out")]),
        examples: &[Example::new("--out laboratory.svg").leaves(&["laboratory.svg"]), Example::tried("")],
        refusals: &[Refusal::new("--out results.json/lab.svg", 1, "results.json").needs(&["results.json"])],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let session = Session::open(global, None)?;
    let plan = floor_plan::read(&session.policy)?;
    let svg = floor_plan::draw(&plan);
    let mut answer = Answer::new(options.format, talk);
    match &options.out {
        Some(path) => {
            write_whole(path, svg.as_bytes())?;
            answer.wrote(path);
            answer.finish::<Options>(true, "")
        }
        None => {
            answer.figure("picture", svg.as_str());
            answer.finish::<Options>(true, &svg)
        }
    }
}
