//! From the laboratory's view to a method's observation, and from its choices to actions.
//!
//! [`Observer`] is made at the start of an episode and fills one observation again and again: one pass over the view a
//! step, whatever the number of agents. [`carry_out`] makes of a choice the same action that an agent would make which
//! names the same things.

mod carry_out;
mod numbers;

pub use carry_out::carry_out;

use self::numbers::Numbers;
use super::{ActionKind, DeviceStatus, Priority, Stage, Symbols, WorldView, contract::INDEX};
use crate::wire::{self, AgentSite, DeviceSite, DoorSite, Observation, Site, WaySite};
use labtrust_trust::action::ActionSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the episode's runner knows of it and the laboratory does not.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// The episode's seed.
    pub seed: u64,
    /// Time between two observations [s].
    pub dt_s: u32,
    /// Agents that the method directs, places in [`WorldView::agents`].
    pub directed: &'a [usize],
    /// Whether the run writes down how decisions came about.
    pub telemetry: bool,
}

/// What an observer keeps from step to step: the numbers that a method knows the things of an episode by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Known {
    specimens: Numbers,
    panels: Numbers,
    runs: Numbers,
    results: Numbers,
    consignments: Numbers,
    tokens: Numbers,
}

/// Makes observations out of views.
pub struct Observer {
    site: Arc<Site>,
    seen: Observation,
    known: Known,
    /// Place of every specimen in the newest view, by its number; [`u32::MAX`] where it is not in it.
    places: Vec<u32>,
}

impl Observer {
    /// An observer of the episode that begins with `view`.
    #[must_use]
    pub fn new(view: &WorldView, symbols: &Symbols, assignment: &Assignment<'_>) -> Self {
        let text = |id| symbols.text(id).to_owned();
        let mut roles: Vec<String> = view.agents.iter().filter_map(|agent| agent.role.map(text)).collect();
        roles.sort_unstable();
        roles.dedup();
        let mut directed = vec![false; view.agents.len()];
        for &place in assignment.directed {
            if let Some(directed) = directed.get_mut(place) {
                *directed = true;
            }
        }
        let site = Site {
            seed: assignment.seed,
            dt_s: assignment.dt_s,
            horizon_s: view.horizon_s,
            simulated: view.simulated,
            telemetry: assignment.telemetry,
            roles,
            zones: view.zones.iter().map(|zone| text(zone.id)).collect(),
            zone_capacity: view.plan.capacity.clone(),
            ways: view
                .plan
                .ways
                .iter()
                .map(|way| WaySite {
                    from: small(way.zones[0]),
                    to: small(way.zones[1]),
                    travel_s: way.travel_s,
                    capacity: way.capacity,
                    exclusive: way.exclusive,
                    door: way.door.map(small),
                    guarded: way.guarded,
                })
                .collect(),
            next_hop: view.next_hop.to_vec(),
            doors: view.doors.iter().map(|d| DoorSite { id: text(d.id), max_open_s: d.max_open_s }).collect(),
            devices: view
                .devices
                .iter()
                .map(|device| DeviceSite {
                    id: text(device.id),
                    device_type: text(device.device_type),
                    zone: place_in(device.zone, view.zones.len()),
                    batch_capacity: device.batch_capacity,
                    batch_wait_s: device.batch_wait_s,
                })
                .collect(),
            agents: directed
                .into_iter()
                .zip(&view.agents)
                .map(|(directed, agent)| AgentSite { id: text(agent.id), directed })
                .collect(),
        };
        Self::of(Arc::new(site))
    }

    fn of(site: Arc<Site>) -> Self {
        Self { site, seen: Observation::default(), known: Known::default(), places: Vec::new() }
    }

    /// An observer that has seen nothing yet, of a laboratory that is like this one but for its seed: both share what
    /// there is to know of the place.
    #[must_use]
    pub fn alike(&self) -> Self {
        Self::of(Arc::clone(&self.site))
    }

    /// Where the method works.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Exchanges what the observer keeps from step to step, so that one observer can look at laboratories that are alike
    /// one after the other.
    pub const fn exchange(&mut self, known: &mut Known) {
        std::mem::swap(&mut self.known, known);
    }

    /// The newest observation.
    #[must_use]
    pub const fn seen(&self) -> &Observation {
        &self.seen
    }

