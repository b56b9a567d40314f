//! Rows of the event log as what moves on a map.

use serde::Serialize;
use std::collections::BTreeMap;

/// Something that a truck does from one time to another: `[truck, from min, to min, what, place, place, load]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "MotionRow")]
pub(super) struct Motion {
    /// The truck's place in the list.
    pub(super) truck: usize,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) what: What,
    /// Tonnes on board meanwhile; of a dump those that it delivers at its end, 0 where the shift ended before.
    pub(super) tonnes: f64,
}

/// What a truck does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Drives from node to node.
    Drives(String, String),
    /// Waits at a node for a resource.
    Waits(String, String),
    /// Is loaded at a node.
    Loads(String),
    /// Dumps at a node.
    Dumps(String),
}

type MotionRow = (usize, f64, f64, char, String, String, f64);

impl From<Motion> for MotionRow {
    fn from(motion: Motion) -> Self {
        let (letter, one, other) = match motion.what {
            What::Drives(from, to) => ('d', from, to),
            What::Waits(at, resource) => ('w', at, resource),
            What::Loads(at) => ('l', at, String::new()),
            What::Dumps(at) => ('u', at, String::new()),
        };
        (motion.truck, motion.from, motion.to, letter, one, other, motion.tonnes)
    }
}

/// All of a replication.
#[derive(Debug, Default)]
pub(super) struct Script<'t> {
    pub(super) trucks: Vec<&'t str>,
    /// Resources with a queue, and the node at which trucks wait for them.
    pub(super) queues: Vec<(&'t str, &'t str)>,
    pub(super) motions: Vec<Motion>,
    /// When the shift ended [min].
    pub(super) end: f64,
}

/// What a truck has begun.
struct Begun<'t> {
    at: f64,
    what: &'t str,
    location: &'t str,
    to: &'t str,
    resource: &'t str,
    tonnes: f64,
}

/// Reads the rows of one replication. A row that is none is passed over: the log is printed by this crate.
pub(super) fn motions(rows: &str) -> Script<'_> {
    let mut script = Script::default();
    let mut begun: Vec<Option<Begun<'_>>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.lines() {
        let cells: Vec<&str> = row.split(',').collect();
        let [time, _, _, truck, event, _, to, location, _, payload, resource, _] = cells[..] else { continue };
        let (Ok(at), Ok(tonnes)) = (time.parse::<f64>(), payload.parse::<f64>()) else { continue };
        let place = *places.entry(truck).or_insert_with(|| {
            script.trucks.push(truck);
            begun.push(None);
            script.trucks.len() - 1
        });
        script.end = script.end.max(at);
        if let Some(mut before) = begun[place].take() {
            if before.what == "dumping_started" && event != "dumping_finished" {
                // The shift ended over it: nothing was delivered.
                before.tonnes = 0.0;
            }
            script.finish(place, &before, at);
        }
        let queue_at = match event {
            "road_queued" | "loader_queued" | "crusher_queued" => Some(location),
            _ => None,
        };
        if let Some(node) = queue_at
            && !script.queues.iter().any(|(known, _)| *known == resource)
        {
            script.queues.push((resource, node));
        }
        begun[place] = Some(Begun { at, what: event, location, to, resource, tonnes });
    }
    script
}

impl Script<'_> {
    fn finish(&mut self, truck: usize, begun: &Begun<'_>, to: f64) {
        let text = |text: &str| text.to_owned();
        let what = match begun.what {
            "road_entered" => What::Drives(text(begun.location), text(begun.to)),
            "road_queued" | "loader_queued" | "crusher_queued" => {
                What::Waits(text(begun.location), text(begun.resource))
            }
            "loading_started" => What::Loads(text(begun.location)),
            "dumping_started" => What::Dumps(text(begun.location)),
            // The others take no time.
            _ => return,
        };
        let short = |minutes: f64| libm::round(minutes * 1000.0) / 1000.0;
        self.motions.push(Motion { truck, from: short(begun.at), to: short(to), what, tonnes: begun.tonnes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "\
0.000000,0,s,T1,dispatched,,N,P,false,0,L,0
0.000000,0,s,T1,road_queued,P,N,P,false,0,E_UP,1
1.000000,0,s,T1,road_entered,P,N,P,false,0,E_UP,0
3.000000,0,s,T1,road_left,P,N,N,false,0,E_UP,0
3.000000,0,s,T1,loading_started,,,N,false,0,L,0
7.000000,0,s,T1,loading_finished,,,N,true,100,L,0
7.000000,0,s,T1,dumping_started,,,N,true,100,D,0
9.000000,0,s,T1,dumping_finished,,,N,false,100,D,0
9.000000,0,s,T1,dumping_started,,,N,true,100,D,0
10.000000,0,s,T1,shift_ended,,,N,true,100,D,0
";

    #[test]
    fn what_a_truck_begins_lasts_until_its_next_row() {
        let script = motions(ROWS);
        let motion = |from, to, what, tonnes| Motion { truck: 0, from, to, what, tonnes };
        let node = || "N".to_owned();
        assert_eq!(
            script.motions,
            [
                motion(0.0, 1.0, What::Waits("P".into(), "E_UP".into()), 0.0),
                motion(1.0, 3.0, What::Drives("P".into(), node()), 0.0),
                motion(3.0, 7.0, What::Loads(node()), 0.0),
                motion(7.0, 9.0, What::Dumps(node()), 100.0),
                // Not completed, so nothing is delivered.
                motion(9.0, 10.0, What::Dumps(node()), 0.0),
            ]
        );
        assert_eq!((script.trucks, script.queues, script.end), (vec!["T1"], vec![("E_UP", "P")], 10.0));
    }
}
