//! Whole small models on the public interface.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use labtrust_criterion::{Row, mm1};

/// One server at utilisation 0.9. Two events are pending at most, so this is the kernel's fixed cost an event.
fn mm1(c: &mut Criterion) {
    const EVENTS: u64 = 10_000;
    let mut group = c.benchmark_group("queueing/mm1");
    group.throughput(Throughput::Elements(EVENTS));
    let mut bare = mm1::Bare::new(1);
    group.bench_function("binary_heap", |bencher| bencher.iter(|| bare.run(EVENTS)));
    let mut kernel = mm1::Kernel::new(1);
    group.bench_function("kernel", |bencher| bencher.iter(|| kernel.run(EVENTS)));
    group.finish();
}

criterion_group!(benches, mm1);
criterion_main!(benches);
