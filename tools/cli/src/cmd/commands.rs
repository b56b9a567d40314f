//! `commands`: the table of all commands, from which the reference page and the tests of all commands are made.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, JsonForm, Refusal, Spec, arguments};
use crate::commands::{COMMANDS, program};
use crate::error::CliError;
use crate::talk::Talk;
use clap::{Arg, ArgAction, Command};
use serde_json::{Value, json};

/// List every command; as JSON with its arguments, outputs, exit codes and examples
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "commands",
        json: Json::data(&[
            (
                "commands",
                "for every command `name`, `summary`, `arguments`, `writes`, `exits`, `json`, `examples`, `refusals`",
            ),
            ("options", "the options that every command has"),
        ]),
        examples: &[Example::new("--format json")],
        refusals: &[Refusal::new("--format xml", 2, "xml")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        let mut program = program();
        program.build();
        self.format.print::<Self>(|| text(&program), || document(&program))
    }
}

/// The command of that name, which is there: the list made it.
fn find<'a>(program: &'a Command, name: &str) -> Option<&'a Command> {
    name.split(' ').try_fold(program, |above, word| above.find_subcommand(word))
}

fn summary(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn text(program: &Command) -> String {
    let width = COMMANDS.iter().map(|entry| entry.spec.name.len()).max().unwrap_or(0);
    let commands = COMMANDS.iter().filter_map(|entry| Some((entry.spec.name, find(program, entry.spec.name)?)));
    commands.map(|(name, command)| format!("{name:<width$}  {}\n", summary(command))).collect()
}

fn document(program: &Command) -> Value {
    let command = |spec: &Spec| {
        let command = find(program, spec.name)?;
        let example = |example: &Example| {
            json!({
                "line": example.line, "arguments": arguments(example.line), "needs": example.needs,
                "leaves": example.leaves, "shown": example.shown, "tried": example.tried,
            })
        };
        let refusal = |refusal: &Refusal| {
            json!({
                "line": refusal.line, "arguments": arguments(refusal.line), "needs": refusal.needs,
                "code": refusal.code, "says": refusal.says,
            })
        };
        let writes: Vec<_> =
            spec.writes.iter().map(|output| json!({ "path": output.path, "what": output.what })).collect();
        let exit = |(code, meaning): (u8, String)| json!({ "code": code, "meaning": meaning });
        let exits: Vec<_> = spec.exits().into_iter().map(exit).collect();
        let keys: Vec<_> = spec.json.keys.iter().map(|(key, what)| json!({ "key": key, "what": what })).collect();
        let (form, kind) = match spec.json.form {
            JsonForm::Product => ("product", Some(spec.kind())),
            JsonForm::Data => ("data", Some(spec.kind())),
            JsonForm::Foreign => ("foreign", None),
        };
        Some(json!({
            "name": spec.name,
            "summary": summary(command),
            "notes": spec.notes,
            "arguments": command.get_arguments().filter(|arg| !arg.is_global_set()).filter_map(argument).collect::<Vec<_>>(),
            "writes": writes,
            "exits": exits,
            "json": { "form": form, "kind": kind, "version": spec.json.version, "keys": keys },
            "examples": spec.examples.iter().map(example).collect::<Vec<_>>(),
            "refusals": spec.refusals.iter().map(refusal).collect::<Vec<_>>(),
        }))
    };
    json!({
        "options": program.get_arguments().filter(|arg| arg.is_global_set()).filter_map(argument).collect::<Vec<_>>(),
        "commands": COMMANDS.iter().filter_map(|entry| command(&entry.spec)).collect::<Vec<_>>(),
    })
}

/// An option or an argument, unless nobody is told of it.
fn argument(arg: &Arg) -> Option<Value> {
    if arg.is_hide_set() || matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong) {
        return None;
    }
    let takes_value = arg.get_action().takes_values();
    let value = arg.get_value_names().and_then(|names| names.first()).filter(|_| takes_value).map(ToString::to_string);
    let name = arg.get_long().map_or_else(|| value.clone().unwrap_or_default(), |long| format!("--{long}"));
    let several = matches!(arg.get_action(), ArgAction::Append | ArgAction::Count)
        || arg.get_num_args().is_some_and(|range| range.max_values() > 1);
    let choices: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",");
    Some(json!({
        "name": name,
        "short": arg.get_short().map(|short| format!("-{short}")),
        "value": value,
        "required": arg.is_required_set(),
        "several": several,
        "default": (takes_value && !defaults.is_empty()).then_some(defaults),
        "choices": if takes_value { choices } else { Vec::new() },
        "help": arg.get_help().map(ToString::to_string),
    }))
}
