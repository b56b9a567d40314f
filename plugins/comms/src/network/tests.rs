use super::*;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note(u64);

impl Wire for Note {
    fn wire_bytes(&self) -> u32 {
        100
    }
}

const A: AgentId = AgentId(0);
const B: AgentId = AgentId(1);
const C: AgentId = AgentId(2);

fn network(settings: &NetworkSettings, agents: u32) -> Network<Note> {
    Network::new(settings, agents, 42).unwrap()
}

fn impaired() -> NetworkSettings {
    let delay = Delay { p50_ms: 10.0, p95_ms: 50.0 };
    NetworkSettings { delay, drop_rate: 0.3, duplicate_rate: 0.2, reorder_window: 3, ..NetworkSettings::ideal() }
}

/// Sends `count` numbered notes on the link from A to B, `gap_us` apart, and returns all that arrives there.
fn over_the_link(net: &mut Network<Note>, count: u64, gap_us: u64) -> Vec<Delivery<Note>> {
    for number in 0..count {
        net.advance_to(number * gap_us);
        net.send(A, B, Note(number));
    }
    let mut out = Vec::new();
    net.drain_until(u64::MAX / 2, &mut out);
    out.retain(|delivery| (delivery.from, delivery.to) == (A, B));
    out
}

fn numbers(deliveries: &[Delivery<Note>]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.body.0).collect()
}

#[test]
fn the_same_seed_gives_the_same_deliveries_and_another_seed_gives_others() {
    let run = |seed| over_the_link(&mut Network::new(&impaired(), 4, seed).unwrap(), 200, 1000);
    assert_eq!(run(42), run(42));
    assert_ne!(run(42), run(43));
    let mut net = network(&impaired(), 4);
    let first = over_the_link(&mut net, 200, 1000);
    net.reset(42);
    assert_eq!((over_the_link(&mut net, 200, 1000), net.metrics().sent_count), (first, 200));
}

#[test]
fn another_link_never_moves_this_one() {
    let alone = over_the_link(&mut network(&impaired(), 3), 100, 1000);
    let mut net = network(&impaired(), 3);
    for number in 0..100 {
        net.advance_to(number * 1000);
        net.send(B, A, Note(1000));
        net.send(A, B, Note(number));
        net.broadcast(C, &Note(2000));
    }
    let mut all = Vec::new();
    net.drain_until(u64::MAX / 2, &mut all);
    all.retain(|delivery| (delivery.from, delivery.to) == (A, B));
    assert_eq!(all, alone);
}

#[test]
fn loss_moves_nobody_elses_travel_time() {
    let lossless = NetworkSettings { drop_rate: 0.0, duplicate_rate: 0.0, reorder_window: 1000, ..impaired() };
    let lossy = NetworkSettings { drop_rate: 0.4, ..lossless.clone() };
    let all = over_the_link(&mut network(&lossless, 2), 300, 1000);
    let some = over_the_link(&mut network(&lossy, 2), 300, 1000);
    assert!(some.len() < 220);
    assert!(some.iter().all(|delivery| all.contains(delivery)));
}

#[test]
fn measured_loss_doubling_and_percentiles_are_those_of_the_settings() {
    let settings = NetworkSettings { reorder_window: 1000, ..impaired() };
    let mut net = network(&settings, 2);
    let arrived = over_the_link(&mut net, 20_000, 1000);
    let metrics = net.metrics();
    assert_eq!(metrics.msg_count, arrived.len() as u64);
    assert_eq!(metrics.bytes, 100 * metrics.msg_count);
    let lost = metrics.dropped_count as f64 / metrics.sent_count as f64;
    let doubled = metrics.duplicated_count as f64 / (metrics.sent_count - metrics.dropped_count) as f64;
    assert!((lost - 0.3).abs() < 0.01 && (doubled - 0.2).abs() < 0.01, "{metrics:?}");
    assert!((metrics.p50_latency_ms - 10.0).abs() < 0.4, "{metrics:?}");
    assert!((metrics.p95_latency_ms - 50.0).abs() < 3.0, "{metrics:?}");
}

