//! Quality control and reruns.

use crate::{
    components::{ResultRecord, ResultStatus, Status},
    lab::Lab,
    refusal::Decided,
};
use labtrust_plugin::lab::Action;
use labtrust_trust::codes;

impl Lab {
    pub(super) fn qc_event(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let device = self.known_device(args.device)?;
        if self.enforced
            && let Some(device) = device
        {
            self.at_device(action, device)?;
        }
        let mut outcome = args.qc_outcome;
        if let Some(stated) = outcome {
            let lower = self.symbols.text(stated).to_lowercase();
            if self.enforced && lower != "pass" && lower != "fail" {
                return Err(codes::RC_EVENT_MALFORMED.into());
            }
            outcome = Some(self.symbols.intern(&lower));
        }
        self.commit(action)?;
        if let Some(device) = device {
            let planned = self.device(device).control_due();
            let outcome = outcome.unwrap_or_else(|| {
                // Nobody says what the control sample gave: the device's state or its model decides.
                let (spec, simulated) = (&self.policy.equipment.devices[device], self.simulated());
                let streams = &mut self.qc_streams;
                let mut by_chance =
                    || streams.of(device, self.symbols.text(spec.id)).bernoulli(spec.qc_fail_probability);
                let fails = match planned {
                    Some(planned) => planned.fails,
                    None => simulated && by_chance(),
                };
                if fails { self.names.fail } else { self.names.pass }
            });
            let fails = outcome == self.names.fail;
            let now = self.now;
            let mut component = self.device_mut(device);
            component.qc_outcome = outcome;
            component.qc_fail = fails;
            component.last_control = Some(now);
            component.runs_since_control = 0;
            if planned.is_some() {
                component.planned_controls.remove(0);
            }
            if fails {
                self.hold_results_of(device);
            }
        }
        self.outcome.emits.push("QC_EVENT");
        Ok(())
    }

    /// What the device measured since its control last passed is in doubt.
    fn hold_results_of(&mut self, device: usize) {
        for i in 0..self.results.len() {
            let entity = self.results[i];
            if let Some(mut result) = self.world.get_mut::<ResultRecord>(entity)
                && result.device == Some(device)
                && result.status == ResultStatus::Generated
            {
                result.status = ResultStatus::Held;
            }
        }
    }

    pub(super) fn rerun_request(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let result = args.result.and_then(|id| self.ids.results.get(id).copied());
        let record = result.and_then(|entity| self.world.get::<ResultRecord>(entity));
        let of_result = record.and_then(|record| record.specimen);
        if self.enforced {
            match record {
                None => return Err(codes::RC_RESULT_UNKNOWN.into()),
                Some(record) if record.status != ResultStatus::Held => return Err(codes::RC_RESULT_STATE.into()),
                Some(_) => {}
            }
        }
        let specimen = of_result.or(args.specimen).and_then(|id| self.ids.specimens.get(id).copied());
        if self.enforced
            && let Some(entity) = specimen
            && self.specimen(entity).status != Status::Resulted
        {
            return Err(codes::RC_SPECIMEN_STATE.into());
        }
        self.commit(action)?;
        if self.enforced
            && let Some(entity) = specimen
        {
            let separated = self.specimen(entity).aliquot.is_some();
            self.set_status(entity, if separated { Status::Aliquoted } else { Status::Accepted });
            self.specimen_mut(entity).device = None;
        }
        self.outcome.emits.push("RERUN_REQUEST");
        Ok(())
    }
}
