//! `report`: a run as one page for a browser.

use super::make_plots::ThemeOption;
use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_figures::report;
use std::path::PathBuf;

/// Write a run as one page: verdict, figures, tables to sort, caveats; it needs no network
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of a run: of run-study, run-coordination-study or run-coordination-security-pack
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    theme: ThemeOption,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "report",
        notes: "With the light theme the page is dark for readers who asked their system for that. What is on it: \
                [figures](figures.md).",
        writes: &[output("--run/report.html", "the page; it has everything in it and can be sent as it is")],
        json: Json::product(&[]),
        fails: "a directory that is no run; a table of it that cannot be read",
        examples: &[Example::new("--run small").needs(&["small/timings.json"]).leaves(&["small/report.html"])],
        refusals: &[Refusal::new("--run nowhere", 1, "summary/summary_coord.csv")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let page = report::write(&self.run, self.theme.theme)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&page);
        answer.finish::<Self>(true, "")
    }
}
