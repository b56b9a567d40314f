//! The mine: what a study of it costs before anything is written.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use labtrust_mine_haulage::dispatch::{Compiled, NearestAvailableLoader};
use labtrust_mine_haulage::{EventLog, MineData, Model, Outcome};
use std::hint::black_box;

/// Replications of each scenario, as the benchmark asks for [count].
const REPLICATIONS: u64 = 30;

/// Six scenarios of thirty shifts on one core: the whole of a study but its files. A user waits for this on every change of
/// a scenario; it must stay below 60 ms, and 25 ms are aimed at. With the log, rows are kept in memory and not written.
fn study(c: &mut Criterion) {
    let data = MineData::built_in();
    let models: Vec<Model> = data
        .scenario_ids()
        .into_iter()
        .map(|id| {
            let scenario = data.scenario(id, &[]).expect("the built-in scenarios are right");
            Model::new(&scenario, &Compiled::<NearestAvailableLoader>::NEW).expect("the built-in scenarios have ways")
        })
        .collect();
    let shift = |model: &Model, replication: u64, log: Option<&mut EventLog>| -> Outcome {
        model.replicate(model.scenario().base_seed + replication, log).expect("a compiled-in policy does not fail")
    };
    let shifts = |log: &mut Option<EventLog>| {
        let mut tonnes = 0.0;
        for model in &models {
            for replication in 0..REPLICATIONS {
                tonnes += shift(model, replication, log.as_mut()).tonnes;
            }
        }
        tonnes
    };
    let events: u64 = models.iter().flat_map(|model| (0..REPLICATIONS).map(|i| shift(model, i, None).events)).sum();
    let mut group = c.benchmark_group("mine/six_scenarios_of_30_shifts");
    group.throughput(Throughput::Elements(events));
    group.bench_function("without_log", |bencher| bencher.iter(|| black_box(shifts(&mut None))));
    let mut log = Some(EventLog::new());
    group.bench_function("with_log", |bencher| bencher.iter(|| black_box(shifts(&mut log))));
    group.finish();
}

/// Reading the built-in mine and preparing its six scenarios: paid once a study.
fn prepare(c: &mut Criterion) {
    c.bench_function("mine/read_and_prepare_six_scenarios", |bencher| {
        bencher.iter(|| {
            let data = MineData::built_in();
            let prepared = data.scenario_ids().into_iter().map(|id| {
                let scenario = data.scenario(id, &[]).expect("the built-in scenarios are right");
                Model::new(&scenario, &Compiled::<NearestAvailableLoader>::NEW)
                    .expect("the built-in scenarios have ways")
            });
            black_box(prepared.count())
        });
    });
}

criterion_group!(benches, study, prepare);
criterion_main!(benches);
