//! When to start a centrifuge: every tube that waits for company is late, every unit that starts is taken for twelve
//! minutes.

use crate::floor::{Device, Floor, Use};
use crate::jobs::AT_RECEPTION;
use labtrust_plugin::wire::{Observation, Priority};

/// How long reception takes to accept a tube that has arrived [s].
const RECEPTION_S: i64 = 40;
/// From the start of a batch to the release of its first tube [s].
const SPIN_TO_RELEASE_S: i64 = 680;
/// What every further tube of a batch needs [s].
const PER_TUBE_S: i64 = 10;
/// What an analyser measures while a unit is taken [count]. While tubes are coming, the last unit waits for as many as
/// that: after a smaller batch the analysers would stand still.
const TUBES_PER_ANALYSER: usize = 20;
/// How much sooner a unit must be free again to count on it [s].
const SPARE_S: i64 = 30;

/// Whether `tubes`, places in the observation, should be spun now on `bank`; `free` units of all banks are free.
pub(crate) fn should_start(
    company_s: u32,
    floor: &Floor,
    seen: &Observation,
    bank: &Device,
    free: u32,
    tubes: &[u32],
) -> bool {
    let tube = || tubes.iter().map(|&place| seen.specimen(place));
    let Some(oldest_s) = tube().map(|tube| tube.since_s).min() else { return false };
    // Where work takes no time a spin is over at once and there is nothing to wait for.
    if !floor.simulated || tubes.len() >= bank.batch_capacity {
        return true;
    }
    // What starts later is not released before the end; after that moment haste helps nobody.
    let latest_s =
        floor.horizon_s.map(|end_s| end_s.saturating_sub(SPIN_TO_RELEASE_S)).filter(|&latest_s| seen.now_s <= latest_s);
    let at_reception = || AT_RECEPTION.into_iter().flat_map(|(stage, _)| seen.at(stage));
    let (last, coming) = (free == 1, at_reception().next().is_some());
    if let Some(latest_s) = latest_s.filter(|&latest_s| last && seen.now_s < latest_s) {
        // The last unit is kept for those who are sure to come, are more urgent, and would find no other in time.
        let most_urgent = tube().map(|tube| tube.priority).min();
        let promised = seen.consignments.received.contains(&false)
            || at_reception().any(|specimen| Some(specimen.priority) < most_urgent);
        let again_s = seen.devices.busy_until_s[usize::from(bank.place)];
        if promised && again_s.is_none_or(|again_s| again_s > latest_s.saturating_sub(SPARE_S)) {
            return false;
        }
    }
    let margin_s = if last && coming { 0 } else { PER_TUBE_S * tubes.len() as i64 };
    let now_or_never = latest_s.is_some_and(|latest_s| seen.now_s >= latest_s.saturating_sub(margin_s));
    let cycle = TUBES_PER_ANALYSER * floor.devices_for(Use::Measure).count();
    if last && coming && tubes.len() < cycle {
        return now_or_never;
    }
    let company_s = i64::from(company_s);
    let hold_s = match (tube().any(|tube| tube.priority == Priority::Stat), last) {
        (true, false) => 0,
        (true, true) => company_s,
        // Behind the last unit lies a whole cycle.
        (false, true) => bank.batch_wait_s,
        (false, false) if coming => company_s + RECEPTION_S,
        (false, false) => company_s,
    };
    now_or_never || seen.now_s.saturating_sub(oldest_s) >= hold_s
}
