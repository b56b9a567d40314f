//! What the page says in words, all of it from the files of the run.

use super::evidence;
use crate::FiguresError;
use crate::draw::Escaped;
use crate::run::Run;
use crate::run::conditions::Conditions;
use crate::run::coordination::{Coordination, NONE};
use crate::run::pack::{Pack, Verdict};
use crate::run::table::Table;
use crate::words::listed;
use serde_json::Value;
use std::fmt::Write as _;

/// Parts of the page; all but the title and the kinds are markup.
pub(super) struct Said {
    pub(super) title: String,
    pub(super) kinds: String,
    pub(super) verdict: String,
    pub(super) what: String,
    pub(super) caveats: String,
    pub(super) provenance: String,
}

/// Of a run.
///
/// # Errors
/// [`FiguresError`] for a table of comparisons that cannot be read.
pub(super) fn of(run: &Run) -> Result<Said, FiguresError> {
    let mut kinds = Vec::new();
    let (mut verdict, mut what, mut caveats) = (String::new(), String::new(), Vec::new());
    if let Some(study) = &run.coordination {
        kinds.push("coordination study");
        let comparisons = evidence::comparisons(&run.dir)?;
        verdict_of_study(&mut verdict, study, comparisons.as_ref())?;
        what_of_study(&mut what, study);
        caveats_of_study(&mut caveats, study);
    }
    if let Some(pack) = &run.pack {
        kinds.push("coordination security pack");
        verdict_of_pack(&mut verdict, pack);
        what_of_pack(&mut what, pack);
        caveats_of_pack(&mut caveats, pack);
    }
    if let Some(study) = &run.conditions {
        kinds.push("study of conditions");
        verdict_of_conditions(&mut verdict);
        what_of_conditions(&mut what, study);
        caveats_of_conditions(&mut caveats, study);
    }
    if run.episode.is_some() {
        caveats.push(
            "Figures of one episode show one episode: it was taken because it is the first, not because it is typical."
                .to_owned(),
        );
    }
    caveats.push("Results are of a simulated laboratory; they say nothing of a real one.".to_owned());
    let items: String = caveats.iter().map(|one| format!("<li>{}</li>", Escaped(one))).collect();
    let study_id = run.coordination.as_ref().and_then(|study| study.manifest.as_ref()?.get("study_id")?.as_str());
    let task = run.conditions.as_ref().and_then(|study| study.manifest.get("task")?.as_str());
    let name = study_id.or(task).map(str::to_owned).or_else(|| {
        // What the directory is called, where nothing in it has a name.
        run.dir.file_name().map(|name| name.to_string_lossy().into_owned())
    });
    let kinds: Vec<String> = kinds.into_iter().map(str::to_owned).collect();
    Ok(Said {
        title: name.map_or_else(|| "Report".to_owned(), |name| format!("Report: {name}")),
        kinds: format!("A {}.", listed(&kinds)),
        verdict,
        what,
        caveats: format!("<ul>{items}</ul>"),
        provenance: provenance(run),
    })
}

fn card(out: &mut String, number: usize, words: &str) {
    let _ = write!(out, "<div class=\"card\"><b>{number}</b>{}</div>", Escaped(words));
}

fn list(out: &mut String, name: &str, items: &[String]) {
    let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(&items.join(", ")));
}

fn verdict_of_study(out: &mut String, study: &Coordination, comparisons: Option<&Table>) -> Result<(), FiguresError> {
    let verdicts = study.verdicts();
    if verdicts.is_empty() {
        out.push_str("<div class=\"verdict\">The study has no verdicts (PARETO/pareto.json names no winners): read nothing into the order of methods.</div>");
    }
    for one in verdicts {
        let class = if one.winner.is_some() { "verdict won" } else { "verdict" };
        let sentence = one.sentence.clone().unwrap_or_else(|| match &one.winner {
            Some(winner) => winner.clone(),
            None => "no method is told from the others beyond chance".to_owned(),
        });
        let work = match one.injection.as_deref() {
            None => String::new(),
            Some(NONE) => ", without attack".to_owned(),
            Some("*") => ", over all attacks".to_owned(),
            Some(injection) => format!(", under {injection}"),
        };
        let by = one.metric.as_deref().map_or_else(String::new, |metric| format!(" (by {metric}{work})"));
        let _ = write!(
            out,
            "<div class=\"{class}\">{}{}: <b>{}</b>",
            Escaped(&one.scale),
            Escaped(&by),
            Escaped(&sentence)
        );
        if one.winner.is_none() && one.sentence.is_none() && !one.indistinguishable.is_empty() {
            let _ = write!(out, "<p>Not told apart: {}.</p>", Escaped(&listed(&one.indistinguishable)));
        }
        if let Some(table) = comparisons {
            out.push_str(&evidence::of(&one, table)?);
        }
        for (method, why) in &one.left_out {
            let _ = write!(out, "<p class=\"soft\">{} is not in question: {}</p>", Escaped(method), Escaped(why));
        }
        out.push_str("</div>");
    }
    let fronts = study.scales.iter().filter_map(|scale| {
        let front = study.front(scale)?;
        let mut methods: Vec<String> = front.into_iter().map(|(method, _)| method.to_owned()).collect();
        methods.dedup();
        Some(format!("<li>{}: {}</li>", Escaped(scale), Escaped(&listed(&methods))))
    });
    let fronts: String = fronts.collect();
    if !fronts.is_empty() {
        let _ = write!(
            out,
            "<h3>Pareto front</h3><p class=\"soft\">Methods that no other beats in every objective. Being on the front is no proof of being better.</p><ul>{fronts}</ul>"
        );
    }
    Ok(())
}

