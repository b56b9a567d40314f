//! Choices as work in words, and back. Things without a name in an observation are called by their numbers.

use crate::work::Task;
use labtrust_controls::proposal::Proposal;
use labtrust_plugin::wire::{Act, Choice, Observation, Priority, Site};
use serde_json::{Map, Value, json};

/// The name of the specimen at a place.
pub(super) fn specimen(seen: &Observation, place: u32) -> String {
    seen.specimens.key.get(place as usize).map(|key| format!("S{key}")).unwrap_or_default()
}

/// What the object of an act is called, the letter of its names, and their numbers; `None` where it is a zone or nothing.
fn objects(act: Act, seen: &Observation) -> Option<(&'static str, &'static str, &[u32])> {
    match act {
        Act::GenerateResult => Some(("run_id", "RUN", &seen.runs.key)),
        Act::HoldResult
        | Act::ReleaseResult
        | Act::ReleaseResultOverride
        | Act::RerunRequest
        | Act::NotifyCriticalResult
        | Act::AckCriticalResult
        | Act::EscalateCriticalResult => Some(("result_id", "R", &seen.results.key)),
        Act::TransportTick | Act::ChainOfCustodySign | Act::ReceiveTransport => {
            Some(("consignment_id", "C", &seen.consignments.key))
        }
        _ => None,
    }
}

/// The work that a choice is, for somebody who stands `here`.
pub(super) fn task(site: &Site, seen: &Observation, here: u16, choice: &Choice) -> Task {
    let zone = |place: usize| json!(site.zones.get(place));
    let mut args = Map::new();
    let mut put = |key: &str, value: Value| _ = args.insert(key.to_owned(), value);
    if let Some(device) = choice.device.and_then(|place| site.devices.get(usize::from(place))) {
        put("device_id", json!(device.id));
    }
    match (choice.act, choice.specimens.as_slice()) {
        (_, []) => {}
        (Act::CentrifugeStart | Act::CentrifugeEnd, tubes) => {
            put("specimen_ids", tubes.iter().map(|&place| json!(specimen(seen, place))).collect());
        }
        (Act::QueueRun, [first, ..]) => {
            put("work_id", json!(specimen(seen, *first)));
            let priority = match seen.specimens.priority.get(*first as usize) {
                Some(Priority::Stat) => "STAT",
                Some(Priority::Urgent) => "URGENT",
                _ => "ROUTINE",
            };
            put("priority_class", json!(priority));
        }
        (_, [first, ..]) => put("specimen_id", json!(specimen(seen, *first))),
    }
    if let Some(object) = choice.object.map(|place| place as usize) {
        match (choice.act, objects(choice.act, seen)) {
            (Act::Move, _) => {
                put("from_zone", zone(usize::from(here)));
                put("to_zone", zone(object));
            }
            (Act::DispatchTransport, _) => put("transport_id", json!(format!("T{object}"))),
            (_, Some((key, letter, numbers))) => {
                put(key, json!(numbers.get(object).map(|number| format!("{letter}{number}"))));
            }
            _ => {}
        }
    }
    Task { action_type: choice.act.name(), args, reason_code: None, token_refs: Vec::new() }
}

/// The names of all that a choice is about.
pub(super) fn names(site: &Site, seen: &Observation, choice: &Choice) -> Vec<String> {
    let task = task(site, seen, 0, choice);
    let ids = task.args.into_iter().filter(|(key, _)| key.ends_with("_id") || key.ends_with("_ids"));
    ids.flat_map(|(_, value)| match value {
        Value::String(id) => vec![id],
        Value::Array(ids) => ids.into_iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    })
    .collect()
}

/// The choice that a proposal of the agent `me` is; `None` for one to wait, or about things that are not there.
pub(super) fn choice(site: &Site, seen: &Observation, me: u16, proposal: &Proposal) -> Option<Choice> {
    let act = Act::ALL.into_iter().find(|act| *act != Act::Noop && act.name() == proposal.action_type)?;
    let mut choice = Choice::new(me, act);
    for (key, value) in &proposal.args {
        let tube = |id: &Value| {
            let key: u32 = id.as_str()?.strip_prefix('S')?.parse().ok()?;
            seen.specimens.key.iter().position(|known| *known == key).and_then(|place| u32::try_from(place).ok())
        };
        let place = |found: Option<usize>| found.and_then(|place| u32::try_from(place).ok());
        match key.as_str() {
            "device_id" => {
                let device = site.devices.iter().position(|device| *value == device.id)?;
                choice.device = Some(u16::try_from(device).ok()?);
            }
            "specimen_id" | "work_id" => choice.specimens = vec![tube(value)?],
            "specimen_ids" => choice.specimens = value.as_array()?.iter().map(tube).collect::<Option<_>>()?,
            "to_zone" => choice.object = Some(place(site.zones.iter().position(|zone| value == zone))?),
            "transport_id" => choice.object = Some(value.as_str()?.strip_prefix('T')?.parse().ok()?),
            "priority_class" | "from_zone" => {}
            other => {
                let (key, letter, numbers) = objects(act, seen)?;
                let number: u32 = value.as_str()?.strip_prefix(letter)?.parse().ok()?;
                choice.object =
                    Some(place(numbers.iter().position(|known| *known == number))?).filter(|_| key == other);
                choice.object?;
            }
        }
    }
    Some(choice)
}
