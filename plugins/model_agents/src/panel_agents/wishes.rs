//! What there is to do, and which of it somebody wishes for.

use labtrust_plugin::wire::{Act, Choice, DeviceStatus, Observation, Site, Specimen, Stage};

/// Where specimens are received.
const RECEPTION: &str = "Z_SRA_RECEPTION";
const CENTRIFUGE: &str = "CENTRIFUGE_BANK";
const ALIQUOTER: &str = "ALIQUOTER";
/// Work that waits at an analyser before more is queued there [count].
const QUEUE_DEPTH: u32 = 2;

/// What an act is about, by numbers that last.
pub(super) type Subject = (Act, u32);

/// A piece of open work, for whomever; the agent of its choice means nothing yet.
pub(super) struct Job {
    pub(super) choice: Choice,
    /// Where it is done; `None` where that does not matter.
    zone: Option<u16>,
}

/// What a choice is about; `None` where it is about a way.
pub(super) fn subject(seen: &Observation, choice: &Choice) -> Option<Subject> {
    let object = choice.object.map(|place| place as usize);
    let number = match choice.act {
        Act::Move => return None,
        Act::GenerateResult => seen.runs.key.get(object?).copied(),
        Act::ReleaseResult | Act::RerunRequest | Act::NotifyCriticalResult | Act::AckCriticalResult => {
            seen.results.key.get(object?).copied()
        }
        Act::ChainOfCustodySign | Act::ReceiveTransport => seen.consignments.key.get(object?).copied(),
        Act::StartRun | Act::QcEvent => choice.device.map(u32::from),
        Act::DispatchTransport => choice.object,
        _ => choice.specimens.first().and_then(|&place| seen.specimens.key.get(place as usize)).copied(),
    };
    Some((choice.act, number?))
}

/// All open work, what is next to a release first, and the most urgent of each kind first.
pub(super) fn list(site: &Site, seen: &Observation) -> Vec<Job> {
    let mut jobs = Vec::new();
    results(seen, &mut jobs);
    analysers(site, seen, &mut jobs);
    transports(seen, &mut jobs);
    bench(site, seen, &mut jobs);
    let reception = site.zones.iter().position(|zone| zone == RECEPTION).and_then(|place| u16::try_from(place).ok());
    for (stage, act) in [
        (Stage::Checked, Act::AcceptSpecimen),
        (Stage::Accessioned, Act::CheckAcceptanceRules),
        (Stage::Arrived, Act::CreateAccession),
    ] {
        jobs.extend(seen.at(stage).map(|tube| Job { choice: about(act).specimen(tube.place), zone: reception }));
    }
    jobs
}

fn about(act: Act) -> Choice {
    Choice::new(u16::MAX, act)
}

fn results(seen: &Observation, jobs: &mut Vec<Job>) {
    let rows = &seen.results;
    for (place, row) in (0..).zip(0..rows.key.len()) {
        let measured = rows.specimen[row].is_some_and(|place| seen.specimen(place).stage == Stage::Resulted);
        let act = match () {
            () if rows.critical[row] && rows.called[row] => Act::AckCriticalResult,
            () if rows.critical[row] && !rows.releasable[row] => Act::NotifyCriticalResult,
            () if rows.releasable[row] && !rows.held[row] => Act::ReleaseResult,
            () if rows.held[row] && measured => Act::RerunRequest,
            () => continue,
        };
        jobs.push(Job { choice: about(act).object(place), zone: None });
    }
}

/// Whether a device takes work.
fn takes_work(seen: &Observation, device: usize) -> bool {
    let works = matches!(seen.devices.status[device], DeviceStatus::Idle | DeviceStatus::Running);
    works && seen.devices.qc_pass[device]
}

/// Whether a specimen waits for an analyser in vain.
fn in_vain(seen: &Observation, tube: &Specimen<'_>) -> bool {
    tube.panel.is_some_and(|panel| seen.stockouts.panel.contains(&panel)) || tube.deadline_s < seen.now_s
}

