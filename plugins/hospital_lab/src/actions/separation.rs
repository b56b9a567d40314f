//! Centrifuging.

use crate::{
    components::{Status, Work},
    due::Due,
    lab::Lab,
    policy::DeviceRole,
    refusal::Decided,
};
use labtrust_kernel::SimDuration;
use labtrust_plugin::lab::{Action, Ids};
use labtrust_trust::codes;

impl Lab {
    pub(super) fn centrifuge_start(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let device = self.known_device(args.device)?;
        let specimens: Ids = match args.specimen {
            Some(one) if args.specimens.is_empty() => Ids::from_slice(&[one]),
            _ => args.specimens.clone(),
        };
        let mut unit = None;
        if let Some(device) = device {
            self.at_device(action, device)?;
            let spec = &self.policy.equipment.devices[device];
            if self.enforced && spec.role != DeviceRole::Centrifuge {
                return Err(codes::ROUTE_DEVICE_INCOMPATIBLE.into());
            }
            if specimens.len() > spec.batch_capacity as usize {
                return Err(codes::RC_BATCH_TOO_LARGE.into());
            }
            if self.simulated() {
                self.device_works(device)?;
                unit = self.device(device).units.iter().position(|unit| unit.free_at.is_none());
                if unit.is_none() {
                    return Err(codes::RC_DEVICE_NO_UNIT.into());
                }
            }
        }
        if self.enforced {
            if specimens.is_empty() {
                return Err(codes::RC_EVENT_MALFORMED.into());
            }
            for (i, &id) in specimens.iter().enumerate() {
                let Some(&entity) = self.ids.specimens.get(id) else {
                    return Err(codes::RC_SPECIMEN_UNKNOWN.into());
                };
                let specimen = self.specimen(entity);
                let needed = self.policy.stability.limits(specimen.panel).separation_required;
                if specimen.status != Status::Accepted || !needed || specimens[..i].contains(&id) {
                    return Err(codes::RC_SPECIMEN_STATE.into());
                }
            }
        }
        self.commit(action)?;
        if let Some(device) = device {
            self.load_centrifuge(device, unit, &specimens);
        }
        self.outcome.emits.push("CENTRIFUGE_START");
        Ok(())
    }

    /// Puts the batch into a unit and schedules what follows.
    ///
    /// A unit waits prepared, so the tubes are ready when the spin ends; then the unit is taken down and prepared for
    /// the next load, and is free again after setup, spin and teardown together (ADR 0008).
    fn load_centrifuge(&mut self, device: usize, unit: Option<usize>, specimens: &Ids) {
        let spec = &self.policy.equipment.devices[device];
        let zone = spec.zone;
        let (mut spin, mut after) = (SimDuration::ZERO, SimDuration::ZERO);
        if self.simulated() {
            let stream = self.service_streams.of(device, self.symbols.text(spec.id));
            spin = spec.run.draw(stream);
            after = spec.teardown.draw(stream).saturating_add(spec.setup.draw(stream));
        }
        let ready = self.now.saturating_add(spin);
        let loaded: Vec<_> = specimens.iter().filter_map(|&id| self.ids.specimens.get(id).copied()).collect();
        for &entity in &loaded {
            if self.enforced {
                self.set_status(entity, Status::Spinning);
            }
            let mut specimen = self.specimen_mut(entity);
            specimen.device = Some(device);
            specimen.zone = zone;
        }
        let batch = u32::try_from(self.batches.len()).unwrap_or(u32::MAX);
        self.batches.push(loaded.into());
        let index = Lab::index16(device);
        let end = self.schedule(ready, Due::SpinEnd { device: index, batch });
        if let Some(unit) = unit {
            let free_at = ready.saturating_add(after);
            let free = self.schedule(free_at, Due::UnitFree { device: index, unit: Lab::index16(unit) });
            let mut component = self.device_mut(device);
            component.occupy(Work::Spin(batch), end, free_at, Some(free));
            component.busy_for(spin);
        }
    }

    pub(super) fn centrifuge_end(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        if let Some(device) = args.device.and_then(|id| self.policy.equipment.index.get(id).copied()) {
            self.at_device(action, device)?;
        }
        if self.enforced {
            if args.specimens.is_empty() {
                return Err(codes::RC_EVENT_MALFORMED.into());
            }
            for &id in &args.specimens {
                let Some(&entity) = self.ids.specimens.get(id) else {
                    return Err(codes::RC_SPECIMEN_UNKNOWN.into());
                };
                let specimen = self.specimen(entity);
                if specimen.status != Status::Spun {
                    return Err(codes::RC_SPECIMEN_STATE.into());
                }
                if let Some(device) = specimen.device {
                    self.at_device(action, device)?;
                }
            }
        }
        self.commit(action)?;
        for &id in &args.specimens {
            let Some(&entity) = self.ids.specimens.get(id) else { continue };
            let enforced = self.enforced;
            let stated = args.separated_ts_s.unwrap_or(action.t_s);
            let mut specimen = self.specimen_mut(entity);
            // Enforced: separated when the rotor stopped, whenever somebody takes the tube out.
            if !(enforced && specimen.separated_s.is_some()) {
                specimen.separated_s = Some(stated);
            }
            specimen.device = None;
            if enforced || specimen.status == Status::Spun {
                self.set_status(entity, Status::Separated);
            }
        }
        self.outcome.emits.push("CENTRIFUGE_END");
        Ok(())
    }
}