    /// The observation of a step, in the memory of the earlier one. `refused` has one entry for each agent of the view:
    /// the reason code of its last action if it was refused.
    pub fn observe(
        &mut self,
        step: u32,
        view: &WorldView,
        symbols: &Symbols,
        refused: &[Option<&str>],
    ) -> &Observation {
        self.seen.step = step;
        self.seen.now_s = view.now_s;
        self.seen.log_frozen = view.log_frozen;
        refill(&mut self.seen.zone_frozen, view.zones.iter().map(|zone| zone.frozen));
        refill(&mut self.seen.doors.open_since_s, view.doors.iter().map(|door| door.open_since_s));
        self.agents(view, symbols, refused);
        self.specimens(view);
        self.devices(view);
        self.runs_and_results(view);
        self.transport(view);
        let Self { seen, known: Known { tokens, panels, .. }, .. } = self;
        let rows = &view.tokens;
        refill(&mut seen.tokens.key, rows.iter().map(|token| tokens.of(token.id)));
        refill(&mut seen.tokens.entry, rows.iter().map(|t| symbols.text(t.token_type).contains("RESTRICTED")));
        refill(&mut seen.tokens.expires_s, rows.iter().map(|token| token.expires_s));
        refill(&mut seen.stockouts.panel, view.stockouts.iter().map(|stockout| panels.of(stockout.panel)));
        refill(&mut seen.stockouts.reroute, view.stockouts.iter().map(|stockout| stockout.reroute));
        &self.seen
    }

    fn agents(&mut self, view: &WorldView, symbols: &Symbols, refused: &[Option<&str>]) {
        let (zones, roles, agents) = (view.zones.len(), &self.site.roles, &mut self.seen.agents);
        let place = |zone: Option<usize>| zone.and_then(|zone| place_in(zone, zones));
        refill(&mut agents.zone, view.agents.iter().map(|agent| place(agent.zone)));
        refill(&mut agents.walking_to, view.agents.iter().map(|agent| place(agent.walking_to)));
        refill(&mut agents.arrives_s, view.agents.iter().map(|agent| agent.arrives_s));
        // Agents who stand together in the list mostly have one role.
        let mut last = None;
        let role = |text: &str| roles.binary_search_by(|role| role.as_str().cmp(text)).ok();
        let mut role = |agent: &super::AgentView| {
            let known = last.filter(|(id, _)| *id == agent.role);
            let found = || (agent.role, agent.role.and_then(|id| role(symbols.text(id))).map(small));
            last.insert(known.unwrap_or_else(found)).1
        };
        refill(&mut agents.role, view.agents.iter().map(&mut role));
        let mut last: Option<(ActionSet, u32)> = None;
        let mut may = |agent: &super::AgentView| {
            let known = last.filter(|(may, _)| *may == agent.may);
            last.insert(known.unwrap_or_else(|| (agent.may, bits(agent.may)))).1
        };
        refill(&mut agents.may, view.agents.iter().map(&mut may));
        let refused = (0..).zip(refused).filter_map(|(place, code)| Some((place, (*code)?.to_owned())));
        refill(&mut agents.refused, refused.take_while(|(place, _)| usize::from(*place) < view.agents.len()));
    }

    fn specimens(&mut self, view: &WorldView) {
        let Self { seen, known: Known { specimens: numbers, panels, .. }, places, .. } = self;
        let (column, rows, devices) = (&mut seen.specimens, &view.specimens, view.devices.len());
        refill(&mut column.key, rows.iter().map(|row| numbers.of(row.id)));
        places.fill(u32::MAX);
        places.resize(numbers.len(), u32::MAX);
        for (place, &key) in (0..).zip(&column.key) {
            places[key as usize] = place;
        }
        refill(&mut column.stage, rows.iter().map(|row| stage(row.stage)));
        refill(&mut column.priority, rows.iter().map(|row| priority(row.priority)));
        refill(&mut column.panel, rows.iter().map(|row| row.panel.map(|panel| panels.of(panel))));
        refill(&mut column.arrival_s, rows.iter().map(|row| row.arrival_s));
        refill(&mut column.since_s, rows.iter().map(|row| row.since_s));
        refill(&mut column.deadline_s, rows.iter().map(|row| row.deadline_s));
        refill(&mut column.device, rows.iter().map(|row| row.device.and_then(|device| place_in(device, devices))));
        column.compatible.clear();
        column.compatible_end.clear();
        for row in rows {
            let there = |place: &u16| usize::from(*place) < devices;
            if row.compatible.iter().all(there) {
                column.compatible.extend_from_slice(&row.compatible);
            } else {
                column.compatible.extend(row.compatible.iter().copied().filter(there));
            }
            column.compatible_end.push(count(column.compatible.len()));
        }
    }

    fn devices(&mut self, view: &WorldView) {
        let (column, rows) = (&mut self.seen.devices, &view.devices);
        refill(&mut column.status, rows.iter().map(|row| status(row.status)));
        refill(&mut column.free_units, rows.iter().map(|row| row.free_units));
        refill(&mut column.queue_len, rows.iter().map(|row| row.queue_len));
        let place = |id| self.known.specimens.known(id).and_then(|key| placed(&self.places, key));
        refill(&mut column.queue_head, rows.iter().map(|row| row.queue_head.and_then(place)));
        refill(&mut column.qc_pass, rows.iter().map(|row| row.qc_pass));
        refill(&mut column.control_due, rows.iter().map(|row| row.control_due));
        refill(&mut column.busy_until_s, rows.iter().map(|row| row.busy_until_s));
    }

