//! Registration and acceptance.

use crate::{
    components::{Specimen, Status},
    lab::Lab,
    refusal::{Decided, Refusal},
};
use bevy_ecs::entity::Entity;
use labtrust_plugin::lab::Action;
use labtrust_trust::codes;

impl Lab {
    /// The agent stands where specimens are registered, and the specimen is there too.
    fn at_reception(&self, action: &Action, specimen: Entity) -> Decided {
        if !self.enforced {
            return Ok(());
        }
        let zone = self.agent_zone(action.agent);
        if zone.is_some_and(|zone| !self.policy.layout.zones[zone].registers) {
            return Err(codes::RC_SPECIMEN_LOCATION.into());
        }
        let specimen = self.specimen(specimen);
        match specimen.status {
            Status::Expected => Err(codes::RC_SPECIMEN_UNKNOWN.into()),
            Status::InTransit => Err(codes::RC_SPECIMEN_IN_TRANSIT.into()),
            _ if specimen.site.is_some() && specimen.site != self.policy.sites.hub => {
                Err(codes::RC_SPECIMEN_LOCATION.into())
            }
            _ => Ok(()),
        }
    }

    /// In the enforced workflow the specimen must have one of these statuses.
    fn in_status(&self, specimen: &Specimen, allowed: &[Status]) -> Decided {
        if self.enforced && !allowed.contains(&specimen.status) {
            return Err(codes::RC_SPECIMEN_STATE.into());
        }
        Ok(())
    }

    pub(super) fn create_accession(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let specimen = self.known_specimen(args.specimen)?;
        if let Some(entity) = specimen {
            self.at_reception(action, entity)?;
            self.in_status(self.specimen(entity), &[Status::Arrived])?;
            self.not_finished(entity)?;
        }
        self.commit(action)?;
        if let Some(entity) = specimen {
            if let Some(priority) = args.priority {
                self.specimen_mut(entity).priority = priority;
                self.shown.stale = true;
            }
            self.set_status(entity, Status::Accessioning);
        }
        self.outcome.emits.push("CREATE_ACCESSION");
        Ok(())
    }

    pub(super) fn check_acceptance_rules(&mut self, action: &Action) -> Decided {
        let args = &action.decision.args;
        let specimen = self.known_specimen(args.specimen)?;
        if let Some(entity) = specimen {
            self.at_reception(action, entity)?;
            self.in_status(self.specimen(entity), &[Status::Accessioning])?;
        }
        self.commit(action)?;
        if let Some(entity) = specimen {
            let mut specimen = self.specimen_mut(entity);
            specimen.checked = true;
            specimen.id_match = args.id_match;
        }
        self.outcome.emits.push("CHECK_ACCEPTANCE_RULES");
        Ok(())
    }

    pub(super) fn accept_specimen(&mut self, action: &Action) -> Decided {
        let specimen = self.known_specimen(action.decision.args.specimen)?;
        let Some(entity) = specimen else {
            self.commit(action)?;
            self.outcome.emits.push("ACCEPT_SPECIMEN");
            return Ok(());
        };
        self.at_reception(action, entity)?;
        let record = self.specimen(entity);
        self.in_status(record, &[Status::Accessioning, Status::Held])?;
        if self.enforced && !record.checked {
            return Err(codes::RC_SPECIMEN_STATE.into());
        }
        self.not_finished(entity)?;
        let (status, reason, emit) = if record.id_match == Some(false) {
            (Status::Rejected, Some(self.names.id_mismatch), "REJECT_SPECIMEN")
        } else if record.leaking {
            (Status::Rejected, Some(self.names.int_leaking), "REJECT_SPECIMEN")
        } else if record.citrate && record.fill_ok == Some(false) {
            (Status::Held, Some(self.names.citrate_fill), "HOLD_SPECIMEN")
        } else {
            (Status::Accepted, None, "ACCEPT_SPECIMEN")
        };
        self.commit(action)?;
        self.specimen_mut(entity).last_reason = reason;
        self.set_status(entity, status);
        self.outcome.emits.push(emit);
        Ok(())
    }

    pub(super) fn hold_specimen(&mut self, action: &Action) -> Decided {
        let reason = Self::reason_of(action);
        let specimen = self.known_specimen(action.decision.args.specimen)?;
        if reason.is_none() {
            return Err(codes::AUDIT_MISSING_REASON_CODE.into());
        }
        self.may_be_set_aside(specimen)?;
        self.commit(action)?;
        if let Some(entity) = specimen {
            self.take_out_of_queue(entity);
            self.specimen_mut(entity).last_reason = reason;
            self.set_status(entity, Status::Held);
        }
        self.outcome.emits.push("HOLD_SPECIMEN");
        Ok(())
    }

    pub(super) fn reject_specimen(&mut self, action: &Action) -> Decided {
        let reason = Self::reason_of(action);
        let specimen = self.known_specimen(action.decision.args.specimen)?;
        if reason.is_none() && self.enforced {
            return Err(codes::AUDIT_MISSING_REASON_CODE.into());
        }
        self.may_be_set_aside(specimen)?;
        self.commit(action)?;
        if let Some(entity) = specimen {
            self.take_out_of_queue(entity);
            self.specimen_mut(entity).last_reason = reason;
            self.set_status(entity, Status::Rejected);
        }
        self.outcome.emits.push("REJECT_SPECIMEN");
        Ok(())
    }

    /// A specimen that nobody has seen, that is under way, or that is done with can be neither held nor rejected; nor
    /// can one that a device is working on. One that waits at a device loses its place there.
    fn may_be_set_aside(&self, specimen: Option<Entity>) -> Decided {
        let Some(entity) = specimen else { return Ok(()) };
        if self.enforced {
            match self.specimen(entity).status {
                Status::Expected => return Err(codes::RC_SPECIMEN_UNKNOWN.into()),
                Status::InTransit => return Err(codes::RC_SPECIMEN_IN_TRANSIT.into()),
                Status::Spinning | Status::Aliquoting | Status::Running | Status::Released => {
                    return Err(codes::RC_SPECIMEN_STATE.into());
                }
                _ => {}
            }
        }
        self.not_finished(entity)
    }

    /// A rejected specimen stays rejected, in every workflow.
    fn not_finished(&self, specimen: Entity) -> Decided {
        match self.specimen(specimen).status {
            Status::Rejected => Err(Refusal::from(codes::RC_SPECIMEN_STATE)),
            _ => Ok(()),
        }
    }
}
