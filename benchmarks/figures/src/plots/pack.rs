//! The figure of a coordination security pack.

use super::Figure;
use crate::chart::heat::{Field, HeatChart, HeatPanel, Shade};
use crate::chart::{Heading, Theme, heat};
use crate::run::pack::{Judged, Pack, Verdict};

/// Colour and letters of a verdict: letters tell where colours do not.
const fn look(verdict: Verdict) -> (Shade, &'static str, &'static str) {
    match verdict {
        Verdict::Pass => (Shade::Good, "P", "PASS: the threshold is met"),
        Verdict::Fail => (Shade::Bad, "F", "FAIL: the threshold is not met"),
        Verdict::Skip => (Shade::Unsure, "S", "SKIP: nothing is shown"),
        Verdict::NotSupported => (Shade::Absent, "N", "not supported"),
        Verdict::NotRun => (Shade::Absent, "R", "not run"),
        Verdict::Unknown => (Shade::Unsure, "?", "no verdict is written down"),
    }
}

pub(super) fn figures(pack: &Pack, theme: Theme) -> Vec<Figure> {
    vec![Figure {
        name: "figures/pack_gate_heatmap",
        caption: "the worst verdict of every method and injection over all sizes",
        scene: heat::draw(&gate(pack), theme),
    }]
}

fn gate(pack: &Pack) -> HeatChart {
    let field = |method: &String, injection: &String| {
        let here: Vec<&Judged> =
            pack.cells.iter().filter(|cell| cell.method == *method && cell.injection == *injection).collect();
        let Some(worst) = here.iter().map(|cell| cell.verdict).max() else {
            return Field::empty(format!("{method}, {injection}: not in the pack"));
        };
        let (shade, letter, _) = look(worst);
        let mut note = format!("{method}, {injection}");
        for cell in &here {
            note.push_str(&format!("; {}: {} ({})", cell.scale, cell.verdict.word(), cell.rationale));
        }
        Field { shade, text: letter.to_owned(), small: String::new(), note }
    };
    let row = |method: &String| pack.injections.iter().map(|injection| field(method, injection)).collect();
    let present = |verdict: &Verdict| pack.cells.iter().any(|cell| cell.verdict == *verdict);
    let key = Verdict::ALL.into_iter().filter(present).map(|verdict| {
        let (shade, letter, words) = look(verdict);
        (shade, letter.to_owned(), words.to_owned())
    });
    let heading =
        Heading::new("Gate of the security pack", "The worst verdict of a method and an injection over all sizes.");
    let missing = "pack_gate.md is not there: no verdict is known.";
    HeatChart {
        heading: if pack.has_gate { heading } else { heading.note(missing) },
        rows: pack.methods.clone(),
        columns: pack.injections.clone(),
        panels: vec![HeatPanel { title: String::new(), fields: pack.methods.iter().map(row).collect() }],
        key: key.collect(),
    }
}
