use super::*;
use crate::stats::Tally;

fn stream(seed: u64) -> Stream {
    Streams::new(seed).stream("tests", "any")
}

fn first(stream: &mut Stream) -> [u64; 3] {
    [stream.next_u64(), stream.next_u64(), stream.next_u64()]
}

/// Computed by another program from the description in ADR 0004 alone.
#[test]
fn a_stream_is_chacha8_under_the_hash_of_its_name() {
    let streams = Streams::new(42);
    assert_eq!(
        first(&mut streams.stream("arrivals", "north")),
        [0x1fc2_fdbb_f3ad_2a4f, 0xf75d_236d_06c2_7d1a, 0x611c_e9d1_141f_c90e]
    );
    assert_eq!(
        first(&mut streams.stream_indexed("arrivals", 7)),
        [0x8f8c_8730_0f9f_5877, 0x2e14_3bba_8821_1440, 0x7fec_7f15_3632_66ab]
    );
}

#[test]
fn a_stream_does_not_depend_on_what_others_drew() {
    let streams = Streams::new(3);
    let expected = first(&mut streams.stream("services", "analyser"));
    first(&mut streams.stream("arrivals", "north"));
    assert_eq!(first(&mut streams.stream("services", "analyser")), expected);
}

#[test]
fn every_part_of_a_name_counts() {
    let (a, b) = (Streams::new(1), Streams::new(2));
    let mut seen = vec![
        first(&mut a.stream("arrivals", "north")),
        first(&mut b.stream("arrivals", "north")),
        first(&mut a.stream("arrivals", "south")),
        first(&mut a.stream("departures", "north")),
        first(&mut a.stream("arrivalsn", "orth")),
        first(&mut a.stream("", "arrivalsnorth")),
        first(&mut a.stream("arrivals", "7")),
        first(&mut a.stream_indexed("arrivals", 7)),
        first(&mut a.stream("arrivals", "7\0\0\0\0\0\0\0")),
        first(&mut a.stream("arrivals", "\u{7}\0\0\0\0\0\0\0")),
    ];
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[test]
fn whole_numbers_are_equally_likely_and_reach_both_ends() {
    let mut stream = stream(1);
    let mut counts = [0_u32; 7];
    for _ in 0..70_000 {
        counts[usize::try_from(stream.between(-3, 3) + 3).unwrap()] += 1;
    }
    // Chi-square with six degrees of freedom: 22.5 is exceeded once in a thousand.
    let chi: f64 = counts.iter().map(|n| (f64::from(*n) - 1e4).powi(2) / 1e4).sum();
    assert!(chi < 22.5, "{counts:?}");
}

/// Three quarters of the range: without rejection every third number would come up as often as the other two together.
#[test]
fn large_bounds_are_not_biased() {
    let mut stream = stream(2);
    let third = (0..30_000).filter(|_| stream.below(3 << 62).is_multiple_of(3)).count();
    assert!((9_700..10_300).contains(&third), "{third}");
}

#[test]
fn the_widest_range_and_the_narrowest_are_allowed() {
    let mut stream = stream(3);
    assert!((0..100).any(|_| stream.between(i64::MIN, i64::MAX) < 0));
    assert_eq!(stream.between(i64::MAX, i64::MAX), i64::MAX);
    assert_eq!(stream.below(1), 0);
}

/// The largest distance between the share of draws below a value and the distribution function there.
fn distance(mut draws: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    draws.iter().enumerate().map(|(i, x)| (distribution(*x) - (i as f64 + 0.5) / n).abs()).fold(0.0, f64::max)
}

/// Kolmogorov's test; 1.95 over the root of n is exceeded once in a thousand.
#[test]
fn draws_follow_their_distributions() {
    let n = 200_000;
    let limit = 1.95 / f64::from(n).sqrt();
    let mut stream = stream(4);
    let uniform = (0..n).map(|_| stream.uniform()).collect();
    assert!(distance(uniform, |x| x) < limit);
    let exponential = (0..n).map(|_| stream.exponential(3.0)).collect();
    assert!(distance(exponential, |x| 1.0 - libm::exp(-x / 3.0)) < limit);
    let normal_function = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
    let normal = (0..n).map(|_| stream.normal(5.0, 2.0)).collect();
    assert!(distance(normal, |x| normal_function((x - 5.0) / 2.0)) < limit);
    let lognormal = (0..n).map(|_| stream.lognormal(1.0, 0.5)).collect();
    assert!(distance(lognormal, |x| normal_function((libm::log(x) - 1.0) / 0.5)) < limit);
}

/// The tails come from other code than the rest, and are too thin for the test above.
#[test]
fn tails_have_their_share() {
    let mut stream = stream(5);
    let n = 4_000_000;
    let (mut exponential, mut normal, mut left) = (0_i32, 0_i32, 0_i32);
    let mut beyond = Tally::new();
    for _ in 0..n {
        let x = stream.exponential(1.0);
        if x > 8.0 {
            exponential += 1;
            beyond.add(x - 8.0);
        }
        let z = stream.normal(0.0, 1.0);
        normal += i32::from(z.abs() > 3.7);
        left += i32::from(z < -3.7);
    }
    // Expected 1342 and 862; four standard deviations.
    assert!((1342 - exponential).abs() < 147, "{exponential}");
    assert!((862 - normal).abs() < 118, "{normal}");
    assert!((431 - left).abs() < 84, "{left}");
    assert!((beyond.mean().unwrap() - 1.0).abs() < 0.11);
}

#[test]
fn a_bernoulli_draw_happens_with_its_probability_and_always_costs_one_draw() {
    let mut stream = stream(6);
    let happened = (0..100_000).filter(|_| stream.bernoulli(0.3)).count();
    assert!((29_400..30_600).contains(&happened), "{happened}");
    for (p, expected) in [(0.0, false), (-1.0, false), (f64::NAN, false), (1.0, true), (2.0, true)] {
        let mut other = stream.clone();
        assert_eq!(stream.bernoulli(p), expected);
        other.next_u64();
        assert_eq!(first(&mut other), first(&mut stream.clone()));
    }
}

#[test]
fn a_random_length_has_its_mean_and_stops_at_the_longest() {
    let mut stream = stream(7);
    let mut tally = Tally::new();
    tally.extend((0..100_000).map(|_| stream.exp_duration(SimDuration::from_nanos(1000)).as_nanos() as f64));
    assert!((tally.mean().unwrap() - 1000.0).abs() < 13.0);
    assert_eq!(stream.exp_duration(SimDuration::ZERO), SimDuration::ZERO);
    let longest = SimDuration::from_nanos(u64::MAX);
    assert!((0..100).any(|_| stream.exp_duration(longest) == longest));
}

#[test]
fn every_order_of_a_shuffle_is_equally_likely() {
    let mut stream = stream(8);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        let mut items = ['a', 'b', 'c', 'd'];
        stream.shuffle(&mut items);
        *counts.entry(items).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    // Chi-square with 23 degrees of freedom: 49.7 is exceeded once in a thousand.
    let chi: f64 = counts.values().map(|n| (f64::from(*n) - 1e3).powi(2) / 1e3).sum();
    assert!(chi < 49.7, "{counts:?}");
}
