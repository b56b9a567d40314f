//! The laboratory's floor: what stands where, and how far it is from everywhere.

use labtrust_plugin::wire::{Site, WaySite};
use std::ops::Deref;
use std::sync::Arc;

const RECEPTION: &str = "Z_SRA_RECEPTION";
const CENTRIFUGE: &str = "CENTRIFUGE_BANK";
const ALIQUOTER: &str = "ALIQUOTER";
/// Walking one step of a way where walking takes time [s]; ways are 10 to 20 s long.
const HOP_S: i64 = 20;

/// More steps than any way has: there is none.
pub const NO_WAY: u16 = u16::MAX;

/// What a device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Separates tubes, many at a time.
    Spin,
    /// Makes aliquots, one at a time.
    Aliquot,
    /// Measures, one at a time.
    Measure,
}

/// A device as it is for the whole episode.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Its place in the site's devices.
    pub place: u16,
    /// Where it stands; `None` where that is unknown.
    pub zone: Option<u16>,
    /// What it is for.
    pub purpose: Purpose,
    /// Most tubes of a batch [count].
    pub batch_capacity: usize,
    /// How long a batch may wait to fill up [s].
    pub batch_wait_s: i64,
}

/// The floor of an episode.
#[derive(Clone, Debug)]
pub struct Floor {
    /// The episode's seed, for named streams.
    pub seed: u64,
    ground: Arc<Ground>,
}

impl Deref for Floor {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

/// What is the same in all episodes at one place: laboratories that are alike share it.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Time between two steps [s].
    pub dt_s: i64,
    /// When the episode ends [s], if that is known.
    pub horizon_s: Option<i64>,
    /// Whether work takes time.
    pub simulated: bool,
    /// Whether the run writes down who was given which work.
    pub telemetry: bool,
    /// Agents that the method directs, ascending.
    pub directed: Vec<u16>,
    /// Their ids, in the same order: under these they sign.
    pub names: Vec<String>,
    /// All devices, in the order of the site.
    pub devices: Vec<Device>,
    /// Where specimens arrive.
    pub reception: Option<u16>,
    /// Most people in each zone at a time [count].
    pub capacity: Vec<Option<u32>>,
    /// Ways between zones that are one step apart.
    pub ways: Vec<WaySite>,
    zones: usize,
    next_hop: Vec<u16>,
    steps: Vec<u16>,
}

impl Floor {
    /// The floor of a site. Distances are computed once: O(zones squared).
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self { seed: site.seed, ground: Arc::new(Ground::new(site)) }
    }

    /// The same floor in an episode of another seed.
    #[must_use]
    pub fn beside(&self, seed: u64) -> Self {
        Self { seed, ground: Arc::clone(&self.ground) }
    }
}

impl Ground {
    fn new(site: &Site) -> Self {
        let purpose = |device_type: &str| match device_type {
            CENTRIFUGE => Purpose::Spin,
            ALIQUOTER => Purpose::Aliquot,
            _ => Purpose::Measure,
        };
        let device = |(place, device): (u16, &labtrust_plugin::wire::DeviceSite)| Device {
            place,
            zone: device.zone,
            purpose: purpose(&device.device_type),
            batch_capacity: device.batch_capacity as usize,
            batch_wait_s: device.batch_wait_s,
        };
        let zones = site.zones.len();
        Self {
            dt_s: i64::from(site.dt_s).max(1),
            horizon_s: site.horizon_s,
            simulated: site.simulated,
            telemetry: site.telemetry,
            directed: site.directed().collect(),
            names: site.directed().map(|agent| site.agents[usize::from(agent)].id.clone()).collect(),
            devices: (0..).zip(&site.devices).map(device).collect(),
            reception: (0..).zip(&site.zones).find(|(_, zone)| *zone == RECEPTION).map(|(place, _)| place),
            capacity: site.zone_capacity.clone(),
            ways: site.ways.clone(),
            zones,
            next_hop: site.next_hop.clone(),
            steps: distances(site),
        }
    }

    /// Zones [count].
    #[must_use]
    pub const fn zones(&self) -> usize {
        self.zones
    }

