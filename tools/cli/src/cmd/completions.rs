//! `completions`: what a shell needs to complete commands and options.

use crate::Cli;
use crate::error::CliError;
use crate::talk;
use clap::CommandFactory;
use clap_complete::Shell;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  labtrust completions bash > ~/.local/share/bash-completion/completions/labtrust")]
pub(crate) struct Options {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "labtrust", &mut script);
    talk::print(&String::from_utf8_lossy(&script))
}
