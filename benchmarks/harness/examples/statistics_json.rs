//! Prints statistics of fixed inputs as JSON, inputs included: what `tests/python/stats_against_scipy.py` compares with
//! SciPy. `cargo run -p labtrust-bench --example statistics_json`

use labtrust_bench::stats::{
    Bounds, Confidence, Resampling, WarmUp, bca_bounds, mean_interval, moments, mser5, normal_cdf, normal_quantile,
    paired_difference, percentile, percentile_bounds, proportion_interval, student_t_quantile, worst_case_rate,
};
use labtrust_kernel::Streams;
use serde_json::{Value, json};
use std::io::Write;

const LEVELS: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.999];

fn confidence(level: f64) -> Confidence {
    Confidence::new(level).expect("the levels lie between 0 and 1")
}

fn ends(bounds: Option<Bounds>) -> Value {
    bounds.map_or(Value::Null, |bounds| json!([bounds.lower, bounds.upper]))
}

fn mean(values: &[f64]) -> f64 {
    moments(values).map_or(f64::NAN, |found| found.mean)
}

/// Samples that look like metrics: waiting times, counts, shares.
fn samples() -> Vec<Vec<f64>> {
    let mut stream = Streams::new(2026).stream("statistics_json", "samples");
    let mut all = vec![vec![1.0, 2.0], vec![3.0, 1.0, 2.0], vec![0.1, 0.2, 0.3, 0.4, 1e6], vec![71.0; 6]];
    for count in [7_u32, 30, 200, 1000] {
        all.push((0..count).map(|_| -100.0 * libm::log1p(-stream.uniform())).collect());
        all.push((0..count).map(|_| f64::from(u32::try_from(stream.below(9)).unwrap_or(0))).collect());
    }
    all
}

fn proportions() -> Vec<Value> {
    let mut rows = Vec::new();
    for trials in [1_u64, 2, 3, 7, 10, 20, 59, 200, 1000, 20_000] {
        for successes in [0, 1, trials / 3, trials / 2, trials - 1, trials] {
            for level in LEVELS {
                let found = proportion_interval(successes, trials, confidence(level));
                rows.push(
                    json!({ "successes": successes, "trials": trials, "level": level, "bounds": ends(Some(found)),
                    "worst_case": worst_case_rate(trials, confidence(level)) }),
                );
            }
        }
    }
    rows
}

fn quantiles() -> Value {
    let mut student = Vec::new();
    for freedom in [1.0, 2.0, 3.0, 4.5, 10.0, 29.0, 99.0, 1000.0, 250_000.0] {
        for level in LEVELS {
            student.push(json!([freedom, level, student_t_quantile(freedom, confidence(level))]));
        }
    }
    let normal: Vec<_> = [1e-12, 1e-6, 0.001, 0.025, 0.2, 0.5, 0.7, 0.975, 0.9999]
        .iter()
        .map(|&p| json!([p, normal_quantile(p)]))
        .collect();
    let cdf: Vec<_> = [-8.0, -3.0, -0.1, 0.0, 0.5, 2.0].iter().map(|&z| json!([z, normal_cdf(z)])).collect();
    json!({ "student": student, "normal": normal, "normal_cdf": cdf })
}

fn means() -> Vec<Value> {
    let of = |values: Vec<f64>| {
        let found = moments(&values).expect("the samples are finite");
        let intervals: Vec<_> =
            LEVELS.iter().map(|&level| json!([level, ends(mean_interval(&values, confidence(level)))])).collect();
        let ranks: Vec<_> =
            [0.0, 5.0, 50.0, 90.0, 95.0, 100.0].iter().map(|&p| json!([p, percentile(&values, p)])).collect();
        json!({ "mean": found.mean, "std": found.std, "intervals": intervals, "percentiles": ranks, "values": values })
    };
    samples().into_iter().map(of).collect()
}

fn pairs() -> Vec<Value> {
    let mut stream = Streams::new(2026).stream("statistics_json", "pairs");
    let mut rows = Vec::new();
    for count in [2_u32, 10, 100] {
        let first: Vec<f64> = (0..count).map(|_| 50.0 * stream.uniform()).collect();
        let second: Vec<f64> = first.iter().map(|value| value + stream.uniform() - 0.4).collect();
        for level in LEVELS {
            let found = paired_difference(&first, &second, confidence(level)).expect("the arms are equally long");
            rows.push(json!({ "first": first, "second": second, "level": level, "mean": found.mean,
                "bounds": ends(Some(found.bounds)) }));
        }
    }
    rows
}

fn bootstraps() -> Vec<Value> {
    let resampling = Resampling { seed: 11, purpose: "statistics_json", resamples: 4000 };
    let of = |values: Vec<f64>| {
        let replicates = resampling.replicates(&values, mean);
        let level = 0.95;
        json!({ "level": level, "percentile": ends(percentile_bounds(&replicates, confidence(level))),
            "bca": ends(bca_bounds(&values, &replicates, mean, confidence(level))),
            "values": values, "replicates": replicates })
    };
    // Samples without spread have no interval in SciPy.
    samples()
        .into_iter()
        .filter(|values| values.len() > 4 && values.len() < 500 && values[0] != values[1])
        .map(of)
        .collect()
}

fn warm_ups() -> Vec<Value> {
    let mut stream = Streams::new(2026).stream("statistics_json", "warm_up");
    let mut rows = Vec::new();
    for (count, ramp) in [(49_u32, 0.0), (60, 10.0), (500, 0.0), (500, 60.0), (503, 300.0), (500, 5000.0)] {
        let series: Vec<f64> = (0..count)
            .map(|place| stream.uniform() + if ramp > 0.0 { (f64::from(place) / ramp).min(1.0) * 5.0 } else { 0.0 })
            .collect();
        let found = match mser5(&series) {
            WarmUp::LeaveOut(count) => json!(count),
            WarmUp::NotSettled => Value::Null,
        };
        rows.push(json!({ "leave_out": found, "series": series }));
    }
    rows
}

fn main() -> std::io::Result<()> {
    let all = json!({
        "proportions": proportions(),
        "quantiles": quantiles(),
        "means": means(),
        "pairs": pairs(),
        "bootstraps": bootstraps(),
        "warm_ups": warm_ups(),
    });
    writeln!(std::io::stdout(), "{all}")
}
