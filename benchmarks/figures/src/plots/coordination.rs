//! Figures of a coordination study.

mod attacked;

use super::Figure;
use crate::chart::heat::{Field, HeatChart, HeatPanel, Shade};
use crate::chart::xy::{XyChart, XyLine, XyPanel, XyPoint};
use crate::chart::{Entry, Heading, Swatch, Theme, Weight, heat, short, xy};
use crate::run::coordination::{Cell, Coordination, Estimate, NONE};

/// All of them that the study has data for.
pub(super) fn figures(study: &Coordination, theme: Theme) -> Vec<Figure> {
    let mut all = Vec::new();
    if study.cells.iter().any(|cell| cell.resilience.is_some() && cell.p95_tat.is_some()) {
        all.push(Figure {
            name: "figures/resilience_vs_p95_tat",
            caption: "resilience against turnaround: a large marker without attack, a small one under each",
            scene: xy::draw(&resilience(study), theme),
        });
    }
    all.push(Figure {
        name: "figures/attack_success_rate_by_method_injection",
        caption: "share of episodes in which each attack succeeded against each method",
        scene: heat::draw(&attack_success(study), theme),
    });
    if study.cells.iter().any(|cell| cell.throughput.is_some() && cell.p95_tat.is_some()) {
        all.push(Figure {
            name: "PARETO/frontier",
            caption: "throughput against turnaround without attack, the methods of the Pareto front with a rim",
            scene: xy::draw(&frontier(study), theme),
        });
    }
    if let Some(chart) = attacked::frontier(study) {
        all.push(Figure {
            name: "PARETO/frontier_attacked",
            caption: "the same with every method at its worst injection, and where it stands without attack",
            scene: xy::draw(&chart, theme),
        });
    }
    if let Some(chart) = scaling(study) {
        all.push(Figure {
            name: "figures/scaling_curves",
            caption: "throughput and turnaround by the number of agents",
            scene: xy::draw(&chart, theme),
        });
    }
    all
}

fn told(estimate: Option<Estimate>, unit: &str) -> String {
    match estimate {
        None => "unknown".to_owned(),
        Some(Estimate { value, interval: None }) => format!("{}{unit}", short(value)),
        Some(Estimate { value, interval: Some((low, high)) }) => {
            format!("{}{unit} (95 %: {} to {})", short(value), short(low), short(high))
        }
    }
}

fn describe(cell: &Cell) -> String {
    format!(
        "{}, {}, {}: throughput {}, p95 turnaround {}, resilience {}",
        cell.method,
        cell.injection,
        cell.scale,
        told(cell.throughput, ""),
        told(cell.p95_tat, " s"),
        told(cell.resilience, "")
    )
}

/// The methods of the study, with those series that are in it.
fn methods(study: &Coordination, weight: Weight) -> Vec<Entry> {
    study
        .methods
        .iter()
        .enumerate()
        .map(|(index, one)| Entry::new(Swatch::Marker(index, weight), one.as_str()))
        .collect()
}

fn has_intervals(study: &Coordination) -> bool {
    study.cells.iter().any(|cell| cell.p95_tat.is_some_and(|one| one.interval.is_some()))
}

fn intervals_entry(study: &Coordination) -> Option<Entry> {
    has_intervals(study).then(|| Entry::new(Swatch::Interval, "95 % interval over episodes"))
}

fn resilience(study: &Coordination) -> XyChart {
    let panel = |scale: &String| {
        let point = |cell: &Cell| {
            let (tat, score) = (cell.p95_tat?, cell.resilience?);
            let calm = cell.injection == NONE;
            Some(XyPoint {
                x: tat.value,
                y: score.value,
                x_interval: tat.interval.filter(|_| calm),
                y_interval: score.interval.filter(|_| calm),
                series: study.series(&cell.method),
                weight: if calm { Weight::Plain } else { Weight::Faint },
                label: None,
                note: describe(cell),
            })
        };
        let points = study.of_scale(scale).filter_map(point).collect();
        XyPanel { title: study.scale_label(scale), points, ..XyPanel::default() }
    };
    let mut legend = methods(study, Weight::Plain);
    legend.extend(intervals_entry(study));
    XyChart {
        heading: Heading::new(
            "Resilience and turnaround",
            "Upper left is better. A large marker is a method without attack, a small one the same method under one of the attacks.",
        ),
        x_label: "95th percentile of turnaround [s]".to_owned(),
        y_label: "resilience score [1]".to_owned(),
        from_zero: (false, false),
        panels: study.scales.iter().map(panel).collect(),
        legend,
        empty: "No cell of this size has both values.".to_owned(),
    }
}