fn what_of_study(out: &mut String, study: &Coordination) {
    out.push_str("<div class=\"cards\">");
    card(out, study.cells.len(), "cells");
    card(out, study.scales.len(), "sizes");
    card(out, study.methods.len(), "methods");
    card(out, study.injections.len(), "injections");
    let manifest = study.manifest.as_ref();
    if let Some(episodes) = manifest.and_then(|manifest| manifest.get("episodes_per_cell")?.as_u64()) {
        card(out, usize::try_from(episodes).unwrap_or(usize::MAX), "episodes a cell");
    }
    out.push_str("</div><dl>");
    list(out, "Sizes", &study.scales);
    list(out, "Methods", &study.methods);
    list(out, "Injections", &study.injections);
    out.push_str("</dl>");
}

fn caveats_of_study(out: &mut Vec<String>, study: &Coordination) {
    let attacked = study.cells.iter().filter(|cell| cell.injection != NONE);
    let silent = attacked.clone().filter(|cell| cell.applied == Some(0.0)).count();
    if silent > 0 {
        out.push(format!(
            "In {silent} of {} attacked cells the attack arrived in no episode: they show nothing about it.",
            attacked.count()
        ));
    }
    let fewest = study.cells.iter().filter_map(|cell| cell.episodes).fold(f64::INFINITY, f64::min);
    if fewest.is_finite() && fewest < 30.0 {
        out.push(format!("The smallest cell has {fewest:.0} episodes: an attack that never succeeded in them may still succeed often. Read the upper ends of intervals."));
    }
    if !study.cells.iter().any(|cell| cell.injection == NONE) {
        out.push("No cell is without attack: there is nothing to compare attacked cells with.".to_owned());
    }
    if study.cells.iter().all(|cell| cell.throughput.is_none_or(|one| one.value == 0.0)) {
        out.push("No specimen was released in any cell: performance compares nothing.".to_owned());
    }
    let of_list =
        |document: Option<&Value>, key: &str| document.and_then(|one| one.get(key)?.as_array()).map_or(0, Vec::len);
    let manifest = study.manifest.as_ref();
    for (key, words) in [
        ("failed_cells", "cells failed and have no results"),
        ("not_run", "entries of the spec were not run"),
        ("reserved_injection_ids", "injections are reserved: they do nothing"),
    ] {
        let number = of_list(manifest, key);
        if number > 0 {
            out.push(format!("{number} {words} (manifest_coordination.json, {key})."));
        }
    }
    let excluded = of_list(study.pareto.as_ref(), "excluded");
    if excluded > 0 {
        out.push(format!(
            "{excluded} methods are not on any front because an objective is missing (PARETO/pareto.json, excluded)."
        ));
    }
    out.push("Intervals are 95 % intervals of one cell each; two that overlap are not thereby equal. What tells methods apart is the paired tests in summary/comparisons.csv, adjusted for their number.".to_owned());
}

