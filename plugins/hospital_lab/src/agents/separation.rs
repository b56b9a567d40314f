//! When to start a centrifuge: every tube that waits for company is late, every unit that starts alone is taken for
//! twelve minutes.
//!
//! A batch starts when it is full or when its oldest tube has waited as long as it may. With several units free that
//! is [`FIRST_HOLD_S`], for another unit is there for those who come too late. For the last unit it is the policy's
//! own limit (`tmax_wait_s`), for behind it lies a whole cycle of waiting. Either is cut to the slack: what is left
//! until a tube that starts now could no longer be released before the episode ends.

use labtrust_plugin::lab::{DeviceView, SpecimenView, WorldView};

/// How long a tube waits for company while another unit is free [s].
const FIRST_HOLD_S: i64 = 30;
/// From the start of a batch to the end of its spin [s].
const SPIN_S: i64 = 600;
/// From the end of a spin to the release of its first tube: taking out, aliquot, queue, start, 30 s run, result,
/// release, a step each [s].
const TAIL_S: i64 = 90;
/// What every further tube of a batch takes longer [s]: two halls share them, 30 s a tube and hall.
const TAIL_PER_TUBE_S: i64 = 15;

/// Whether a batch of `waiting` should start now on `bank`. `horizon_s` is the end of the episode, where it is known [s].
pub(super) fn should_start(
    view: &WorldView,
    bank: &DeviceView,
    waiting: &[&SpecimenView],
    horizon_s: Option<i64>,
) -> bool {
    let Some(oldest_s) = waiting.iter().map(|specimen| specimen.since_s).min() else { return false };
    // Without service times a spin is over at once and occupies nothing: there is nothing to wait for.
    if !view.simulated || waiting.len() >= bank.batch_capacity as usize {
        return true;
    }
    let hold_s = if bank.free_units > 1 { FIRST_HOLD_S } else { bank.batch_wait_s };
    let tail_s = TAIL_S + TAIL_PER_TUBE_S * i64::try_from(waiting.len()).unwrap_or(i64::MAX / 64);
    let slack_s = horizon_s.map_or(i64::MAX, |horizon_s| horizon_s - view.now_s - SPIN_S - tail_s);
    view.now_s - oldest_s >= hold_s.min(slack_s)
}
