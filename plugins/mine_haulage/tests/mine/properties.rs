//! What is true of every mine: random small networks, fleets, policies and noise.

use crate::common::{dump, loader, model, nodes, road, service, truck};
use crate::replay::replay;
use labtrust_kernel::SimDuration;
use labtrust_mine_haulage::site::{LoaderId, NodeId, Site};
use labtrust_mine_haulage::{EventLog, LaneModel, Scenario};
use proptest::prelude::*;

const POLICIES: [&str; 4] = ["fixed_assignment", "least_expected_cycle", "nearest_available_loader", "shortest_queue"];

/// A network in which every node can be reached: a ring in both directions, and a few roads across.
fn site() -> impl Strategy<Value = Site> {
    let limit = || prop_oneof![3 => Just(1_u32), 1 => 2_u32..4, 2 => Just(999_u32)];
    (2_u16..7).prop_flat_map(move |n| {
        let ring = prop::collection::vec((1_u32..400, limit(), limit(), any::<bool>()), usize::from(n));
        let across = prop::collection::vec((0..n, 0..n, 1_u32..400, limit()), 0..4);
        let trucks = prop::collection::vec((0..n, 1_u32..9, 1_u32..5), 1..8);
        let loaders = prop::collection::vec((0..n, 1_u32..3, 1_u32..300, 0_u32..200, 1_u32..11), 1..4);
        let dump_point = (0..n, 1_u32..3, 1_u32..300, 0_u32..200);
        (ring, across, trucks, loaders, dump_point).prop_map(move |(ring, across, trucks, loaders, dump_point)| {
            let mut edges = Vec::new();
            for (here, (length, out, back, closed)) in (0..).zip(&ring) {
                let next = (here + 1) % n;
                let mut there = road(&format!("R{here}_A"), here, next, f64::from(*length) / 7.0, *out);
                let ways_around = n > 2;
                // At most one stretch of the ring is closed, in one direction: the other way around is open.
                there.closed = *closed && ways_around && here == 0;
                edges.push(there);
                edges.push(road(&format!("R{here}_B"), next, here, f64::from(*length) / 7.0, *back));
            }
            for (number, (from, to, length, limit)) in across.iter().enumerate().filter(|(_, road)| road.0 != road.1) {
                edges.push(road(&format!("X{number}"), *from, *to, f64::from(*length) / 3.0, *limit));
            }
            let trucks = (1..).zip(&trucks).map(|(number, (start, payload, speed))| {
                let mut truck = truck(number, *start);
                truck.payload_tonnes = 12.5 * f64::from(*payload);
                truck.empty_speed_factor = f64::from(*speed) / 3.0;
                truck.loaded_speed_factor = f64::from(*speed) / 5.0;
                truck
            });
            let loaders = (0..).zip(&loaders).map(|(number, (node, capacity, mean, sd, availability))| {
                let mut loader = loader(&format!("L{number}"), *node, *capacity, 1.0);
                loader.service = service(f64::from(*mean) / 60.0, f64::from(*sd) / 60.0);
                loader.availability = f64::from(*availability) / 10.0;
                loader.availability = loader.availability.min(1.0);
                loader
            });
            let (node, capacity, mean, sd) = dump_point;
            let mut dump = dump(node, capacity, 1.0);
            dump.service = service(f64::from(mean) / 60.0, f64::from(sd) / 60.0);
            Site { nodes: nodes(n), edges, trucks: trucks.collect(), loaders: loaders.collect(), dumps: vec![dump] }
        })
    })
}

fn scenario() -> impl Strategy<Value = Scenario> {
    (site(), 0_usize..4, any::<bool>(), 0_u32..40, prop_oneof![Just(0_u64), 1_u64..2000], 300_u64..6000).prop_map(
        |(site, policy, shared, cv, warmup, shift)| {
            let mut scenario = crate::common::exact(site, SimDuration::from_secs(shift));
            scenario.warmup = SimDuration::from_secs(warmup);
            scenario.travel_time_noise_cv = f64::from(cv) / 100.0;
            scenario.lane_model = if shared { LaneModel::SharedPhysicalRoad } else { LaneModel::PerDirection };
            scenario.dispatch = POLICIES[policy].to_owned();
            scenario
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_a_log_tells_can_have_happened_and_the_books_agree(scenario in scenario(), seed: u64) {
        let model = model(&scenario);
        let mut log = EventLog::new();
        let outcome = model.replicate(seed, Some(&mut log)).unwrap();
        if let Err(error) = outcome.check_books() {
            panic!("{error}");
        }
        replay(&model, &log, &outcome);
    }

    #[test]
    fn the_same_seed_gives_the_same_rows_and_a_log_changes_nothing(scenario in scenario(), seed: u64) {
        let model = model(&scenario);
        let (mut first, mut second) = (EventLog::new(), EventLog::new());
        let outcome = model.replicate(seed, Some(&mut first)).unwrap();
        // A log that was used before is emptied.
        let _ = model.replicate(seed.wrapping_add(1), Some(&mut second)).unwrap();
        prop_assert_eq!(&model.replicate(seed, Some(&mut second)).unwrap(), &outcome);
        prop_assert_eq!(first, second);
        prop_assert_eq!(&model.replicate(seed, None).unwrap(), &outcome);
    }

    /// Among trucks that never meet, one more moves nobody else's numbers: each truck's streams are its own.
    #[test]
    fn another_truck_moves_no_draw_of_the_others(scenario in scenario(), seed: u64) {
        let mut alone = scenario;
        alone.road_capacity_enabled = false;
        alone.ore_sources = vec![alone.site.loaders[0].node];
        let at_source = alone.site.loaders[0].node;
        alone.site.loaders.retain(|loader| loader.node == at_source);
        alone.site.loaders.truncate(1);
        alone.site.loaders[0].capacity = 999;
        alone.site.dumps[0].capacity = 999;
        let mut more = alone.clone();
        more.site.trucks.insert(1, truck(99, 0));
        more.fleet += 1;
        let (one, other) = (model(&alone).replicate(seed, None).unwrap(), model(&more).replicate(seed, None).unwrap());
        prop_assert_eq!(one.trucks[0], other.trucks[0]);
        prop_assert_eq!(&one.trucks[1..], &other.trucks[2..]);
    }

    /// No way is shorter than the one taken: compared with every simple way, by search.
    #[test]
    fn ways_are_shortest_in_time(scenario in scenario()) {
        let model = model(&scenario);
        let site = &scenario.site;
        let nominal = |edges: &[labtrust_mine_haulage::site::EdgeId]| {
            edges.iter().map(|&edge| site.edge(edge).nominal_s()).sum::<f64>()
        };
        for (loader, figures) in (0..).map(LoaderId).zip(&site.loaders) {
            let way = model.way_to_dump(loader).unwrap();
            let best = shortest(site, figures.node, site.dumps[0].node);
            prop_assert!((nominal(way) - best).abs() < 1e-6, "{} is not {best}", nominal(way));
        }
    }
}

/// Bellman and Ford's relaxation: nothing in common with the model's search.
fn shortest(site: &Site, from: NodeId, to: NodeId) -> f64 {
    let mut time = vec![f64::INFINITY; site.nodes.len()];
    time[usize::from(from.0)] = 0.0;
    for _ in &site.nodes {
        for edge in site.edges.iter().filter(|edge| !edge.closed) {
            let through = time[usize::from(edge.from.0)] + edge.nominal_s();
            let there = &mut time[usize::from(edge.to.0)];
            *there = there.min(through);
        }
    }
    time[usize::from(to.0)]
}
