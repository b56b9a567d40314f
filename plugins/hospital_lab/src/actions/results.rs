//! Filing, holding and releasing results.

use crate::{
    components::{Communication, ResultRecord, ResultStatus, Run, RunState, Status},
    lab::Lab,
    policy::Criticality,
    refusal::{Decided, Refusal},
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::Symbol;
use labtrust_plugin::lab::{Action, Control};
use labtrust_trust::codes;

/// What a new result is about.
#[derive(Default)]
struct Filing {
    run: Option<(Entity, usize)>,
    specimen: Option<Symbol>,
    device: Option<usize>,
    analyte: Option<Symbol>,
    units: Option<Symbol>,
    value: Option<f64>,
}

impl Lab {
    pub(super) fn generate_result(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let Some(id) = args.result else { return Err(codes::RC_EVENT_MALFORMED.into()) };
        if self.ids.results.contains(id) {
            return Err(codes::RC_RESULT_DUPLICATE.into());
        }
        let filing = self.what_is_filed(action)?;
        self.commit(action)?;
        let criticality = match (filing.analyte, filing.value) {
            (Some(analyte), Some(value)) => self.policy.critical.classify(analyte, filing.units, value),
            _ => Criticality::Unclassified,
        };
        let in_doubt = filing.device.is_some_and(|device| self.device(device).qc_fail);
        let oral = self.downtime_active && criticality != Criticality::Unclassified;
        let status = if in_doubt { ResultStatus::Held } else { ResultStatus::Generated };
        let entity = self
            .world
            .spawn(ResultRecord {
                id,
                specimen: filing.specimen,
                device: filing.device,
                status,
                criticality,
                oral_required: oral,
                disclaimer: false,
                filed: self.now,
            })
            .id();
        self.enter_result(id, entity);
        if let Some((run, position)) = filing.run
            && let Some(mut run) = self.world.get_mut::<Run>(run)
        {
            run.specimens[position].filed = true;
        }
        if let Some(specimen) = filing.specimen {
            self.concerns(specimen);
            if let Some(&specimen) = self.ids.specimens.get(specimen)
                && !matches!(self.specimen(specimen).status, Status::Held | Status::Rejected)
            {
                self.set_status(specimen, Status::Resulted);
            }
        }
        self.outcome.emits.push("GENERATE_RESULT");
        if filing.analyte.is_some() {
            self.outcome.emits.push("CLASSIFY_RESULT");
        }
        if self.downtime_active && criticality.is_critical() {
            self.outcome.emits.push("NOTIFY_CRITICAL_RESULT");
        }
        Ok(())
    }

    /// Works out run, specimen and value of a new result, and whether they fit each other.
    fn what_is_filed(&self, action: &Action) -> Result<Filing, Refusal> {
        let args = &action.decision.args;
        let run = args.run.and_then(|id| self.ids.runs.get(id).copied());
        let mut filing = Filing {
            device: args.device.and_then(|id| self.policy.equipment.index.get(id).copied()),
            analyte: args.analyte,
            units: args.units,
            specimen: args.specimen,
            ..Filing::default()
        };
        if let Some(number) = &args.value {
            filing.value = Some(number.as_f64().ok_or(codes::RC_RESULT_VALUE_NOT_NUMERIC)?);
        }
        let Some((entity, record)) = run.and_then(|entity| Some((entity, self.world.get::<Run>(entity)?))) else {
            return if self.enforced { Err(codes::RC_RUN_UNKNOWN.into()) } else { Ok(filing) };
        };
        filing.device = filing.device.or(Some(record.device));
        if record.state != RunState::Completed && (self.enforced || self.simulated()) {
            return Err(codes::RC_RUN_NOT_COMPLETED.into());
        }
        let mut missing = record.specimens.iter().enumerate().filter(|(_, entry)| !entry.filed);
        let found = match args.specimen {
            None => missing.next(),
            Some(id) => missing.find(|(_, entry)| entry.specimen == id),
        };
        let Some((position, entry)) = found else {
            return if self.enforced { Err(codes::RC_RESULT_DUPLICATE.into()) } else { Ok(filing) };
        };
        filing.run = Some((entity, position));
        filing.specimen = Some(entry.specimen);
        if let Some(measured) = entry.measured.filter(|_| self.enforced && self.holds(Control::ResultValue)) {
            // A result states what the analyser measured, or leaves it to the record.
            let same_analyte = args.analyte.is_none_or(|analyte| analyte == measured.analyte);
            let same_units = args.units.is_none_or(|units| units == measured.units);
            #[expect(clippy::float_cmp, reason = "both come from the same decimal text")]
            let same_value = filing.value.is_none_or(|value| value == measured.value);
            if !(same_analyte && same_units && same_value) {
                return Err(codes::RC_RESULT_VALUE_MISMATCH.into());
            }
            filing.analyte = Some(measured.analyte);
            filing.units = Some(measured.units);
            filing.value = Some(measured.value);
        }
        Ok(filing)
    }

    pub(super) fn hold_result(&mut self, action: &Action) -> Decided {
        let result = action.decision.args.result.and_then(|id| self.ids.results.get(id).copied());
        match result.and_then(|entity| self.world.get::<ResultRecord>(entity)) {
            None if self.enforced => return Err(codes::RC_RESULT_UNKNOWN.into()),
            Some(record) if record.status == ResultStatus::Released => return Err(codes::RC_RESULT_STATE.into()),
            _ => {}
        }
        if self.enforced && Self::reason_of(action).is_none() {
            return Err(codes::AUDIT_MISSING_REASON_CODE.into());
        }
        self.commit(action)?;
        if let Some(mut record) = result.and_then(|entity| self.world.get_mut::<ResultRecord>(entity)) {
            record.status = ResultStatus::Held;
        }
        self.outcome.emits.push("HOLD_RESULT");
        Ok(())
    }

    /// Why the result may not be released now, quality control and critical communication considered.
    pub(crate) fn release_block(&self, result: &ResultRecord) -> Decided {
        if result.status == ResultStatus::Released && self.holds(Control::ReleaseOnce) {
            return Err(codes::RC_RESULT_ALREADY_RELEASED.into());
        }
        // What was measured in a specimen that is set aside says nothing about anybody until it is taken up again.
        let specimen = result.specimen.and_then(|id| self.ids.specimens.get(id));
        let set_aside = specimen.map(|&entity| self.specimen(entity).status);
        if self.enforced && matches!(set_aside, Some(Status::Held | Status::Rejected)) {
            return Err(codes::RC_SPECIMEN_STATE.into());
        }
        if result.criticality.is_critical()
            && !self.acknowledged(result.id)
            && self.holds(Control::CriticalCommunication)
        {
            return Err(Refusal::breaking(codes::CRIT_NO_ACK, self.names.inv_crit_002));
        }
        if result.device.is_some_and(|device| self.control_fails(device)) {
            return Err(codes::QC_FAIL_ACTIVE.into());
        }
        Ok(())
    }

    /// Whether a critical result was communicated and acknowledged as the ladder asks.
    pub(crate) fn acknowledged(&self, result: Symbol) -> bool {
        let communication = self.ids.communications.get(result);
        communication
            .and_then(|&entity| self.world.get::<Communication>(entity))
            .is_some_and(Communication::acknowledged)
    }

    /// Whether the device's control fails, as far as anybody is to mind.
    pub(super) fn control_fails(&self, device: usize) -> bool {
        self.device(device).qc_fail && self.holds(Control::QcGate)
    }

    /// The result that nobody filed and that may be released all the same, where that control is off.
    fn to_invent(&self, action: &Action) -> Option<Symbol> {
        let unknown = |id: &Symbol| !self.holds(Control::ResultExists) && !self.ids.results.contains(*id);
        action.decision.args.result.filter(unknown)
    }

    /// A result that nobody filed exists from the moment it is released.
    fn invent(&mut self, id: Symbol) -> Entity {
        let record = ResultRecord {
            id,
            specimen: None,
            device: None,
            status: ResultStatus::Generated,
            criticality: Criticality::Unclassified,
            oral_required: false,
            disclaimer: false,
            filed: self.now,
        };
        let entity = self.world.spawn(record).id();
        self.enter_result(id, entity);
        entity
    }

    fn known_result(&self, id: Option<Symbol>) -> Result<(Entity, &ResultRecord), Refusal> {
        let entity = id.and_then(|id| self.ids.results.get(id).copied());
        let found = entity.and_then(|entity| Some((entity, self.world.get::<ResultRecord>(entity)?)));
        found.ok_or_else(|| codes::RC_RESULT_UNKNOWN.into())
    }

    pub(super) fn release_result(&mut self, action: &Action) -> Decided {
        if let Some(id) = self.to_invent(action) {
            self.commit(action)?;
            let entity = self.invent(id);
            self.release(entity);
            return Ok(());
        }
        let (entity, record) = self.known_result(action.decision.args.result)?;
        self.release_block(record)?;
        self.commit(action)?;
        self.release(entity);
        Ok(())
    }

    pub(super) fn release_result_override(&mut self, action: &Action) -> Decided {
        let invented = self.to_invent(action);
        if invented.is_none() {
            self.known_result(action.decision.args.result)?;
        }
        if action.decision.token_refs.is_empty() && self.holds(Control::TokenRequired) {
            return Err(Refusal::breaking(codes::TOKEN_REQUIRED, self.names.inv_tok_003));
        }
        if let Some(id) = invented {
            self.commit(action)?;
            self.consume_tokens(action);
            let entity = self.invent(id);
            self.release(entity);
            return Ok(());
        }
        let (entity, record) = self.known_result(action.decision.args.result)?;
        // An override accepts a suspected drift, never a failed control or an untold critical value.
        self.release_block(record)?;
        self.commit(action)?;
        self.consume_tokens(action);
        if let Some(mut record) = self.world.get_mut::<ResultRecord>(entity) {
            record.disclaimer = true;
        }
        self.release(entity);
        Ok(())
    }

    fn release(&mut self, result: Entity) {
        let Some(mut record) = self.world.get_mut::<ResultRecord>(result) else { return };
        record.status = ResultStatus::Released;
        if let Some(specimen) = record.specimen {
            self.concerns(specimen);
            if let Some(&entity) = self.ids.specimens.get(specimen)
                && self.specimen(entity).status != Status::Rejected
            {
                // A rerun that was asked for is no longer needed: what waits for it would block the queue for ever.
                self.take_out_of_queue(entity);
                self.set_status(entity, Status::Released);
            }
        }
        self.outcome.emits.push("RELEASE_RESULT");
    }
}
