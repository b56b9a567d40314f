//! The queues of the devices: by rank, then time, then order of arrival.

use super::value::{given, integer, items, text};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug)]
struct Item {
    work_id: String,
    rank: u8,
    enqueued_ts_s: i64,
    tie_break: u64,
}

#[derive(Debug, Default)]
struct Queue {
    items: Vec<Item>,
    next_tie_break: u64,
}

impl Queue {
    fn head(&self) -> Option<usize> {
        let order = |index: &usize| {
            let item = &self.items[*index];
            (item.rank, item.enqueued_ts_s, item.tie_break)
        };
        (0..self.items.len()).min_by_key(order)
    }
}

/// The queues of the known devices.
#[derive(Debug)]
pub(super) struct Queues {
    by_device: BTreeMap<String, Queue>,
}

impl Queues {
    pub(super) fn new<'a>(devices: impl Iterator<Item = &'a String>, initial: &Value) -> Self {
        let mut queues = Self { by_device: devices.map(|device| (device.clone(), Queue::default())).collect() };
        for entry in items(initial) {
            if let (Some(device), Some(work)) = (given(&entry["device_id"]), given(&entry["work_id"])) {
                let priority = text(&entry["priority_class"]);
                queues.enqueue(&device, work, &priority, integer(&entry["enqueued_ts_s"]).unwrap_or(0));
            }
        }
        queues
    }

    pub(super) fn knows(&self, device: &str) -> bool {
        self.by_device.contains_key(device)
    }

    /// Puts work into a queue; what is no priority class counts as routine. Unknown devices take nothing.
    pub(super) fn enqueue(&mut self, device: &str, work_id: String, priority: &str, t_s: i64) {
        let Some(queue) = self.by_device.get_mut(device) else { return };
        let rank = match priority {
            "STAT" => 0,
            "URGENT" => 1,
            _ => 2,
        };
        queue.items.push(Item { work_id, rank, enqueued_ts_s: t_s, tie_break: queue.next_tie_break });
        queue.next_tie_break += 1;
    }

    pub(super) fn head(&self, device: &str) -> Option<&str> {
        let queue = self.by_device.get(device)?;
        queue.head().map(|index| queue.items[index].work_id.as_str())
    }

    pub(super) fn consume_head(&mut self, device: &str) -> Option<String> {
        let queue = self.by_device.get_mut(device)?;
        queue.head().map(|index| queue.items.remove(index).work_id)
    }

    pub(super) fn len(&self, device: &str) -> usize {
        self.by_device.get(device).map_or(0, |queue| queue.items.len())
    }

    /// Whether some device has this work.
    pub(super) fn contains(&self, work_id: &str) -> bool {
        self.by_device.values().flat_map(|queue| &queue.items).any(|item| item.work_id == work_id)
    }
}
