//! `methods list`, `methods show`: the ways to direct many agents, what they cost and where they come from.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::plugin_files;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_coordination::catalogue::Catalogue;
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::{Plugin, Registry};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// List every coordination method with its class, what a decision costs, and whether its agents send messages
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for List {
    const SPEC: Spec = Spec {
        name: "methods list",
        notes: "Each has a card: [methods](methods.md).",
        fails: "a plugin that cannot be loaded, a policy that cannot be read",
        json: Json::data(&[(
            "methods",
            "for every method `id`, `summary`, `class`, `complexity`, `source`, `core`, `envelope`, `uses_messages` (these \
             null of a method without a card), `known_weaknesses`, `params`",
        )]),
        examples: &[Example::new("--format json")],
        refusals: &[Refusal::new("--format xml", 2, "xml")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let registry = plugin_files::registry(global)?;
        let catalogue = Catalogue::load(&Session::open(global, None)?.policy)?;
        let records: Vec<Value> = methods(&registry).map(|method| record(method, &catalogue)).collect();
        self.format.print::<Self>(|| table(&records), || json!({ "methods": records }))
    }
}

/// Show the card of one coordination method: class, cost, source, core, envelope, and its parameters
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Show {
    const SPEC: Spec = Spec {
        name: "methods show",
        fails: "no method of that id",
        json: Json::data(&[
            ("id", "its id"),
            ("summary", "what it does, in one sentence"),
            ("class", "its family; null of a method without a card, as the next five"),
            ("complexity", "what a decision costs"),
            ("source", "who described it"),
            ("core", "the idea that makes it what it is, and what `core=off` puts in its place"),
            ("envelope", "for which sizes it is meant, and where it is weak"),
            ("uses_messages", "whether its agents send each other messages"),
            ("known_weaknesses", "risks, as the policy names them"),
            ("params", "for every parameter `name`, `type`, `default`, `minimum`, `maximum`, `description`"),
        ]),
        examples: &[Example::new("centralized_planner")],
        refusals: &[Refusal::new("centralised_planner", 1, "centralized_planner")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        let registry = plugin_files::registry(global)?;
        let catalogue = Catalogue::load(&Session::open(global, None)?.policy)?;
        let record = record(registry.coordination_method(&self.id)?, &catalogue);
        self.format.print::<Self>(|| card(&record), || record.clone())
    }
}

/// All methods, sorted by id.
fn methods(registry: &Registry) -> impl Iterator<Item = &'static dyn CoordinationMethod> {
    registry.entries().iter().filter_map(|entry| match entry.plugin {
        Plugin::CoordinationMethod(method) => Some(method),
        _ => None,
    })
}

fn record(method: &dyn CoordinationMethod, catalogue: &Catalogue) -> Value {
    let card = method.card();
    let fact = |fact: fn(&labtrust_plugin::method::MethodCard) -> &'static str| card.as_ref().map(fact);
    let schema: Value = serde_json::from_str(&method.params_schema()).unwrap_or_default();
    let param = |(name, of): (&String, &Value)| {
        let of = |key: &str| of[key].clone();
        json!({
            "name": name, "type": of("type"), "default": of("default"), "minimum": of("minimum"),
            "maximum": of("maximum"), "description": of("description"),
        })
    };
    let params = schema["properties"].as_object().into_iter().flatten().map(param);
    json!({
        "id": method.id(),
        "summary": method.summary(),
        "class": fact(|card| card.class),
        "complexity": fact(|card| card.complexity),
        "source": fact(|card| card.source),
        "core": fact(|card| card.core),
        "envelope": fact(|card| card.envelope),
        "uses_messages": card.map(|card| card.uses_messages),
        "known_weaknesses": catalogue.entry(method.id()).map(|entry| entry.known_weaknesses.clone()).unwrap_or_default(),
        "params": params.collect::<Vec<_>>(),
    })
}

fn table(records: &[Value]) -> String {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap_or("-").to_owned();
    let width = records.iter().map(|record| text(record, "id").len()).max().unwrap_or(0).max(2);
    let mut table = format!("{:<width$}  {:<14}{:<10}COMPLEXITY\n", "ID", "CLASS", "MESSAGES");
    for record in records {
        let messages = match record["uses_messages"].as_bool() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        let (id, class, complexity) = (text(record, "id"), text(record, "class"), text(record, "complexity"));
        let _ = writeln!(table, "{id:<width$}  {class:<14}{messages:<10}{complexity}");
    }
    table
}

/// A card as lines for people.
fn card(record: &Value) -> String {
    let mut text = String::new();
    for key in ["id", "summary", "class", "complexity", "source", "core", "envelope"] {
        if let Some(said) = record[key].as_str() {
            let _ = writeln!(text, "{key:<12}{said}");
        }
    }
    if let Some(uses) = record["uses_messages"].as_bool() {
        let _ = writeln!(text, "{:<12}{}", "messages", if uses { "yes" } else { "no" });
    }
    let weak: Vec<&str> =
        record["known_weaknesses"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !weak.is_empty() {
        let _ = writeln!(text, "{:<12}{}", "weak", weak.join(", "));
    }
    for param in record["params"].as_array().into_iter().flatten() {
        let range = match (&param["minimum"], &param["maximum"]) {
            (Value::Null, _) | (_, Value::Null) => String::new(),
            (least, most) => format!(", {least} to {most}"),
        };
        let (name, description) = (param["name"].as_str().unwrap_or(""), param["description"].as_str().unwrap_or(""));
        let _ = writeln!(text, "{:<12}{name}={}{range}: {description}", "parameter", param["default"]);
    }
    text
}
