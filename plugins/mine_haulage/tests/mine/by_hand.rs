//! Small mines whose every figure can be computed by hand, to the nanosecond.

use crate::common::{exact, line, logged, nodes, road, seconds, truck};
use labtrust_mine_haulage::site::{EdgeId, LoaderId, NodeId};
use labtrust_mine_haulage::{Activity, EventKind, EventLog, EventRow, LaneModel, Resource};

const S: u64 = 1_000_000_000;

/// `(second, truck, kind)` of every row; panics on a row between two seconds.
fn times(log: &EventLog) -> Vec<(u64, u16, EventKind)> {
    let row = |row: &EventRow| {
        assert_eq!(row.at.as_nanos() % S, 0, "{row:?}");
        (row.at.as_nanos() / S, row.truck.0, row.kind)
    };
    log.rows().iter().map(row).collect()
}

#[test]
fn one_truck_without_noise_keeps_its_cycle_to_the_nanosecond() {
    let (outcome, log) = logged(&exact(line(1, 999), seconds(3600)), 7);
    // 60 empty + 120 load + 180 loaded + 60 dump, then 90 + 120 + 180 + 60 for each further cycle.
    let dumps: Vec<u64> = (0..8).map(|cycle| 420 + 450 * cycle).collect();
    let finished: Vec<u64> =
        times(&log).into_iter().filter(|row| row.2 == EventKind::DumpingFinished).map(|row| row.0).collect();
    assert_eq!(finished, dumps);
    assert_eq!((outcome.dumps, outcome.tonnes), (8, 320.0));
    assert_eq!(outcome.tonnes_per_hour(), 320.0);
    assert_eq!(outcome.mean_cycle_min(), 3570.0 / 8.0 / 60.0);
    let truck = outcome.trucks[0];
    assert_eq!(truck.cycle_ns, 3570 * S);
    // Seven ways back, the first way out, and 30 s of the eighth way back when the shift ends.
    assert_eq!(truck.spent_ns(Activity::DrivingEmpty), (60 + 7 * 90 + 30) * S);
    assert_eq!(truck.spent_ns(Activity::DrivingLoaded), 8 * 180 * S);
    assert_eq!(truck.spent_ns(Activity::Loading), 8 * 120 * S);
    assert_eq!(truck.spent_ns(Activity::Dumping), 8 * 60 * S);
    assert_eq!(truck.waiting_ns(), 0);
    assert_eq!(outcome.truck_utilisation(), 1.0);
    assert_eq!(outcome.loaders[0].utilisation(1, outcome.shift), 960.0 / 3600.0);
    assert_eq!(outcome.dump.utilisation(1, outcome.shift), 480.0 / 3600.0);
    // Three ends of drives, loading and dumping a cycle, two for the first road; one more event begins the shift.
    assert_eq!(outcome.events, 1 + 8 * 4);
}

