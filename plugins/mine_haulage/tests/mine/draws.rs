//! The distributions are the promised ones, and each purpose has its own numbers.

use crate::common::{exact, line, logged, service};
use labtrust_kernel::SimDuration;
use labtrust_mine_haulage::{EventKind, EventLog, Scenario};

/// Lengths [s] between rows of two kinds of the one truck in `log`.
fn lengths(log: &EventLog, from: EventKind, to: EventKind) -> Vec<f64> {
    let mut begun = None;
    let mut lengths = Vec::new();
    for row in log.rows() {
        if row.kind == from {
            begun = Some(row.at);
        } else if row.kind == to {
            lengths.extend(begun.take().map(|begun| row.at.saturating_since(begun).as_secs_f64()));
        }
    }
    lengths
}

/// One truck for a thousand hours: some 8,000 cycles.
fn long() -> Scenario {
    exact(line(1, 999), SimDuration::from_secs(3_600_000))
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

#[test]
fn a_drive_is_its_nominal_time_times_a_factor_of_mean_one_and_the_given_variation() {
    // Large enough for the exact formula of sigma to differ from its approximation by cv.
    const CV: f64 = 0.5;
    let mut scenario = long();
    scenario.travel_time_noise_cv = CV;
    let (_, log) = logged(&scenario, 3);
    let mut drives = lengths(&log, EventKind::RoadEntered, EventKind::RoadLeft);
    // Alternately 180 s loaded and 90 s empty, after the first 60 s.
    drives.remove(0);
    let factors: Vec<f64> =
        drives.iter().enumerate().map(|(i, drive)| drive / if i % 2 == 0 { 180.0 } else { 90.0 }).collect();
    assert!(factors.len() > 10_000);
    let (mean, sd) = mean_and_sd(&factors);
    // Three standard errors.
    assert!((mean - 1.0).abs() < 3.0 * CV / (factors.len() as f64).sqrt(), "{mean}");
    assert!((sd - CV).abs() < 0.03, "{sd}");
    // Log-normal: the logarithm is symmetric about its mean, -ln(1 + cv^2) / 2.
    let logs: Vec<f64> = factors.iter().map(|factor| libm::log(*factor)).collect();
    let (mean, sd) = mean_and_sd(&logs);
    let sigma2 = libm::log(1.0 + CV * CV);
    assert!((mean + sigma2 / 2.0).abs() < 3.0 * sd / (logs.len() as f64).sqrt(), "{mean}");
    assert!((sd - sigma2.sqrt()).abs() < 0.012, "{sd}");
    let skew = logs.iter().map(|log| ((log - mean) / sd).powi(3)).sum::<f64>() / logs.len() as f64;
    assert!(skew.abs() < 0.1, "{skew}");
}

#[test]
fn service_times_are_drawn_again_not_clipped_below_zero() {
    let mut scenario = long();
    scenario.site.loaders[0].service = service(1.0, 1.0);
    scenario.site.dumps[0].service = service(1.0, 1.0);
    let (_, log) = logged(&scenario, 3);
    for (from, to) in [
        (EventKind::LoadingStarted, EventKind::LoadingFinished),
        (EventKind::DumpingStarted, EventKind::DumpingFinished),
    ] {
        let times = lengths(&log, from, to);
        assert!(times.iter().all(|time| *time > 0.0));
        // A normal number with mean and deviation 1 above 0 has mean 1.2876 and deviation 0.7938; clipped at 0 it had
        // mean 1.0833.
        let (mean, sd) = mean_and_sd(&times);
        assert!((mean / 60.0 - 1.2876).abs() < 3.0 * 0.7938 / (times.len() as f64).sqrt(), "{mean}");
        assert!((sd / 60.0 - 0.7938).abs() < 0.03, "{sd}");
        let few = times.iter().filter(|time| **time < 0.6).count();
        assert!((few as f64) < 0.01 * times.len() as f64, "{few} times near zero");
    }
}

#[test]
fn each_purpose_has_its_own_numbers() {
    let mut scenario = long();
    scenario.shift = SimDuration::from_secs(100_000);
    scenario.travel_time_noise_cv = 0.1;
    scenario.site.loaders[0].service = service(2.0, 0.5);
    let draws = |scenario: &Scenario| {
        let (_, log) = logged(scenario, 9);
        (
            lengths(&log, EventKind::RoadEntered, EventKind::RoadLeft),
            lengths(&log, EventKind::LoadingStarted, EventKind::LoadingFinished),
        )
    };
    let (travel, load) = draws(&scenario);
    // Another crusher: its draws move, those of drives and loading stay as they are.
    scenario.site.dumps[0].service = service(3.0, 1.0);
    let (travel_2, load_2) = draws(&scenario);
    let same = |one: &[f64], other: &[f64]| {
        let both = one.len().min(other.len());
        both > 50 && one[..both] == other[..both]
    };
    assert!(same(&travel, &travel_2));
    assert!(same(&load, &load_2));
    // The same truck under another seed draws others.
    let (_, log) = logged(&scenario, 10);
    assert!(!same(&travel, &lengths(&log, EventKind::RoadEntered, EventKind::RoadLeft)));
}

#[test]
fn scenarios_share_their_numbers() {
    // Every truck's first drive is the same road in both, so it takes the same time.
    let first = |id: &str| {
        let (_, log) = logged(&crate::common::scenario(id), 12_345);
        let left: Vec<_> = log.rows().iter().filter(|row| row.kind == EventKind::RoadLeft).take(4).copied().collect();
        let mut left: Vec<_> = left.into_iter().map(|row| (row.truck, row.at)).collect();
        left.sort();
        left
    };
    let of_four: Vec<_> = first("trucks_4");
    let (_, log) = logged(&crate::common::scenario("trucks_12"), 12_345);
    for (truck, at) in of_four {
        assert!(log.rows().iter().any(|row| row.kind == EventKind::RoadLeft && row.truck == truck && row.at == at));
    }
}

/// How alike two sequences are, from -1 to 1.
fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let n = one.len().min(other.len());
    let ((mean, sd), (other_mean, other_sd)) = (mean_and_sd(&one[..n]), mean_and_sd(&other[..n]));
    let products = one.iter().zip(other).map(|(a, b)| (a - mean) * (b - other_mean));
    products.sum::<f64>() / (n as f64 * sd * other_sd)
}

#[test]
fn numbers_of_different_purposes_have_nothing_in_common() {
    let mut scenario = long();
    scenario.travel_time_noise_cv = 0.1;
    scenario.site.loaders[0].service = service(2.0, 0.2);
    scenario.site.dumps[0].service = service(1.0, 0.1);
    // The first road is driven once; the other two alternate.
    scenario.site.trucks[0].start = scenario.site.loaders[0].node;
    let (_, log) = logged(&scenario, 3);
    let drives = lengths(&log, EventKind::RoadEntered, EventKind::RoadLeft);
    let factors: Vec<f64> =
        drives.iter().enumerate().map(|(i, drive)| drive / if i % 2 == 0 { 180.0 } else { 90.0 }).collect();
    let loads = lengths(&log, EventKind::LoadingStarted, EventKind::LoadingFinished);
    let dumps = lengths(&log, EventKind::DumpingStarted, EventKind::DumpingFinished);
    for (one, other) in [(&factors, &loads), (&factors, &dumps), (&loads, &dumps)] {
        assert!(correlation(one, other).abs() < 0.05);
    }
    assert!(correlation(&loads, &loads) > 0.99);
}
