//! `man`: the manual page of the program, or a page for every command.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::commands::{COMMANDS, program};
use crate::error::CliError;
use crate::talk::Talk;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use labtrust_bench::files;
use std::path::PathBuf;

/// Print the manual page, or write a page for every command
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Directory for the pages of all commands; only the first page, on stdout, where this is not given
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "man",
        writes: &[output("DIR/labtrust-COMMAND.1", "with DIR: a page for every command")],
        json: Json::product(&[("pages", "pages that were written, or 1 [count]"), ("page?", "the page, without DIR")]),
        examples: &[
            Example::new("> labtrust.1"),
            Example::new("man1").leaves(&["man1/labtrust.1", "man1/labtrust-diff.1"]),
        ],
        refusals: &[Refusal::new("--sections", 2, "--sections")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        run(self, talk)
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Directory`] when the directory cannot be made, and whatever keeps a page from being written.
fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let mut whole = program().disable_help_subcommand(true);
    whole.build();
    let mut answer = Answer::new(options.format, talk);
    let Some(dir) = &options.dir else {
        let page = String::from_utf8_lossy(&page(&whole)?).into_owned();
        answer.figure("pages", 1);
        answer.figure("page", page.as_str());
        return answer.finish::<Options>(true, &page);
    };
    std::fs::create_dir_all(dir).map_err(|source| CliError::Directory { path: dir.clone(), source })?;
    let commands = with_subcommands(&whole);
    answer.figure("pages", commands.len());
    for command in commands {
        let path = dir.join(format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name())));
        files::write_whole(&path, &page(command)?)?;
        answer.wrote(&path);
    }
    answer.finish::<Options>(true, "")
}

/// The page of a command: what clap knows, and then what the list of commands knows.
fn page(command: &Command) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    // What the help ends with has sections of its own here.
    Man::new(command.clone().after_help(None::<&str>)).render(&mut page).map_err(CliError::Stdout)?;
    let name = command.get_display_name().unwrap_or_default();
    let known = COMMANDS.iter().find(|entry| name == format!("labtrust-{}", entry.spec.name.replace(' ', "-")));
    if let Some(entry) = known {
        sections(&entry.spec).to_writer(&mut page).map_err(CliError::Stdout)?;
    }
    Ok(page)
}

fn sections(spec: &Spec) -> Roff {
    let mut roff = Roff::new();
    let item = |roff: &mut Roff, head: String, text: &str| {
        roff.control("TP", []).text([bold(head)]).text([roman(text)]);
    };
    if !spec.writes.is_empty() {
        roff.control("SH", ["FILES"]);
        for output in spec.writes {
            item(&mut roff, output.path.to_owned(), output.what);
        }
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in spec.exits() {
        item(&mut roff, code.to_string(), &meaning);
    }
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for call in spec.calls() {
        roff.text([roman(call)]);
    }
    roff.control("fi", []);
    roff
}

/// A command and everything below it that is not hidden.
fn with_subcommands(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    std::iter::once(command).chain(below.flat_map(with_subcommands)).collect()
}
