//! `injections list`: the red team, its positions, and what is meant to stop each of it.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_redteam::catalogue::{COMPOUNDS, ENTRIES, Entry};
use labtrust_redteam::settings;
use serde_json::{Value, json};

/// List every injection with its position, what it is after, and the controls that are meant to stop it
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for List {
    const SPEC: Spec = Spec {
        name: "injections list",
        notes: "What they do and what came of them: [red team](red_team.md). `run-benchmark --task coord_risk --injection ID` runs one, `--ablate CONTROL` does without what stops it.",
        fails: "a policy that cannot be read, or that sets an injection to what makes no sense",
        json: Json::data(&[
            (
                "injections",
                "for every injection `id`, `summary`, `position`, `class`, `controls`, `risks`, `intensity`, \
                 `utility_loss_ceiling`",
            ),
            ("compounds", "for every compound `id` and `children`"),
        ]),
        examples: &[Example::new("--format json")],
        refusals: &[Refusal::new("--format xml", 2, "xml")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let policy = Session::open(global, None)?.policy;
        let record = |entry: &Entry| -> Result<Value, CliError> {
            let setting = settings::load(&policy, entry.id)?;
            Ok(json!({
                "id": entry.id, "summary": entry.summary, "position": entry.position.name(), "class": entry.class.name(),
                "controls": entry.controls, "risks": entry.risks, "intensity": setting.intensity,
                "utility_loss_ceiling": setting.utility_loss_ceiling,
            }))
        };
        let records: Vec<Value> = ENTRIES.iter().map(record).collect::<Result<_, _>>()?;
        let compound =
            |entry: &labtrust_redteam::catalogue::CompoundEntry| json!({ "id": entry.id, "children": entry.children });
        let compounds: Vec<Value> = COMPOUNDS.iter().map(compound).collect();
        self.format.print::<Self>(text, || json!({ "injections": records, "compounds": compounds }))
    }
}

fn text() -> String {
    let width = ENTRIES.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let row = |id: &str, position: &str, class: &str, controls: &str| {
        format!("{id:<width$}  {position:<11}  {class:<11}  {controls}\n")
    };
    let mut text = row("ID", "POSITION", "AFTER", "STOPPED BY");
    text.extend(
        ENTRIES
            .iter()
            .map(|entry| row(entry.id, entry.position.name(), entry.class.name(), &entry.controls.join(", "))),
    );
    text.extend(COMPOUNDS.iter().map(|entry| row(entry.id, "", "compound", &entry.children.join(", "))));
    text
}
