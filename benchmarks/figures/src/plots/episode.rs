//! Figures of one episode, from its log.

use super::Figure;
use crate::chart::lanes::{Lane, LaneChart, Span};
use crate::chart::sankey::{Flow, Sankey, Stage};
use crate::chart::{Heading, Theme, lanes, sankey};
use crate::run::log::{Busy, Episode, Fate, Work};
use std::collections::BTreeMap;

/// Lanes of a timeline.
const LANES: usize = 14;

/// All of them.
pub(super) fn figures(episode: &Episode, theme: Theme) -> Vec<Figure> {
    vec![
        Figure {
            name: "figures/gantt_devices",
            caption: "what every device did when, in one episode",
            scene: lanes::draw(&gantt(episode), theme),
        },
        Figure {
            name: "figures/specimen_flow",
            caption: "what became of the specimens of one episode",
            scene: sankey::draw(&flow(episode), theme),
        },
        Figure {
            name: "figures/violations_timeline",
            caption: "when invariants were broken and actions blocked, in one episode",
            scene: lanes::draw(&timeline(episode), theme),
        },
    ]
}

fn of_episode(episode: &Episode) -> String {
    let name = episode.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("The first episode of {name}: {} steps until {:.0} s.", episode.steps, episode.until)
}

fn gantt(episode: &Episode) -> LaneChart {
    let lane = |(device, all): (&String, &Vec<Busy>)| {
        // What overlaps is counted once.
        let mut spans: Vec<(f64, f64)> = all.iter().map(|busy| (busy.from, busy.to.unwrap_or(episode.until))).collect();
        spans.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (mut busy_s, mut reached) = (0.0, 0.0_f64);
        for (from, to) in spans {
            busy_s += (to - from.max(reached)).max(0.0);
            reached = reached.max(to);
        }
        let span = |busy: &Busy| {
            let to = busy.to.unwrap_or(episode.until);
            let end = busy.to.map_or_else(|| "not ended".to_owned(), |to| format!("{to:.0} s"));
            Span {
                from: busy.from,
                to,
                series: busy.work as usize,
                label: named(&busy.subject),
                note: format!("{device}, {}: {:.0} s to {end} ({})", busy.work.word(), busy.from, busy.subject),
            }
        };
        Lane {
            label: device.clone(),
            // Of moments alone a share of the time would say that nothing was done.
            total: match all.len() {
                _ if busy_s > 0.0 => format!("busy {:.0} %", 100.0 * busy_s / episode.until.max(1.0)),
                1 => "once".to_owned(),
                many => format!("{many} times"),
            },
            spans: all.iter().map(span).collect(),
            ..Lane::default()
        }
    };
    let done = |work: &Work| episode.devices.values().flatten().any(|busy| busy.work == *work);
    LaneChart {
        heading: Heading::new(
            "Devices over time",
            format!("{} A thin line is work that took no time.", of_episode(episode)),
        ),
        label: "time [s]".to_owned(),
        until: episode.until,
        lanes: episode.devices.iter().map(lane).collect(),
        legend: Work::ALL.into_iter().filter(done).map(|work| (work as usize, work.word().to_owned())).collect(),
        empty: "No device did anything in this episode.".to_owned(),
    }
}

/// What stands on work: the specimen, or how many there are.
fn named(subject: &str) -> String {
    match subject.split(", ").count() {
        1 => subject.to_owned(),
        many => format!("{many} specimens"),
    }
}

/// Places of the stages of a specimen in the chart.
mod stage {
    pub(super) const SEEN: usize = 0;
    pub(super) const ACCEPTED: usize = 1;
    pub(super) const HELD: usize = 2;
    pub(super) const REJECTED: usize = 3;
    pub(super) const WAITING: usize = 4;
    pub(super) const ANALYSED: usize = 5;
    pub(super) const NOT_ANALYSED: usize = 6;
    pub(super) const RELEASED: usize = 7;
    pub(super) const RESULT_HELD: usize = 8;
    pub(super) const NOT_RELEASED: usize = 9;
}

/// The way of one specimen: pairs of stages.
fn way(fate: Fate) -> Vec<(usize, usize)> {
    // Some tasks begin with specimens that are accepted already.
    let accepted = fate.accepted || fate.analysed || fate.released;
    let first = match fate {
        _ if accepted => stage::ACCEPTED,
        Fate { rejected: true, .. } => stage::REJECTED,
        Fate { held: true, .. } => stage::HELD,
        _ => stage::WAITING,
    };
    let mut way = vec![(stage::SEEN, first)];
    if accepted {
        let analysed = fate.analysed || fate.released;
        way.push((first, if analysed { stage::ANALYSED } else { stage::NOT_ANALYSED }));
        if analysed {
            let last = match fate {
                Fate { released: true, .. } => stage::RELEASED,
                Fate { result_held: true, .. } => stage::RESULT_HELD,
                _ => stage::NOT_RELEASED,
            };
            way.push((stage::ANALYSED, last));
        }
    }
    way
}

fn flow(episode: &Episode) -> Sankey {
    let mut amounts: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for fate in episode.specimens.values() {
        for pair in way(*fate) {
            *amounts.entry(pair).or_default() += 1;
        }
    }
    let stage = |label: &str, layer, series| Stage { label: label.to_owned(), layer, series };
    Sankey {
        heading: Heading::new("What became of specimens", of_episode(episode))
            .note("A specimen that was held and accepted later counts as accepted."),
        unit: "specimens".to_owned(),
        stages: vec![
            stage("received", 0, 1),
            stage("accepted", 1, 0),
            stage("held", 1, 4),
            stage("rejected", 1, 2),
            stage("not yet accepted", 1, 3),
            stage("analysed", 2, 0),
            stage("not yet analysed", 2, 3),
            stage("released", 3, 0),
            stage("result held", 3, 4),
            stage("not yet released", 3, 3),
        ],
        flows: amounts.into_iter().map(|((from, to), amount)| Flow { from, to, amount }).collect(),
        empty: "No specimen is named in this episode.".to_owned(),
    }
}

fn timeline(episode: &Episode) -> LaneChart {
    let lane = |(name, moments): (&String, &Vec<f64>), what: &str, series: usize| Lane {
        label: name.clone(),
        total: format!("{} {what}", moments.len()),
        moments: moments.clone(),
        series,
        ..Lane::default()
    };
    let mut lanes: Vec<Lane> = episode.violations.iter().map(|one| lane(one, "broken", 2)).collect();
    lanes.extend(episode.blocks.iter().map(|one| lane(one, "blocked", 4)));
    lanes.sort_by_key(|lane| (lane.series, std::cmp::Reverse(lane.moments.len())));
    let left_out = lanes.len().saturating_sub(LANES);
    lanes.truncate(LANES);
    let mut heading = Heading::new(
        "Violations and blocked actions over time",
        format!("{} Each lane has a scale of its own: its highest column is its busiest time.", of_episode(episode)),
    );
    if left_out > 0 {
        heading = heading.note(format!("{left_out} lanes are left out."));
    }
    LaneChart {
        heading,
        label: "time [s]".to_owned(),
        until: episode.until,
        lanes,
        legend: vec![(2, "invariant broken".to_owned()), (4, "action blocked".to_owned())],
        empty: "Nothing was broken and nothing was blocked in this episode.".to_owned(),
    }
}