#[test]
fn two_trucks_queue_at_lane_and_loader_as_computed_by_hand() {
    use EventKind::{
        Dispatched, DumpingFinished, DumpingStarted, LoaderQueued, LoadingFinished, LoadingStarted, RoadEntered,
        RoadLeft, RoadQueued, ShiftEnded,
    };
    let (outcome, log) = logged(&exact(line(2, 1), seconds(600)), 7);
    let expected = [
        (0, 0, Dispatched),
        (0, 0, RoadEntered),
        (0, 1, Dispatched),
        (0, 1, RoadQueued),
        (60, 0, RoadLeft),
        (60, 1, RoadEntered),
        (60, 0, LoadingStarted),
        (120, 1, RoadLeft),
        (120, 1, LoaderQueued),
        (180, 0, LoadingFinished),
        (180, 1, LoadingStarted),
        (180, 0, RoadEntered),
        (300, 1, LoadingFinished),
        (300, 1, RoadQueued),
        (360, 0, RoadLeft),
        (360, 1, RoadEntered),
        (360, 0, DumpingStarted),
        (420, 0, DumpingFinished),
        (420, 0, Dispatched),
        (420, 0, RoadEntered),
        (510, 0, RoadLeft),
        (510, 0, LoadingStarted),
        (540, 1, RoadLeft),
        (540, 1, DumpingStarted),
        (600, 1, DumpingFinished),
        (600, 1, Dispatched),
        (600, 1, RoadEntered),
        (600, 0, ShiftEnded),
        (600, 1, ShiftEnded),
    ];
    assert_eq!(times(&log), expected);
    // A dump that ends with the shift counts.
    assert_eq!((outcome.dumps, outcome.tonnes), (2, 80.0));
    let [park, out, back] = outcome.roads[..] else { panic!("three roads") };
    assert_eq!((park.arrivals, park.waited, park.queue_wait_ns, park.busy_ns), (2, 1, 60 * S, 120 * S));
    assert_eq!((out.arrivals, out.waited, out.queue_wait_ns, out.busy_ns), (2, 1, 60 * S, 360 * S));
    assert_eq!((back.arrivals, back.completions, back.in_service_at_end), (2, 1, 1));
    let l = outcome.loaders[0];
    assert_eq!((l.arrivals, l.starts, l.completions, l.in_service_at_end), (3, 3, 2, 1));
    assert_eq!((l.busy_ns, l.queue_wait_ns, l.max_queue), ((120 + 120 + 90) * S, 60 * S, 1));
    assert_eq!(l.mean_wait_min(), 1.0 / 3.0);
    assert_eq!(outcome.mean_loader_wait_min(), 1.0 / 3.0);
    assert_eq!(l.mean_queue(outcome.shift), 0.1);
    assert_eq!(outcome.dump.busy_ns, 120 * S);
    assert_eq!(outcome.trucks[0].waiting_ns(), 0);
    assert_eq!(outcome.trucks[1].spent_ns(Activity::WaitingForRoad), 120 * S);
    assert_eq!(outcome.trucks[1].spent_ns(Activity::WaitingForLoader), 60 * S);
}

#[test]
fn rows_say_where_the_truck_is_what_it_carries_and_who_waits() {
    let (_, log) = logged(&exact(line(2, 1), seconds(600)), 7);
    let row = |index: usize| log.rows()[index];
    let facts = |row: EventRow| (row.location.0, row.from.map(|node| node.0), row.to.map(|node| node.0), row.resource);
    assert_eq!(facts(row(0)), (0, None, Some(1), Resource::Loader(LoaderId(0))));
    assert_eq!(facts(row(3)), (0, Some(0), Some(1), Resource::Road(EdgeId(0))));
    assert_eq!((row(3).queue_length, row(5).queue_length), (1, 0));
    // On a road a truck is where that begins; when it leaves, where that ends.
    assert_eq!((row(5).location, row(7).location), (NodeId(0), NodeId(1)));
    let loaded: Vec<_> =
        log.rows().iter().filter(|row| row.truck.0 == 0).map(|row| (row.loaded, row.payload_tonnes)).collect();
    let (empty, full) = ((false, 0.0), (true, 40.0));
    let dumped = (false, 40.0);
    let begin = [empty; 4];
    let end = [full, full, full, full, dumped];
    assert_eq!(loaded[..4], begin);
    assert_eq!(loaded[4..9], end);
    assert_eq!(loaded[9..], [empty; 5]);
    // Truck 0 is being loaded at the end, truck 1 has just entered the road back.
    let [.., first, second] = log.rows() else { panic!("rows") };
    assert_eq!(facts(*first), (1, None, None, Resource::Loader(LoaderId(0))));
    assert_eq!(facts(*second), (2, Some(2), Some(1), Resource::Road(EdgeId(2))));
}

