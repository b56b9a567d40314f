//! The calendar under the three loads that decide its structure.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use labtrust_criterion::{Row, hold, timeouts};

const EVENTS: u64 = 1000;

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut row: impl Row, warm_up: u64) {
    row.run(warm_up);
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function(name, |bencher| bencher.iter(|| row.run(EVENTS)));
}

/// Pop one, schedule one. Users meet this in every long run; a plain heap that is much faster at 1e3, or not much
/// slower at 1e6, would change our mind about the structure.
fn hold(c: &mut Criterion) {
    for (size, n) in [("1e3", 1000), ("1e5", 100_000), ("1e6", 1_000_000)] {
        let mut group = c.benchmark_group(format!("calendar/hold/{size}"));
        let delays = hold::Delays::Exponential;
        measure(&mut group, "binary_heap", hold::Bare::new(n, delays, 1), n.into());
        measure(&mut group, "kernel", hold::Kernel::new(n, delays, 1), n.into());
        group.finish();
    }
}

/// Everything is due at the same whole seconds, as with shifts, rounds and polling devices. Buckets of equal width
/// cannot part such events, so this is where a ladder could fall behind.
fn bursts(c: &mut Criterion) {
    for (size, n) in [("1e3", 1000), ("1e5", 100_000)] {
        let mut group = c.benchmark_group(format!("calendar/bursts/{size}"));
        let delays = hold::Delays::Equal;
        measure(&mut group, "binary_heap", hold::Bare::new(n, delays, 1), n.into());
        measure(&mut group, "kernel", hold::Kernel::new(n, delays, 1), n.into());
        group.finish();
    }
}

/// Time-outs that are set again before they fire: door timers, leases, stability clocks.
fn timeouts(c: &mut Criterion) {
    use timeouts::SetAgain::{CancelAndSchedule, Reschedule};
    for (size, n) in [("1e3", 1000), ("1e5", 100_000)] {
        let mut group = c.benchmark_group(format!("calendar/timeouts/{size}"));
        let fill = 12 * u64::from(n);
        measure(&mut group, "indexed_heap", timeouts::BareIndexed::new(n, 1), fill);
        measure(&mut group, "compacted_heap", timeouts::BareCompacted::new(n, 1), fill);
        measure(&mut group, "kernel_reschedule", timeouts::Kernel::new(n, Reschedule, 1), fill);
        measure(&mut group, "kernel_cancel_and_schedule", timeouts::Kernel::new(n, CancelAndSchedule, 1), fill);
        group.finish();
    }
}

criterion_group!(benches, hold, bursts, timeouts);
criterion_main!(benches);
