//! What there is to do in a step.

use labtrust_plugin::prelude::*;

/// Work for one person. No two are about the same thing, so that any number of people may each take one.
pub struct Job {
    /// What is to be done.
    pub act: Act,
    /// Where it is done; `None` where that does not matter.
    pub zone: Option<u16>,
    specimen: Option<u32>,
    device: Option<u16>,
    object: Option<u32>,
}

impl Job {
    fn new(act: Act) -> Self {
        Self { act, zone: None, specimen: None, device: None, object: None }
    }

    fn at(act: Act, site: &Site, device: u16) -> Self {
        Self { zone: site.devices[usize::from(device)].zone, device: Some(device), ..Self::new(act) }
    }

    /// The job as what `agent` shall do.
    pub fn choice(self, agent: u16) -> Choice {
        let specimens = self.specimen.into_iter().collect();
        Choice { agent, act: self.act, specimens, device: self.device, object: self.object }
    }
}

/// All work, the nearest to a release first. Specimens come by priority, arrival and id, so the first one is the most
/// urgent, and the same in every run.
pub fn list(site: &Site, seen: &Observation, patience_s: u32) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (place, _) in (0..).zip(&seen.results.releasable).filter(|(_, releasable)| **releasable) {
        jobs.push(Job { object: Some(place), ..Job::new(Act::ReleaseResult) });
    }
    for (place, &device) in (0..).zip(&seen.runs.device) {
        jobs.push(Job { object: Some(place), device: None, ..Job::at(Act::GenerateResult, site, device) });
    }

    let free = |device: u16| {
        let row = usize::from(device);
        let works = seen.devices.status[row] == DeviceStatus::Idle && seen.devices.qc_pass[row];
        works && seen.devices.free_units[row] > 0
    };
    let mut queued = seen.devices.queue_len.clone();
    for (device, _) in (0..).zip(&site.devices).filter(|&(device, _)| free(device)) {
        if seen.devices.queue_head[usize::from(device)].is_some() {
            jobs.push(Job::at(Act::StartRun, site, device));
        }
    }
    for specimen in seen.at(Stage::Ready) {
        let shortest = specimen.compatible.iter().min_by_key(|&&device| queued[usize::from(device)]);
        if let Some(&device) = shortest {
            queued[usize::from(device)] += 1;
            jobs.push(Job { specimen: Some(specimen.place), ..Job::at(Act::QueueRun, site, device) });
        }
    }

    let of_type = |device_type: &'static str| {
        (0..).zip(&site.devices).filter(move |(_, device)| device.device_type == device_type).map(|(place, _)| place)
    };
    let mut separated = seen.at(Stage::Separated);
    for station in of_type("ALIQUOTER").filter(|&device| free(device)) {
        let tube = separated.next();
        jobs.extend(tube.map(|tube| Job { specimen: Some(tube.place), ..Job::at(Act::AliquotCreate, site, station) }));
    }
    for centrifuge in of_type("CENTRIFUGE_BANK") {
        // Which tubes are spun is left to the program: all that are in it, or as many as it takes.
        if seen.at(Stage::Spun).any(|tube| tube.device == Some(centrifuge)) {
            jobs.push(Job::at(Act::CentrifugeEnd, site, centrifuge));
        }
        let is_full = seen.at(Stage::Accepted).count() >= site.devices[usize::from(centrifuge)].batch_capacity as usize;
        let is_late = |tube: Specimen| seen.now_s.saturating_sub(tube.since_s) >= i64::from(patience_s);
        if free(centrifuge) && (is_full || seen.at(Stage::Accepted).any(is_late)) {
            jobs.push(Job::at(Act::CentrifugeStart, site, centrifuge));
        }
    }

    let reception = (0..).zip(&site.zones).find(|(_, id)| *id == "Z_SRA_RECEPTION").map(|(zone, _)| zone);
    for (stage, act) in [
        (Stage::Checked, Act::AcceptSpecimen),
        (Stage::Accessioned, Act::CheckAcceptanceRules),
        (Stage::Arrived, Act::CreateAccession),
    ] {
        let waiting = seen.at(stage).map(|specimen| specimen.place);
        jobs.extend(waiting.map(|place| Job { zone: reception, specimen: Some(place), ..Job::new(act) }));
    }
    jobs
}
