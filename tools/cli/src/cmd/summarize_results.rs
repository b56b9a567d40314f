//! `summarize-results`: results of any number of runs as tables, a row for every task, baseline and partner.

use super::Format;
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_bench::files::AtomicFile;
use labtrust_bench::summary::summarise_results;
use serde_json::json;
use std::path::{Component, Path, PathBuf};

/// Pool results files into tables with means, deviations, percentiles and intervals
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust summarize-results --in results.json more_results/ --out summary")]
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
    /// Text, or JSON: every row with every column, to stdout as well
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Bench`] when nothing could be read, or a table not be written.
pub(crate) fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    if options.out.as_os_str().is_empty() {
        return Err(CliError::Empty { option: "--out" });
    }
    let is_name = matches!(Path::new(&options.basename).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
    if !is_name {
        return Err(CliError::NotAName { option: "--basename", value: options.basename.clone() });
    }
    let summary = summarise_results(&options.inputs, &options.basename, &options.by)?;
    for warning in &summary.warnings {
        talk.say(&format!("warning: {warning}"));
    }
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
        talk.wrote(&path);
    }
    if options.format == Format::Json {
        let out = json!({ "documents": summary.documents, "rows": summary.rows, "warnings": summary.warnings });
        talk::print(&format!("{out:#}\n"))?;
    }
    Ok(())
}
