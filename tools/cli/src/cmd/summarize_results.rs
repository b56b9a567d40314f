//! `summarize-results`: results of any number of runs as tables, a row for every task, baseline and partner.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_bench::files::AtomicFile;
use labtrust_bench::summary::{UncertaintyMapping, summarise_results};
use serde_json::json;
use std::path::{Component, Path, PathBuf};

/// Pool results files into tables with means, deviations, percentiles and intervals
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Results files, or directories in which they are looked for
    #[arg(long = "in", value_name = "PATH", required = true, num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Directory that the tables are written to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Settings that split rows too: keys of the `config` of a results file, such as timing_mode
    #[arg(long, value_name = "SETTING", num_args = 1..)]
    by: Vec<String>,
    /// How the names of the tables begin
    #[arg(long, value_name = "NAME", default_value = "summary")]
    basename: String,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "summarize-results",
        notes: "Results of any number of runs pooled by task, baseline and partner; equal episodes count once; what was left out or looks odd is told ([columns](summaries.md)).",
        writes: &[
            output("--out/summary_v0.2.csv", "the columns of the published tables; --basename names all of them"),
            output("--out/summary_v0.3.csv", "more of them"),
            output("--out/summary.csv", "the same as summary_v0.2.csv"),
            output("--out/summary.md", "for reading"),
            output("--out/run_info.csv, llm_economics.csv, llm_economics.md", "where there is anything to say"),
        ],
        fails: "nothing that could be read as results",
        usage: "a basename that is no file name",
        json: Json::product(&[
            ("documents", "results files that were read [count]"),
            ("rows", "every row of the tables with every column"),
            ("uncertainty", "where the spread in a column comes from: `aleatoric` or `epistemic`"),
            ("warnings", "what was left out or looks odd"),
        ]),
        examples: &[Example::new("--in results.json agent/ --out summary")
            .needs(&["results.json", "agent/results.json"])
            .leaves(&[
                "summary/summary.csv",
                "summary/summary_v0.2.csv",
                "summary/summary_v0.3.csv",
                "summary/summary.md",
            ])],
        refusals: &[
            Refusal::new("--in nothing.json --out tables", 1, "nothing.json"),
            Refusal::new("--in results.json --out tables --basename a/b", 2, "a/b").needs(&["results.json"]),
        ],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, global, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Bench`] when nothing could be read, or a table not be written.
fn run(options: &Options, global: &Global, talk: Talk) -> Result<(), CliError> {
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let is_name = matches!(Path::new(&options.basename).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
    if !is_name {
        return Err(CliError::NotAName { option: "--basename", value: options.basename.clone() });
    }
    let kinds = UncertaintyMapping::load(&Session::open(global, None)?.policy)?;
    let summary = summarise_results(&options.inputs, &options.basename, &options.by, &kinds)?;
    for warning in &summary.warnings {
        talk.say(&format!("warning: {warning}"));
    }
    let mut answer = Answer::new(options.format, talk);
    // All of them are written before the first gets its name.
    let mut files = Vec::new();
    for (name, text) in &summary.files {
        let path = options.out.join(name);
        let mut file = AtomicFile::create(&path)?;
        file.write(text.as_bytes())?;
        files.push((path, file));
    }
    for (path, file) in files {
        file.persist()?;
        answer.wrote(&path);
    }
    answer.figure("documents", json!(summary.documents));
    answer.figure("rows", json!(summary.rows));
    answer.figure("uncertainty", json!(summary.uncertainty));
    answer.figure("warnings", json!(summary.warnings));
    answer.finish::<Options>(true, "")
}
