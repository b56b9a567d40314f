//! A second, plain reading of the log: what must be true of any mine, computed from the rows alone.

use labtrust_kernel::SimTime;
use labtrust_mine_haulage::site::{NodeId, TruckId, UNCONSTRAINED};
use labtrust_mine_haulage::{EventKind, EventLog, EventRow, LaneModel, Model, Outcome, Resource, Scenario};
use std::collections::BTreeMap;

/// What the rows say about one truck.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Node,
    Queue(Resource),
    Inside(Resource),
    Gone,
}

/// What trucks hold: one name for all directed roads that share a lane.
fn held(scenario: &Scenario, resource: Resource) -> (String, u32) {
    match resource {
        Resource::Loader(id) => (format!("loader {}", id.0), scenario.site.loader(id).capacity),
        Resource::Dump(id) => (format!("dump {}", id.0), scenario.site.dump(id).capacity),
        Resource::Road(id) => {
            let edge = scenario.site.edge(id);
            let ends = |edge: &labtrust_mine_haulage::site::Edge| (edge.from.min(edge.to), edge.from.max(edge.to));
            let limit = |n: u32| if n >= UNCONSTRAINED || !scenario.road_capacity_enabled { u32::MAX } else { n };
            let same = scenario.site.edges.iter().filter(|other| {
                !other.closed && other.physical_road() == edge.physical_road() && ends(other) == ends(edge)
            });
            let narrowest = same.map(|edge| edge.capacity).min().unwrap();
            if scenario.lane_model == LaneModel::SharedPhysicalRoad && limit(narrowest) != u32::MAX {
                (format!("road {} {:?}", edge.physical_road(), ends(edge)), narrowest)
            } else {
                (format!("edge {}", edge.id), limit(edge.capacity))
            }
        }
    }
}

/// Replays `log` and panics at the first row that could not have happened.
pub(crate) fn replay(model: &Model, log: &EventLog, outcome: &Outcome) {
    let scenario = model.scenario();
    let site = &scenario.site;
    let mut inside: BTreeMap<String, u32> = BTreeMap::new();
    let mut queues: BTreeMap<String, Vec<(SimTime, TruckId)>> = BTreeMap::new();
    let mut trucks: Vec<(At, NodeId, bool)> =
        scenario.trucks().iter().map(|truck| (At::Node, truck.start, false)).collect();
    let mut dumps = vec![0_u64; trucks.len()];
    let mut ends = 0_u64;
    let mut now = SimTime::ZERO;
    let begin = SimTime::ZERO.saturating_add(scenario.warmup);
    for row in log.rows() {
        let wrong = |why: &str| -> ! { panic!("{why}: {row:?}") };
        assert!(row.at >= now, "time runs back: {row:?}");
        now = row.at;
        let (name, capacity) = held(scenario, row.resource);
        let (at, node, loaded) = &mut trucks[usize::from(row.truck.0)];
        let queue = queues.entry(name.clone()).or_default();
        let busy = inside.entry(name).or_default();
        let (enters, leaves) = match row.kind {
            EventKind::RoadEntered | EventKind::LoadingStarted | EventKind::DumpingStarted => (true, false),
            EventKind::RoadLeft | EventKind::LoadingFinished | EventKind::DumpingFinished => (false, true),
            _ => (false, false),
        };
        if enters {
            match *at {
                At::Queue(resource) if resource == row.resource => {
                    // In the order of arrival, then of ids.
                    let first = *queue.iter().min().unwrap_or_else(|| wrong("the queue is empty"));
                    assert_eq!(first.1, row.truck, "somebody jumped the queue: {row:?}");
                    queue.retain(|entry| *entry != first);
                }
                At::Node => assert!(queue.is_empty(), "somebody was passed over: {row:?}"),
                _ => wrong("the truck is elsewhere"),
            }
            *busy += 1;
            assert!(*busy <= capacity, "more than {capacity} inside: {row:?}");
            *at = At::Inside(row.resource);
        } else if leaves {
            assert_eq!(*at, At::Inside(row.resource), "the truck was not inside: {row:?}");
            *busy -= 1;
            ends += 1;
            *at = At::Node;
        } else if matches!(row.kind, EventKind::RoadQueued | EventKind::LoaderQueued | EventKind::CrusherQueued) {
            assert_eq!(*at, At::Node, "the truck is elsewhere: {row:?}");
            assert_eq!(*busy, capacity, "it waits although there is room: {row:?}");
            queue.push((row.at, row.truck));
            *at = At::Queue(row.resource);
        }
        check_row(scenario, row, node, loaded);
        if row.kind == EventKind::DumpingFinished && row.at > begin {
            dumps[usize::from(row.truck.0)] += 1;
        }
        if row.kind == EventKind::ShiftEnded {
            assert_eq!(row.at, SimTime::ZERO.saturating_add(scenario.end()));
            assert_ne!(*at, At::Gone, "a truck ends its shift twice: {row:?}");
            *at = At::Gone;
        }
        assert_eq!(row.queue_length as usize, queue.len(), "{row:?}");
    }
    assert!(trucks.iter().all(|(at, ..)| *at == At::Gone), "a truck was lost");
    assert_eq!(dumps, outcome.trucks.iter().map(|truck| truck.dumps).collect::<Vec<_>>());
    let tonnes: f64 = dumps.iter().zip(&site.trucks).map(|(&dumps, truck)| dumps as f64 * truck.payload_tonnes).sum();
    assert!((tonnes - outcome.tonnes).abs() <= 1e-9 * tonnes.max(1.0), "{tonnes} is not {}", outcome.tonnes);
    assert_eq!(outcome.events, ends + 1, "an event is the end of something, or the beginning of the shift");
}

