//! What there is to do, the most urgent first.
//!
//! What is nearer to a release comes first (a specimen that is finished makes room for the next), then what is more
//! urgent, then what is due earlier, then what comes first in the observation. No two jobs are about the same thing, so
//! any number of people may each take one.

use crate::Params;
use crate::batch;
use crate::crew::Crew;
use crate::floor::{Device, Floor, Use};
use crate::memory::{Memory, Subject};
use labtrust_plugin::wire::{Act, Choice, DeviceStatus, Observation, Priority, Specimen, Stage};

/// How long a specimen that cannot be measured stays where it is, before it is set aside [s].
const PATIENCE_S: i64 = 30;

/// The stages of reception, and what takes a specimen out of them.
pub(crate) const AT_RECEPTION: [(Stage, Act); 3] = [
    (Stage::Checked, Act::AcceptSpecimen),
    (Stage::Accessioned, Act::CheckAcceptanceRules),
    (Stage::Arrived, Act::CreateAccession),
];

/// A piece of work for one person.
pub(crate) struct Job {
    pub(crate) act: Act,
    /// Where it is done; `None` where that does not matter.
    pub(crate) zone: Option<u16>,
    due: (Priority, i64),
    /// Number of what it is about, the same for the whole episode.
    subject: u32,
    specimen: Option<u32>,
    batch: Vec<u32>,
    device: Option<u16>,
    object: Option<u32>,
}

impl Job {
    fn new(act: Act, subject: u32) -> Self {
        let due = (Priority::Routine, i64::MAX);
        Self { act, zone: None, due, subject, specimen: None, batch: Vec::new(), device: None, object: None }
    }

    fn on(act: Act, specimen: &Specimen<'_>) -> Self {
        let due = (specimen.priority, specimen.deadline_s);
        Self { due, specimen: Some(specimen.place), ..Self::new(act, specimen.key) }
    }

    fn at(self, device: &Device) -> Self {
        Self { zone: device.zone, device: Some(device.place), ..self }
    }

    fn object(self, place: u32) -> Self {
        Self { object: Some(place), ..self }
    }

    /// What it is about.
    pub(crate) const fn subject(&self) -> Subject {
        (self.act, self.subject)
    }

    /// The job as a choice for an agent.
    pub(crate) fn choice(self, agent: u16) -> Choice {
        let Self { act, mut batch, device, object, .. } = self;
        batch.extend(self.specimen);
        Choice { agent, act, specimens: batch, device, object }
    }
}

/// How far from a release an act is. To start an analyser comes before to file a result: a device that stands still
/// delays everything behind it, a result that is filed later only itself.
const fn rank(act: Act) -> u8 {
    match act {
        Act::AckCriticalResult => 0,
        Act::NotifyCriticalResult => 1,
        Act::QcEvent => 2,
        Act::StartRun => 3,
        Act::GenerateResult => 4,
        Act::QueueRun => 5,
        Act::RerunRequest => 6,
        Act::ReceiveTransport => 7,
        Act::DispatchTransport => 8,
        Act::ChainOfCustodySign => 9,
        Act::CentrifugeEnd => 10,
        Act::CentrifugeStart => 11,
        Act::AliquotCreate => 12,
        Act::AcceptSpecimen => 13,
        Act::CheckAcceptanceRules => 14,
        Act::CreateAccession => 15,
        // An analyst may release too, but only when the analysers leave time for it.
        Act::ReleaseResult => 16,
        _ => 17,
    }
}

/// All jobs of a step, the most urgent first.
pub(crate) fn list(params: &Params, floor: &Floor, crew: &Crew, memory: &Memory, seen: &Observation) -> Vec<Job> {
    let (step, mut jobs) = (Step { params, floor, crew, memory, seen }, Vec::new());
    step.results(&mut jobs);
    step.controls(&mut jobs);
    step.analysers(&mut jobs);
    step.transports(&mut jobs);
    step.bench(&mut jobs);
    step.reception(&mut jobs);
    let possible =
        |job: &Job| memory.allows(job.subject()) && job.zone.is_none_or(|at| !seen.zone_frozen[usize::from(at)]);
    jobs.retain(possible);
    // The sort is stable: what is equal stays in the order of the observation.
    jobs.sort_by_cached_key(|job| (rank(job.act), job.due));
    jobs
}

