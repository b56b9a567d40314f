//! Load of the devices, in simulated timing only: in explicit timing a run takes no time.

use labtrust_contract::Metrics;
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{Symbols, WorldView};
use labtrust_plugin::metric::{EpisodeEnd, EpisodeStart, Meter, Metric, MetricSpec, When};
use serde_json::{Map, Value, json};

/// Load of the devices.
pub(super) struct DeviceMetric;

labtrust_plugin::register_plugin!(Metric, DeviceMetric);

const SPECS: &[MetricSpec] = &[
    MetricSpec::new("device_utilization", "1", "map of busy time over episode time, for devices that finished a run")
        .when(When::Simulated),
    MetricSpec::new(
        "device_queue_length_mean",
        "count",
        "map of the mean queue length over the snapshots that the agents decided on",
    )
    .lower()
    .when(When::Simulated),
    MetricSpec::new("device_queue_length_max", "count", "map of the longest queue over the same snapshots")
        .lower()
        .when(When::Simulated),
];

impl Metric for DeviceMetric {
    fn id(&self) -> &'static str {
        "devices"
    }

    fn specs(&self) -> &'static [MetricSpec] {
        SPECS
    }

    fn meter(&self, start: &mut EpisodeStart<'_>) -> Box<dyn Meter> {
        Box::new(Devices { simulated: start.facts.timing == ClockMode::Simulated, ..Devices::default() })
    }
}

/// Samples device queues.
#[derive(Debug, Default)]
struct Devices {
    simulated: bool,
    samples: u64,
    /// Sum and maximum of the queue length, in view order [count].
    queues: Vec<(u64, u32)>,
    names: Vec<String>,
}

impl Meter for Devices {
    fn on_snapshot(&mut self, view: &WorldView, symbols: &Symbols) {
        if !self.simulated {
            return;
        }
        if self.names.is_empty() {
            self.names = view.devices.iter().map(|device| symbols.text(device.id).to_owned()).collect();
            self.queues = vec![(0, 0); view.devices.len()];
        }
        self.samples += 1;
        for ((sum, max), device) in self.queues.iter_mut().zip(&view.devices) {
            *sum += u64::from(device.queue_len);
            *max = (*max).max(device.queue_len);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds and queue lengths are far below 2^53")]
    fn finish(&mut self, end: &EpisodeEnd<'_>, out: &mut Metrics) {
        if !self.simulated {
            return;
        }
        let timing = end.timing;
        let episode_s = timing.episode_time_s.unwrap_or(0);
        let share = |busy: u64| if episode_s == 0 { Value::Null } else { json!(busy as f64 / episode_s as f64) };
        let utilization: Map<_, _> = timing.device_busy_s.iter().map(|(id, busy)| (id.clone(), share(*busy))).collect();
        let mut mean = Map::new();
        let mut max = Map::new();
        for (name, (sum, longest)) in self.names.iter().zip(&self.queues) {
            // An exact whole mean is a whole number, as in the published files.
            let value = match sum.checked_rem(self.samples) {
                None => Value::Null,
                Some(0) => json!(sum / self.samples),
                Some(_) => json!(*sum as f64 / self.samples as f64),
            };
            mean.insert(name.clone(), value);
            max.insert(name.clone(), json!(longest));
        }
        out.insert("device_utilization".to_owned(), Value::Object(utilization));
        out.insert("device_queue_length_mean".to_owned(), Value::Object(mean));
        out.insert("device_queue_length_max".to_owned(), Value::Object(max));
    }
}
