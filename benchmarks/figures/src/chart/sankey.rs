//! What became of things: stages from the left to the right, joined by ribbons as wide as what went that way.

use super::sheet::{Area, Heading, MARGIN, SMALL, Sheet, count};
use super::theme::Theme;
use crate::draw::scene::{Anchor, Outline, Paint, Point, Scene, Text, at};

/// A stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub label: String,
    /// How far to the right it is, from 0.
    pub layer: usize,
    /// The number of its colour.
    pub series: usize,
}

/// How many went from a stage to one further right.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Index of the stage that they left.
    pub from: usize,
    /// Index of the stage that they reached.
    pub to: usize,
    /// How many.
    pub amount: u64,
}

/// The whole chart.
#[derive(Clone, Debug)]
pub struct Sankey {
    /// What it says of itself.
    pub heading: Heading,
    /// What flows, in the plural.
    pub unit: String,
    /// Stages, by layer from the top.
    pub stages: Vec<Stage>,
    /// Between them.
    pub flows: Vec<Flow>,
    /// What is said without any flow.
    pub empty: String,
}

const BODY: f64 = 330.0;
const BLOCK: f64 = 16.0;
const GAP: f64 = 30.0;

/// A stage at its place.
struct Placed {
    area: Area,
    amount: u64,
    /// Where the next ribbon leaves and arrives.
    out_y: f64,
    in_y: f64,
}

/// Draws it. Flows that go back or nowhere are left out.
#[must_use]
pub fn draw(chart: &Sankey, theme: Theme) -> Scene {
    let layers = chart.stages.iter().map(|stage| stage.layer + 1).max().unwrap_or(1);
    let width = (220.0 * count(layers)).clamp(760.0, 1500.0);
    let (mut sheet, top) = Sheet::begin(width, &chart.heading, theme);
    let goes_on = |flow: &&Flow| {
        let layer = |index: usize| chart.stages.get(index).map(|stage| stage.layer);
        flow.amount > 0 && layer(flow.from).zip(layer(flow.to)).is_some_and(|(from, to)| from < to)
    };
    let flows: Vec<&Flow> = chart.flows.iter().filter(goes_on).collect();
    let area = Area { left: MARGIN, top: top + 14.0, width: width - 2.0 * MARGIN, height: BODY };
    if flows.is_empty() {
        sheet.nothing(area, &chart.empty);
        return sheet.finish(area.bottom() + 20.0, &chart.heading);
    }
    let (mut placed, scale) = place(chart, &flows, area, layers);
    for flow in &flows {
        ribbon(&mut sheet, chart, &mut placed, flow, scale);
    }
    for (stage, place) in chart.stages.iter().zip(&placed).filter(|(_, place)| place.amount > 0) {
        block(&mut sheet, chart, stage, place, layers);
    }
    let lowest = placed.iter().map(|place| place.area.bottom()).fold(area.bottom(), f64::max);
    sheet.finish(lowest + 22.0, &chart.heading)
}

/// Blocks of a layer stand below each other; all layers have one scale.
fn place(chart: &Sankey, flows: &[&Flow], area: Area, layers: usize) -> (Vec<Placed>, f64) {
    let amount = |index: usize| {
        let sum =
            |end: fn(&Flow) -> usize| flows.iter().filter(|flow| end(flow) == index).map(|flow| flow.amount).sum();
        let (arrived, left): (u64, u64) = (sum(|flow| flow.to), sum(|flow| flow.from));
        arrived.max(left)
    };
    let amounts: Vec<u64> = (0..chart.stages.len()).map(amount).collect();
    let in_layer = |layer: usize| {
        let here = chart.stages.iter().zip(&amounts).filter(|(stage, amount)| stage.layer == layer && **amount > 0);
        here.fold((0_u64, 0_usize), |(sum, many), (_, amount)| (sum + amount, many + 1))
    };
    let scale = (0..layers)
        .map(in_layer)
        .filter(|(sum, _)| *sum > 0)
        .fold(f64::INFINITY, |scale, (sum, many)| scale.min((area.height - GAP * count(many - 1)) / as_number(sum)));
    let step = (area.width - 150.0 - BLOCK) / count(layers.saturating_sub(1).max(1));
    let mut next = vec![area.top; layers];
    let stages = chart.stages.iter().zip(&amounts);
    let placed = stages.map(|(stage, amount)| {
        let (top, height) = (next[stage.layer], as_number(*amount) * scale);
        if *amount > 0 {
            next[stage.layer] += height + GAP;
        }
        let block = Area { left: area.left + step * count(stage.layer), top, width: BLOCK, height };
        Placed { area: block, amount: *amount, out_y: top, in_y: top }
    });
    (placed.collect(), scale)
}

fn ribbon(sheet: &mut Sheet, chart: &Sankey, placed: &mut [Placed], flow: &Flow, scale: f64) {
    let wide = as_number(flow.amount) * scale;
    let from = at(placed[flow.from].area.right(), placed[flow.from].out_y);
    let to = at(placed[flow.to].area.left, placed[flow.to].in_y);
    placed[flow.from].out_y += wide;
    placed[flow.to].in_y += wide;
    let curve = |lift: f64| {
        (0..=24_u8).map(move |step| {
            let share = f64::from(step) / 24.0;
            // Level at both ends.
            let eased = share * share * (3.0 - 2.0 * share);
            at(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * eased + lift)
        })
    };
    let mut rim: Vec<Point> = curve(0.0).collect();
    let below: Vec<Point> = curve(wide).collect();
    rim.extend(below.into_iter().rev());
    let (left, reached) = (&chart.stages[flow.from], &chart.stages[flow.to]);
    let note = format!("{} to {}, {}: {}", left.label, reached.label, chart.unit, flow.amount);
    let paint = Paint::fill(sheet.palette.series(reached.series)).faint(0.38);
    sheet.scene.titled(Outline::Polygon(rim), paint, note);
}

fn block(sheet: &mut Sheet, chart: &Sankey, stage: &Stage, place: &Placed, layers: usize) {
    let note = format!("{}, {}: {}", stage.label, chart.unit, place.amount);
    let paint = Paint::fill(sheet.palette.series(stage.series)).outlined(sheet.palette.ink, 0.6);
    let area = Area { height: place.area.height.max(1.5), ..place.area };
    sheet.scene.titled(area.outline(), paint, note);
    let (ink, paper) = (sheet.palette.ink, sheet.palette.paper);
    let x = place.area.right() + 6.0;
    let middle = place.area.top + place.area.height / 2.0;
    let room = if stage.layer + 1 == layers { 140.0 } else { 160.0 };
    let name = sheet.cut(&stage.label, SMALL, true, room);
    sheet.scene.text(Text::new(at(x, middle - 1.0), SMALL, ink, name).bold().anchored(Anchor::Start).on(paper));
    let number = place.amount.to_string();
    sheet.scene.text(Text::new(at(x, middle + 13.0), SMALL, ink, number).anchored(Anchor::Start).on(paper));
}

#[expect(clippy::cast_precision_loss, reason = "nothing drawn is that many")]
fn as_number(amount: u64) -> f64 {
    amount as f64
}
