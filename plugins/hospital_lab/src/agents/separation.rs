//! When to start a centrifuge: every tube that waits for company is late, every unit that starts is taken for twelve
//! minutes.
//!
//! A batch starts when it is full, when its oldest tube has waited as long as it may, or when there is no slack left:
//! * while another unit is free a tube waits [`FIRST_HOLD_S`], and [`RECEPTION_S`] longer while reception has tubes in
//!   its hands; the other unit is there for those who come too late;
//! * for the last unit it waits as long as the policy allows (`tmax_wait_s`), for behind it lies a whole cycle;
//! * a STAT tube does not wait while another unit is free, and [`FIRST_HOLD_S`] for the last one;
//! * slack is the time until a batch that starts now could no longer be released before the episode ends; for the
//!   last unit with tubes still at reception, the slack of a single tube, because company is certain.
//!
//! The last unit is kept while a consignment is on its way, or a more urgent tube at reception, that would find no other
//! in time. (For equally urgent ones the wait above is long enough, and reception may never be empty.)

use labtrust_plugin::lab::{DeviceView, Priority, SpecimenView, Stage, WorldView};

/// How long a tube waits for company while another unit is free [s].
const FIRST_HOLD_S: i64 = 30;
/// How long reception takes to accept a tube: three actions, a step each, and one until it is seen [s].
const RECEPTION_S: i64 = 40;
/// From the start of a batch to the end of its spin [s].
const SPIN_S: i64 = 600;
/// From the end of a spin to the release of its first tube, a step each: taking out, aliquot, queue, start, 30 s run
/// and result, release, and one to spare [s].
const TAIL_S: i64 = 80;
/// What every tube of a batch needs beyond that: an aliquot a step [s].
const TAIL_PER_TUBE_S: i64 = 10;
/// What a promise allows for: two steps to tell a critical value, one to take out another batch first [s].
const PROMISE_S: i64 = 30;

/// Whether a batch of `waiting` should start now on `bank`, while `free_units` units of all banks are free.
pub(super) fn should_start(view: &WorldView, bank: &DeviceView, free_units: u32, waiting: &[&SpecimenView]) -> bool {
    let Some(oldest_s) = waiting.iter().map(|specimen| specimen.since_s).min() else { return false };
    // Without service times a spin is over at once and occupies nothing: there is nothing to wait for.
    if !view.simulated || waiting.len() >= bank.batch_capacity as usize {
        return true;
    }
    // After the last useful moment haste helps nobody, and the horizon no longer counts.
    let latest_s =
        view.horizon_s.map(|horizon_s| horizon_s - SPIN_S - TAIL_S).filter(|latest_s| view.now_s <= *latest_s);
    let at_reception = || view.specimens.iter().filter(|s| (Stage::Arrived..=Stage::Checked).contains(&s.stage));
    let coming = at_reception().next().is_some();
    let is_last = free_units == 1;
    if is_last && let Some(latest_s) = latest_s.filter(|latest_s| view.now_s < *latest_s) {
        let most_urgent = waiting.iter().map(|specimen| specimen.priority).min();
        let promised = view.consignments.iter().any(|consignment| !consignment.received)
            || at_reception().any(|specimen| Some(specimen.priority) < most_urgent);
        if promised && bank.busy_until_s.is_none_or(|free_s| free_s > latest_s - PROMISE_S) {
            return false;
        }
    }
    let tubes = i64::try_from(waiting.len()).unwrap_or(i64::MAX / 64);
    let margin_s = if is_last && coming { 0 } else { TAIL_PER_TUBE_S * tubes };
    let no_slack = latest_s.is_some_and(|latest_s| view.now_s >= latest_s - margin_s);
    let urgent = waiting.iter().any(|specimen| specimen.priority == Priority::Stat);
    let hold_s = match (urgent, is_last, coming) {
        (true, true, _) => FIRST_HOLD_S,
        (true, false, _) => 0,
        (false, true, _) => bank.batch_wait_s,
        (false, false, true) => FIRST_HOLD_S + RECEPTION_S,
        (false, false, false) => FIRST_HOLD_S,
    };
    no_slack || view.now_s - oldest_s >= hold_s
}

