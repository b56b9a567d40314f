//! What one action costs, in processor time: `cargo run --release -p labtrust-criterion --example action_cost -- 5`.
//!
//! The events of one episode of `throughput_sla` are replayed on fresh engines, chain on, nothing cached between events;
//! resets are not counted, the laboratory's own records are. Rounds are interleaved, the table gives medians.

use labtrust_criterion::script::{Script, replay, replay_raw};
use labtrust_kernel::ClockMode;
use rustix::time::{ClockId, clock_gettime};

/// Replays in one measurement [count].
const REPLAYS: usize = 200;

fn processor_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Processor time an event of one way in [ns].
fn nanos_an_event(script: &Script, raw: bool) -> f64 {
    let mut total = 0.0;
    for _ in 0..REPLAYS {
        let (mut engine, actions) = script.prepare();
        let begun = processor_nanos();
        if raw {
            replay_raw(engine.as_mut(), script.events(), &mut ());
        } else {
            replay(engine.as_mut(), &actions, &mut ());
        }
        total += processor_nanos() - begun;
    }
    total / (REPLAYS * script.len()) as f64
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5usize).max(1);
    let explicit = Script::record(ClockMode::Explicit, false);
    let simulated = Script::record(ClockMode::Simulated, false);
    let signed = Script::record(ClockMode::Explicit, true);
    let rows: [(&str, &Script, bool); 4] = [
        ("typed action, explicit timing", &explicit, false),
        ("typed action, simulated timing", &simulated, false),
        ("raw event, explicit timing", &explicit, true),
        ("typed action, signature verified", &signed, false),
    ];
    let mut figures = vec![Vec::with_capacity(rounds); rows.len()];
    for _ in 0..rounds {
        for (row, times) in rows.iter().zip(&mut figures) {
            times.push(nanos_an_event(row.1, row.2));
        }
    }
    println!("| way in | us an event | x first row |\n| --- | ---: | ---: |");
    let mut first = None;
    for (row, times) in rows.iter().zip(&mut figures) {
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        let first = *first.get_or_insert(median);
        println!("| {} | {:.2} | {:.2} |", row.0, median / 1e3, median / first);
    }
}
