//! When to start a centrifuge: every tube that waits for company is late, every unit that starts is taken for twelve
//! minutes. A look-ahead rule for batch servers (Neuts 1967; Glassey and Weng 1991): the fewer units are left, the
//! longer a batch waits for tubes that are sure to come.

use super::work::AT_RECEPTION;
use super::{Device, Floor, Job, Purpose};
use labtrust_plugin::wire::{Observation, Priority};

/// How long a tube waits for company while another unit is free [s].
const COMPANY_S: i64 = 30;
/// How long reception takes to accept a tube that has arrived [s].
const RECEPTION_S: i64 = 40;
/// From the start of a batch to the release of its first tube [s].
const SPIN_TO_RELEASE_S: i64 = 680;
/// What every further tube of a batch needs [s].
const PER_TUBE_S: i64 = 10;
/// What an analyser measures while a unit is taken [count]. While tubes are coming, the last unit waits for as many.
const TUBES_PER_ANALYSER: usize = 20;
/// How much sooner a unit must be free again to count on it [s].
const SPARE_S: i64 = 30;

/// The bank a batch would go to.
pub(super) struct Bank<'a> {
    /// The device.
    pub(super) device: &'a Device,
    /// Units of all banks that are free [count].
    pub(super) free: u32,
}

/// Whether `batch` should be spun now.
pub(super) fn should_start(floor: &Floor, seen: &Observation, bank: &Bank<'_>, batch: &Job) -> bool {
    let size = batch.batch.len();
    // Where work takes no time a spin is over at once and there is nothing to wait for.
    if !floor.simulated || size >= bank.device.batch_capacity {
        return true;
    }
    let last = bank.free <= 1;
    let coming = AT_RECEPTION.iter().any(|(stage, _)| seen.at(*stage).next().is_some());
    let latest_s = latest_s(floor, seen);
    if let Some(latest_s) = latest_s.filter(|_| last)
        && is_kept(seen, bank, batch, latest_s)
    {
        return false;
    }
    let margin_s = if last && coming { 0 } else { PER_TUBE_S.saturating_mul(size as i64) };
    if latest_s.is_some_and(|latest_s| seen.now_s >= latest_s.saturating_sub(margin_s)) {
        return true;
    }
    if last && coming && size < TUBES_PER_ANALYSER * floor.devices_for(Purpose::Measure).count() {
        return false;
    }
    let hold_s = match (batch.priority == Priority::Stat, last) {
        (true, false) => 0,
        (true, true) => COMPANY_S,
        // Behind the last unit lies a whole cycle.
        (false, true) => bank.device.batch_wait_s,
        (false, false) if coming => COMPANY_S + RECEPTION_S,
        (false, false) => COMPANY_S,
    };
    seen.now_s.saturating_sub(batch.since_s) >= hold_s
}

/// What starts later is not released before the end [s]; after that moment haste helps nobody.
fn latest_s(floor: &Floor, seen: &Observation) -> Option<i64> {
    let latest_s = floor.horizon_s?.saturating_sub(SPIN_TO_RELEASE_S);
    (seen.now_s <= latest_s).then_some(latest_s)
}

/// Whether the last unit is kept for those who are sure to come, are more urgent, and would find no other in time.
fn is_kept(seen: &Observation, bank: &Bank<'_>, batch: &Job, latest_s: i64) -> bool {
    if seen.now_s >= latest_s {
        return false;
    }
    let at_reception = || AT_RECEPTION.iter().flat_map(|(stage, _)| seen.at(*stage));
    let promised =
        seen.consignments.received.contains(&false) || at_reception().any(|tube| tube.priority < batch.priority);
    let again_s = seen.devices.busy_until_s[usize::from(bank.device.place)];
    promised && again_s.is_none_or(|again_s| again_s > latest_s.saturating_sub(SPARE_S))
}
