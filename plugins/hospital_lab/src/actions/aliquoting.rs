//! Taking aliquots.

use crate::{
    components::{Status, Work},
    due::Due,
    lab::Lab,
    policy::DeviceRole,
    refusal::Decided,
};
use labtrust_kernel::SimDuration;
use labtrust_plugin::lab::Action;
use labtrust_trust::codes;

impl Lab {
    pub(super) fn aliquot_create(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let specimen = self.known_specimen(args.specimen)?;
        // The aliquoter of the zone the agent stands in, unless the event names one.
        let here = self.agent_zone(action.agent);
        let named = args.device.and_then(|id| self.policy.equipment.index.get(id).copied());
        let device = named.or_else(|| {
            let devices = &self.policy.equipment.devices;
            devices.iter().position(|d| d.role == DeviceRole::Aliquoter && d.zone.is_some() && d.zone == here)
        });
        if self.enforced {
            let Some(device) = device else { return Err(codes::RC_DEVICE_UNKNOWN.into()) };
            if self.policy.equipment.devices[device].role != DeviceRole::Aliquoter {
                return Err(codes::ROUTE_DEVICE_INCOMPATIBLE.into());
            }
            self.at_device(action, device)?;
            if self.simulated() {
                self.device_works(device)?;
                if self.device(device).free_units() == 0 {
                    return Err(codes::RC_DEVICE_BUSY.into());
                }
            }
            if let Some(entity) = specimen
                && self.specimen(entity).status != Status::Separated
            {
                return Err(codes::RC_SPECIMEN_STATE.into());
            }
            if args.aliquot.is_none() {
                return Err(codes::RC_EVENT_MALFORMED.into());
            }
        }
        if args.aliquot.is_some_and(|aliquot| self.ids.aliquots.contains(aliquot)) {
            return Err(codes::RC_ALIQUOT_DUPLICATE.into());
        }
        self.commit(action)?;
        if let (Some(specimen), Some(aliquot)) = (args.specimen, args.aliquot) {
            self.add_aliquot(aliquot, specimen);
        }
        if let Some(entity) = specimen {
            self.specimen_mut(entity).aliquot = args.aliquot;
            if self.enforced
                && let Some(device) = device
            {
                self.load_aliquoter(device, entity);
            }
        }
        self.outcome.emits.push("ALIQUOT_CREATE");
        Ok(())
    }

    fn load_aliquoter(&mut self, device: usize, specimen: bevy_ecs::entity::Entity) {
        let mut time = SimDuration::ZERO;
        if self.simulated() {
            let spec = &self.policy.equipment.devices[device];
            time = spec.run.draw(self.service_streams.of(device, self.symbols.text(spec.id)));
        }
        let ready = self.now.saturating_add(time);
        self.set_status(specimen, Status::Aliquoting);
        let zone = self.policy.equipment.devices[device].zone;
        let mut record = self.specimen_mut(specimen);
        record.device = Some(device);
        record.zone = zone;
        let end = self.schedule(ready, Due::AliquotEnd { device: Lab::index16(device), specimen });
        let mut component = self.device_mut(device);
        component.occupy(Work::Tube(specimen), end, ready, None);
        component.busy_for(time);
    }
}
