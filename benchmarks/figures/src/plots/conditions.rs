//! Figures of a study of conditions.

use super::Figure;
use crate::chart::bars::{Bar, BarChart, BarPanel};
use crate::chart::boxes::{BoxChart, Values};
use crate::chart::xy::{XyChart, XyPanel, XyPoint};
use crate::chart::{Entry, Heading, Swatch, Theme, Weight, bars, boxes, short, xy};
use crate::run::conditions::{Condition, Conditions, Moments, as_number};

/// More points than that are named in the legend only.
const NAMED: usize = 6;

/// All of them, in the order of the published pages.
pub(super) fn figures(study: &Conditions, theme: Theme) -> Vec<Figure> {
    let figure = |name, caption, scene| Figure { name, caption, scene };
    vec![
        figure(
            "figures/throughput_vs_violations",
            "mean specimens released in an episode against all violations of the condition",
            xy::draw(&throughput_vs_violations(study), theme),
        ),
        figure(
            "figures/trust_cost_vs_p95_tat",
            "mean tokens consumed and minted in an episode against the mean 95th percentile of turnaround",
            xy::draw(&trust_cost_vs_p95_tat(study), theme),
        ),
        figure(
            "figures/violations_by_invariant_id",
            "violations of all conditions by invariant",
            bars::draw(
                &counted(
                    "Violations by invariant",
                    "violations",
                    "invariant",
                    &study.violations.clone().into_iter().collect::<Vec<_>>(),
                    2,
                ),
                theme,
            ),
        ),
        figure(
            "figures/blocked_by_reason_code_top10",
            "blocked actions of all conditions by reason code, the ten most frequent",
            bars::draw(
                &counted("Blocked actions by reason code", "blocked actions", "reason code", &study.blocked, 4),
                theme,
            ),
        ),
        figure(
            "figures/critical_compliance_by_condition",
            "share of critical results that were told and acknowledged",
            bars::draw(&compliance(study), theme),
        ),
        figure(
            "figures/throughput_box_by_condition",
            "specimens released in every episode",
            boxes::draw(&throughput_boxes(study), theme),
        ),
        figure(
            "figures/metrics_overview",
            "throughput, violations and turnaround of every condition",
            bars::draw(&overview(study), theme),
        ),
    ]
}

/// The mean with its standard error either way; nothing where that is 0.
fn spread(moments: Moments) -> Option<(f64, f64)> {
    (moments.se > 0.0).then_some((moments.mean - moments.se, moments.mean + moments.se))
}

fn legend(conditions: &[&Condition]) -> Vec<Entry> {
    let entry =
        |(index, one): (usize, &&Condition)| Entry::new(Swatch::Marker(index, Weight::Plain), one.label.as_str());
    let mut all: Vec<Entry> = conditions.iter().enumerate().map(entry).collect();
    all.push(Entry::new(Swatch::Interval, "mean and standard error"));
    all
}

fn throughput_vs_violations(study: &Conditions) -> XyChart {
    let all: Vec<&Condition> = study.all.iter().collect();
    let point = |(index, one): (usize, &&Condition)| XyPoint {
        x: as_number(one.violations),
        y: one.throughput.mean,
        x_interval: None,
        y_interval: spread(one.throughput),
        series: index,
        weight: Weight::Plain,
        label: (all.len() <= NAMED).then(|| one.label.clone()),
        note: format!(
            "{}: {} released an episode, {} violations, {} episodes",
            one.label,
            short(one.throughput.mean),
            one.violations,
            one.episodes
        ),
    };
    let points: Vec<XyPoint> = all.iter().enumerate().map(point).collect();
    let all_nothing = !points.is_empty() && points.iter().all(|point| point.x == 0.0 && point.y == 0.0);
    let mut heading = Heading::new("Throughput and violations by condition", "Upper left is better.");
    if all_nothing {
        heading =
            heading.note("Every condition released nothing and broke nothing: all points lie on each other at 0.");
    }
    XyChart {
        heading,
        x_label: "violations, all episodes".to_owned(),
        y_label: "specimens released an episode".to_owned(),
        from_zero: (true, true),
        panels: vec![XyPanel { points, ..XyPanel::default() }],
        legend: legend(&all),
        empty: "No condition has results.".to_owned(),
    }
}

