//! Where a method works: what stays the same for a whole episode.

use serde::{Deserialize, Serialize};

/// A door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorSite {
    /// Its id.
    pub id: String,
    /// How long it may be open [s].
    pub max_open_s: i64,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSite {
    /// Its id.
    pub id: String,
    /// Its type, `CHEM_ANALYZER`.
    pub device_type: String,
    /// Zone where it stands, a place in [`Site::zones`].
    pub zone: Option<u16>,
    /// Most tubes in one batch [count]; 1 unless it is a batch device.
    pub batch_capacity: u32,
    /// How long a batch may wait to fill up [s].
    pub batch_wait_s: i64,
}

/// A way between two zones that are one move apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaySite {
    /// One end, a place in [`Site::zones`].
    pub from: u16,
    /// The other end, a later place. A way leads both ways.
    pub to: u16,
    /// Time to walk it [s], rounded up; it takes none where [`Site::simulated`] is not set.
    pub travel_s: i64,
    /// Most people on it in one direction at a time [count]; `None` where any number fits.
    pub capacity: Option<u32>,
    /// Whether people can be on it in one direction only at a time.
    pub exclusive: bool,
    /// Door that it leads through, a place in [`Site::doors`].
    pub door: Option<u16>,
    /// Whether it needs a token.
    pub guarded: bool,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSite {
    /// Its id.
    pub id: String,
    /// Whether the method says what it does. The others are there to be seen.
    pub directed: bool,
}

/// The laboratory as it is for a whole episode. Everything else refers to these lists by place, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The episode's seed, for a method that needs chance.
    pub seed: u64,
    /// Time between two observations [s].
    pub dt_s: u32,
    /// When the episode ends [s], if that is known.
    pub horizon_s: Option<i64>,
    /// Whether work takes time; otherwise a started run has ended at once.
    pub simulated: bool,
    /// Whether the run writes down how decisions came about. Only then a method need say for whom it means which work
    /// ([`Decision::intents`](super::Decision::intents)); what it decides is the same either way.
    pub telemetry: bool,
    /// Roles that somebody has at the start, sorted.
    pub roles: Vec<String>,
    /// Zones, by their ids.
    pub zones: Vec<String>,
    /// Most people in each zone at a time [count]; `None` where any number fits.
    pub zone_capacity: Vec<Option<u32>>,
    /// Ways, by their zones.
    pub ways: Vec<WaySite>,
    /// First zone on the way from zone to zone, row by row (`from * zones + to`); the zone itself where there is no way.
    pub next_hop: Vec<u16>,
    /// Doors.
    pub doors: Vec<DoorSite>,
    /// Devices.
    pub devices: Vec<DeviceSite>,
    /// Agents.
    pub agents: Vec<AgentSite>,
}

impl Site {
    /// Places of the agents that the method directs.
    pub fn directed(&self) -> impl Iterator<Item = u16> {
        (0..).zip(&self.agents).filter(|(_, agent)| agent.directed).map(|(place, _)| place)
    }

    /// First zone on the way between two zones; `None` where there is no way or none is needed.
    #[must_use]
    pub fn hop(&self, from: u16, to: u16) -> Option<u16> {
        if usize::from(to) >= self.zones.len() {
            return None;
        }
        let next = *self.next_hop.get(usize::from(from) * self.zones.len() + usize::from(to))?;
        (next != from).then_some(next)
    }

    /// How many steps the way between two zones has [count]; 0 where they are one, `None` where there is no way.
    #[must_use]
    pub fn steps(&self, from: u16, to: u16) -> Option<u32> {
        let (mut here, mut steps) = (from, 0);
        while here != to {
            here = self.hop(here, to)?;
            steps += 1;
            // A way that visits more zones than there are goes round in circles.
            if steps as usize > self.zones.len() {
                return None;
            }
        }
        Some(steps)
    }
}
