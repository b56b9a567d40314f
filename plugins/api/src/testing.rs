//! Made-up sites and observations, mines and requests, to try a plugin on: always the same for the same numbers, and always
//! regular.
//!
//! They are no laboratory and no mine: nothing follows from one step to the next. They are for questions like "does it
//! decide the same in every carrier?" and "does it survive what it has never seen?"; [`check`] asks them.

pub mod check;

use crate::wire::mine::{DispatchRequest, DumpSite, LoaderId, LoaderOption, LoaderSite, MineSite, TruckId, TruckSite};
use crate::wire::{
    AgentSite, DeviceSite, DeviceStatus, DoorSite, Observation, Priority, Site, Stage, WaySite, WireError,
};

/// A sequence of numbers that looks random: SplitMix64.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub const fn below(&mut self, end: usize) -> usize {
        match self.draw().checked_rem(end as u64) {
            Some(number) => number as usize,
            None => 0,
        }
    }

    /// Heads, as often as tails.
    pub const fn flip(&mut self) -> bool {
        self.draw() & 1 == 1
    }

    /// A place in a list of `len`, or none: one time in four, and always in an empty list.
    fn place(&mut self, len: usize) -> Option<u16> {
        let place = self.below(len) as u16;
        (len > 0 && self.below(4) > 0).then_some(place)
    }

    fn time(&mut self) -> i64 {
        self.below(100_000) as i64
    }
}

/// How large a made-up site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Zones, in a row [count].
    pub zones: usize,
    /// Devices [count].
    pub devices: usize,
    /// Agents [count]; the last one is not directed, if there are several.
    pub agents: usize,
}

/// A site of this size.
#[must_use]
pub fn site(seed: u64, size: Size) -> Site {
    let mut numbers = Numbers::new(seed);
    let types = ["CHEM_ANALYZER", "CENTRIFUGE_BANK", "ALIQUOTER"];
    let towards = |from: usize, to: usize| match from.cmp(&to) {
        std::cmp::Ordering::Less => from + 1,
        std::cmp::Ordering::Equal => from,
        std::cmp::Ordering::Greater => from - 1,
    };
    let Size { zones, devices, agents } = size;
    Site {
        seed,
        dt_s: 10,
        horizon_s: numbers.flip().then_some(3600),
        simulated: true,
        telemetry: seed % 2 == 1,
        roles: vec!["ROLE_ANALYTICS".to_owned(), "ROLE_RUNNER".to_owned()],
        zones: (0..zones).map(|zone| format!("Z_{zone}")).collect(),
        zone_capacity: (0..zones).map(|zone| (zone % 3 == 1).then_some(1 + zone as u32)).collect(),
        ways: (1..zones)
            .map(|zone| WaySite {
                from: zone as u16 - 1,
                to: zone as u16,
                travel_s: 10 + zone as i64,
                capacity: (zone % 2 == 1).then_some(zone as u32),
                exclusive: zone % 4 == 1,
                door: (zone == 1).then_some(0),
                guarded: zone == 1,
            })
            .collect(),
        next_hop: (0..zones * zones).map(|cell| towards(cell / zones, cell % zones) as u16).collect(),
        doors: (0..zones.min(1)).map(|door| DoorSite { id: format!("D_{door}"), max_open_s: 30 }).collect(),
        devices: (0..devices)
            .map(|device| DeviceSite {
                id: format!("DEV_{device}"),
                device_type: types[device % types.len()].to_owned(),
                zone: numbers.place(zones),
                batch_capacity: 1 + numbers.below(12) as u32,
                batch_wait_s: numbers.below(600) as i64,
            })
            .collect(),
        agents: (0..agents)
            .map(|agent| AgentSite { id: format!("A_{agent}"), directed: agent == 0 || agent + 1 < agents })
            .collect(),
    }
}