fn verdict_of_pack(out: &mut String, pack: &Pack) {
    let number = |verdict: Verdict| pack.cells.iter().filter(|cell| cell.verdict == verdict).count();
    let (passed, failed, total) = (number(Verdict::Pass), number(Verdict::Fail), pack.cells.len());
    let class = match (failed, pack.has_gate) {
        (0, true) => "verdict pass",
        (0, false) => "verdict",
        _ => "verdict fail",
    };
    let words = match (failed, pack.has_gate) {
        (0, true) => "No cell failed".to_owned(),
        (0, false) => "The gate has not been judged: pack_gate.md is not there".to_owned(),
        _ => format!("{failed} of {total} cells failed"),
    };
    let _ = write!(
        out,
        "<div class=\"{class}\"><b>{words}.</b> {passed} of {total} cells passed; {} show nothing.</div>",
        total - passed - failed
    );
    let failing: Vec<_> = pack.cells.iter().filter(|cell| cell.verdict == Verdict::Fail).collect();
    if !failing.is_empty() {
        out.push_str("<ul>");
        for cell in failing.iter().take(50) {
            let place = format!("{} / {} / {}", cell.scale, cell.method, cell.injection);
            let _ = write!(out, "<li>{}: {}</li>", Escaped(&place), Escaped(&cell.rationale));
        }
        out.push_str("</ul>");
    }
}

fn what_of_pack(out: &mut String, pack: &Pack) {
    out.push_str("<div class=\"cards\">");
    card(out, pack.cells.len(), "cells");
    card(out, pack.methods.len(), "methods");
    card(out, pack.injections.len(), "injections");
    out.push_str("</div><dl>");
    list(out, "Methods", &pack.methods);
    list(out, "Injections", &pack.injections);
    out.push_str("</dl>");
}

fn caveats_of_pack(out: &mut Vec<String>, pack: &Pack) {
    let shown = pack.cells.iter().filter(|cell| matches!(cell.verdict, Verdict::Pass | Verdict::Fail)).count();
    if shown < pack.cells.len() {
        out.push(format!(
            "{} of {} cells show nothing: they have neither passed nor failed.",
            pack.cells.len() - shown,
            pack.cells.len()
        ));
    }
    out.push("A cell passes on few episodes: its upper bound of success (sec.worst_case_attack_success_upper_95) says how much that proves.".to_owned());
}

fn verdict_of_conditions(out: &mut String) {
    out.push_str("<div class=\"verdict\">A study of conditions has no winner: differences are told by means and standard errors below. Error bars that do not overlap are a hint, not a test.</div>");
}

fn what_of_conditions(out: &mut String, study: &Conditions) {
    out.push_str("<div class=\"cards\">");
    card(out, study.all.len(), "conditions");
    card(out, study.all.iter().map(|one| one.episodes).sum(), "episodes");
    out.push_str("</div><dl>");
    let labels: Vec<String> = study.all.iter().map(|one| one.label.clone()).collect();
    list(out, "Conditions", &labels);
    out.push_str("</dl>");
}

fn caveats_of_conditions(out: &mut Vec<String>, study: &Conditions) {
    if !study.missing.is_empty() {
        out.push(format!("{} have no results and are left out.", listed(&study.missing)));
    }
    if study.all.iter().all(|one| one.throughputs.iter().sum::<f64>() == 0.0) {
        out.push("No condition released a result: throughput compares nothing.".to_owned());
    }
    if study.all.iter().any(|one| one.episodes == 1) {
        out.push("A condition has a single episode: it has no spread.".to_owned());
    }
}

/// Simple facts of the manifests, and the files that were read.
fn provenance(run: &Run) -> String {
    let mut out = String::new();
    let coordination = run.coordination.as_ref().and_then(|study| study.manifest.as_ref());
    let pack = crate::files::read_json(&run.dir.join("pack_manifest.json")).ok();
    let manifests = [
        ("manifest_coordination.json", coordination),
        ("pack_manifest.json", pack.as_ref().filter(|_| run.pack.is_some())),
        ("manifest.json", run.conditions.as_ref().map(|study| &study.manifest)),
    ];
    for (name, manifest) in manifests {
        let Some(manifest) = manifest else { continue };
        let _ = write!(out, "<h3>{name}</h3><dl>");
        facts(&mut out, "", manifest, 0);
        out.push_str("</dl>");
    }
    if out.is_empty() {
        out.push_str("<p>There is no manifest: what the run was made of is not known.</p>");
    }
    out
}

/// Numbers and texts of a document; of lists how long they are.
fn facts(out: &mut String, name: &str, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if depth < 3 => {
            for (key, value) in map {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                facts(out, &name, value, depth + 1);
            }
        }
        Value::Array(items) if items.len() > 8 || items.iter().any(|item| item.is_object() || item.is_array()) => {
            let _ = write!(out, "<dt>{}</dt><dd>{} entries</dd>", Escaped(name), items.len());
        }
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(plain).collect();
            let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(&words.join(", ")));
        }
        other => {
            let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(&plain(other)));
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