fn attack_success(study: &Coordination) -> HeatChart {
    let panel = |scale: &String| {
        let field = |method: &String, injection: &String| {
            let cell = study.of_scale(scale).find(|cell| cell.method == *method && cell.injection == *injection);
            cell.map_or_else(|| Field::empty(format!("{method}, {injection}, {scale}: not in the study")), success)
        };
        let row = |method: &String| study.injections.iter().map(|injection| field(method, injection)).collect();
        HeatPanel { title: study.scale_label(scale), fields: study.methods.iter().map(row).collect() }
    };
    HeatChart {
        heading: Heading::new(
            "Success of attacks by method and injection",
            "Share of episodes in which the attack succeeded; below it successes and episodes, where the number of episodes is known.",
        )
        .note("A share of 0 of few episodes proves little: point at a field for its 95 % interval."),
        rows: study.methods.clone(),
        columns: study.injections.clone(),
        panels: study.scales.iter().map(panel).collect(),
        key: vec![
            (Shade::Ramp(0.0), String::new(), "never succeeds".to_owned()),
            (Shade::Ramp(0.5), String::new(), "succeeds half of the time".to_owned()),
            (Shade::Ramp(1.0), String::new(), "always succeeds".to_owned()),
            (Shade::Unsure, "\u{2013}".to_owned(), "did not arrive in any episode, or is unknown".to_owned()),
        ],
    }
}

fn success(cell: &Cell) -> Field {
    let place = format!("{}, {}, {}", cell.method, cell.injection, cell.scale);
    let arrived = cell.applied.is_none_or(|applied| applied > 0.0);
    let Some(rate) = cell.attack_success.filter(|_| arrived) else {
        let note = if arrived { "unknown" } else { "the attack did not arrive in any episode" };
        let note = format!("{place}: {note}");
        return Field { shade: Shade::Unsure, text: "\u{2013}".to_owned(), small: String::new(), note };
    };
    let small = cell.episodes.map_or_else(String::new, |n| format!("{:.0}/{n:.0}", libm::round(rate.value * n)));
    let episodes = cell.episodes.map_or_else(String::new, |n| format!(", {n:.0} episodes"));
    let note = format!("{place}: {}{episodes}", told(Some(rate), ""));
    Field { shade: Shade::Ramp(rate.value), text: format!("{:.2}", rate.value), small, note }
}

