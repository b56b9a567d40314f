//! What a network counts.

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

/// What was counted since the last reset. Latencies are from sending to arrival, waiting included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkMetrics {
    /// Arrived messages, copies included [count].
    pub msg_count: u64,
    /// Their length together [B].
    pub bytes: u64,
    /// Sent messages [count]; a broadcast is one for each receiver.
    pub sent_count: u64,
    /// Their length together [B].
    pub sent_bytes: u64,
    /// Median latency of arrived messages, to 2 decimals [ms].
    pub p50_latency_ms: f64,
    /// 95th percentile: the value at place min(floor(0.95 n), n - 1) of the sorted latencies, to 2 decimals [ms].
    pub p95_latency_ms: f64,
    /// dropped / (arrived + dropped), to 4 decimals; 0 without messages.
    pub drop_rate: f64,
    /// Messages that never arrived, by chance or by partition [count].
    pub dropped_count: u64,
    /// Those that a partition stopped [count].
    pub partition_events: u64,
    /// Copies that the network made [count].
    pub duplicated_count: u64,
    /// How often a lost message was sent again [count]; neither that nor its length is in what was sent.
    pub retried_count: u64,
    /// Messages to or from nobody [count]: a mistake of the method.
    pub misaddressed_count: u64,
    /// Messages that an injector has added [count]; they are among the sent ones.
    pub injected_count: u64,
    /// Messages that an injector has swallowed [count]; they are not among the sent ones.
    pub swallowed_count: u64,
}

impl NetworkMetrics {
    /// The block `metrics.coordination.comm`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "msg_count": self.msg_count,
            "bytes": self.bytes,
            "sent_count": self.sent_count,
            "sent_bytes": self.sent_bytes,
            "p50_latency_ms": self.p50_latency_ms,
            "p95_latency_ms": self.p95_latency_ms,
            "drop_rate": self.drop_rate,
            "dropped_count": self.dropped_count,
            "partition_events": self.partition_events,
            "duplicated_count": self.duplicated_count,
            "retried_count": self.retried_count,
            "misaddressed_count": self.misaddressed_count,
            "injected_count": self.injected_count,
            "swallowed_count": self.swallowed_count,
        })
    }
}

/// Latencies are kept as a count for each hundredth of a millisecond. That is the precision they are told with, and
/// rounding keeps order, so the percentiles are exact without a list of all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    counts: NetworkMetrics,
    /// Almost all latencies of a perfect network; beside the table because it is the hot path.
    at_once: u64,
    /// Read sorted only.
    by_hundredth_ms: FxHashMap<u64, u64>,
}

impl Meter {
    pub(super) fn clear(&mut self) {
        self.counts = NetworkMetrics::default();
        self.at_once = 0;
        self.by_hundredth_ms.clear();
    }

    pub(super) fn sent(&mut self, bytes: u32) {
        self.counts.sent_count += 1;
        self.counts.sent_bytes += u64::from(bytes);
    }

    pub(super) fn lost(&mut self) {
        self.counts.dropped_count += 1;
    }

    pub(super) fn cut_off(&mut self) {
        self.counts.dropped_count += 1;
        self.counts.partition_events += 1;
    }

    pub(super) fn doubled(&mut self) {
        self.counts.duplicated_count += 1;
    }

    pub(super) fn retried(&mut self) {
        self.counts.retried_count += 1;
    }

    pub(super) fn injected(&mut self, count: u64) {
        self.counts.injected_count += count;
    }

    pub(super) fn swallowed(&mut self) {
        self.counts.swallowed_count += 1;
    }

    pub(super) fn misaddressed(&mut self) {
        self.counts.misaddressed_count += 1;
    }

    pub(super) fn delivered(&mut self, latency_us: u64, bytes: u32) {
        self.counts.msg_count += 1;
        self.counts.bytes += u64::from(bytes);
        match (latency_us + 5) / 10 {
            0 => self.at_once += 1,
            hundredths => *self.by_hundredth_ms.entry(hundredths).or_default() += 1,
        }
    }

    pub(super) fn metrics(&self) -> NetworkMetrics {
        let mut sorted: Vec<(u64, u64)> = self.by_hundredth_ms.iter().map(|(at, count)| (*at, *count)).collect();
        sorted.push((0, self.at_once));
        sorted.sort_unstable();
        let arrived = self.counts.msg_count;
        NetworkMetrics {
            p50_latency_ms: percentile_ms(&sorted, arrived, 50),
            p95_latency_ms: percentile_ms(&sorted, arrived, 95),
            drop_rate: rate_4(self.counts.dropped_count, arrived + self.counts.dropped_count),
            ..self.counts.clone()
        }
    }
}

/// The value at place min(floor(percent n / 100), n - 1) of the sorted values [ms].
#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^53 hundredths")]
fn percentile_ms(sorted: &[(u64, u64)], n: u64, percent: u64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let place = (n * percent / 100).min(n - 1);
    let mut before = 0;
    for (hundredths, count) in sorted {
        before += count;
        if place < before {
            return *hundredths as f64 / 100.0;
        }
    }
    0.0
}

/// `part / whole` rounded to 4 decimals; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn rate_4(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { libm::round(part as f64 / whole as f64 * 10_000.0) / 10_000.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let latencies_us: Vec<u64> = (0..97).map(|n| (n * 7919 + 13) % 60_000).collect();
        let mut meter = Meter::default();
        latencies_us.iter().for_each(|us| meter.delivered(*us, 3));
        let mut sorted: Vec<f64> = latencies_us.iter().map(|us| libm::round(*us as f64 / 10.0) / 100.0).collect();
        sorted.sort_by(f64::total_cmp);
        let metrics = meter.metrics();
        assert_eq!((metrics.p50_latency_ms, metrics.p95_latency_ms), (sorted[48], sorted[92]));
        assert_eq!((metrics.msg_count, metrics.bytes), (97, 291));
    }

    #[test]
    fn rates_have_four_decimals_and_nothing_is_zero() {
        assert_eq!((rate_4(1, 3), rate_4(2, 3), rate_4(0, 0)), (0.3333, 0.6667, 0.0));
        assert_eq!(Meter::default().metrics(), NetworkMetrics::default());
    }
}
