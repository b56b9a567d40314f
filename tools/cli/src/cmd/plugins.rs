//! `plugins list`, `plugins show`, `plugins check`: what there is, where it comes from, and whether a file keeps the rules.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::plugin_files::{self, PluginError};
use crate::talk::Talk;
use labtrust_plugin::metric::MetricSpec;
use labtrust_plugin::{Origin, Plugin, Registration};
use labtrust_plugin_host::{Check, Loaded, load};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// List every plugin with its kind, id, version, how it is carried, and the crate or file that brings it
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only plugins of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for List {
    const SPEC: Spec = Spec {
        name: "plugins list",
        fails: "a plugin that cannot be loaded, a kind that there is not",
        json: Json::data(&[(
            "plugins",
            "for every plugin `kind`, `id`, `version`, `owner`, `carrier`, `sha256` (of a file, else null), `facts`",
        )]),
        examples: &[Example::new("--format json"), Example::tried("--kind task")],
        refusals: &[Refusal::new("--format xml", 2, "xml"), Refusal::new("--kind tasks", 1, "metric")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let registry = plugin_files::registry(global)?;
        let mut rows: Vec<&Registration> = registry.entries().to_vec();
        if let Some(kind) = &self.kind {
            let mut kinds: Vec<_> = rows.iter().map(|row| row.plugin.kind()).collect();
            kinds.dedup();
            if !kinds.contains(&kind.as_str()) {
                let (kind, known) = (kind.clone(), kinds.join(", "));
                return Err(PluginError::Kind { kind, known }.into());
            }
            rows.retain(|row| row.plugin.kind() == kind);
        }
        self.format.print::<Self>(
            || {
                let id_width = rows.iter().map(|row| row.plugin.id().len()).max().unwrap_or(0).max(2);
                let mut text =
                    format!("{:<21}{:<id_width$}  {:<9}{:<17}{}\n", "KIND", "ID", "VERSION", "CARRIER", "FROM");
                for row in &rows {
                    let Registration { plugin, owner, version } = row;
                    let (kind, id, carrier) = (plugin.kind(), plugin.id(), carrier(*plugin));
                    let _ = writeln!(text, "{kind:<21}{id:<id_width$}  {version:<9}{carrier:<17}{owner}");
                }
                text
            },
            || json!({ "plugins": rows.iter().map(|row| record(row)).collect::<Vec<_>>() }),
        )
    }
}

/// Show what one plugin is: where it comes from, what it does, which parameters it has
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
    /// Its kind, where several kinds have that id
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Show {
    const SPEC: Spec = Spec {
        name: "plugins show",
        fails: "no plugin, or several, of that id",
        json: Json::data(&[
            ("plugin_kind", "its kind"),
            ("id", "its id"),
            ("plugin_version", "its version"),
            ("owner", "the crate or file that brings it"),
            ("carrier", "`compiled_in`, or how the file is carried"),
            ("sha256", "of the file; null of what is compiled in"),
            ("facts", "what there is to know about a plugin of its kind"),
        ]),
        examples: &[Example::new("throughput_sla")],
        refusals: &[Refusal::new("throughput_slo", 1, "throughput_sla")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let registry = plugin_files::registry(global)?;
        let of_kind = |row: &&&Registration| self.kind.as_ref().is_none_or(|kind| row.plugin.kind() == kind);
        let candidates: Vec<_> = registry.entries().iter().filter(of_kind).collect();
        let found: Vec<_> = candidates.iter().filter(|row| row.plugin.id() == self.id).collect();
        let row = match found[..] {
            [row] => *row,
            [] => {
                let ids: Vec<_> = candidates.iter().map(|row| row.plugin.id()).collect();
                let near = labtrust_policy::nearest(ids.iter().copied(), &self.id).map(str::to_owned);
                return Err(CliError::UnknownName { what: "plugin", name: self.id.clone(), near });
            }
            _ => {
                let kinds = found.iter().map(|row| row.plugin.kind()).collect::<Vec<_>>().join(", ");
                return Err(PluginError::Several { id: self.id.clone(), kinds }.into());
            }
        };
        let mut value = record(row);
        value["plugin_kind"] = value["kind"].take();
        value["plugin_version"] = value["version"].take();
        self.format.print::<Self>(|| shown(&value), || value.clone())
    }
}

/// A plugin as lines for people.
fn shown(value: &Value) -> String {
    let mut text = String::new();
    for (title, key) in [
        ("kind", "plugin_kind"),
        ("id", "id"),
        ("version", "plugin_version"),
        ("carrier", "carrier"),
        ("from", "owner"),
        ("sha-256", "sha256"),
    ] {
        if let Some(said) = value[key].as_str() {
            let _ = writeln!(text, "{title:<9}{said}");
        }
    }
    match &value["facts"] {
        Value::Object(facts) if facts.is_empty() => {}
        Value::Object(facts) => {
            for (name, fact) in facts {
                match fact {
                    Value::String(said) => {
                        let _ = writeln!(text, "{name:<9}{said}");
                    }
                    fact => {
                        let _ = writeln!(text, "{name:<9}{fact:#}");
                    }
                }
            }
        }
        _ => {}
    }
    text
}

/// Check a plugin file: whether it is loaded, keeps the contract, and decides the same when it is asked again
#[derive(Debug, clap::Args)]
pub(crate) struct CheckFile {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for CheckFile {
    const SPEC: Spec = Spec {
        name: "plugins check",
        notes: "It is put to work on made-up sites, from an empty one to a full laboratory; no episode is run.",
        done: "the plugin passed every check",
        fails: "the plugin cannot be loaded, or a check failed",
        json: Json::data(&[
            ("file", "as it was named"),
            ("id", "its id; null where it was not loaded"),
            ("carrier", "how it is carried; null where it was not loaded"),
            ("sha256", "of the file; null where it was not loaded"),
            ("checks", "for every check `name`, `passed`, `found`"),
            ("passed", "whether all of them passed"),
        ]),
        examples: &[Example::shown("earliest_due.wasm"), Example::tried("first_look.wasm")],
        refusals: &[Refusal::new("nowhere.wasm", 1, "nowhere.wasm")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let options = global.plugins.load_options()?;
        let mut checks = Vec::new();
        let mut origin: Option<(String, Origin)> = None;
        match load(&self.file, &options) {
            Ok(carrier) => {
                let said = carrier.manifest();
                let found = format!(
                    "{} {} {}, contract {}.{}",
                    said.kind,
                    said.id,
                    said.version,
                    carrier.origin().contract.0,
                    carrier.origin().contract.1
                );
                checks.push(Check { name: "loads", passed: true, found });
                origin = Some((said.id.clone(), carrier.origin().clone()));
                match Loaded::new(carrier) {
                    Ok(plugin) => {
                        checks.push(Check {
                            name: "schema",
                            passed: true,
                            found: "of its parameters can be used".to_owned(),
                        });
                        checks.extend(plugin.check());
                    }
                    Err(error) => checks.push(Check { name: "schema", passed: false, found: error.to_string() }),
                }
            }
            Err(error) => checks.push(Check { name: "loads", passed: false, found: error.to_string() }),
        }
        let failed = checks.iter().filter(|check| !check.passed).count();
        let fact = |fact: fn(&(String, Origin)) -> &str| origin.as_ref().map(fact);
        self.format.print::<Self>(
            || {
                let mut text = String::new();
                for Check { name, passed, found } in &checks {
                    let _ = writeln!(text, "{:<6}{name:<12}{found}", if *passed { "ok" } else { "FAIL" });
                }
                text
            },
            || {
                let record =
                    |check: &Check| json!({ "name": check.name, "passed": check.passed, "found": check.found });
                json!({
                    "file": self.file.display().to_string(),
                    "id": fact(|(id, _)| id),
                    "carrier": fact(|(_, origin)| origin.carrier),
                    "sha256": fact(|(_, origin)| &origin.sha256),
                    "checks": checks.iter().map(record).collect::<Vec<_>>(),
                    "passed": failed == 0,
                })
            },
        )?;
        match failed {
            0 => Ok(()),
            _ => Err(CliError::ChecksFailed { what: "plugin", failed, total: checks.len() }),
        }
    }
}

/// The file that a plugin comes from, if it does.
fn origin(plugin: Plugin) -> Option<&'static Origin> {
    match plugin {
        Plugin::CoordinationMethod(method) | Plugin::AgentPolicy(method) => method.origin(),
        Plugin::MineDispatch(policy) => policy.origin(),
        _ => None,
    }
}

fn carrier(plugin: Plugin) -> &'static str {
    origin(plugin).map_or("compiled_in", |origin| origin.carrier)
}

fn record(row: &Registration) -> Value {
    let Registration { plugin, owner, version } = row;
    json!({
        "kind": plugin.kind(),
        "id": plugin.id(),
        "version": version,
        "owner": owner,
        "carrier": carrier(*plugin),
        "sha256": origin(*plugin).map(|origin| origin.sha256.as_str()),
        "facts": facts(*plugin),
    })
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
        Plugin::MineDispatch(policy) => {
            let schema: serde_json::Value = serde_json::from_str(&policy.params_schema()).unwrap_or_default();
            json!({ "summary": policy.summary(), "params": schema })
        }
        Plugin::LabDomain(_) | Plugin::AgentSet(_) | Plugin::Injection(_) => json!({}),
    }
}