/// Follows the truck along the row.
fn check_row(scenario: &Scenario, row: &EventRow, node: &mut NodeId, loaded: &mut bool) {
    let site = &scenario.site;
    let stands_at = match row.resource {
        Resource::Road(id) => {
            let edge = site.edge(id);
            assert!(!edge.closed, "the road is closed: {row:?}");
            if row.kind == EventKind::RoadLeft {
                assert_eq!(*node, edge.from, "{row:?}");
                *node = edge.to;
                edge.to
            } else {
                edge.from
            }
        }
        Resource::Loader(id) => site.loader(id).node,
        Resource::Dump(id) => site.dump(id).node,
    };
    if row.kind == EventKind::Dispatched {
        assert_eq!(row.to, Some(stands_at), "{row:?}");
        assert!(!*loaded, "{row:?}");
    } else {
        assert_eq!(*node, stands_at, "the truck is elsewhere: {row:?}");
    }
    assert_eq!(row.location, *node, "{row:?}");
    match row.kind {
        EventKind::LoadingStarted => assert!(!*loaded, "{row:?}"),
        EventKind::LoadingFinished => *loaded = true,
        EventKind::DumpingStarted => assert!(*loaded, "{row:?}"),
        EventKind::DumpingFinished => *loaded = false,
        _ => {}
    }
    assert_eq!(row.loaded, *loaded, "{row:?}");
    let carries = *loaded || row.kind == EventKind::DumpingFinished;
    let payload = if carries { site.truck(row.truck).payload_tonnes } else { 0.0 };
    assert_eq!(row.payload_tonnes, payload, "{row:?}");
}

#[test]
fn every_scenario_can_be_replayed_from_its_log() {
    for id in labtrust_mine_haulage::MineData::built_in().scenario_ids() {
        for lane_model in LaneModel::ALL {
            let mut scenario = crate::common::scenario(id);
            scenario.lane_model = lane_model;
            for seed in [1, 12_345] {
                let (outcome, log) = crate::common::logged(&scenario, seed);
                replay(&crate::common::model(&scenario), &log, &outcome);
            }
        }
    }
}
