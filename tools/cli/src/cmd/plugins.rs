//! `plugins list`: what is compiled in.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_plugin::Plugin;
use labtrust_plugin::metric::MetricSpec;
use serde_json::{Value, json};

/// List every plugin with its kind, id, version and the crate that brings it
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for List {
    const SPEC: Spec = Spec {
        name: "plugins list",
        json: Json::data(&[("plugins", "for every plugin `kind`, `id`, `version`, `owner`, `facts`")]),
        examples: &[Example::new("--format json")],
        refusals: &[Refusal::new("--format xml", 2, "xml")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        list(self)
    }
}

/// Runs `plugins list`.
fn list(options: &List) -> Result<(), CliError> {
    let registry = labtrust_builtin::registry()?;
    let rows: Vec<_> = registry
        .entries()
        .iter()
        .map(|entry| (entry.plugin.kind(), entry.plugin.id(), entry.version, entry.owner, facts(entry.plugin)))
        .collect();
    options.format.print::<List>(
        || {
            let id_width = rows.iter().map(|row| row.1.len()).max().unwrap_or(0).max(2);
            let mut text = format!("{:<15}{:<id_width$}  {:<9}{}\n", "KIND", "ID", "VERSION", "FROM");
            for (kind, id, version, owner, _) in &rows {
                text.push_str(&format!("{kind:<15}{id:<id_width$}  {version:<9}{owner}\n"));
            }
            text
        },
        || {
            let object = |(kind, id, version, owner, facts): &(_, _, _, _, Value)| json!({ "kind": kind, "id": id, "version": version, "owner": owner, "facts": facts });
            json!({ "plugins": rows.iter().map(object).collect::<Vec<_>>() })
        },
    )
}

/// The fixed facts of a task, the figures of a metric, what a mine's plugin does; nothing for other kinds.
fn facts(plugin: Plugin) -> Value {
    match plugin {
        Plugin::Task(task) => {
            let spec = task.spec();
            json!({
                "max_steps": spec.max_steps,
                "max_steps_simulated": spec.max_steps_simulated,
                "dt_s": spec.dt_s,
                "sla_turnaround_s": spec.sla_turnaround_s,
                "attack_start_step": spec.attack_start_step,
                "timing_mode": spec.timing_mode,
                "agent_set": spec.agent_set,
                "baseline_id": spec.baseline_id,
            })
        }
        Plugin::Metric(metric) => {
            let spec = |spec: &MetricSpec| json!({ "name": spec.name, "unit": spec.unit, "formula": spec.formula, "when": spec.when.as_str(), "better": spec.better.as_str(), "uncertainty": spec.uncertainty.as_str() });
            json!({ "figures": metric.specs().iter().map(spec).collect::<Vec<_>>() })
        }
        Plugin::CoordinationMethod(method) | Plugin::AgentPolicy(method) => {
            let schema: serde_json::Value = serde_json::from_str(&method.params_schema()).unwrap_or_default();
            json!({ "summary": method.summary(), "params": schema })
        }
        Plugin::Domain(domain) => json!({ "summary": domain.summary() }),
        Plugin::MineDispatch(policy) => json!({ "summary": policy.summary() }),
        Plugin::LabDomain(_) | Plugin::AgentSet(_) | Plugin::Injection(_) => json!({}),
    }
}
