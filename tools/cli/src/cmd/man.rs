//! `man`: the manual page of the program, or a page for every command.

use crate::Cli;
use crate::error::CliError;
use crate::talk::{self, Talk};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use labtrust_bench::files;
use std::path::PathBuf;

/// Print the manual page, or write a page for every command
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust man > labtrust.1\n  labtrust man man1")]
pub(crate) struct Options {
    /// Directory for the pages of all commands; only the first page, on stdout, where this is not given
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError::Directory`] when the directory cannot be made, and whatever keeps a page from being written.
pub(crate) fn run(options: &Options, talk: Talk) -> Result<(), CliError> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let Some(dir) = &options.dir else {
        return talk::print(&String::from_utf8_lossy(&page(&program)?));
    };
    std::fs::create_dir_all(dir).map_err(|source| CliError::Directory { path: dir.clone(), source })?;
    for command in with_subcommands(&program) {
        let path = dir.join(format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name())));
        files::write_whole(&path, &page(command)?)?;
        talk.wrote(&path);
    }
    Ok(())
}

fn page(command: &Command) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(CliError::Stdout)?;
    Ok(page)
}

/// A command and everything below it that is not hidden.
fn with_subcommands(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    std::iter::once(command).chain(below.flat_map(with_subcommands)).collect()
}
