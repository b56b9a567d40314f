//! `conceptual_model.md`: what is modelled, what is not, and how it is measured.

use super::prose;
use super::readme::{bullets, cell};
use crate::plan::Plan;
use crate::study::Study;
use labtrust_figures::words::listed;
use std::fmt::Write as _;

/// The file.
pub(crate) fn text(study: &Study<'_>) -> String {
    let mut out = String::with_capacity(8 * 1024);
    boundary(&mut out, study);
    entities(&mut out, study);
    resources(&mut out, study);
    out.push_str(EVENTS);
    out.push_str(STATES);
    out.push_str("## Assumptions\n\nFrom the data:\n\n");
    bullets(&mut out, &prose::assumptions_of_data(study));
    out.push_str("\nIntroduced:\n\n");
    bullets(&mut out, &prose::assumptions_introduced(study));
    out.push_str("\n## Limitations\n\n");
    bullets(&mut out, &prose::limitations(study));
    out.push_str(MEASURES);
    out
}

fn boundary(out: &mut String, study: &Study<'_>) {
    let scenario = study.baseline().scenario();
    let site = &scenario.site;
    let unused: Vec<&str> = site
        .dumps
        .iter()
        .filter(|dump| dump.node != scenario.dump_destination)
        .map(|dump| dump.id.as_str())
        .chain(
            site.nodes
                .iter()
                .filter(|node| node.kind == labtrust_mine_haulage::site::NodeKind::Maintenance)
                .map(|node| node.id.as_str()),
        )
        .collect();
    let _ = write!(
        out,
        "# Conceptual model\n\n## System boundary\n\nInside: one shift of {} h of ore haulage from {} to {}, with the trucks, \
         the loaders, the dump point, the roads between them and the queues at each. Outside: what lies before the ore face \
         (drilling, blasting) and behind the crusher (conveyors, mill), maintenance, people and weather.{}\n\n",
        scenario.shift_hours(),
        listed(&scenario.ore_sources.iter().map(|node| site.node(*node).id.as_str()).collect::<Vec<_>>()),
        site.node(scenario.dump_destination).id,
        match unused.len() {
            0 => String::new(),
            _ => format!(" {} are on the map and take no part.", listed(&unused)),
        }
    );
}

fn entities(out: &mut String, study: &Study<'_>) {
    let scenario = study.baseline().scenario();
    let site = &scenario.site;
    let _ = write!(
        out,
        "## Entities\n\n| entity | in the baseline | attributes |\n|---|---:|---|\n\
         | truck | {} | payload, speed empty and loaded, where it is, whether it is loaded, its random streams |\n\
         | loader | {} | node, places, service time, queue |\n\
         | dump point | {} | node, places, service time, queue |\n\
         | road segment (one direction) | {} | ends, length, limit, type, capacity, closed or not, queue at its entry |\n\n\
         {} nodes join the road segments; they hold no one up.\n\n",
        scenario.fleet,
        site.loaders.len(),
        site.dumps.len(),
        site.edges.len(),
        site.nodes.len()
    );
}

fn resources(out: &mut String, study: &Study<'_>) {
    let baseline = study.baseline();
    out.push_str("## Resources\n\n| resource | kind | trucks at a time | where |\n|---|---|---:|---|\n");
    let scenarios = [baseline.scenario()];
    let Some(plan) = Plan::of(&scenarios) else { return };
    for resource in &baseline.arm.resources {
        let station = plan.stations.iter().find(|station| station.id == resource.id);
        let place = match station {
            Some(station) => {
                format!("at {}, {} ± {} min", plan.nodes[station.node].id, station.mean_min, station.sd_min)
            }
            None => baseline
                .arm
                .model
                .roads()
                .iter()
                .find(|road| road.id == resource.id)
                .map(|road| {
                    let edges = road.edges.iter().map(|edge| baseline.scenario().site.edge(*edge));
                    let site = &baseline.scenario().site;
                    let words: Vec<String> = edges
                        .map(|it| {
                            let (from, to) = (&site.node(it.from).id, &site.node(it.to).id);
                            format!("{from} to {to}, {} m, {} km/h", it.distance_m, it.max_speed_kph)
                        })
                        .collect();
                    words.join("; ")
                })
                .unwrap_or_default(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            cell(&resource.id),
            resource.kind.as_str(),
            resource.capacity,
            cell(&place)
        );
    }
    out.push_str("\nAll other roads take any number of trucks.\n\n");
}

const EVENTS: &str = "\
## Events

Each is a row of `event_log.csv`, in the order in which they happen; `queue_length` is that of the resource, after the event.

| event | what happens | what follows |
|---|---|---|
| `dispatched` | an empty truck is sent to a loader | it takes the first road of its way |
| `road_queued` | the lane is full; the truck waits at its entry | it enters when it is the first and a truck has left |
| `road_entered` | the truck holds a place in the lane | it leaves after its driving time |
| `road_left` | the truck is at the next node, and the lane has a place again | the next road, the loader or the dump point; the first in the queue enters |
| `loader_queued` | the loader is at work; the truck waits | loading starts when it is the first |
| `loading_started` | the loader is taken | loading ends after the service time |
| `loading_finished` | the truck is loaded; the loader is free | the truck drives to the dump point; the next one is loaded |
| `crusher_queued` | the dump point is at work; the truck waits | dumping starts when it is the first |
| `dumping_started` | the dump point is taken | dumping ends after the service time |
| `dumping_finished` | the payload counts; the dump point is free | the truck is dispatched again; the next one dumps |
| `shift_ended` | one row for each truck, where it is then | nothing |

";

const STATES: &str = "\
## State variables

The clock; of every truck where it is, its way, whether it is loaded and since when it waits; of every loader, dump point and
limited road who is in it and who waits, in order; the tonnes delivered. Between events nothing changes.

";

const MEASURES: &str = "
## Performance measures

| measure | definition |
|---|---|
| `total_tonnes_delivered` [t] | payloads of the dumps completed within the shift |
| `tonnes_per_hour` [t/h] | those, by the length of the shift |
| `average_truck_cycle_time_min` [min] | mean over completed cycles, from dispatch to the end of the dump |
| `average_truck_utilisation` [1] | part of the fleet's time in which trucks drive, are loaded or dump: what is not waiting |
| `crusher_utilisation`, `<id>_utilisation` [1] | part of the capacity in use over the shift |
| `average_loader_queue_time_min`, `average_crusher_queue_time_min`, `<id>_queue_time_min` [min] | time in the queue by the trucks that came, those that did not wait included; whoever still waits at the end counts up to the end |
| `<id>_arrivals`, `completed_dumps` [count] | trucks that came; dumps completed |

Every replication is held to its books: the time that a resource was in use, as an integral over its state and as a sum over its
trucks, must agree to the nanosecond, and so must queues (the utilisation law and Little's law of one sample path).
";
