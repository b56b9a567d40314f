use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

const EARLY: EventClass = EventClass(0);
const LATE: EventClass = EventClass(9);

fn secs(secs: u64) -> SimTime {
    SimTime::from_secs(secs)
}

/// Schedules rows of (time [s], class, name) in the order given and returns the names in the order they come out.
fn drained(rows: &[(u64, EventClass, &'static str)]) -> Vec<&'static str> {
    let mut calendar = Calendar::new();
    for &(at, class, name) in rows {
        calendar.schedule(secs(at), class, name).unwrap();
    }
    std::iter::from_fn(|| calendar.pop()).map(|due| due.event).collect()
}

#[test]
fn earlier_events_come_first() {
    assert_eq!(drained(&[(5, EARLY, "b"), (1, LATE, "a"), (9, EARLY, "c")]), ["a", "b", "c"]);
}

#[test]
fn at_one_time_the_lower_class_comes_first() {
    assert_eq!(drained(&[(5, LATE, "arrival"), (5, EARLY, "completion")]), ["completion", "arrival"]);
}

#[test]
fn equal_events_keep_the_order_in_which_they_were_scheduled() {
    assert_eq!(drained(&[(5, LATE, "S2"), (5, LATE, "S1"), (1, LATE, "S0")]), ["S0", "S2", "S1"]);
}

#[test]
fn popping_moves_the_clock_and_says_what_was_due() {
    let mut calendar = Calendar::new();
    calendar.schedule(secs(3), LATE, 'a').unwrap();
    assert_eq!(calendar.pop(), Some(Due { at: secs(3), class: LATE, event: 'a' }));
    assert_eq!(calendar.now(), secs(3));
    assert_eq!(calendar.pop(), None);
    assert_eq!(calendar.now(), secs(3));
}

#[test]
fn an_event_of_the_past_is_refused_and_nothing_changes() {
    let mut calendar = Calendar::new();
    calendar.advance_to(secs(10)).unwrap();
    let refused = calendar.schedule(secs(9), EARLY, ()).unwrap_err();
    assert_eq!(refused, CalendarError::InThePast { at: secs(9), now: secs(10) });
    assert_eq!(refused.to_string(), "9 s is in the past, the calendar is at 10 s");
    assert!(calendar.is_empty());
    calendar.schedule(secs(10), EARLY, ()).unwrap();
    assert_eq!(calendar.pop().unwrap().at, secs(10));
}

#[test]
fn an_event_after_a_delay_is_due_that_much_from_now_or_at_the_end_of_time() {
    let mut calendar = Calendar::new();
    calendar.advance_to(secs(10)).unwrap();
    let soon = calendar.schedule_after(SimDuration::from_secs(5), EARLY, 'a').unwrap();
    let never = calendar.schedule_after(SimDuration::from_nanos(u64::MAX), EARLY, 'b').unwrap();
    calendar.schedule_after(SimDuration::ZERO, LATE, 'c').unwrap();
    assert_eq!((calendar.due(soon), calendar.due(never)), (Some(secs(15)), Some(SimTime::MAX)));
    assert_eq!(calendar.pop(), Some(Due { at: secs(10), class: LATE, event: 'c' }));
}

#[test]
fn a_cancelled_event_does_not_happen() {
    let mut calendar = Calendar::new();
    let first = calendar.schedule(secs(3), EARLY, "S1").unwrap();
    calendar.schedule(secs(4), EARLY, "S2").unwrap();
    assert_eq!(calendar.cancel(first), Some("S1"));
    assert_eq!(calendar.peek_time(), Some(secs(4)));
    assert_eq!(calendar.pop().unwrap().event, "S2");
    assert_eq!(calendar.pop(), None);
}

#[test]
fn an_old_handle_cancels_nothing() {
    let mut calendar = Calendar::new();
    let happened = calendar.schedule(secs(1), EARLY, "happened").unwrap();
    calendar.pop();
    let cancelled = calendar.schedule(secs(2), EARLY, "cancelled").unwrap();
    calendar.cancel(cancelled);
    let cleared = calendar.schedule(secs(2), EARLY, "cleared").unwrap();
    calendar.clear();
    // All four have had the same slot.
    calendar.schedule(secs(3), EARLY, "pending").unwrap();
    for old in [happened, cancelled, cleared] {
        assert_eq!(calendar.cancel(old), None);
        assert_eq!(calendar.due(old), None);
        assert_eq!(calendar.reschedule(old, secs(9)), Err(CalendarError::NotPending));
    }
    assert_eq!(calendar.pop().map(|due| (due.at, due.event)), Some((secs(3), "pending")));
}

#[test]
fn a_rescheduled_event_keeps_its_handle_and_happens_once() {
    for (from, to) in [(5, 8), (8, 5), (5, 5)] {
        let mut calendar = Calendar::new();
        let handle = calendar.schedule(secs(from), LATE, "moved").unwrap();
        calendar.reschedule(handle, secs(to)).unwrap();
        assert_eq!(calendar.due(handle), Some(secs(to)));
        assert_eq!(calendar.len(), 1);
        assert_eq!(calendar.pop(), Some(Due { at: secs(to), class: LATE, event: "moved" }));
        assert_eq!(calendar.pop(), None);
    }
}

#[test]
fn a_rescheduled_event_comes_after_those_of_its_new_time() {
    for from in [1, 5, 8] {
        let mut calendar = Calendar::new();
        let moved = calendar.schedule(secs(from), EARLY, "moved").unwrap();
        calendar.schedule(secs(5), EARLY, "waiting").unwrap();
        calendar.reschedule(moved, secs(5)).unwrap();
        assert_eq!(calendar.pop().unwrap().event, "waiting", "moved from {from} s");
        assert_eq!(calendar.pop().unwrap().event, "moved", "moved from {from} s");
    }
}

#[test]
fn rescheduling_into_the_past_is_refused_and_nothing_changes() {
    let mut calendar = Calendar::new();
    calendar.advance_to(secs(4)).unwrap();
    let handle = calendar.schedule(secs(5), EARLY, ()).unwrap();
    let refused = calendar.reschedule(handle, secs(3));
    assert_eq!(refused, Err(CalendarError::InThePast { at: secs(3), now: secs(4) }));
    assert_eq!(calendar.due(handle), Some(secs(5)));
}

#[test]
fn only_what_is_due_by_the_limit_is_taken() {
    let mut calendar = Calendar::new();
    calendar.schedule(secs(5), EARLY, ()).unwrap();
    assert_eq!(calendar.pop_until(secs(4)), None);
    assert_eq!(calendar.now(), SimTime::ZERO);
    assert_eq!(calendar.pop_until(secs(5)).unwrap().at, secs(5));
}

#[test]
fn the_clock_moves_to_an_event_but_not_over_it_or_back() {
    let mut calendar = Calendar::new();
    let handle = calendar.schedule(secs(5), EARLY, ()).unwrap();
    assert_eq!(calendar.advance_to(secs(6)), Err(CalendarError::WouldSkip { to: secs(6), due: secs(5) }));
    calendar.advance_to(secs(5)).unwrap();
    assert_eq!(calendar.advance_to(secs(4)), Err(CalendarError::InThePast { at: secs(4), now: secs(5) }));
    assert_eq!((calendar.now(), calendar.len()), (secs(5), 1));
    calendar.cancel(handle);
    calendar.advance_to(secs(6)).unwrap();
    assert_eq!(calendar.now(), secs(6));
}

#[test]
fn the_ends_of_time_can_be_scheduled() {
    let mut calendar = Calendar::new();
    for at in [SimTime::MAX, SimTime::ZERO, SimTime::MAX] {
        calendar.schedule(at, EARLY, ()).unwrap();
    }
    // Enough to bring the ladder out.
    for nanos in 0..10_000 {
        calendar.schedule(SimTime::from_nanos(u64::MAX - 7 * nanos), LATE, ()).unwrap();
    }
    let times: Vec<_> = std::iter::from_fn(|| calendar.pop()).map(|due| due.at).collect();
    assert_eq!(times.len(), 10_003);
    assert!(times.is_sorted());
}

#[test]
fn a_handle_takes_eight_bytes() {
    assert_eq!(size_of::<Option<Handle>>(), 8);
    assert_eq!(size_of::<Key>(), 16);
}

/// A slot whose generations are used up is not used again.
#[test]
fn the_last_generation_of_a_slot_is_its_last_event() {
    let mut calendar = Calendar::new();
    let handle = calendar.schedule(secs(1), EARLY, ()).unwrap();
    let last = calendar.slots.age_to_the_last_generation(handle);
    assert_eq!(calendar.cancel(handle), None);
    assert_eq!(calendar.cancel(last), Some(()));
    let next = calendar.schedule(secs(1), EARLY, ()).unwrap();
    assert_ne!(next.slot, last.slot);
    assert_eq!(calendar.cancel(last), None);
}

#[test]
fn postponing_for_ever_leaves_one_entry_an_event() {
    let mut calendar = Calendar::new();
    let handles: Vec<_> = (0..5000).map(|s| calendar.schedule(secs(s), EARLY, s).unwrap()).collect();
    for round in 1..20 {
        for (handle, s) in handles.iter().zip(0..) {
            calendar.reschedule(*handle, secs(100_000 * round + s)).unwrap();
        }
        assert_eq!(calendar.entries(), 5000);
    }
}

#[test]
fn entries_stay_within_a_quarter_of_the_pending_events_however_many_are_cancelled() {
    let mut calendar = Calendar::new();
    let mut handles: Vec<_> = (0..5000).map(|s| calendar.schedule(secs(s % 70), EARLY, s).unwrap()).collect();
    for round in 1..50_000_u64 {
        let place = (round * 7919 % 5000) as usize;
        calendar.cancel(handles[place]).unwrap();
        handles[place] = calendar.schedule(secs(round % 977), EARLY, round).unwrap();
        assert!(calendar.entries() <= 5000 + 5000 / 4 + 1);
    }
}

/// A hold model: `pending` events, each of which schedules the next one of its kind.
fn hold(calendar: &mut Calendar<u64>, events: usize) {
    for _ in 0..events {
        let Due { at, event, .. } = calendar.pop().unwrap();
        let mixed = event.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let delay = SimDuration::from_nanos(1 + (mixed >> 33) % 1_000_000);
        calendar.schedule(at.saturating_add(delay), EARLY, mixed).unwrap();
    }
}

#[test]
fn memory_is_the_same_after_a_run_ten_times_as_long() {
    for pending in [10, 1000, 20_000] {
        let mut calendar = Calendar::new();
        for event in 0..pending {
            calendar.schedule(SimTime::from_nanos(event * 50), EARLY, event).unwrap();
        }
        hold(&mut calendar, 100_000);
        let short = calendar.capacity();
        hold(&mut calendar, 900_000);
        let long = calendar.capacity();
        assert!(long <= short + short / 8, "{pending} pending: room for {short} grew to {long}");
    }
}

/// What a case of the comparison with the oracle does next. Indices choose among all handles ever given out.
#[derive(Clone, Debug)]
enum Op {
    Schedule { delay: u64, class: u8 },
    Burst { count: usize, delay: u64, spread: u64 },
    Cancel { chosen: usize },
    CancelMany { every: usize },
    Reschedule { chosen: usize, delay: u64 },
    RescheduleMany { every: usize, delay: u64 },
    Pop { times: usize },
    PopUntil { delay: u64 },
    AdvanceTo { delay: u64 },
    UseUpSequence { left: u32 },
    Clear,
}

fn delays() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..5_u64, 0..1000_u64, 0..10_000_000_000_u64]
}

fn small_ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (delays(), 0..3_u8).prop_map(|(delay, class)| Op::Schedule { delay, class }),
        3 => any::<usize>().prop_map(|chosen| Op::Cancel { chosen }),
        4 => (any::<usize>(), delays()).prop_map(|(chosen, delay)| Op::Reschedule { chosen, delay }),
        6 => (1..5_usize).prop_map(|times| Op::Pop { times }),
        2 => delays().prop_map(|delay| Op::PopUntil { delay }),
        2 => delays().prop_map(|delay| Op::AdvanceTo { delay }),
        1 => (0..9_u32).prop_map(|left| Op::UseUpSequence { left }),
        1 => Just(Op::Clear),
    ]
}

