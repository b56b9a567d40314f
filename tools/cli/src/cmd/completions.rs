//! `completions`: what a shell needs to complete commands and options.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::commands::program;
use crate::error::CliError;
use crate::talk::Talk;
use clap_complete::Shell;
use serde_json::json;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "completions",
        notes: "For bash, zsh, fish, PowerShell or elvish.",
        json: Json::data(&[("shell", "its name"), ("script", "what the shell reads")]),
        examples: &[Example::new("bash > ~/.local/share/bash-completion/completions/labtrust")],
        refusals: &[Refusal::new("basic", 2, "basic")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        run(self)
    }
}

/// Runs the command.
fn run(options: &Options) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut program(), "labtrust", &mut script);
    let script = String::from_utf8_lossy(&script);
    let shell = options.shell.to_string();
    options.format.print::<Options>(|| script.clone().into_owned(), || json!({ "shell": shell, "script": script }))
}
