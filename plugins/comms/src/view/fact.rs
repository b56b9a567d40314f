//! What the world tells agents, one thing at a time.

use crate::agent::AgentId;
use crate::network::Wire;
use serde_json::{Value, json};

/// What a fact is about. Numbers are those of the observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FactKey {
    /// The item at the head of a device's queue.
    QueueHead(u32),
    /// The zone an agent is in.
    AgentZone(AgentId),
    /// Who is in a zone.
    ZoneOccupancy(u32),
    /// What a device is doing.
    DeviceStatus(u32),
    /// What has become of an item of work.
    ItemStatus(u32),
}

/// What is said about it. `Nothing` is knowledge, too: the queue is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FactValue {
    /// There is none.
    Nothing,
    /// A number: an item, a zone, a state.
    Number(u32),
    /// Agents, in the order of their numbers.
    Agents(Vec<AgentId>),
}

/// A fact on its way to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub key: FactKey,
    /// Version, time and value.
    pub held: super::Held<FactValue>,
}

impl Wire for Fact {
    /// Key, version, time and value, unpacked [B].
    fn wire_bytes(&self) -> u32 {
        let value = match &self.held.value {
            FactValue::Nothing => 1,
            FactValue::Number(_) => 5,
            FactValue::Agents(agents) => 5 + 4 * u32::try_from(agents.len()).unwrap_or(u32::MAX / 8),
        };
        5 + 8 + 8 + value
    }
}

/// The names that a fact needs for the record.
pub trait FactNames {
    /// The id of a device.
    fn device(&self, number: u32) -> String;
    /// The id of an agent.
    fn agent(&self, agent: AgentId) -> String;
    /// The id of a zone.
    fn zone(&self, number: u32) -> String;
    /// The id of an item of work.
    fn item(&self, number: u32) -> String;
    /// The name of a state of a device or of an item.
    fn state(&self, number: u32) -> String;
}

impl Fact {
    /// Type and payload of the event on the blackboard: `QUEUE_HEAD {device_id, queue_head_work_id}`, `AGENT_ZONE {agent_id,
    /// zone_id}`, `ZONE_OCCUPANCY {zone_id, state, agent_ids}`, `DEVICE_STATUS {device_id, status}`, `SPECIMEN_STATUS {specimen_id,
    /// status}`. In the reference nobody was ever in a zone, and the last fact was about a status instead of a specimen.
    #[must_use]
    pub fn event(&self, names: &impl FactNames) -> (&'static str, Value) {
        let number = |name: &dyn Fn(u32) -> String| match self.held.value {
            FactValue::Number(number) => json!(name(number)),
            _ => Value::Null,
        };
        match self.key {
            FactKey::QueueHead(device) => {
                let head = number(&|item| names.item(item));
                ("QUEUE_HEAD", json!({"device_id": names.device(device), "queue_head_work_id": head}))
            }
            FactKey::AgentZone(agent) => {
                let zone = number(&|zone| names.zone(zone));
                ("AGENT_ZONE", json!({"agent_id": names.agent(agent), "zone_id": zone}))
            }
            FactKey::ZoneOccupancy(zone) => {
                let agents: &[AgentId] = if let FactValue::Agents(agents) = &self.held.value { agents } else { &[] };
                let ids: Vec<String> = agents.iter().map(|agent| names.agent(*agent)).collect();
                let state = if ids.is_empty() { "empty" } else { "occupied" };
                ("ZONE_OCCUPANCY", json!({"zone_id": names.zone(zone), "state": state, "agent_ids": ids}))
            }
            FactKey::DeviceStatus(device) => {
                let status = number(&|state| names.state(state));
                ("DEVICE_STATUS", json!({"device_id": names.device(device), "status": status}))
            }
            FactKey::ItemStatus(item) => {
                let status = number(&|state| names.state(state));
                ("SPECIMEN_STATUS", json!({"specimen_id": names.item(item), "status": status}))
            }
        }
    }
}
