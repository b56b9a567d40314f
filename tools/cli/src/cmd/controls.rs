//! `controls list`: what the laboratory refuses, check by check.

use crate::Global;
use crate::answer::Format;
use crate::command::{CliCommand, Example, Refusal, Spec};
use crate::error::CliError;
use crate::talk::{self, Talk};
use labtrust_plugin::lab::Control;
use serde_json::{Value, json};

/// List every control that `--ablate` can switch off, with its gate and what it asks for
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Text or JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl CliCommand for List {
    const SPEC: Spec = Spec {
        name: "controls list",
        notes: "The [controls](controls.md) that `run-benchmark` and `eval-agent` can do without: `--ablate CONTROL`, as often as needed.",
        examples: &[Example::new("--format json")],
        refusals: &[Refusal::new("--format xml", 2, "xml")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        list(self)
    }
}

/// Runs `controls list`.
fn list(options: &List) -> Result<(), CliError> {
    let text = match options.format {
        Format::Json => {
            let object = |control: Control| {
                json!({
                    "id": control.id(), "gate": control.gate().as_str(), "summary": control.summary(),
                    "reason_codes": control.codes(),
                })
            };
            format!("{:#}\n", Value::Array(Control::ALL.map(object).into()))
        }
        Format::Text => {
            let width = Control::ALL.map(|control| control.id().len()).into_iter().max().unwrap_or(0);
            let row = |id: &str, gate: &str, summary: &str| format!("{id:<width$}  {gate:<15}  {summary}\n");
            let mut text = row("ID", "GATE", "ASKS FOR");
            text.extend(Control::ALL.map(|c| row(c.id(), c.gate().as_str(), c.summary())));
            text
        }
    };
    talk::print(&text)
}