fn analysers(site: &Site, seen: &Observation, jobs: &mut Vec<Job>) {
    for (place, device) in (0..).zip(&site.devices) {
        let row = usize::from(place);
        if seen.devices.control_due[row] || !seen.devices.qc_pass[row] {
            jobs.push(Job { choice: about(Act::QcEvent).device(place), zone: device.zone });
        }
    }
    for (place, device) in (0..).zip(&site.devices) {
        let row = usize::from(place);
        let idle = seen.devices.status[row] == DeviceStatus::Idle && seen.devices.free_units[row] > 0;
        let head = seen.devices.queue_head[row].map(|head| seen.specimen(head));
        let fits = |head: &Specimen<'_>| head.compatible.contains(&place) && !in_vain(seen, head);
        if idle && takes_work(seen, row) && head.as_ref().is_some_and(fits) {
            jobs.push(Job { choice: about(Act::StartRun).device(place), zone: device.zone });
        }
    }
    for (place, &device) in (0..).zip(&seen.runs.device) {
        let zone = site.devices.get(usize::from(device)).and_then(|device| device.zone);
        jobs.push(Job { choice: about(Act::GenerateResult).object(place), zone });
    }
    let mut load = seen.devices.queue_len.clone();
    for tube in seen.at(Stage::Ready).filter(|tube| !in_vain(seen, tube)) {
        let able = tube.compatible.iter().copied().filter(|&device| takes_work(seen, usize::from(device)));
        let Some(device) = able.min_by_key(|&device| (load[usize::from(device)], device)) else { continue };
        let row = usize::from(device);
        if load[row] < QUEUE_DEPTH {
            let choice = about(Act::QueueRun).specimen(tube.place).device(device);
            jobs.push(Job { choice, zone: site.devices[row].zone });
        }
        load[row] = load[row].saturating_add(1);
    }
}

fn transports(seen: &Observation, jobs: &mut Vec<Job>) {
    let rows = &seen.consignments;
    for (place, row) in (0..).zip(0..rows.key.len()).filter(|(_, row)| !rows.received[*row]) {
        if !rows.signed[row] {
            jobs.push(Job { choice: about(Act::ChainOfCustodySign).object(place), zone: None });
        } else if rows.expected_arrival_s[row] <= seen.now_s {
            jobs.push(Job { choice: about(Act::ReceiveTransport).object(place), zone: None });
        }
    }
    for (place, _) in (0..).zip(&seen.transports.waiting).filter(|(_, waiting)| **waiting > 0) {
        jobs.push(Job { choice: about(Act::DispatchTransport).object(place), zone: None });
    }
}

fn bench(site: &Site, seen: &Observation, jobs: &mut Vec<Job>) {
    let of_type =
        |wanted: &'static str| (0u16..).zip(&site.devices).filter(move |(_, device)| device.device_type == wanted);
    let mut waiting = seen.at(Stage::Accepted);
    for (place, bank) in of_type(CENTRIFUGE) {
        let tubes = |tubes: Vec<u32>, act| {
            let choice = Choice { specimens: tubes, ..about(act).device(place) };
            (!choice.specimens.is_empty()).then_some(Job { choice, zone: bank.zone })
        };
        let spun = seen.at(Stage::Spun).filter(|tube| tube.device == Some(place)).map(|tube| tube.place).collect();
        jobs.extend(tubes(spun, Act::CentrifugeEnd));
        let free = if takes_work(seen, usize::from(place)) { seen.devices.free_units[usize::from(place)] } else { 0 };
        for _ in 0..free {
            let batch = waiting.by_ref().take(bank.batch_capacity as usize).map(|tube| tube.place).collect();
            let Some(job) = tubes(batch, Act::CentrifugeStart) else { break };
            jobs.push(job);
        }
    }
    let mut tubes = seen.at(Stage::Separated);
    for (place, station) in of_type(ALIQUOTER).filter(|(place, _)| takes_work(seen, usize::from(*place))) {
        let room = if site.simulated { seen.devices.free_units[usize::from(place)] as usize } else { usize::MAX };
        let next = tubes.by_ref().take(room).map(|tube| about(Act::AliquotCreate).specimen(tube.place).device(place));
        jobs.extend(next.map(|choice| Job { choice, zone: station.zone }));
    }
}

/// What the agent `me`, who stands `here`, wishes for of these jobs, and what that costs it: the steps to it [count].
pub(super) fn wish(site: &Site, seen: &Observation, me: u16, here: u16, jobs: &[&Job]) -> Option<(Choice, i64)> {
    let steps = |job: &Job| job.zone.map_or(Some(0), |zone| site.steps(here, zone));
    let mut near: Vec<(u32, &Job)> = jobs.iter().filter_map(|job| Some((steps(job)?, *job))).collect();
    // Stable: of equally near work, what stands first in the list.
    near.sort_by_key(|(steps, _)| *steps);
    let may = seen.agents.may[usize::from(me)];
    let before = (0..me).filter(|&other| seen.agents.may[usize::from(other)] == may && seen.is_idle(other)).count();
    let (steps, job) = *near.get(before % near.len().max(1))?;
    let cost = i64::from(steps);
    match job.zone.filter(|zone| *zone != here) {
        None => Some((Choice { agent: me, ..job.choice.clone() }, cost)),
        Some(goal) => {
            let next = site.hop(here, goal).filter(|next| !seen.zone_frozen[usize::from(*next)])?;
            Some((Choice::new(me, Act::Move).object(u32::from(next)), cost))
        }
    }
}