    fn runs_and_results(&mut self, view: &WorldView) {
        let Self { seen, known: Known { specimens, runs, results, .. }, places, .. } = self;
        let place = |id| specimens.known(id).and_then(|key| placed(places, key));
        refill(&mut seen.runs.key, view.runs.iter().map(|row| runs.of(row.id)));
        refill(&mut seen.runs.device, view.runs.iter().map(|row| small(row.device)));
        refill(&mut seen.runs.specimen, view.runs.iter().map(|row| place(row.specimen)));
        refill(&mut seen.runs.ended_s, view.runs.iter().map(|row| row.ended_s));
        let (column, rows) = (&mut seen.results, &view.results);
        refill(&mut column.key, rows.iter().map(|row| results.of(row.id)));
        refill(&mut column.specimen, rows.iter().map(|row| row.specimen.and_then(place)));
        refill(&mut column.filed_s, rows.iter().map(|row| row.filed_s));
        refill(&mut column.held, rows.iter().map(|row| row.held));
        refill(&mut column.critical, rows.iter().map(|row| row.critical));
        refill(&mut column.called, rows.iter().map(|row| row.attempt.is_some()));
        refill(&mut column.releasable, rows.iter().map(|row| row.releasable));
    }

    fn transport(&mut self, view: &WorldView) {
        let Self { seen, known: Known { specimens, consignments, .. }, places, .. } = self;
        let (column, rows) = (&mut seen.consignments, &view.consignments);
        refill(&mut column.key, rows.iter().map(|row| consignments.of(row.id)));
        refill(&mut column.expected_arrival_s, rows.iter().map(|row| row.expected_arrival_s));
        refill(&mut column.signed, rows.iter().map(|row| row.signed));
        refill(&mut column.received, rows.iter().map(|row| row.received));
        let elsewhere = |id: &&super::Symbol| {
            let place = specimens.known(**id).and_then(|key| placed(places, key));
            place.is_some_and(|place| view.specimens[place as usize].stage == Stage::InTransit)
        };
        let waiting = view.transport_required.iter().map(|(ids, ..)| count(ids.iter().filter(elsewhere).count()));
        refill(&mut seen.transports.waiting, waiting);
    }
}

/// A column's new content, in its old memory.
fn refill<T>(column: &mut Vec<T>, rows: impl Iterator<Item = T>) {
    column.clear();
    column.extend(rows);
}

fn placed(places: &[u32], key: u32) -> Option<u32> {
    places.get(key as usize).copied().filter(|&place| place != u32::MAX)
}

/// A place in a table; `None` where the view says that there is none.
fn place_in(place: usize, len: usize) -> Option<u16> {
    (place < len).then(|| small(place))
}

/// A place in a list of the policy, which is never as long as this number can count.
fn small(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// What a role may do, by index.
fn bits(may: ActionSet) -> u32 {
    let allowed = |(_, kind): &(u32, &ActionKind)| **kind == ActionKind::Noop || may.contains(kind.id());
    (0..).zip(&INDEX).filter(allowed).fold(0, |bits, (index, _)| bits | 1 << index)
}

const fn stage(stage: Stage) -> wire::Stage {
    match stage {
        Stage::InTransit => wire::Stage::InTransit,
        Stage::Arrived => wire::Stage::Arrived,
        Stage::Accessioned => wire::Stage::Accessioned,
        Stage::Checked => wire::Stage::Checked,
        Stage::Accepted => wire::Stage::Accepted,
        Stage::Spinning => wire::Stage::Spinning,
        Stage::Spun => wire::Stage::Spun,
        Stage::Separated => wire::Stage::Separated,
        Stage::Aliquoting => wire::Stage::Aliquoting,
        Stage::Ready => wire::Stage::Ready,
        Stage::Queued => wire::Stage::Queued,
        Stage::Running => wire::Stage::Running,
        Stage::Analysed => wire::Stage::Analysed,
        Stage::Resulted => wire::Stage::Resulted,
        Stage::Released => wire::Stage::Released,
        Stage::Held => wire::Stage::Held,
        Stage::Rejected => wire::Stage::Rejected,
    }
}

const fn priority(priority: Priority) -> wire::Priority {
    match priority {
        Priority::Stat => wire::Priority::Stat,
        Priority::Urgent => wire::Priority::Urgent,
        Priority::Routine => wire::Priority::Routine,
    }
}

const fn status(status: DeviceStatus) -> wire::DeviceStatus {
    match status {
        DeviceStatus::Idle => wire::DeviceStatus::Idle,
        DeviceStatus::Running => wire::DeviceStatus::Running,
        DeviceStatus::Maintenance => wire::DeviceStatus::Maintenance,
        DeviceStatus::Fault => wire::DeviceStatus::Fault,
    }
}