fn large_ops() -> impl Strategy<Value = Op> {
    let spreads = prop_oneof![2 => Just(1_u64), 1 => 2..40_u64, 3 => 1..1_000_000_000_u64];
    prop_oneof![
        6 => (1..4000_usize, delays(), spreads)
            .prop_map(|(count, delay, spread)| Op::Burst { count, delay, spread }),
        1 => (1..20_usize).prop_map(|every| Op::CancelMany { every }),
        2 => (1..20_usize, delays()).prop_map(|(every, delay)| Op::RescheduleMany { every, delay }),
        5 => (1..5000_usize).prop_map(|times| Op::Pop { times }),
        5 => small_ops(),
    ]
}

/// A calendar beside a plain ordered map that must say the same.
struct Twins {
    calendar: Calendar<u64>,
    oracle: BTreeMap<Place, u64>,
    /// Handle, and the place in the oracle while it is pending, by event.
    given: Vec<(Handle, Option<Place>)>,
    sequence: u64,
    stale: usize,
}

type Place = (SimTime, u8, u64);

impl Twins {
    fn new() -> Self {
        Self { calendar: Calendar::new(), oracle: BTreeMap::new(), given: Vec::new(), sequence: 0, stale: 0 }
    }

    fn after(&self, delay: u64) -> SimTime {
        self.calendar.now().saturating_add(SimDuration::from_nanos(delay))
    }

