//! `make-plots`: every figure and table that a run has data for.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use labtrust_figures::chart::Theme;
use labtrust_figures::plots;
use labtrust_figures::run::Run;
use std::path::PathBuf;

/// Draw every figure that a run has data for, and write the tables behind them
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory of a run: of run-study, run-coordination-study or run-coordination-security-pack
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    theme: ThemeOption,
    /// Write figures/run_figures.pdf too, a page for every figure
    #[arg(long)]
    pdf: bool,
    /// Episode log to draw devices, specimens and violations of; otherwise the first one in the run with steps
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

/// The colours.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct ThemeOption {
    /// Colours; in `colorblind` and `bw` letters and shapes tell what colours do not
    #[arg(long, value_name = "THEME", default_value = "light", value_parser = themes())]
    pub(super) theme: Theme,
}

fn themes() -> impl TypedValueParser<Value = Theme> {
    PossibleValuesParser::new(Theme::ALL.map(Theme::id)).map(|name| Theme::of(&name).unwrap_or(Theme::Light))
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "make-plots",
        notes: "What is drawn of which run, and how it is computed: [figures](figures.md).",
        writes: &[
            output("--run/figures/", "figures, each as SVG and as PNG of 150 dpi"),
            output("--run/figures/data_tables/", "the numbers behind them, of a study of conditions and of a pack"),
            output("--run/figures/RUN_REPORT.md", "which figures there are, and what they mean"),
            output("--run/PARETO/frontier.svg", "of a coordination study: the Pareto frontier; .png too"),
            output("--run/RUN_SUMMARY.md", "of a study of conditions: what lies where"),
            output("--run/figures/run_figures.pdf", "with --pdf"),
        ],
        json: Json::product(&[("figures", "how many there are [count]")]),
        fails: "a directory that is no run; a table of it that cannot be read; a log without steps",
        examples: &[
            Example::new("--run small")
                .needs(&["small/timings.json"])
                .leaves(&["small/figures/pack_gate_heatmap.svg", "small/figures/data_tables/pack_gate_summary.md"]),
            Example::shown("--run study --theme colorblind --pdf"),
        ],
        refusals: &[
            Refusal::new("--run nowhere", 1, "summary/summary_coord.csv"),
            Refusal::new("--run small --theme solarized", 2, "--theme"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let run = Run::open(&self.run, self.log.as_deref())?;
        let written = plots::write(&run, self.theme.theme, self.pdf)?;
        let mut answer = Answer::new(self.format, talk);
        written.iter().for_each(|path| answer.wrote(path));
        let figures = written.iter().filter(|path| path.extension().is_some_and(|end| end == "svg")).count();
        answer.figure("figures", figures);
        talk.say(&format!("Next: labtrust report --run {}", self.run.display()));
        answer.finish::<Self>(true, "")
    }
}
