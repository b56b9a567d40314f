//! `docs/src/reference/methods.md`: a card for every method, written from the code.

use crate::episodes::{REGISTRY, all_methods};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "# Coordination methods

The methods that are compiled in, as `labtrust methods show ID` shows them. Each runs with `labtrust run-benchmark --task
coord_scale --coord-method ID`, its parameters with `--coord-param NAME=VALUE`; what a policy says of methods, their
default parameters too, is in `coordination/coordination_methods.v0.1.yaml`. With `--coord-param core=off` a method works
without its core, to show what the core is worth: [do the methods differ?](discrimination.md)

All but `marl_ppo` share how open work is listed, who may do it, how far it is, what was refused, and when a centrifuge is started
(`plugins/coordination/src/core.rs`); a method is who gets which work, and in what order. None draws a number but from a
stream named by the episode's seed and the method.

This page is written from the code: `LABTRUST_REGENERATE=1 cargo test -p labtrust-tests --test discrimination -- the_cards`.
";

/// Writes the page where `LABTRUST_REGENERATE` is set, and compares it.
pub(crate) fn check_or_write() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/methods.md");
    let page = page();
    if std::env::var_os("LABTRUST_REGENERATE").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "{} is not what the code says: LABTRUST_REGENERATE=1", path.display());
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n| Method | Class | Messages | A decision costs |\n|---|---|---|---|\n");
    let cards = || all_methods().into_iter().filter_map(|id| REGISTRY.coordination_method(id).ok());
    for method in cards() {
        let Some(card) = method.card() else { continue };
        let (id, messages) = (method.id(), if card.uses_messages { "yes" } else { "no" });
        let _ = writeln!(page, "| [`{id}`](#{id}) | {} | {messages} | {} |", card.class, card.complexity);
    }
    for method in cards() {
        let Some(card) = method.card() else { continue };
        let _ = writeln!(page, "\n## {}\n\n{}\n", method.id(), method.summary());
        let _ = writeln!(page, "*Core*: {}. *For*: {}. *Source*: {}.\n", card.core, card.envelope, card.source);
        let schema: Value = serde_json::from_str(&method.params_schema()).expect("it is a schema");
        page.push_str("| Parameter | Default | Range | |\n|---|---|---|---|\n");
        for (name, of) in schema["properties"].as_object().expect("it has parameters") {
            let range = match (&of["minimum"], &of["maximum"]) {
                (Value::Null, _) => String::new(),
                (least, most) => format!("{least} to {most}"),
            };
            let text = of["description"].as_str().unwrap_or_default();
            let _ = writeln!(page, "| `{name}` | `{}` | {range} | {text} |", of["default"]);
        }
    }
    page
}
