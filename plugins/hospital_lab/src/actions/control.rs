//! What only the signed system agent may do while an episode runs.

use crate::{components::Status, initial_state::SpecimenEntry, lab::Lab, refusal::Decided};
use labtrust_plugin::lab::Action;
use labtrust_trust::{codes, enforcement::LiftKind};

impl Lab {
    pub(super) fn update_roster(&mut self, action: &Action) -> Decided {
        let roster = action.decision.args.rare().roster.clone().unwrap_or_default();
        if roster.iter().any(|&(_, role)| !self.rbac.is_role(role)) {
            return Err(codes::RC_EVENT_MALFORMED.into());
        }
        self.commit(action)?;
        self.rbac.overlay_roster(roster, &self.symbols).map_err(|_| codes::RC_EVENT_MALFORMED)?;
        self.outcome.emits.push("UPDATE_ROSTER");
        Ok(())
    }

    pub(super) fn inject_specimen(&mut self, action: &Action) -> Decided {
        let record = action.decision.args.rare().record.as_ref();
        let read = record.map(|record| SpecimenEntry::read(record, "args.", &mut self.symbols));
        let entry = match read {
            Some(Ok(Some(entry))) => entry,
            Some(Err(_)) => return Err(codes::RC_EVENT_MALFORMED.into()),
            Some(Ok(None)) | None => return Err(codes::RC_INJECT_SPECIMEN_DUPLICATE.into()),
        };
        if self.ids.specimens.contains(entry.id) || entry.status == Status::Expected {
            return Err(codes::RC_INJECT_SPECIMEN_DUPLICATE.into());
        }
        self.commit(action)?;
        self.concerns(entry.id);
        self.add_specimen(&entry, true);
        self.outcome.emits.push("INJECT_SPECIMEN");
        Ok(())
    }

    /// Takes back an enforcement: `kind` is `throttle`, `agent`, `device`, `zone` or `log`.
    pub(super) fn lift_enforcement(&mut self, action: &Action) -> Decided {
        let rare = action.decision.args.rare();
        let kind = rare.kind.map(|kind| self.symbols.text(kind));
        if kind == Some("log") {
            if !self.log_frozen {
                return Err(codes::ENF_TARGET_UNKNOWN.into());
            }
            self.commit(action)?;
            self.thaw_log = true;
        } else {
            let kind = kind.and_then(LiftKind::parse).ok_or(codes::ENF_TARGET_UNKNOWN)?;
            let target = rare.target.ok_or(codes::ENF_TARGET_UNKNOWN)?;
            if !self.enforcer.can_lift(kind, target) {
                return Err(codes::ENF_TARGET_UNKNOWN.into());
            }
            self.commit(action)?;
            self.enforcer.lift(kind, target).map_err(|refusal| refusal.code)?;
        }
        self.outcome.emits.push("LIFT_ENFORCEMENT");
        Ok(())
    }
}