#[test]
fn trucks_that_arrive_together_are_served_by_id_whatever_was_scheduled_first() {
    // Truck 0 comes over two roads of 30 s, truck 1 over one of 60 s: the arrival of truck 1 was scheduled first.
    let mut site = line(2, 999);
    site.nodes = nodes(5);
    site.edges.extend([road("A_1", 3, 4, 30.0, 999), road("A_2", 4, 1, 30.0, 999)]);
    site.trucks[0].start = NodeId(3);
    let (_, log) = logged(&exact(site, seconds(200)), 7);
    let at_loader: Vec<_> = times(&log)
        .into_iter()
        .filter(|row| matches!(row.2, EventKind::LoadingStarted | EventKind::LoaderQueued))
        .collect();
    assert_eq!(
        at_loader,
        [(60, 0, EventKind::LoadingStarted), (60, 1, EventKind::LoaderQueued), (180, 1, EventKind::LoadingStarted)]
    );
}

#[test]
fn a_loader_that_finishes_now_is_free_for_a_truck_that_arrives_now() {
    // Truck 1 needs 180 s to the loader, which is when truck 0 has been loaded; its arrival was scheduled long before.
    let mut site = line(2, 999);
    site.nodes = nodes(4);
    site.edges.push(road("A_1", 3, 1, 180.0, 999));
    site.trucks[1].start = NodeId(3);
    let (outcome, _) = logged(&exact(site, seconds(300)), 7);
    assert_eq!((outcome.loaders[0].starts, outcome.loaders[0].waited), (2, 0));
}

#[test]
fn a_truck_that_waited_longer_goes_before_one_that_arrives_now() {
    // Truck 2 waits since second 60; truck 0 is back at the instant in which truck 1 is loaded.
    let mut site = line(2, 999);
    site.nodes = nodes(5);
    site.edges.push(road("A_1", 3, 1, 60.0, 999));
    site.edges.push(road("B_1", 4, 1, 180.0, 999));
    site.trucks = vec![truck(1, 4), truck(2, 0), truck(3, 3)];
    let (_, log) = logged(&exact(site, seconds(301)), 7);
    let started: Vec<_> = times(&log).into_iter().filter(|row| row.2 == EventKind::LoadingStarted).collect();
    assert_eq!(
        started,
        [(60, 1, EventKind::LoadingStarted), (180, 2, EventKind::LoadingStarted), (300, 0, EventKind::LoadingStarted)]
    );
}

#[test]
fn a_shared_road_is_as_narrow_as_its_narrower_direction() {
    let mut site = line(1, 999);
    site.edges[1].capacity = 1;
    let mut scenario = exact(site, seconds(120));
    let roads = |scenario: &labtrust_mine_haulage::Scenario| {
        let model = crate::common::model(scenario);
        model.roads().iter().map(|road| (road.id.clone(), road.capacity)).collect::<Vec<_>>()
    };
    let named = |rows: &[(&str, Option<u32>)]| rows.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(roads(&scenario), named(&[("P_OUT", None), ("R_OUT", Some(1)), ("R_BACK", None)]));
    scenario.lane_model = LaneModel::SharedPhysicalRoad;
    assert_eq!(roads(&scenario), named(&[("P_OUT", None), ("R", Some(1))]));
    // Open on both sides it stays open, and what has only the name in common is another road.
    scenario.site.edges[1].capacity = 999;
    assert_eq!(roads(&scenario), named(&[("P_OUT", None), ("R_OUT", None), ("R_BACK", None)]));
    scenario.site.edges[1].capacity = 1;
    scenario.site.edges[2].id = "P_BACK".to_owned();
    assert_eq!(roads(&scenario), named(&[("P_OUT", None), ("R_OUT", Some(1)), ("P_BACK", None)]));
}