/// An observation of `site` with about `work` specimens, runs and results. All its numbers fit the site and each other.
///
/// # Errors
/// None that can happen; the check is the promise that it is regular.
pub fn observation(seed: u64, site: &Site, work: usize) -> Result<Observation, WireError> {
    let mut numbers = Numbers::new(seed);
    let n = &mut numbers;
    let mut seen = Observation {
        step: n.below(1000) as u32,
        now_s: n.time(),
        log_frozen: n.below(20) == 0,
        zone_frozen: site.zones.iter().map(|_| n.below(8) == 0).collect(),
        ..Observation::default()
    };
    for agent in 0..site.agents.len() {
        let (column, zones) = (&mut seen.agents, site.zones.len());
        column.zone.push(n.place(zones));
        column.walking_to.push(if n.below(3) == 0 { n.place(zones) } else { None });
        column.arrives_s.push(column.walking_to[agent].map(|_| n.time()));
        column.role.push(n.place(site.roles.len()));
        column.may.push(n.draw() as u32 & 0x1FFF_FFFF | 1);
        if n.below(6) == 0 {
            column.refused.push((agent as u16, "RC_DEVICE_BUSY".to_owned()));
        }
    }
    for _ in &site.doors {
        let since = n.time();
        seen.doors.open_since_s.push(n.flip().then_some(since));
    }
    let (devices, mut key) = (site.devices.len(), 0);
    for _ in 0..work {
        let column = &mut seen.specimens;
        key += 1 + n.below(3) as u32;
        column.key.push(key);
        column.stage.push(STAGES[n.below(STAGES.len())]);
        column.priority.push([Priority::Stat, Priority::Urgent, Priority::Routine][n.below(3)]);
        let panel = n.below(6) as u32;
        column.panel.push(n.flip().then_some(panel));
        column.arrival_s.push(n.time());
        column.since_s.push(n.time());
        column.deadline_s.push(n.time());
        column.device.push(n.place(devices));
        for device in 0..devices {
            if n.below(3) == 0 {
                column.compatible.push(device as u16);
            }
        }
        column.compatible_end.push(column.compatible.len() as u32);
    }
    for _ in 0..devices {
        let column = &mut seen.devices;
        let states = [DeviceStatus::Idle, DeviceStatus::Running, DeviceStatus::Maintenance, DeviceStatus::Fault];
        column.status.push(states[n.below(4)]);
        column.free_units.push(n.below(3) as u32);
        column.queue_len.push(n.below(9) as u32);
        column.queue_head.push(n.place(work).map(u32::from));
        column.qc_pass.push(n.below(5) > 0);
        column.control_due.push(n.flip());
        let until = n.time();
        column.busy_until_s.push(n.flip().then_some(until));
    }
    for row in 0..work / 4 {
        if devices > 0 {
            seen.runs.key.push(row as u32);
            seen.runs.device.push(n.below(devices) as u16);
            seen.runs.specimen.push(n.place(work).map(u32::from));
            seen.runs.ended_s.push(n.time());
        }
        let column = &mut seen.results;
        column.key.push(row as u32);
        column.specimen.push(n.place(work).map(u32::from));
        column.filed_s.push(n.time());
        column.held.push(n.flip());
        column.critical.push(n.flip());
        column.called.push(n.flip());
        column.releasable.push(n.flip());
        seen.consignments.key.push(row as u32);
        seen.consignments.expected_arrival_s.push(n.time());
        seen.consignments.signed.push(n.flip());
        seen.consignments.received.push(n.flip());
        seen.transports.waiting.push(n.below(5) as u32);
        seen.tokens.key.push(row as u32);
        seen.tokens.entry.push(n.flip());
        seen.tokens.expires_s.push(n.time());
        seen.stockouts.panel.push(row as u32);
        seen.stockouts.reroute.push(n.flip());
    }
    seen.check(site)?;
    Ok(seen)
}

/// A mine with a fleet of `trucks` and so many loaders.
#[must_use]
pub fn mine_site(seed: u64, trucks: u16, loaders: u16) -> MineSite {
    let mut numbers = Numbers::new(seed);
    let payload_kg = |numbers: &mut Numbers| 40_000 + 1000 * numbers.below(60) as u64;
    MineSite {
        seed,
        begin_ns: 0,
        end_ns: 8 * 3600 * SECOND_NS,
        trucks: (0..trucks)
            .map(|truck| TruckSite { id: format!("T{truck:02}"), payload_kg: payload_kg(&mut numbers) })
            .collect(),
        loaders: (0..loaders)
            .map(|loader| LoaderSite { id: format!("L{loader}"), capacity: 1 + numbers.below(3) as u32 })
            .collect(),
        dump: DumpSite { id: "CRUSHER".to_owned(), capacity: 1 },
    }
}

/// A truck of `site` that needs a loader, and some of its loaders, at least one if there is any.
#[must_use]
pub fn dispatch_request(seed: u64, site: &MineSite) -> DispatchRequest {
    let mut numbers = Numbers::new(seed);
    let n = &mut numbers;
    let always = n.below(site.loaders.len());
    let (now_ns, truck) = (n.below(28_800) as u64 * SECOND_NS, TruckId(n.below(site.trucks.len()) as u16));
    let mut loaders = Vec::new();
    for (place, loader) in site.loaders.iter().enumerate() {
        let mut time_ns = |most_s: usize| n.below(most_s) as u64 * SECOND_NS;
        let (travel_ns, load_ns, haul_ns) = (time_ns(900), 60 * SECOND_NS + time_ns(300), time_ns(900));
        let (loading, waiting) = (n.below(loader.capacity as usize + 1) as u32, n.below(4) as u32);
        let on_the_way = n.below(4) as u32;
        let option = LoaderOption {
            loader: LoaderId(place as u16),
            capacity: loader.capacity,
            travel_ns,
            load_ns,
            haul_ns,
            dump_ns: 120 * SECOND_NS,
            loading,
            waiting,
            on_the_way,
            committed_ns: load_ns * u64::from(waiting + on_the_way),
        };
        if place == always || n.below(3) > 0 {
            loaders.push(option);
        }
    }
    DispatchRequest { now_ns, truck, loaders }
}

const SECOND_NS: u64 = 1_000_000_000;

const STAGES: [Stage; 17] = [
    Stage::InTransit,
    Stage::Arrived,
    Stage::Accessioned,
    Stage::Checked,
    Stage::Accepted,
    Stage::Spinning,
    Stage::Spun,
    Stage::Separated,
    Stage::Aliquoting,
    Stage::Ready,
    Stage::Queued,
    Stage::Running,
    Stage::Analysed,
    Stage::Resulted,
    Stage::Released,
    Stage::Held,
    Stage::Rejected,
];
