//! The Pareto frontier under attack: every method at its worst injection, and where it came from.

use super::{intervals_entry, methods, staircase, told};
use crate::chart::xy::{XyChart, XyLine, XyPanel, XyPoint};
use crate::chart::{Entry, Heading, Swatch, Weight};
use crate::run::coordination::{Cell, Coordination, Estimate, NONE};

/// A method at a size, undisturbed and at its worst.
struct Pair<'s> {
    method: &'s str,
    /// Turnaround and throughput without attack.
    calm: Option<(Estimate, Estimate)>,
    /// The worst of each over all injections, and the injection at which throughput is worst.
    worst: (Estimate, Estimate),
    lowest_under: &'s str,
}

/// The chart; none where no method has figures under attack.
pub(super) fn frontier(study: &Coordination) -> Option<XyChart> {
    let panels: Vec<XyPanel> = study.scales.iter().map(|scale| panel(study, scale)).collect();
    if panels.iter().all(|panel| panel.points.is_empty()) {
        return None;
    }
    let mut legend = methods(study, Weight::Plain);
    if study.pareto.is_some() {
        legend.push(Entry::new(Swatch::Marker(0, Weight::Strong), "with a rim: on the Pareto front under attack"));
    }
    legend.push(Entry::new(Swatch::Marker(0, Weight::Faint), "small: the same method without attack"));
    legend.push(Entry::new(Swatch::Dashed, "most throughput at that turnaround or less, under attack"));
    legend.extend(intervals_entry(study));
    let heading = Heading::new(
        "Pareto frontier under attack",
        "Each method at its worst: the least throughput and the longest turnaround over all injections. Upper left is better.",
    );
    let front = "The front is fronts_per_scale_attacked of PARETO/pareto.json, over all of its objectives; the two worst values of a method need not be of one injection.";
    Some(XyChart {
        heading: match study.pareto {
            Some(_) => heading.note(front),
            None => heading.note("PARETO/pareto.json is not there: no front is marked."),
        },
        x_label: "95th percentile of turnaround [s], worst injection".to_owned(),
        y_label: "specimens released an episode, worst injection".to_owned(),
        from_zero: (false, false),
        panels,
        legend,
        empty: "No method of this size has both values under attack.".to_owned(),
    })
}

fn panel(study: &Coordination, scale: &str) -> XyPanel {
    let front = study.front_attacked(scale);
    let pairs: Vec<Pair<'_>> = study.methods.iter().filter_map(|method| pair(study, scale, method)).collect();
    let (mut points, mut worst, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for pair in &pairs {
        let series = study.series(pair.method);
        let (tat, throughput) = pair.worst;
        let on_front = front.as_ref().is_some_and(|front| front.contains(pair.method));
        worst.push(XyPoint {
            x: tat.value,
            y: throughput.value,
            x_interval: tat.interval,
            y_interval: throughput.interval,
            series,
            weight: if on_front { Weight::Strong } else { Weight::Plain },
            label: on_front.then(|| pair.method.to_owned()),
            note: format!(
                "{}, {scale}, worst of all injections: throughput {} ({}), p95 turnaround {}{}",
                pair.method,
                told(Some(throughput), ""),
                pair.lowest_under,
                told(Some(tat), " s"),
                if on_front { "; on the front under attack" } else { "" }
            ),
        });
        let Some((calm_tat, calm_throughput)) = pair.calm else { continue };
        points.push(XyPoint {
            x: calm_tat.value,
            y: calm_throughput.value,
            x_interval: None,
            y_interval: None,
            series,
            weight: Weight::Faint,
            label: None,
            note: format!(
                "{}, {scale}, without attack: throughput {}, p95 turnaround {}",
                pair.method,
                told(Some(calm_throughput), ""),
                told(Some(calm_tat), " s")
            ),
        });
        lines.push(XyLine {
            series: Some(series),
            points: vec![(calm_tat.value, calm_throughput.value), (tat.value, throughput.value)],
            band: Vec::new(),
            steps: false,
        });
    }
    if !worst.is_empty() {
        lines.push(XyLine { series: None, points: staircase(&worst), band: Vec::new(), steps: true });
    }
    points.extend(worst);
    XyPanel { title: study.scale_label(scale), points, lines, y_label: None }
}

fn pair<'s>(study: &'s Coordination, scale: &'s str, method: &'s str) -> Option<Pair<'s>> {
    let cells: Vec<&Cell> = study.of_scale(scale).filter(|cell| cell.method == method).collect();
    let calm = cells.iter().find(|cell| cell.injection == NONE);
    let attacked: Vec<&Cell> = cells.iter().copied().filter(|cell| cell.injection != NONE).collect();
    let tat = worst(attacked.iter().map(|cell| cell.p95_tat), f64::max)?;
    let throughput = worst(attacked.iter().map(|cell| cell.throughput), f64::min)?;
    let lowest = attacked.iter().find(|cell| cell.throughput.is_some_and(|one| one.value <= throughput.value))?;
    Some(Pair {
        method,
        calm: calm.and_then(|cell| cell.p95_tat.zip(cell.throughput)),
        worst: (tat, throughput),
        lowest_under: &lowest.injection,
    })
}

/// The worst of several estimates, as the table of fronts has it; its interval holds if all of theirs do. None where one is
/// missing.
fn worst(all: impl Iterator<Item = Option<Estimate>>, worse: fn(f64, f64) -> f64) -> Option<Estimate> {
    let all: Vec<Estimate> = all.collect::<Option<_>>()?;
    let interval = |one: Estimate, other: Estimate| {
        let ((low, high), (other_low, other_high)) = one.interval.zip(other.interval)?;
        Some((worse(low, other_low), worse(high, other_high)))
    };
    let both = |one: Estimate, other: Estimate| Estimate {
        value: worse(one.value, other.value),
        interval: interval(one, other),
    };
    all.into_iter().reduce(both)
}
