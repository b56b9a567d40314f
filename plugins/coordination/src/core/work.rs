//! What there is to do, in the order of its urgency.
//!
//! No two jobs are about the same thing. Where a station has room for fewer than wait, only the most urgent are listed:
//! what is urgent is the method's word. Work that a running device will give soon is listed too, with the time at which
//! it will be there ([`Job::ready_s`]).

use super::batch::{self, Bank};
use super::staging::Posts;
use super::{Floor, Job, Memory, Purpose};
use crate::core::Device;
use labtrust_plugin::wire::{Act, DeviceStatus, Observation, Priority, Specimen, Stage};

/// How long a specimen that cannot be measured stays where it is, before it is set aside [s].
const PATIENCE_S: i64 = 30;
/// Work that waits at an analyser before more is queued there [count]. Little: what is not queued yet can still be
/// overtaken by what is more urgent.
const QUEUE_DEPTH: u32 = 2;
/// How long a run of an analyser takes [s], where it is not seen.
const RUN_S: i64 = 60;
/// How long a tube is spun [s].
const SPIN_S: i64 = 600;

/// The stages of reception, and what takes a specimen out of them.
pub(super) const AT_RECEPTION: [(Stage, Act); 3] = [
    (Stage::Checked, Act::AcceptSpecimen),
    (Stage::Accessioned, Act::CheckAcceptanceRules),
    (Stage::Arrived, Act::CreateAccession),
];

/// Lists work, and keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Lister {
    load: Vec<u32>,
}

/// A step, looked at in one corner of the laboratory after the other.
struct Look<'a> {
    seen: &'a Observation,
    floor: &'a Floor,
    memory: &'a Memory,
    posts: &'a Posts,
    order: &'a dyn Fn(&Job) -> (u8, i64),
}

impl Lister {
    /// All work of a step, in the order of its urgency.
    pub(super) fn list(
        &mut self,
        seen: &Observation,
        floor: &Floor,
        memory: &Memory,
        posts: &Posts,
        order: &dyn Fn(&Job) -> (u8, i64),
        jobs: &mut Vec<Job>,
    ) {
        jobs.clear();
        let look = Look { seen, floor, memory, posts, order };
        look.results(jobs);
        look.controls(jobs);
        look.analysers(jobs);
        look.queue(&mut self.load, jobs);
        look.transports(jobs);
        look.centrifuges(jobs);
        look.aliquots(jobs);
        look.reception(jobs);
        let possible =
            |job: &Job| memory.allows(job.about()) && job.zone.is_none_or(|zone| !seen.zone_frozen[usize::from(zone)]);
        jobs.retain(possible);
        jobs.sort_by_key(Job::order);
    }
}

