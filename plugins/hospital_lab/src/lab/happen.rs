//! What happens in the laboratory by itself: time moves, and what the calendar holds comes due.

use super::Lab;
use crate::{
    components::{Body, Consignment, Door, Run, RunState, Status, Unit, Work},
    due::Due,
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::{SimDuration, SimTime, Symbol};
use labtrust_plugin::lab::{ActionKind, Args, Control, Observer};
use smallvec::SmallVec;

impl Lab {
    /// Lets everything happen that is due up to `limit`, and moves time there.
    pub(crate) fn advance(&mut self, limit: SimTime, observer: &mut dyn Observer) {
        if limit < self.now {
            return;
        }
        self.declare_ablation(observer);
        while let Some(due) = self.calendar.pop_until(limit) {
            self.set_now(due.at);
            self.happen(due.event, observer);
        }
        self.calendar.advance_to(limit).ok();
        self.set_now(limit);
    }

    fn set_now(&mut self, now: SimTime) {
        self.now = now;
        self.now_s = i64::try_from(now.as_secs_ceil()).unwrap_or(i64::MAX);
    }

    /// One event of the calendar happens.
    fn happen(&mut self, due: Due, observer: &mut dyn Observer) {
        self.outcome.clear();
        match due {
            Due::SpinEnd { device, batch } => {
                self.device_mut(usize::from(device)).finish(Work::Spin(batch));
                self.spin_ended(batch as usize);
            }
            Due::UnitFree { device, unit } => {
                let unit = &mut self.device_mut(usize::from(device)).units[usize::from(unit)];
                unit.free_at = None;
                unit.free = None;
            }
            Due::AliquotEnd { device, specimen } => {
                self.device_mut(usize::from(device)).finish(Work::Tube(specimen));
                self.set_status(specimen, Status::Aliquoted);
                self.specimen_mut(specimen).device = None;
            }
            Due::RunEnd { run } => self.run_ended(run, observer),
            Due::WalkEnd { body } => {
                if let Some(mut body) = self.world.get_mut::<Body>(body)
                    && let Some(zone) = body.walking_to.take()
                {
                    body.zone = Some(zone);
                    body.arrives = None;
                }
            }
            Due::DoorBreach { door } => self.door_breached(usize::from(door), observer),
            Due::MaintenanceBegin { device } => self.device_mut(usize::from(device)).in_maintenance = true,
            Due::MaintenanceEnd { device } => self.device_mut(usize::from(device)).in_maintenance = false,
            Due::Fault { device } => self.device_failed(usize::from(device), observer),
            Due::Repaired { device } => self.device_repaired(usize::from(device), observer),
            Due::OutageBegin { outage } => self.device_breaks(self.outages[usize::from(outage)].device, observer),
            Due::OutageEnd { outage } => self.device_works_again(self.outages[usize::from(outage)].device, observer),
            Due::ConsignmentArrival { consignment } => {
                if let Some(mut consignment) = self.world.get_mut::<Consignment>(consignment) {
                    consignment.arrived = true;
                }
            }
            Due::Arrivals { group } => self.arrived(group as usize, observer),
        }
    }

    fn spin_ended(&mut self, batch: usize) {
        let specimens = std::mem::take(&mut self.batches[batch]);
        let now_s = self.now_s;
        for entity in specimens {
            if self.specimen(entity).status == Status::Spinning {
                self.set_status(entity, Status::Spun);
                self.specimen_mut(entity).separated_s = Some(now_s);
            }
        }
    }

    fn run_ended(&mut self, run: Entity, observer: &mut dyn Observer) {
        let Some(record) = self.world.get::<Run>(run) else { return };
        let (device, id) = (record.device, record.id);
        let mut specimens = record.specimens.clone();
        let lasted = self.now.saturating_since(record.started);
        let mut args = Args { run: Some(id), ..Args::default() };
        for entry in &mut specimens {
            let Some(&entity) = self.ids.specimens.get(entry.specimen) else { continue };
            if self.specimen(entity).status == Status::Running {
                self.set_status(entity, Status::Analysed);
            }
            args.specimens.push(entry.specimen);
            let panel = self.specimen(entity).panel;
            let id = self.policy.equipment.devices[device].id;
            let stream = self.measurement_streams.of(device, self.symbols.text(id));
            entry.measured = panel.and_then(|panel| self.policy.measurements.draw(panel, stream));
        }
        if let [only] = specimens.as_slice()
            && let Some(measured) = only.measured
        {
            args.analyte = Some(measured.analyte);
            args.units = Some(measured.units);
            args.value = serde_json::Number::from_f64(measured.value);
        }
        let now = self.now;
        if let Some(mut record) = self.world.get_mut::<Run>(run) {
            record.state = RunState::Completed;
            record.ended = now;
            record.specimens = specimens;
        }
        let mut component = self.device_mut(device);
        component.busy_for(lasted);
        component.finish(Work::Run(run));
        component.runs_since_control += 1;
        args.device = Some(component.id);
        self.outcome.emits.push("END_RUN");
        self.record_own(ActionKind::EndRun, args, observer);
    }

    fn door_breached(&mut self, door: usize, observer: &mut dyn Observer) {
        let Some(mut component) = self.world.get_mut::<Door>(self.doors[door]) else { return };
        component.breached = true;
        component.timer = None;
        let id = component.id;
        let acts = self.holds(Control::Enforcement);
        for zone in self.policy.layout.doors[door].zones.into_iter().filter(|_| acts) {
            self.enforcer.freeze_zone(self.policy.layout.zones[zone].id);
        }
        self.outcome.emits.extend(["ALARM", "KILL_SWITCH_ZONE"]);
        self.record_own(ActionKind::Alarm, Args { door: Some(id), ..Args::default() }, observer);
    }

    /// By chance: how long the repair takes is drawn.
    fn device_failed(&mut self, device: usize, observer: &mut dyn Observer) {
        let spec = &self.policy.equipment.devices[device];
        let repair = match &spec.failure {
            Some((_, repair)) => repair.draw(self.failure_streams.of(device, self.symbols.text(spec.id))),
            None => SimDuration::ZERO,
        };
        self.schedule(self.now.saturating_add(repair), Due::Repaired { device: Self::index16(device) });
        self.device_breaks(device, observer);
    }

    fn device_breaks(&mut self, device: usize, observer: &mut dyn Observer) {
        let mut component = self.device_mut(device);
        component.fault = true;
        let id = component.id;
        let units: SmallVec<[Unit; 2]> = component.units.iter_mut().map(std::mem::take).collect();
        for unit in units {
            for handle in unit.free.into_iter().chain(unit.work.map(|(_, end)| end)) {
                self.calendar.cancel(handle);
            }
            match unit.work {
                None => {}
                Some((Work::Run(run), _)) => self.abort_run(run),
                Some((Work::Spin(batch), _)) => self.abort_spin(batch as usize),
                Some((Work::Tube(specimen), _)) => self.abort_aliquot(specimen),
            }
        }
        self.outcome.emits.push("ALARM");
        self.record_own(ActionKind::DeviceFault, Args { device: Some(id), ..Args::default() }, observer);
    }

    /// The tubes of a batch that a failure interrupted must be spun again.
    fn abort_spin(&mut self, batch: usize) {
        for entity in std::mem::take(&mut self.batches[batch]) {
            if self.specimen(entity).status == Status::Spinning {
                self.set_status(entity, Status::Accepted);
                self.specimen_mut(entity).device = None;
            }
        }
    }

    /// A tube that a failure interrupted is still separated; its aliquot was never made.
    fn abort_aliquot(&mut self, specimen: Entity) {
        self.set_status(specimen, Status::Separated);
        let mut record = self.specimen_mut(specimen);
        record.device = None;
        if let Some(aliquot) = record.aliquot.take() {
            self.ids.aliquots.remove(aliquot);
        }
    }

    /// The specimens of a run that a failure interrupted can be queued again.
    fn abort_run(&mut self, run: Entity) {
        let now = self.now;
        let Some(mut record) = self.world.get_mut::<Run>(run) else { return };
        record.state = RunState::Aborted;
        record.ended = now;
        let specimens: SmallVec<[Symbol; 2]> = record.specimens.iter().map(|entry| entry.specimen).collect();
        for id in specimens {
            let Some(&entity) = self.ids.specimens.get(id) else { continue };
            let ready = if self.specimen(entity).aliquot.is_some() { Status::Aliquoted } else { Status::Accepted };
            self.set_status(entity, ready);
            self.specimen_mut(entity).device = None;
        }
    }

    fn device_repaired(&mut self, device: usize, observer: &mut dyn Observer) {
        self.schedule_failure(device);
        self.device_works_again(device, observer);
    }

    fn device_works_again(&mut self, device: usize, observer: &mut dyn Observer) {
        let mut component = self.device_mut(device);
        component.fault = false;
        let id = component.id;
        self.record_own(ActionKind::DeviceRepaired, Args { device: Some(id), ..Args::default() }, observer);
    }

    fn arrived(&mut self, group: usize, observer: &mut dyn Observer) {
        let specimens = std::mem::take(&mut self.arrivals[group].specimens);
        let mut args = Args::default();
        for entity in specimens {
            let status = self.specimen(entity).status_on_arrival;
            self.set_status(entity, status);
            args.specimens.push(self.specimen(entity).id);
        }
        self.outcome.emits.push("RECEIVE_BATCH");
        self.record_own(ActionKind::ReceiveBatch, args, observer);
    }
}