fn frontier(study: &Coordination) -> XyChart {
    let panel = |scale: &String| {
        let front = study.front(scale);
        let has_calm = study.of_scale(scale).any(|cell| cell.injection == NONE);
        let point = |cell: &Cell| {
            let (tat, throughput) = (cell.p95_tat?, cell.throughput?);
            let on_front =
                front.as_ref().is_some_and(|front| front.contains(&(cell.method.as_str(), cell.injection.as_str())));
            let loud = cell.injection == NONE || on_front || !has_calm;
            let label = if cell.injection == NONE {
                cell.method.clone()
            } else {
                format!("{} / {}", cell.method, cell.injection)
            };
            Some(XyPoint {
                x: tat.value,
                y: throughput.value,
                x_interval: tat.interval.filter(|_| loud),
                y_interval: throughput.interval.filter(|_| loud),
                series: study.series(&cell.method),
                weight: match (on_front, loud) {
                    (true, _) => Weight::Strong,
                    (_, true) => Weight::Plain,
                    _ => Weight::Faint,
                },
                label: on_front.then_some(label),
                note: format!("{}{}", describe(cell), if on_front { "; on the front" } else { "" }),
            })
        };
        // Cells under attack have a figure of their own; here they would bury what the front is about.
        let shown = study.of_scale(scale).filter(|cell| !has_calm || cell.injection == NONE);
        let points: Vec<XyPoint> = shown.filter_map(point).collect();
        let lines = vec![XyLine { series: None, points: staircase(&points), band: Vec::new(), steps: true }];
        let lines = if points.is_empty() { Vec::new() } else { lines };
        XyPanel { title: study.scale_label(scale), points, lines, y_label: None }
    };
    let mut legend = methods(study, Weight::Plain);
    let known = study.pareto.is_some();
    if known {
        legend.push(Entry::new(Swatch::Marker(0, Weight::Strong), "with a rim: on the Pareto front"));
    }
    legend.push(Entry::new(Swatch::Dashed, "most throughput at that turnaround or less"));
    legend.extend(intervals_entry(study));
    let front = "The front is over all objectives of PARETO/pareto.json; this shows two of them, so that a point of it can lie below the dashed line.";
    let heading = Heading::new("Pareto frontier", "Methods without attack. Upper left is better.");
    XyChart {
        heading: if known {
            heading.note(front)
        } else {
            heading.note("PARETO/pareto.json is not there: no front is marked.")
        },
        x_label: "95th percentile of turnaround [s]".to_owned(),
        y_label: "specimens released an episode".to_owned(),
        from_zero: (false, false),
        panels: study.scales.iter().map(panel).collect(),
        legend,
        empty: "No cell of this size has both values.".to_owned(),
    }
}

/// The points that no other beats in both directions, from the left.
fn staircase(points: &[XyPoint]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = points.iter().map(|point| (point.x, point.y)).collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0).then(other.1.total_cmp(&one.1)));
    let mut best: Vec<(f64, f64)> = Vec::new();
    for point in sorted {
        if best.last().is_none_or(|last| point.1 > last.1) {
            best.push(point);
        }
    }
    best
}

/// Throughput and turnaround by the number of agents, where sizes differ in it.
fn scaling(study: &Coordination) -> Option<XyChart> {
    let mut sizes: Vec<(f64, &String)> =
        study.scales.iter().filter_map(|scale| Some((study.agents(scale)?, scale))).collect();
    sizes.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut distinct: Vec<f64> = sizes.iter().map(|(agents, _)| *agents).collect();
    distinct.dedup();
    if distinct.len() < 2 {
        return None;
    }
    let panel = |title: &str, label: &str, of: fn(&Cell) -> Option<Estimate>| {
        let mut panel = XyPanel { title: title.to_owned(), y_label: Some(label.to_owned()), ..XyPanel::default() };
        for (series, method) in study.methods.iter().enumerate() {
            let mut line = XyLine { series: Some(series), points: Vec::new(), band: Vec::new(), steps: false };
            for (agents, scale) in &sizes {
                let cell = study.of_scale(scale).find(|cell| cell.method == *method && cell.injection == NONE);
                let Some((cell, estimate)) = cell.and_then(|cell| Some((cell, of(cell)?))) else { continue };
                line.points.push((*agents, estimate.value));
                panel.points.push(XyPoint {
                    x: *agents,
                    y: estimate.value,
                    x_interval: None,
                    y_interval: estimate.interval,
                    series,
                    weight: Weight::Plain,
                    label: None,
                    note: describe(cell),
                });
            }
            panel.lines.push(line);
        }
        panel
    };
    let mut legend = methods(study, Weight::Plain);
    legend.extend(intervals_entry(study));
    Some(XyChart {
        heading: Heading::new(
            "Scaling with the number of agents",
            "Methods without attack; the rest of a size changes with its agents.",
        ),
        x_label: "agents [count]".to_owned(),
        y_label: String::new(),
        from_zero: (true, true),
        panels: vec![
            panel("Throughput", "specimens released an episode", |cell| cell.throughput),
            panel("Turnaround", "95th percentile of turnaround [s]", |cell| cell.p95_tat),
        ],
        legend,
        empty: "No method has values without attack.".to_owned(),
    })
}