    fn place(&mut self, at: SimTime, class: u8) -> Place {
        self.sequence += 1;
        (at, class, self.sequence)
    }

    fn schedule(&mut self, delay: u64, class: u8) {
        let event = self.given.len() as u64;
        let at = self.after(delay);
        let handle = self.calendar.schedule(at, EventClass(class), event).unwrap();
        let place = self.place(at, class);
        self.oracle.insert(place, event);
        self.given.push((handle, Some(place)));
    }

    fn cancel(&mut self, event: usize) {
        let (handle, place) = &mut self.given[event];
        let expected = place.take().map(|place| self.oracle.remove(&place).unwrap());
        assert_eq!(self.calendar.cancel(*handle), expected);
    }

    fn reschedule(&mut self, event: usize, delay: u64) {
        let (handle, old) = self.given[event];
        let at = self.after(delay);
        let done = self.calendar.reschedule(handle, at);
        let Some(old) = old else { return assert_eq!(done, Err(CalendarError::NotPending)) };
        assert_eq!(done, Ok(()));
        let place = self.place(at, old.1);
        self.oracle.remove(&old);
        self.oracle.insert(place, event as u64);
        self.given[event].1 = Some(place);
    }

    /// Whether there was an event by then.
    fn pop_until(&mut self, limit: SimTime) -> bool {
        let expected = self.oracle.first_key_value().map(|(place, _)| *place).filter(|place| place.0 <= limit);
        let due = self.calendar.pop_until(limit);
        let Some(place) = expected else {
            assert_eq!(due, None);
            return false;
        };
        let event = self.oracle.remove(&place).unwrap();
        assert_eq!(due, Some(Due { at: place.0, class: EventClass(place.1), event }));
        assert_eq!(self.calendar.now(), place.0);
        self.given[usize::try_from(event).unwrap()].1 = None;
        true
    }

