//! `explain`: what a reason code, an invariant or an emitted word means, which gates raise the code, and where the policy
//! says something about it.

use crate::Global;
use crate::answer::FormatOption;
use crate::command::{CliCommand, Example, Json, Refusal, Spec};
use crate::error::CliError;
use crate::session::Session;
use crate::talk::Talk;
use labtrust_hospital_lab::refusals::gates_of;
use labtrust_policy::{PolicyError, PolicyStore, nearest, places_of};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

const CODES: &str = "reason_codes/reason_code_registry.v0.1.yaml";
const EMITS: &str = "emits/emits_vocab.v0.1.yaml";
const INVARIANTS: &str = "invariants/invariant_registry.v1.0.yaml";

/// Say what a reason code, an invariant or an emitted word means, who raises it, and where the policy uses it
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Reason code, id of an invariant, or emitted word
    #[arg(value_name = "CODE")]
    code: String,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "explain",
        fails: "an unknown code; the nearest one is named",
        json: Json::data(&[
            ("id", "the word"),
            ("what", "`reason_code`, `invariant` or `emit`"),
            ("meaning", "in a sentence"),
            ("places", "where the policy uses it: `file`, `line`, `place`"),
            ("remedy?", "of a reason code: what to do"),
            ("namespace?", "of a reason code: its group"),
            ("severity?", "of a reason code or an invariant"),
            ("severity_means?", "in words"),
            ("what_follows?", "of a reason code: what is done then"),
            ("actions?", "that it belongs to, or that are looked at"),
            ("raised_by?", "of a reason code: gates of the trust pipeline"),
            ("non_overridable?", "of a reason code: no token sets it aside"),
            ("set_aside_with?", "tokens that set it aside"),
            ("taken_from?", "of a reason code that the policy directory lacks"),
            ("title?", "of an invariant"),
            ("scope?", "of an invariant"),
            ("reason_code?", "of an invariant: what a violation reports"),
            ("check?", "of an invariant: what looks at it"),
            ("category?", "of an emitted word"),
        ]),
        examples: &[
            Example::new("RC_DEVICE_NOT_COLOCATED"),
            Example::tried("INV-ZONE-004"),
            Example::tried("KILL_SWITCH_ZONE"),
        ],
        refusals: &[Refusal::new("SIG_INVALD", 1, "SIG_INVALID")],
        ..Spec::NEW
    };

    fn run(&self, global: &Global, _: Talk) -> Result<(), CliError> {
        run(self, global)
    }
}