/// By how many places each arrival lies before or behind its place among the arrivals by number.
fn displacements(arrived: &[u64]) -> Vec<u64> {
    let mut ordered = arrived.to_vec();
    ordered.sort_unstable();
    let place = |number: u64| ordered.binary_search(&number).unwrap() as u64;
    arrived.iter().enumerate().map(|(at, number)| place(*number).abs_diff(at as u64)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_window_of_w_never_reorders_beyond_w(
        seed: u64, window in 0u32..6, gap_us in prop_oneof![Just(0u64), Just(500), Just(20_000)],
        delayed: bool, drop_rate in prop_oneof![Just(0.0), Just(0.2)], room in prop_oneof![Just(None), Just(Some(30u64))],
    ) {
        let delay = if delayed { Delay::default() } else { Delay { p50_ms: 0.0, p95_ms: 0.0 } };
        let settings = NetworkSettings {
            reorder_window: window, delay, drop_rate, messages_per_step: room, ..NetworkSettings::ideal()
        };
        let mut net = Network::new(&settings, 2, seed).unwrap();
        let arrived = numbers(&over_the_link(&mut net, 200, gap_us));
        let worst = displacements(&arrived).into_iter().max().unwrap_or(0);
        prop_assert!(worst <= u64::from(window), "{worst} {arrived:?}");
    }
}

#[test]
fn a_window_is_used_with_and_without_travel_times() {
    for delay in [Delay::default(), Delay { p50_ms: 0.0, p95_ms: 0.0 }] {
        let settings = NetworkSettings { reorder_window: 4, delay, ..NetworkSettings::ideal() };
        let arrived = numbers(&over_the_link(&mut network(&settings, 2), 300, 0));
        assert_eq!(arrived.len(), 300);
        assert!(displacements(&arrived).into_iter().any(|places| places >= 3));
    }
}

#[test]
fn a_narrower_window_from_now_on_keeps_what_was_sent_in_front() {
    let wide = NetworkSettings { reorder_window: 5, delay: Delay::default(), ..NetworkSettings::ideal() };
    let narrow = NetworkSettings { reorder_window: 0, ..wide.clone() };
    let mut net = network(&wide, 2);
    (0..50).for_each(|number| net.send(A, B, Note(number)));
    net.set_settings(&narrow, 42).unwrap();
    (50..100).for_each(|number| net.send(A, B, Note(number)));
    let arrived = numbers(&over_the_link(&mut net, 0, 0));
    assert!(arrived[..50].iter().all(|number| *number < 50));
    assert_eq!(arrived[50..], (50..100).collect::<Vec<_>>());
}

#[test]
fn a_partition_cuts_one_side_from_the_other_and_heals() {
    let cut = Partition { start_t: 1, end_t: 2, affected_agents: vec![1, 2], affected_agent_fraction: None };
    let settings = NetworkSettings { partition_schedule: vec![cut], ..NetworkSettings::ideal() };
    let mut net = network(&settings, 4);
    let mut arrivals = Vec::new();
    for step in 0..4 {
        net.begin_step(step);
        // Across the cut, within the part that is cut off, within the rest, from the world.
        for (from, to) in [(A, B), (B, C), (A, AgentId(3)), (AgentId::WORLD, B), (AgentId::WORLD, A)] {
            net.send(from, to, Note(step));
        }
        let mut out = Vec::new();
        net.drain_until((step + 1) * net.step_us() - 1, &mut out);
        arrivals.push(out.len());
    }
    assert_eq!(arrivals, [5, 3, 3, 5]);
    assert_eq!((net.metrics().partition_events, net.metrics().dropped_count), (4, 4));
    assert_eq!(net.metrics().drop_rate, 0.2);
}

#[test]
fn a_message_that_would_arrive_in_a_partition_is_lost() {
    let cut = Partition { start_t: 1, end_t: 1, affected_agents: vec![1], affected_agent_fraction: None };
    let delay = Delay { p50_ms: 11_000.0, p95_ms: 11_001.0 };
    let settings = NetworkSettings { partition_schedule: vec![cut], delay, ..NetworkSettings::ideal() };
    let mut net = network(&settings, 2);
    assert!(over_the_link(&mut net, 1, 0).is_empty());
    assert_eq!(net.metrics().partition_events, 1);
}

#[test]
fn a_fraction_of_the_agents_is_rounded_down_and_drawn_by_the_seed() {
    let cut = Partition { start_t: 0, end_t: 0, affected_agents: Vec::new(), affected_agent_fraction: Some(0.45) };
    let settings = NetworkSettings { partition_schedule: vec![cut], ..NetworkSettings::ideal() };
    let apart = |seed| {
        let mut net: Network<Note> = Network::new(&settings, 10, seed).unwrap();
        net.broadcast(AgentId::WORLD, &Note(0));
        let mut out = Vec::new();
        net.drain_until(0, &mut out);
        let reached: Vec<u32> = out.iter().map(|delivery| delivery.to.0).collect();
        (0..10).filter(|agent| !reached.contains(agent)).collect::<Vec<u32>>()
    };
    assert_eq!((apart(1).len(), apart(1)), (4, apart(1)));
    assert!((2..9).any(|seed| apart(seed) != apart(1)));
}

#[test]
fn a_spike_replaces_the_loss_while_it_lasts() {
    let spike = DropSpike { start_t: 1, end_t: 1, drop_rate: 1.0 };
    let settings = NetworkSettings { drop_spike: Some(spike), ..NetworkSettings::ideal() };
    let arrived = over_the_link(&mut network(&settings, 2), 30, 1_000_000);
    let expected: Vec<u64> = (0..10).chain(20..30).collect();
    assert_eq!(numbers(&arrived), expected);
}

#[test]
fn what_does_not_fit_into_a_step_waits_for_the_next() {
    let by_count = NetworkSettings { messages_per_step: Some(3), ..NetworkSettings::ideal() };
    let by_bytes = NetworkSettings { bytes_per_step: Some(350), ..NetworkSettings::ideal() };
    for settings in [by_count, by_bytes] {
        let arrived = over_the_link(&mut network(&settings, 2), 8, 0);
        let steps: Vec<u64> = arrived.iter().map(|delivery| delivery.at_us / 10_000_000).collect();
        assert_eq!((numbers(&arrived), steps), ((0..8).collect(), vec![0, 0, 0, 1, 1, 1, 2, 2]));
    }
    // A message of 100 bytes over a link of 30 a step takes four steps; the next begins after it.
    let narrow = NetworkSettings { bytes_per_step: Some(30), ..NetworkSettings::ideal() };
    let arrived = over_the_link(&mut network(&narrow, 2), 2, 0);
    let steps: Vec<u64> = arrived.iter().map(|delivery| delivery.at_us / 10_000_000).collect();
    assert_eq!(steps, [3, 7]);
    // Two steps full to the brim.
    let half = NetworkSettings { bytes_per_step: Some(50), ..NetworkSettings::ideal() };
    let arrived = over_the_link(&mut network(&half, 2), 2, 0);
    let steps: Vec<u64> = arrived.iter().map(|delivery| delivery.at_us / 10_000_000).collect();
    assert_eq!(steps, [1, 3]);
}

#[test]
fn a_copy_has_a_travel_time_of_its_own() {
    let settings = NetworkSettings { duplicate_rate: 1.0, drop_rate: 0.0, reorder_window: 9, ..impaired() };
    let arrived = over_the_link(&mut network(&settings, 2), 20, 1_000_000);
    let mut times: Vec<u64> = arrived.iter().map(|delivery| delivery.at_us).collect();
    times.dedup();
    assert_eq!((arrived.len(), times.len()), (40, 40));
}

#[test]
fn a_full_link_delays_no_other() {
    let settings = NetworkSettings { messages_per_step: Some(1), ..NetworkSettings::ideal() };
    let mut net = network(&settings, 3);
    (0..5).for_each(|number| net.send(A, B, Note(number)));
    net.send(A, C, Note(9));
    let mut out = Vec::new();
    net.drain_until(0, &mut out);
    let mut reached: Vec<AgentId> = out.iter().map(|delivery| delivery.to).collect();
    reached.sort_unstable();
    assert_eq!(reached, [B, C]);
}

#[test]
fn a_perfect_network_delivers_at_once_in_the_order_of_sending() {
    let mut net = network(&NetworkSettings { drop_rate: 1.0, ..NetworkSettings::default() }, 3);
    net.begin_step(2);
    net.broadcast(A, &Note(1));
    net.send(C, A, Note(2));
    let mut out = Vec::new();
    net.drain_until(net.now_us(), &mut out);
    let seen: Vec<(AgentId, AgentId, u64)> = out.iter().map(|one| (one.from, one.to, one.at_us)).collect();
    assert_eq!(seen, [(A, B, 20_000_000), (A, C, 20_000_000), (C, A, 20_000_000)]);
    let metrics = net.metrics();
    assert_eq!((metrics.msg_count, metrics.p95_latency_ms, metrics.drop_rate), (3, 0.0, 0.0));
}

#[test]
fn a_network_that_becomes_perfect_strands_nothing() {
    let settings = NetworkSettings { delay: Delay::default(), reorder_window: 3, ..NetworkSettings::ideal() };
    let mut expected = network(&settings, 2);
    let mut net = network(&settings, 2);
    for one in [&mut expected, &mut net] {
        (0..20).for_each(|number| one.send(A, B, Note(number)));
    }
    net.set_settings(&NetworkSettings::default(), 42).unwrap();
    net.send(A, B, Note(20));
    let mut out = Vec::new();
    net.drain_until(0, &mut out);
    let mut order = numbers(&over_the_link(&mut expected, 0, 0));
    order.push(20);
    assert_eq!((numbers(&out), net.in_flight()), (order, 0));
}

#[test]
fn several_rounds_fit_into_a_step_when_the_travel_time_allows() {
    let rounds = |p50_ms: f64| {
        let delay = Delay { p50_ms, p95_ms: p50_ms * 1.001 };
        let mut net = network(&NetworkSettings { delay, ..NetworkSettings::ideal() }, 2);
        net.send(A, B, Note(0));
        let mut count = 0;
        while let Some(delivery) = net.next_until(9_999_999) {
            count += 1;
            net.send(delivery.to, delivery.from, Note(count));
        }
        assert_eq!(net.now_us(), 9_999_999);
        count
    };
    assert_eq!([rounds(900.0), rounds(4_000.0), rounds(20_000.0)], [11, 2, 0]);
}

#[test]
fn words_to_oneself_cost_nothing_and_words_to_nobody_are_counted() {
    let mut net = network(&NetworkSettings { drop_rate: 1.0, perfect: false, ..NetworkSettings::default() }, 2);
    net.send(A, A, Note(1));
    net.send(A, AgentId(2), Note(2));
    net.send(AgentId(7), A, Note(3));
    net.send(A, AgentId::WORLD, Note(4));
    let mut out = Vec::new();
    net.drain_until(u64::MAX / 2, &mut out);
    assert_eq!(numbers(&out), [1]);
    assert_eq!((net.metrics().sent_count, net.metrics().msg_count, net.metrics().misaddressed_count), (0, 0, 3));
}

#[test]
fn settings_that_make_no_sense_make_no_network() {
    let settings = NetworkSettings { drop_rate: f64::NAN, ..NetworkSettings::default() };
    assert_eq!(Network::<Note>::new(&settings, 2, 1).unwrap_err().field, "drop_rate");
}

#[test]
fn somebody_on_the_wire_can_change_add_and_swallow_what_others_send_but_not_what_one_tells_oneself() {
    struct Meddler;
    impl Injector<Note> for Meddler {
        fn on_send(&mut self, now_us: u64, mail: &mut Mail<Note>, extra: &mut Vec<Mail<Note>>) -> Fate {
            mail.body.0 += now_us;
            match mail.body.0 % 3 {
                0 => return Fate::Drop,
                1 => mail.from = C,
                _ => extra.push(Mail { from: B, to: A, body: Note(99) }),
            }
            Fate::Pass
        }
    }
    let mut net = network(&NetworkSettings::default(), 3);
    net.set_injector(Some(Box::new(Meddler)));
    net.advance_to(3);
    (0..3).for_each(|number| net.send(A, B, Note(number)));
    net.send(A, A, Note(0));
    let mut out = Vec::new();
    net.drain_until(3, &mut out);
    let seen: Vec<(AgentId, AgentId, u64)> = out.iter().map(|one| (one.from, one.to, one.body.0)).collect();
    assert_eq!(seen, [(C, B, 4), (A, B, 5), (B, A, 99), (A, A, 0)]);
    let metrics = net.metrics();
    assert_eq!((metrics.sent_count, metrics.injected_count, metrics.swallowed_count), (3, 1, 1));
    net.set_injector(None);
    net.send(A, B, Note(3));
    assert_eq!(net.next_until(3).unwrap().body, Note(3));
}

#[test]
fn what_is_lost_is_sent_again_after_the_time_out_and_nothing_else_moves() {
    // A wide window: nobody waits for who is late.
    let lossy = NetworkSettings { drop_rate: 0.4, reorder_window: 1024, ..NetworkSettings::ideal() };
    let (mut once, mut again) = (network(&lossy, 2), network(&NetworkSettings { retries: 2, ..lossy.clone() }, 2));
    let (first, all) = (over_the_link(&mut once, 400, 1000), over_the_link(&mut again, 400, 1000));
    let mut by_tries = [0_u64; 3];
    for delivery in &all {
        let waited_us = delivery.at_us - delivery.sent_us;
        assert_eq!(waited_us % lossy.timeout_us(), 0);
        by_tries[usize::try_from(waited_us / lossy.timeout_us()).unwrap()] += 1;
        let at_first = first.iter().find(|one| one.body == delivery.body).map(|one| one.at_us);
        assert_eq!(at_first.is_some(), waited_us == 0, "{delivery:?}");
        assert!(at_first.is_none_or(|at_us| at_us == delivery.at_us));
    }
    let lost = 400 - all.len() as u64;
    assert!(by_tries.iter().all(|count| *count > 20) && lost > 10, "{by_tries:?} {lost}");
    let metrics = again.metrics();
    assert_eq!(metrics.retried_count, by_tries[1] + 2 * (by_tries[2] + lost));
    assert_eq!((metrics.sent_count, metrics.dropped_count), (400, lost));
    assert_eq!(once.metrics().retried_count, 0);
}

#[test]
fn who_is_cut_off_is_reached_when_they_are_back_and_the_order_of_a_link_is_kept() {
    let cut = Partition { start_t: 0, end_t: 1, affected_agents: vec![0], affected_agent_fraction: None };
    let settings =
        NetworkSettings { retries: 8, step_ms: 10, partition_schedule: vec![cut], ..NetworkSettings::ideal() };
    let heard = over_the_link(&mut network(&settings, 2), 30, 1000);
    assert_eq!(numbers(&heard), (12..30).collect::<Vec<u64>>(), "a time-out is a tenth of a step");
    assert!(heard.iter().all(|delivery| delivery.at_us >= 20_000));
    let lossy = NetworkSettings { retries: 8, drop_rate: 0.3, ..NetworkSettings::ideal() };
    let heard = over_the_link(&mut network(&lossy, 2), 200, 1000);
    assert_eq!(numbers(&heard), (0..200).collect::<Vec<u64>>(), "who comes later waits for who was lost");
}