    /// The first zone on the way; `None` where there is no way or none is needed.
    #[must_use]
    pub fn hop(&self, from: u16, to: u16) -> Option<u16> {
        let cell = usize::from(from) * self.zones + usize::from(to);
        self.next_hop.get(cell).copied().filter(|&next| usize::from(to) < self.zones && next != from)
    }

    /// Length of the way in steps [count]; [`NO_WAY`] where there is none.
    #[must_use]
    pub fn steps(&self, from: u16, to: u16) -> u16 {
        let (from, to) = (usize::from(from), usize::from(to));
        if from == to {
            return 0;
        }
        if to >= self.zones {
            return NO_WAY;
        }
        self.steps.get(from * self.zones + to).copied().unwrap_or(NO_WAY)
    }

    /// Time to walk [s]; `None` where there is no way.
    #[must_use]
    pub fn travel_s(&self, from: u16, to: u16) -> Option<i64> {
        let steps = self.steps(from, to);
        let hop_s = if self.simulated { HOP_S } else { self.dt_s };
        (steps != NO_WAY).then(|| i64::from(steps) * hop_s)
    }

    /// Whether two zones are one step apart.
    #[must_use]
    pub fn adjacent(&self, a: u16, b: u16) -> bool {
        self.steps(a, b) == 1
    }

    /// The device at a place in the site's list.
    #[must_use]
    pub fn device(&self, place: u16) -> &Device {
        &self.devices[usize::from(place)]
    }

    /// Devices for one purpose, in the order of the site.
    pub fn devices_for(&self, purpose: Purpose) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(move |device| device.purpose == purpose)
    }

    /// Zones where there are such devices, those with most of them first.
    #[must_use]
    pub fn zones_for(&self, purpose: Purpose) -> Vec<u16> {
        let mut count = vec![0_u32; self.zones];
        for zone in self.devices_for(purpose).filter_map(|device| device.zone) {
            if let Some(count) = count.get_mut(usize::from(zone)) {
                *count += 1;
            }
        }
        let mut zones: Vec<u16> = (0..).zip(&count).filter(|(_, count)| **count > 0).map(|(zone, _)| zone).collect();
        zones.sort_by_key(|&zone| std::cmp::Reverse(count[usize::from(zone)]));
        zones
    }
}

/// Steps from everywhere to everywhere, row by row. Each way is followed only to where the rest of it is known.
fn distances(site: &Site) -> Vec<u16> {
    const UNKNOWN: u16 = NO_WAY - 1;
    let zones = site.zones.len();
    let mut steps = vec![UNKNOWN; zones * zones];
    let mut way = Vec::new();
    for to in 0..zones {
        for from in 0..zones {
            way.clear();
            let mut here = from;
            let end = loop {
                let known = steps[here * zones + to];
                if here == to {
                    break 0;
                } else if known != UNKNOWN {
                    break known;
                } else if way.len() > zones {
                    // Round in circles.
                    break NO_WAY;
                }
                way.push(here);
                match site.hop(here as u16, to as u16).map(usize::from).filter(|&next| next < zones) {
                    Some(next) => here = next,
                    None => break NO_WAY,
                }
            };
            let mut length = end;
            for &zone in way.iter().rev() {
                length = if length == NO_WAY { NO_WAY } else { length + 1 };
                steps[zone * zones + to] = length;
            }
        }
        steps[to * zones + to] = 0;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_plugin::testing::{Size, site};

    #[test]
    fn distances_are_those_of_the_site() {
        let mut site = site(3, Size { zones: 9, devices: 3, agents: 2 });
        // A wall between 4 and 5, and a circle between 7 and 8 on the way to 0.
        site.next_hop[4 * 9 + 6] = 4;
        (site.next_hop[7 * 9], site.next_hop[8 * 9]) = (8, 7);
        let floor = Floor::new(&site);
        for from in 0..9 {
            for to in 0..9 {
                assert_eq!(floor.steps(from, to), site.steps(from, to).map_or(NO_WAY, |n| n as u16), "{from} {to}");
            }
        }
        assert_eq!((floor.steps(4, 6), floor.steps(7, 0), floor.steps(0, 8)), (NO_WAY, NO_WAY, 8));
    }
}