impl Look<'_> {
    fn job(&self, act: Act, subject: u32) -> Job {
        let now_s = self.seen.now_s;
        let job = Job {
            act,
            zone: None,
            subject,
            priority: Priority::Routine,
            arrival_s: now_s,
            since_s: now_s,
            ready_s: i64::MIN,
            takes_s: self.floor.dt_s,
            rank: 0,
            urgency: 0,
            size: 1,
            specimen: None,
            batch: Vec::new(),
            device: None,
            object: None,
        };
        self.ordered(job)
    }

    fn on(&self, act: Act, specimen: &Specimen<'_>) -> Job {
        let job = Job {
            priority: specimen.priority,
            arrival_s: specimen.arrival_s,
            since_s: specimen.since_s,
            specimen: Some(specimen.place),
            ..self.job(act, specimen.key)
        };
        self.ordered(job)
    }

    fn ordered(&self, mut job: Job) -> Job {
        (job.rank, job.urgency) = (self.order)(&job);
        job
    }

    fn at(&self, job: Job, device: &Device) -> Job {
        Job { zone: device.zone, device: Some(device.place), ..job }
    }

    /// Specimens at a stage as jobs, the most urgent first.
    fn waiting(&self, stage: Stage, act: Act) -> Vec<Job> {
        let mut jobs: Vec<Job> = self.seen.at(stage).map(|specimen| self.on(act, &specimen)).collect();
        jobs.sort_by_key(Job::order);
        jobs
    }

    /// Calls about critical results, releases, reruns.
    fn results(&self, jobs: &mut Vec<Job>) {
        let rows = &self.seen.results;
        for (place, &key) in (0..).zip(&rows.key) {
            let row = place as usize;
            let specimen = rows.specimen[row].map(|place| self.seen.specimen(place));
            let on = |act| {
                let job = specimen.as_ref().map_or_else(|| self.job(act, key), |specimen| self.on(act, specimen));
                Job { subject: key, object: Some(place), since_s: rows.filed_s[row], ..job }
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
            let measured = specimen.is_some_and(|specimen| specimen.stage == Stage::Resulted);
            let newest = || rows.specimen[row + 1..].iter().all(|later| *later != rows.specimen[row]);
            if rows.held[row] && measured && newest() {
                jobs.push(on(Act::RerunRequest));
            }
        }
    }

    /// Planned controls, and those that failed a while ago.
    fn controls(&self, jobs: &mut Vec<Job>) {
        for device in &self.floor.devices {
            if self.seen.devices.control_due[usize::from(device.place)] || self.memory.recheck(device.place) {
                jobs.push(self.at(self.job(Act::QcEvent, u32::from(device.place)), device));
            }
        }
    }

    /// Starts and results to file, now and as soon as the runs end that are under way.
    fn analysers(&self, jobs: &mut Vec<Job>) {
        let seen = self.seen;
        for device in self.floor.devices_for(Purpose::Measure).filter(|device| self.takes_work(device)) {
            let row = usize::from(device.place);
            let free_s = match seen.devices.busy_until_s[row] {
                _ if seen.devices.status[row] == DeviceStatus::Idle && seen.devices.free_units[row] > 0 => i64::MIN,
                Some(until_s) if until_s > seen.now_s => until_s,
                _ => continue,
            };
            let head = seen.devices.queue_head[row].map(|place| seen.specimen(place));
            if let Some(head) = head.filter(|head| head.compatible.contains(&device.place) && !self.in_vain(head)) {
                jobs.push(Job { ready_s: free_s, takes_s: RUN_S, ..self.at(self.on(Act::StartRun, &head), device) });
            } else if free_s > seen.now_s {
                // Somebody will file a result here.
                let later =
                    Job { ready_s: free_s, ..self.job(Act::GenerateResult, u32::MAX - u32::from(device.place)) };
                jobs.push(self.at(later, device));
            }
        }
        for (place, (&key, &device)) in (0..).zip(seen.runs.key.iter().zip(&seen.runs.device)) {
            let specimen = seen.runs.specimen[place as usize].map(|place| seen.specimen(place));
            let job = match &specimen {
                Some(specimen) => self.on(Act::GenerateResult, specimen),
                None => self.job(Act::GenerateResult, key),
            };
            let zone = self.floor.device(device).zone;
            jobs.push(Job {
                subject: key,
                object: Some(place),
                zone,
                since_s: seen.runs.ended_s[place as usize],
                ..job
            });
        }
    }

    /// Gives each specimen that is ready to the device that can measure it and will have done what it has soonest.
    fn queue(&self, load: &mut Vec<u32>, jobs: &mut Vec<Job>) {
        let seen = self.seen;
        let running = |row: usize| u32::from(seen.devices.status[row] == DeviceStatus::Running);
        load.clear();
        load.extend(seen.devices.queue_len.iter().enumerate().map(|(row, len)| len.saturating_add(running(row))));
        let mut ready = self.waiting(Stage::Ready, Act::QueueRun);
        let stuck = |job: &Job| {
            let device = job.specimen.and_then(|place| seen.specimen(place).device);
            device.is_some_and(|device| !self.takes_work(self.floor.device(device)))
        };
        ready.extend(self.waiting(Stage::Queued, Act::QueueRun).into_iter().filter(stuck));
        ready.sort_by_key(Job::order);
        for job in ready {
            let Some(specimen) = job.specimen.map(|place| seen.specimen(place)) else { continue };
            if self.in_vain(&specimen) {
                if specimen.since_s.saturating_add(PATIENCE_S) <= seen.now_s {
                    jobs.push(self.on(Act::HoldSpecimen, &specimen));
                }
                continue;
            }
            let able = specimen.compatible.iter().map(|&place| self.floor.device(place));
            // Work for a hall without an analyst is only given where no other hall can do it.
            let left = |device: &Device| device.zone.is_some_and(|zone| !self.posts.is_staffed(zone));
            let done_s = |device: &Device| {
                let row = usize::from(device.place);
                let free_s = seen.devices.busy_until_s[row].map_or(seen.now_s, |until_s| until_s.max(seen.now_s));
                free_s.saturating_add(RUN_S * i64::from(load[row] - running(row)))
            };
            let best = able
                .filter(|device| self.takes_work(device))
                .min_by_key(|device| (left(device), done_s(device), device.place));
            let Some(device) = best else { continue };
            let row = usize::from(device.place);
            if load[row] - running(row) < QUEUE_DEPTH {
                jobs.push(self.at(job, device));
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
                jobs.push(Job { object: Some(place), ..self.job(Act::ChainOfCustodySign, key) });
            } else if rows.expected_arrival_s[row] <= self.seen.now_s {
                jobs.push(Job { object: Some(place), ..self.job(Act::ReceiveTransport, key) });
            }
        }
        for (place, &waiting) in (0..).zip(&self.seen.transports.waiting) {
            if waiting > 0 && !self.memory.is_sent(place) {
                jobs.push(Job { object: Some(place), size: waiting, ..self.job(Act::DispatchTransport, place) });
            }
        }
    }

    /// Spun tubes to take out, and tubes to spin, if it is time.
    fn centrifuges(&self, jobs: &mut Vec<Job>) {
        let seen = self.seen;
        let free = |bank: &Device| seen.devices.free_units[usize::from(bank.place)];
        let works = |bank: &&Device| self.takes_work(bank);
        let mut all_free: u32 =
            self.floor.devices_for(Purpose::Spin).filter(works).map(free).fold(0, u32::saturating_add);
        let spun: Vec<Specimen<'_>> = seen.at(Stage::Spun).collect();
        let mut tubes = self.waiting(Stage::Accepted, Act::CentrifugeStart).into_iter().peekable();
        for bank in self.floor.devices_for(Purpose::Spin) {
            let out = spun.iter().filter(|tube| tube.device == Some(bank.place));
            if let Some(batch) = together(out.map(|tube| self.on(Act::CentrifugeEnd, tube))) {
                jobs.push(self.at(batch, bank));
            } else if let Some(until_s) = seen.devices.busy_until_s[usize::from(bank.place)]
                && until_s > seen.now_s
            {
                let later = self.job(Act::CentrifugeEnd, u32::MAX - u32::from(bank.place));
                jobs.push(self.at(Job { ready_s: until_s, ..later }, bank));
            }
            if !self.takes_work(bank) {
                continue;
            }
            for _ in 0..free(bank) {
                let Some(batch) = together(tubes.by_ref().take(bank.batch_capacity)) else { break };
                if batch::should_start(self.floor, seen, &Bank { device: bank, free: all_free }, &batch) {
                    jobs.push(Job { takes_s: SPIN_S, ..self.at(batch, bank) });
                }
                all_free = all_free.saturating_sub(1);
            }
        }
    }

    /// The most urgent tubes that the aliquoters have room for.
    fn aliquots(&self, jobs: &mut Vec<Job>) {
        let mut tubes = self.waiting(Stage::Separated, Act::AliquotCreate).into_iter();
        for station in self.floor.devices_for(Purpose::Aliquot).filter(|station| self.takes_work(station)) {
            // Where work takes no time the station is free again at once.
            let free = self.seen.devices.free_units[usize::from(station.place)] as usize;
            let room = if self.floor.simulated { free } else { usize::MAX };
            jobs.extend(tubes.by_ref().take(room).map(|tube| self.at(tube, station)));
        }
    }

    /// Specimens at the counter.
    fn reception(&self, jobs: &mut Vec<Job>) {
        let zone = self.floor.reception;
        for (stage, act) in AT_RECEPTION {
            jobs.extend(self.seen.at(stage).map(|specimen| Job { zone, ..self.on(act, &specimen) }));
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
}

/// One job for all tubes of a batch, as urgent as the most urgent of them.
fn together(mut tubes: impl Iterator<Item = Job>) -> Option<Job> {
    let mut batch = tubes.next()?;
    batch.batch.extend(batch.specimen);
    for tube in tubes {
        batch.urgency = batch.urgency.min(tube.urgency);
        batch.since_s = batch.since_s.min(tube.since_s);
        batch.arrival_s = batch.arrival_s.min(tube.arrival_s);
        batch.priority = batch.priority.min(tube.priority);
        batch.size += tube.size;
        batch.batch.extend(tube.specimen);
    }
    Some(batch)
}
