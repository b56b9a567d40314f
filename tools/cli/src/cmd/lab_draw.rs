//! `lab draw`: a picture of the laboratory, from the zone policy.

use crate::Global;
use crate::error::CliError;
use crate::floor_plan;
use crate::session::Session;
use crate::talk::{self, Talk};
use labtrust_bench::files::write_whole;
use std::path::PathBuf;

/// Draw the laboratory of the policy as an SVG picture
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust lab draw --out laboratory.svg")]
pub(crate) struct Options {
    /// File to write; stdout where this is not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    let session = Session::open(global, None)?;
    let plan = floor_plan::read(&session.policy)?;
    let svg = floor_plan::draw(&plan);
    match &options.out {
        Some(path) => {
            write_whole(path, svg.as_bytes())?;
            talk.wrote(path);
            Ok(())
        }
        None => talk::print(&svg),
    }
}