fn trust_cost_vs_p95_tat(study: &Conditions) -> XyChart {
    let all: Vec<&Condition> = study.all.iter().collect();
    let point = |(index, one): (usize, &&Condition)| {
        let tat = one.p95_tat?;
        Some(XyPoint {
            x: tat.mean,
            y: one.trust_cost.mean,
            x_interval: spread(tat),
            y_interval: spread(one.trust_cost),
            series: index,
            weight: Weight::Plain,
            label: (all.len() <= NAMED).then(|| one.label.clone()),
            note: format!(
                "{}: p95 turnaround {} s, {} tokens an episode",
                one.label,
                short(tat.mean),
                short(one.trust_cost.mean)
            ),
        })
    };
    let points: Vec<XyPoint> = all.iter().enumerate().filter_map(point).collect();
    let left_out = all.len() - points.len();
    let mut heading = Heading::new("Cost of trust and turnaround by condition", "Lower left is better.");
    if left_out > 0 && !points.is_empty() {
        heading = heading.note(format!("{left_out} of {} conditions have no turnaround and are left out.", all.len()));
    }
    XyChart {
        heading,
        x_label: "95th percentile of turnaround [s]".to_owned(),
        y_label: "tokens consumed and minted an episode".to_owned(),
        from_zero: (false, true),
        panels: vec![XyPanel { points, ..XyPanel::default() }],
        legend: legend(&all),
        empty: "No condition has a turnaround: no specimen was both accepted and released.".to_owned(),
    }
}

fn counted(title: &str, unit: &str, subject: &str, counts: &[(String, u64)], series: usize) -> BarChart {
    let bar = |(name, number): &(String, u64)| Bar {
        label: name.clone(),
        value: Some(as_number(*number)),
        interval: None,
        series,
    };
    BarChart {
        heading: Heading::new(title, format!("All episodes of all conditions, by {subject}.")),
        panels: vec![BarPanel { label: format!("{unit} [count]"), bars: counts.iter().map(bar).collect() }],
        empty: format!("There are no {unit}."),
    }
}

fn by_condition(study: &Conditions, of: impl Fn(&Condition) -> Option<Moments>) -> Vec<Bar> {
    let bar = |(index, one): (usize, &Condition)| {
        let moments = of(one);
        Bar {
            label: one.label.clone(),
            value: moments.map(|moments| moments.mean),
            interval: moments.and_then(spread),
            series: index,
        }
    };
    study.all.iter().enumerate().map(bar).collect()
}

fn compliance(study: &Conditions) -> BarChart {
    BarChart {
        heading: Heading::new(
            "Critical results told and acknowledged",
            "Share of critical results, mean of episodes with its standard error. \"No value\": there was no critical result.",
        ),
        panels: vec![BarPanel {
            label: "share of critical results [1]".to_owned(),
            bars: by_condition(study, |one| one.critical_compliance),
        }],
        empty: "No condition has results.".to_owned(),
    }
}

fn throughput_boxes(study: &Conditions) -> BoxChart {
    let row = |one: &Condition| Values { label: one.label.clone(), values: one.throughputs.clone() };
    BoxChart {
        heading: Heading::new("Throughput of every episode by condition", ""),
        label: "specimens released an episode".to_owned(),
        rows: study.all.iter().map(row).collect(),
        empty: "No condition has results.".to_owned(),
    }
}

fn overview(study: &Conditions) -> BarChart {
    let total = |one: &Condition| Some(Moments { mean: as_number(one.violations), std: 0.0, se: 0.0 });
    BarChart {
        heading: Heading::new(
            "Overview of conditions",
            "Means of episodes with their standard errors; violations of all episodes.",
        ),
        panels: vec![
            BarPanel { label: "released an episode".to_owned(), bars: by_condition(study, |one| Some(one.throughput)) },
            BarPanel { label: "violations [count]".to_owned(), bars: by_condition(study, total) },
            BarPanel { label: "p95 turnaround [s]".to_owned(), bars: by_condition(study, |one| one.p95_tat) },
        ],
        empty: "No condition has results.".to_owned(),
    }
}
