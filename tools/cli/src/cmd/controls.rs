//! `controls list`: what the laboratory refuses, check by check.

use super::ablate::{models, others};
use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_plugin::lab::Control;
use serde_json::json;

/// List every control that `--ablate` can switch off, with its gate and what it asks for
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for List {
    const SPEC: Spec = Spec {
        name: "controls list",
        notes: "The [controls](controls.md) that `run-benchmark` and `eval-agent` can do without: `--ablate CONTROL`, as often as needed.",
        json: Json::data(&[
            ("controls", "for every control of the laboratory `id`, `gate`, `summary`, `reason_codes`"),
            (
                "others",
                "for every control of the run and of the bus `id` and `summary`; they matter where something disturbs the episodes",
            ),
        ]),
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
    options.format.print::<List>(text, || {
        let object = |control: Control| {
            json!({
                "id": control.id(), "gate": control.gate().as_str(), "summary": control.summary(),
                "reason_codes": control.codes(),
            })
        };
        let other = |(id, summary): (&str, &str)| json!({ "id": id, "summary": summary });
        json!({ "controls": Control::ALL.map(object), "others": others().map(other).collect::<Vec<_>>() })
    })
}

fn text() -> String {
    let width = Control::ALL.map(|control| control.id().len()).into_iter().max().unwrap_or(0);
    let row = |id: &str, gate: &str, summary: &str| format!("{id:<width$}  {gate:<15}  {summary}\n");
    let mut text = row("ID", "GATE", "ASKS FOR");
    text.extend(Control::ALL.map(|c| row(c.id(), c.gate().as_str(), c.summary())));
    text.extend(others().map(|(id, summary)| row(id, if id.starts_with("bus.") { "bus" } else { "run" }, summary)));
    text.extend(models().iter().map(|id| row(id, "models", "")));
    text
}
