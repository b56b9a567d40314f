//! The work that a method says it has given, under names that mean the same in every run.

use super::Told;
use labtrust_plugin::lab::contract::INDEX;
use labtrust_plugin::wire::{Act, Choice, Priority};

/// Work that one agent was given.
pub(super) struct Work {
    pub(super) agent: u16,
    /// The act, and what it is about: `QUEUE_RUN:S1`, `CENTRIFUGE_START:S1+S2`, `START_RUN`.
    pub(super) name: String,
    pub(super) device: Option<u16>,
    /// 2 for STAT, 1 for URGENT, 0 for anything else.
    pub(super) priority: u64,
    pub(super) due_s: Option<i64>,
}

/// All that a decision states, by agent; several of one agent in the order in which it does them.
pub(super) fn of(told: &Told<'_>) -> Vec<Work> {
    let mut works: Vec<Work> = told
        .chosen
        .intents
        .iter()
        .map(|intent| Work {
            agent: intent.choice.agent,
            name: name(told, &intent.choice),
            device: intent.choice.device,
            priority: priority(told, &intent.choice),
            due_s: intent.due_s,
        })
        .collect();
    works.sort_by_key(|work| work.agent);
    works
}

fn name(told: &Told<'_>, choice: &Choice) -> String {
    let (view, text) = (told.view, |id| told.symbols.text(id));
    let mut name = INDEX[usize::from(choice.act.index())].name().to_owned();
    for (number, &place) in choice.specimens.iter().enumerate() {
        name.push(if number == 0 { ':' } else { '+' });
        name.push_str(view.specimens.get(place as usize).map_or("", |row| text(row.id)));
    }
    let Some(place) = choice.object.map(|place| place as usize) else { return name };
    let about = match choice.act {
        Act::Move => view.zones.get(place).map(|row| row.id),
        Act::OpenDoor => view.doors.get(place).map(|row| row.id),
        Act::GenerateResult => {
            // A run of several specimens is there once for each.
            if let Some(row) = view.runs.get(place) {
                name.push(':');
                name.push_str(text(row.specimen));
            }
            view.runs.get(place).map(|row| row.id)
        }
        Act::DispatchTransport => None,
        Act::TransportTick | Act::ChainOfCustodySign | Act::ReceiveTransport => {
            view.consignments.get(place).map(|row| row.id)
        }
        _ => view.results.get(place).map(|row| row.id),
    };
    name.push(':');
    match about {
        Some(id) => name.push_str(text(id)),
        None => name.push_str(&place.to_string()),
    }
    name
}

/// That of the specimen that it is about, named or not.
fn priority(told: &Told<'_>, choice: &Choice) -> u64 {
    let seen = told.seen;
    let object = choice.object.map(|place| place as usize);
    let head = || seen.devices.queue_head.get(usize::from(choice.device?)).copied().flatten();
    let about = || match choice.act {
        Act::GenerateResult => seen.runs.specimen.get(object?).copied().flatten(),
        Act::StartRun => head(),
        _ => seen.results.specimen.get(object?).copied().flatten(),
    };
    let specimen = choice.specimens.first().copied().or_else(about);
    match specimen.and_then(|place| seen.specimens.priority.get(place as usize)) {
        Some(Priority::Stat) => 2,
        Some(Priority::Urgent) => 1,
        Some(Priority::Routine) | None => 0,
    }
}
