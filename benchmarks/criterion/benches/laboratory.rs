//! What one action costs: gates, effects, invariants, canonical bytes and chain, over the action mix of an episode.
//!
//! A user cares because a study is millions of these. Nothing is cached between events. The figure an element is one
//! agent event, the laboratory's own records of the same episode included.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use labtrust_criterion::script::{Script, replay, replay_raw};
use labtrust_kernel::ClockMode;

fn actions(c: &mut Criterion) {
    let mut group = c.benchmark_group("laboratory/action");
    for (name, timing, strict) in [
        ("typed_explicit", ClockMode::Explicit, false),
        ("typed_simulated", ClockMode::Simulated, false),
        ("typed_signed", ClockMode::Explicit, true),
    ] {
        let script = Script::record(timing, strict);
        group.throughput(Throughput::Elements(script.len() as u64));
        group.bench_function(name, |b| {
            b.iter_batched(
                || script.prepare(),
                |(mut engine, actions)| {
                    replay(engine.as_mut(), &actions, &mut ());
                    (engine, actions)
                },
                BatchSize::LargeInput,
            );
        });
    }
    let script = Script::record(ClockMode::Explicit, false);
    group.throughput(Throughput::Elements(script.len() as u64));
    group.bench_function("raw_explicit", |b| {
        b.iter_batched(
            || script.prepare().0,
            |mut engine| {
                replay_raw(engine.as_mut(), script.events(), &mut ());
                engine
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn resets(c: &mut Criterion) {
    let script = Script::record(ClockMode::Simulated, false);
    c.bench_function("laboratory/reset", |b| b.iter(|| script.prepare()));
}

criterion_group!(benches, actions, resets);
criterion_main!(benches);