    fn apply(&mut self, op: &Op) {
        let known = self.given.len();
        match *op {
            Op::Schedule { delay, class } => self.schedule(delay, class),
            Op::Burst { count, delay, spread } => {
                (0..count as u64).for_each(|i| self.schedule(delay.saturating_add(i * 7919 % spread), (i % 2) as u8));
            }
            Op::Cancel { chosen } if known > 0 => self.cancel(chosen % known),
            Op::CancelMany { every } => (0..known).step_by(every).for_each(|event| self.cancel(event)),
            Op::Reschedule { chosen, delay } if known > 0 => self.reschedule(chosen % known, delay),
            Op::RescheduleMany { every, delay } => {
                (0..known).step_by(every).for_each(|event| self.reschedule(event, delay + event as u64 % 50));
            }
            Op::Pop { times } => (0..times).for_each(|_| _ = self.pop_until(SimTime::MAX)),
            Op::PopUntil { delay } => _ = self.pop_until(self.after(delay)),
            Op::AdvanceTo { delay } => {
                let to = self.after(delay);
                let next = self.oracle.first_key_value().map(|(place, _)| place.0);
                let expected = match next.filter(|next| *next < to) {
                    Some(due) => Err(CalendarError::WouldSkip { to, due }),
                    None => Ok(()),
                };
                assert_eq!(self.calendar.advance_to(to), expected);
            }
            Op::UseUpSequence { left } => {
                let end = (1 << SEQUENCE_BITS) - left;
                self.calendar.next_sequence = self.calendar.next_sequence.max(end);
            }
            Op::Clear => {
                self.calendar.clear();
                self.oracle.clear();
                self.given.iter_mut().for_each(|(_, place)| *place = None);
            }
            Op::Cancel { .. } | Op::Reschedule { .. } => {}
        }
        assert_eq!(self.calendar.len(), self.oracle.len());
        let next = self.oracle.first_key_value().map(|(place, _)| place.0);
        assert_eq!(self.calendar.peek_time(), next);
        // Popping takes pending events away under the stale keys; everything else keeps them to a quarter.
        let stale = self.calendar.entries() - self.calendar.len();
        assert!(stale <= self.stale.max(STALE_MIN).max(self.oracle.len() / 4), "{stale} stale");
        self.stale = stale;
    }

    fn check(ops: &[Op]) {
        let mut twins = Self::new();
        ops.iter().for_each(|op| twins.apply(op));
        while twins.pop_until(SimTime::MAX) {}
        assert_eq!((twins.calendar.len(), twins.calendar.entries()), (0, 0));
    }
}

/// A sweep moves the key of a postponed event behind what the heap covers, and a later event comes before it.
#[test]
fn a_postponed_event_that_is_swept_waits_for_what_is_scheduled_before_it() {
    let burst = |count, delay, spread| Op::Burst { count, delay, spread };
    Twins::check(&[
        burst(2800, 0, 26_125),
        Op::Pop { times: 2800 },
        burst(1058, 0, 1),
        Op::CancelMany { every: 7 },
        Op::Reschedule { chosen: 2801, delay: 687 },
        Op::CancelMany { every: 2 },
        burst(1, 256, 2_015_428),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_small_calendar_does_what_an_ordered_map_does(ops in vec(small_ops(), 0..150)) {
        Twins::check(&ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_calendar_on_both_sides_of_the_ladder_does_what_an_ordered_map_does(ops in vec(large_ops(), 0..40)) {
        Twins::check(&ops);
    }
}