/// What is known about a word.
struct Explained {
    id: String,
    kind: &'static str,
    /// Facts by name, in the order in which they are told.
    facts: Vec<(&'static str, Value)>,
    /// File, line and place in the file.
    places: Vec<(String, usize, &'static str)>,
}

/// Runs the command.
///
/// # Errors
/// [`CliError::UnknownName`] with the nearest word; [`CliError::Policy`].
fn run(options: &Options, global: &Global) -> Result<(), CliError> {
    let policy = Session::open(global, None)?.policy;
    let id = options.code.trim();
    let found = match (code(&policy, id)?, invariant(&policy, id)?, emit(&policy, id)?) {
        (Some(facts), ..) => Some(("reason code", facts)),
        (_, Some(facts), _) => Some(("invariant", facts)),
        (.., facts) => facts.map(|facts| ("emit", facts)),
    };
    let Some((kind, facts)) = found else {
        let known = known(&policy)?;
        let near = nearest(known.iter().map(String::as_str), id).map(str::to_owned);
        return Err(CliError::UnknownName { what: "reason code, invariant or emit", name: id.to_owned(), near });
    };
    let explained = Explained { id: id.to_owned(), kind, facts, places: places_of(&policy, id) };
    options.format.print::<Options>(|| explained.text(), || explained.json())
}

impl Explained {
    fn text(&self) -> String {
        let mut out = format!("{}: {}\n", self.id, self.kind);
        for (name, value) in &self.facts {
            let words = match value {
                Value::String(text) => text.clone(),
                // Some codes are reported without a refusal, or are kept for others.
                Value::Array(gates) if gates.is_empty() => "no gate".to_owned(),
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                other => other.to_string(),
            };
            // Text of a file must not be taken for a command of the terminal.
            let words: String = words.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            let _ = writeln!(out, "  {:<17} {words}", name.replace('_', " "));
        }
        for (index, (file, line, place)) in self.places.iter().enumerate() {
            let head = if index == 0 { "in the policy" } else { "" };
            let _ = writeln!(out, "  {head:<17} {file}:{line} ({place})");
        }
        out
    }

    fn json(&self) -> Value {
        let facts = self.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut document = Map::from_iter(facts);
        let place = |(file, line, place): &(String, usize, &str)| json!({"file": file, "line": line, "place": place});
        document.insert("id".into(), json!(self.id));
        document.insert("what".into(), json!(self.kind.replace(' ', "_")));
        document.insert("places".into(), self.places.iter().map(place).collect());
        Value::Object(document)
    }
}

/// The named keys of an entry that say something, in order, under the name they are told by.
fn facts(entry: &Value, keys: &[(&str, &'static str)]) -> Vec<(&'static str, Value)> {
    let says = |value: &&Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let fact = |(key, name): &(&str, &'static str)| Some((*name, entry.get(key).filter(says)?.clone()));
    keys.iter().filter_map(fact).collect()
}

/// A code of the policy; one that it lacks comes from the program's own registry, as it does in a run.
fn code(policy: &PolicyStore, id: &str) -> Result<Option<Vec<(&'static str, Value)>>, PolicyError> {
    for (store, origin) in [(policy, None), (&PolicyStore::builtin(), Some("the program's own registry"))] {
        let registry: Value = store.section_or_builtin(CODES, Some("reason_code_registry"))?;
        let Some(entry) = entries(&registry, "codes").find(|entry| entry["code"] == id) else { continue };
        let mut told = facts(
            entry,
            &[
                ("description", "meaning"),
                ("remedy", "remedy"),
                ("namespace", "namespace"),
                ("severity", "severity"),
                ("default_actions", "what_follows"),
                ("triggers", "actions"),
                ("override_allowed_with", "set_aside_with"),
                ("non_overridable", "non_overridable"),
            ],
        );
        let severity = entry["severity"].as_str().and_then(|name| registry["severity_scale"].get(name));
        if let (Some(meaning), Some(at)) = (severity, told.iter().position(|(name, _)| *name == "severity")) {
            told.insert(at + 1, ("severity_means", meaning.clone()));
        }
        let gates: Vec<&str> = gates_of(id).iter().map(|gate| gate.as_str()).collect();
        told.push(("raised_by", json!(gates)));
        told.extend(origin.map(|origin| ("taken_from", json!(origin))));
        return Ok(Some(told));
    }
    Ok(None)
}

fn invariant(policy: &PolicyStore, id: &str) -> Result<Option<Vec<(&'static str, Value)>>, PolicyError> {
    for path in invariant_files(policy) {
        let registry = policy.value(path)?;
        let Some(entry) = entries(&registry, "invariants").find(|entry| entry["invariant_id"] == id) else { continue };
        let mut told = facts(
            entry,
            &[
                ("title", "title"),
                ("description", "meaning"),
                ("severity", "severity"),
                ("scope", "scope"),
                ("reason_code", "reason_code"),
            ],
        );
        let check = &entry["logic_template"]["parameters"];
        told.extend(facts(check, &[("check", "check"), ("action_types", "actions")]));
        told.extend(facts(&entry["exception_hooks"], &[("override_token_types", "set_aside_with")]));
        return Ok(Some(told));
    }
    Ok(None)
}

fn emit(policy: &PolicyStore, id: &str) -> Result<Option<Vec<(&'static str, Value)>>, PolicyError> {
    let words: Value = policy.section(EMITS, Some("emits_vocab"))?;
    let listed = |list: &Value| list.as_array().into_iter().flatten().any(|word| word == id);
    let category = words["categories"].as_object().into_iter().flatten().find(|(_, list)| listed(list));
    if category.is_none() && !listed(&words["canonical_set"]) {
        return Ok(None);
    }
    let mut told = vec![("meaning", json!("a word in which steps report what they did"))];
    told.extend(category.map(|(name, _)| ("category", json!(name))));
    Ok(Some(told))
}

/// Every word that can be explained.
fn known(policy: &PolicyStore) -> Result<Vec<String>, PolicyError> {
    let mut known = Vec::new();
    let mut take = |list: &Value, key: &str| {
        let ids = list.as_array().into_iter().flatten();
        known.extend(ids.filter_map(|entry| entry.get(key).unwrap_or(entry).as_str().map(str::to_owned)));
    };
    for store in [policy, &PolicyStore::builtin()] {
        let registry: Value = store.section_or_builtin(CODES, Some("reason_code_registry"))?;
        take(&registry["codes"], "code");
    }
    for path in invariant_files(policy) {
        take(&policy.value(path)?["invariants"], "invariant_id");
    }
    let words: Value = policy.section(EMITS, Some("emits_vocab"))?;
    take(&words["canonical_set"], "");
    Ok(known)
}

/// The registry of invariants first, then what stands beside it.
fn invariant_files(policy: &PolicyStore) -> impl Iterator<Item = &str> {
    let further = policy.paths().filter(|path| path.starts_with("invariants/") && *path != INVARIANTS);
    std::iter::once(INVARIANTS).chain(further)
}

fn entries<'v>(registry: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    registry[key].as_array().into_iter().flatten()
}