#[cfg(test)]
mod tests {
    use super::super::test_view::Lab;
    use super::*;

    /// A bank with `free` of two units, tubes accepted at the given times, and whether the batch starts at `now_s`.
    fn starts(free: u32, accepted_s: &[i64], now_s: i64, horizon_s: Option<i64>, more: impl Fn(&mut Lab)) -> bool {
        let mut lab = Lab::new(&["Z_BAY"]);
        let bank = lab.device("BANK", "CENTRIFUGE_BANK", "Z_BAY");
        (bank.free_units, bank.batch_capacity, bank.batch_wait_s) = (free, 60, 120);
        bank.busy_until_s = (free == 1).then_some(760);
        for (i, &at_s) in accepted_s.iter().enumerate() {
            lab.specimen(&format!("S{i}"), Stage::Accepted, at_s, &[]);
        }
        more(&mut lab);
        lab.view.now_s = now_s;
        lab.view.horizon_s = horizon_s;
        let waiting: Vec<_> = lab.view.at(Stage::Accepted).collect();
        should_start(&lab.view, &lab.view.devices[0], free, &waiting)
    }

    #[test]
    fn the_first_unit_waits_a_little_and_the_last_one_as_long_as_the_policy_allows() {
        let alone = |free, now_s| starts(free, &[0], now_s, None, |_| {});
        assert_eq!((alone(2, FIRST_HOLD_S - 1), alone(2, FIRST_HOLD_S)), (false, true));
        assert_eq!((alone(1, 119), alone(1, 120)), (false, true));
    }

    #[test]
    fn a_stat_tube_starts_another_unit_at_once_and_the_last_one_soon() {
        let urgent =
            |free, now_s| starts(free, &[0], now_s, None, |lab| lab.view.specimens[0].priority = Priority::Stat);
        assert!(urgent(2, 0));
        assert_eq!((urgent(1, FIRST_HOLD_S - 1), urgent(1, FIRST_HOLD_S)), (false, true));
    }

    #[test]
    fn the_first_unit_waits_for_one_more_from_reception() {
        let starts = |now_s| starts(2, &[0], now_s, None, |lab| _ = lab.specimen("S9", Stage::Arrived, 0, &[]));
        assert_eq!((starts(FIRST_HOLD_S + RECEPTION_S - 1), starts(FIRST_HOLD_S + RECEPTION_S)), (false, true));
    }

    #[test]
    fn the_last_unit_starts_while_its_batch_can_still_be_released() {
        let starts = |now_s| starts(1, &[60, 60], now_s, Some(800), |_| {});
        assert_eq!((starts(99), starts(100)), (false, true));
    }

    #[test]
    fn the_last_unit_waits_for_reception_until_a_tube_can_just_make_it() {
        let starts =
            |now_s| starts(1, &[60, 60], now_s, Some(800), |lab| _ = lab.specimen("S9", Stage::Checked, 0, &[]));
        assert_eq!((starts(119), starts(120)), (false, true));
    }

    #[test]
    fn after_the_last_useful_moment_the_horizon_no_longer_counts() {
        assert!(!starts(1, &[115], 130, Some(800), |_| {}));
    }

    #[test]
    fn the_last_unit_is_kept_for_a_consignment_that_would_find_no_other_in_time() {
        let starts = |free_s, received| {
            starts(1, &[60], 300, Some(1500), |lab| {
                lab.view.devices[0].busy_until_s = Some(free_s);
                lab.consignment("CONS_1", 640).received = received;
            })
        };
        assert_eq!((starts(790, false), starts(791, false), starts(791, true)), (true, false, true));
    }

    #[test]
    fn the_last_unit_is_kept_for_an_urgent_tube_at_reception_but_not_for_any_tube() {
        let starts = |priority| {
            starts(1, &[60], 300, Some(1500), |lab| {
                lab.view.devices[0].busy_until_s = Some(1000);
                lab.specimen("S9", Stage::Checked, 0, &[]).priority = priority;
            })
        };
        assert_eq!((starts(Priority::Stat), starts(Priority::Routine)), (false, true));
    }
}