/// A step, looked at in one corner of the laboratory after the other.
struct Step<'a> {
    params: &'a Params,
    floor: &'a Floor,
    crew: &'a Crew,
    memory: &'a Memory,
    seen: &'a Observation,
}

impl Step<'_> {
    /// Calls about critical results, releases, reruns.
    fn results(&self, jobs: &mut Vec<Job>) {
        let rows = &self.seen.results;
        for (place, &key) in (0..).zip(&rows.key) {
            let row = place as usize;
            let specimen = rows.specimen[row].map(|place| self.seen.specimen(place));
            let on = |act| match &specimen {
                Some(specimen) => Job { specimen: None, subject: key, ..Job::on(act, specimen) }.object(place),
                None => Job::new(act, key).object(place),
            };
            let device = specimen.and_then(|specimen| specimen.device).map(usize::from);
            let in_doubt = device.is_some_and(|device| self.seen.devices.control_due[device]);
            if rows.critical[row] && rows.called[row] {
                jobs.push(on(Act::AckCriticalResult));
            } else if rows.critical[row] && !rows.releasable[row] && !self.memory.is_told(key) {
                jobs.push(on(Act::NotifyCriticalResult));
            } else if rows.releasable[row] && !rows.held[row] && !in_doubt {
                jobs.push(on(Act::ReleaseResult));
            }
            let newest = rows.specimen[row + 1..].iter().all(|later| *later != rows.specimen[row]);
            let measured = specimen.is_some_and(|specimen| specimen.stage == Stage::Resulted);
            if rows.held[row] && newest && measured {
                jobs.push(on(Act::RerunRequest));
            }
        }
    }

    /// Planned controls, and those that failed a while ago.
    fn controls(&self, jobs: &mut Vec<Job>) {
        for device in &self.floor.devices {
            if self.seen.devices.control_due[usize::from(device.place)] || self.memory.recheck(device.place) {
                jobs.push(Job::new(Act::QcEvent, u32::from(device.place)).at(device));
            }
        }
    }

    /// Starts, results to file, and what is to be queued where.
    fn analysers(&self, jobs: &mut Vec<Job>) {
        let seen = self.seen;
        for device in self.floor.devices_for(Use::Measure).filter(|device| self.can_start(device)) {
            let head = seen.devices.queue_head[usize::from(device.place)].map(|place| seen.specimen(place));
            if let Some(head) = head.filter(|head| head.compatible.contains(&device.place) && !self.in_vain(head)) {
                jobs.push(Job { specimen: None, ..Job::on(Act::StartRun, &head) }.at(device));
            }
        }
        for (place, (&key, &device)) in (0..).zip(seen.runs.key.iter().zip(&seen.runs.device)) {
            let job = Job::new(Act::GenerateResult, key).object(place);
            jobs.push(Job { zone: self.floor.devices[usize::from(device)].zone, ..job });
        }
        self.queue(jobs);
    }

    /// Gives each specimen that is ready to the device that can measure it and has least to do.
    fn queue(&self, jobs: &mut Vec<Job>) {
        let seen = self.seen;
        let mut ready = Vec::new();
        for specimen in [Stage::Ready, Stage::Queued].into_iter().flat_map(|stage| seen.at(stage)) {
            let works = |device: u16| self.takes_work(&self.floor.devices[usize::from(device)]);
            if self.in_vain(&specimen) {
                if specimen.since_s.saturating_add(PATIENCE_S) <= seen.now_s {
                    jobs.push(Job::on(Act::HoldSpecimen, &specimen));
                }
            } else if specimen.stage == Stage::Ready || specimen.device.is_some_and(|device| !works(device)) {
                ready.push((specimen.priority, specimen.deadline_s, specimen.place));
            }
        }
        // Those of one priority and deadline stay in the order of the observation: all that are ready, then the queued.
        ready.sort_by_key(|&(priority, deadline_s, _)| (priority, deadline_s));
        let running = |row: usize| u32::from(seen.devices.status[row] == DeviceStatus::Running);
        let mut load: Vec<u32> =
            (0..self.floor.devices.len()).map(|row| seen.devices.queue_len[row].saturating_add(running(row))).collect();
        for (_, _, place) in ready {
            let specimen = seen.specimen(place);
            let able = specimen.compatible.iter().map(|&place| &self.floor.devices[usize::from(place)]);
            // Work for a hall without an analyst is only given where no other hall can do it.
            let left = |device: &Device| device.zone.is_some_and(|zone| !self.crew.is_post(zone));
            let best = able
                .filter(|device| self.takes_work(device))
                .min_by_key(|device| (left(device), load[usize::from(device.place)], device.place));
            let Some(device) = best else { continue };
            let row = usize::from(device.place);
            if load[row] - running(row) < self.params.queue_depth {
                jobs.push(Job::on(Act::QueueRun, &specimen).at(device));
            }
            load[row] = load[row].saturating_add(1);
        }
    }

    /// Consignments from other sites.
    fn transports(&self, jobs: &mut Vec<Job>) {
        let rows = &self.seen.consignments;
        for (place, &key) in (0..).zip(&rows.key).filter(|(place, _)| !rows.received[*place as usize]) {
            let row = place as usize;
            if !rows.signed[row] {
                jobs.push(Job::new(Act::ChainOfCustodySign, key).object(place));
            } else if rows.expected_arrival_s[row] <= self.seen.now_s {
                jobs.push(Job::new(Act::ReceiveTransport, key).object(place));
            }
        }
        for (place, &waiting) in (0..).zip(&self.seen.transports.waiting) {
            if waiting > 0 && !self.memory.is_sent(place) {
                jobs.push(Job::new(Act::DispatchTransport, place).object(place));
            }
        }
    }

    /// Centrifuges and aliquots.
    fn bench(&self, jobs: &mut Vec<Job>) {
        let (seen, floor) = (self.seen, self.floor);
        let works = |device: &&Device| self.takes_work(device);
        let free = |device: &Device| seen.devices.free_units[usize::from(device.place)];
        let mut waiting = seen.at(Stage::Accepted).peekable();
        let mut all_free: u32 = floor.devices_for(Use::Spin).filter(works).map(free).fold(0, u32::saturating_add);
        for bank in floor.devices_for(Use::Spin) {
            let mut spun = seen.at(Stage::Spun).filter(|tube| tube.device == Some(bank.place)).peekable();
            if let Some(first) = spun.peek().copied() {
                let batch = spun.map(|tube| tube.place).collect();
                jobs.push(Job { batch, specimen: None, ..Job::on(Act::CentrifugeEnd, &first).at(bank) });
            }
            for _ in 0..free(bank) {
                let Some(&first) = waiting.peek().filter(|_| works(&bank)) else { break };
                let batch: Vec<u32> = waiting.by_ref().take(bank.batch_capacity).map(|tube| tube.place).collect();
                if batch::should_start(self.params.company_s, floor, seen, bank, all_free, &batch) {
                    jobs.push(Job { batch, specimen: None, ..Job::on(Act::CentrifugeStart, &first).at(bank) });
                }
                all_free = all_free.saturating_sub(1);
            }
        }
        let mut tubes = seen.at(Stage::Separated);
        for station in floor.devices_for(Use::Aliquot).filter(works) {
            // Where work takes no time the station is free again at once.
            let room = if floor.simulated { free(station) as usize } else { usize::MAX };
            jobs.extend(tubes.by_ref().take(room).map(|tube| Job::on(Act::AliquotCreate, &tube).at(station)));
        }
    }

    /// Specimens at the counter.
    fn reception(&self, jobs: &mut Vec<Job>) {
        for (stage, act) in AT_RECEPTION {
            let here = self.floor.reception;
            jobs.extend(self.seen.at(stage).map(|specimen| Job { zone: here, ..Job::on(act, &specimen) }));
        }
    }

    /// Whether a specimen waits for an analyser in vain: nothing is left of its reagent, or it came too late.
    fn in_vain(&self, specimen: &Specimen<'_>) -> bool {
        let empty = specimen.panel.is_some_and(|panel| self.seen.stockouts.panel.contains(&panel));
        empty || specimen.deadline_s < self.seen.now_s
    }

    fn takes_work(&self, device: &Device) -> bool {
        let row = usize::from(device.place);
        let works = matches!(self.seen.devices.status[row], DeviceStatus::Idle | DeviceStatus::Running);
        works && self.seen.devices.qc_pass[row]
    }

    fn can_start(&self, device: &Device) -> bool {
        let row = usize::from(device.place);
        let idle = self.seen.devices.status[row] == DeviceStatus::Idle && self.seen.devices.free_units[row] > 0;
        idle && self.takes_work(device)
    }
}