#[test]
fn opposite_directions_wait_for_each_other_only_on_a_shared_road() {
    // The truck that comes back loaded meets the one that is sent out.
    let mut site = line(2, 999);
    site.edges = vec![road("P_OUT", 0, 1, 60.0, 999), road("R_OUT", 1, 2, 90.0, 1), road("R_BACK", 2, 1, 90.0, 1)];
    let mut scenario = exact(site, seconds(850));
    let waits = |outcome: &labtrust_mine_haulage::Outcome| {
        outcome.trucks.iter().map(|truck| truck.spent_ns(Activity::WaitingForRoad)).collect::<Vec<_>>()
    };
    let (apart, _) = logged(&scenario, 7);
    // Truck 0: loaded at 180, over at 360. Truck 1: loaded at 300, waits 60 s for the lane.
    assert_eq!(waits(&apart), [0, 60 * S]);
    scenario.lane_model = LaneModel::SharedPhysicalRoad;
    let (shared, _) = logged(&scenario, 7);
    // Truck 1 holds the road from 360 to 540, so truck 0 waits from 420 to 540 to come back, and holds it to 630. Truck 1
    // has dumped at 600 and waits for that.
    assert_eq!(waits(&shared), [120 * S, (60 + 30) * S]);
}

#[test]
fn availability_stretches_drives_and_loading() {
    let mut site = line(1, 999);
    site.trucks[0].availability = 0.5;
    site.loaders[0].availability = 0.8;
    let (outcome, log) = logged(&exact(site, seconds(1000)), 7);
    // 120 empty + 150 load + 360 loaded + 60 dump.
    assert!(times(&log).contains(&(690, 0, EventKind::DumpingFinished)));
    assert_eq!(outcome.dumps, 1);
}

#[test]
fn servers_of_a_loader_and_a_dump_point_work_side_by_side() {
    let mut site = line(2, 999);
    site.loaders[0].capacity = 2;
    site.dumps[0].capacity = 2;
    let (outcome, _) = logged(&exact(site, seconds(420)), 7);
    assert_eq!(outcome.dumps, 2);
    assert_eq!(outcome.truck_utilisation(), 1.0);
    assert_eq!(outcome.loaders[0].utilisation(2, outcome.shift), 120.0 / 420.0);
}

#[test]
fn accounts_begin_when_the_warm_up_ends() {
    let mut scenario = exact(line(1, 999), seconds(450));
    scenario.warmup = seconds(400);
    let (outcome, log) = logged(&scenario, 7);
    // From 400 to 850: the last 20 s of the first dump, a way back, loading, a loaded way; 40 s of the second dump.
    assert_eq!((outcome.dumps, outcome.dump.starts, outcome.dump.completions), (1, 2, 1));
    let spent = |activity| outcome.trucks[0].spent_ns(activity) / S;
    assert_eq!(Activity::ALL.map(spent), [90, 180, 0, 0, 0, 120, 60]);
    assert_eq!(outcome.shift, seconds(450));
    // The log has the warm-up too.
    assert_eq!(times(&log)[0].0, 0);
    assert_eq!(times(&log).last().unwrap().0, 850);
}

#[test]
fn a_queue_at_the_end_of_the_warm_up_is_in_both_books() {
    let mut scenario = exact(line(3, 1), seconds(500));
    for warmup in [30, 60, 100, 150, 333] {
        scenario.warmup = seconds(warmup);
        let (outcome, _) = logged(&scenario, 7);
        assert_eq!(outcome.trucks.iter().flat_map(|truck| truck.activity_ns).sum::<u64>(), 3 * 500 * S);
    }
}

#[test]
fn a_truck_that_stands_at_its_loader_needs_no_road() {
    let mut site = line(1, 999);
    site.trucks[0].start = NodeId(1);
    let (_, log) = logged(&exact(site, seconds(200)), 7);
    let first: Vec<_> = times(&log).into_iter().take(3).collect();
    assert_eq!(
        first,
        [(0, 0, EventKind::Dispatched), (0, 0, EventKind::LoadingStarted), (120, 0, EventKind::LoadingFinished)]
    );
}

#[test]
fn capacities_can_be_switched_off() {
    let mut scenario = exact(line(2, 1), seconds(600));
    scenario.road_capacity_enabled = false;
    let (outcome, _) = logged(&scenario, 7);
    assert!(outcome.roads.iter().all(|road| road.waited == 0));
}
