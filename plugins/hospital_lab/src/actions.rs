//! What each action does: all checks first, then [`Lab::commit`], then the effects.
//!
//! A handler that refuses has changed nothing. One file an area; [`Lab::apply`] is the one list of them.

mod aliquoting;
mod control;
mod critical;
mod movement;
mod quality;
mod reception;
mod results;
mod runs;
mod separation;
mod tokens;
mod transport;

use crate::{
    lab::Lab,
    refusal::{Decided, Refusal},
};
use bevy_ecs::entity::Entity;
use labtrust_kernel::Symbol;
use labtrust_plugin::lab::{Action, ActionKind, Args, Control, Ids};
use labtrust_trust::codes;

impl Lab {
    /// Checks and carries out an action that passed every gate.
    pub(crate) fn apply(&mut self, action: &Action) -> Decided {
        use ActionKind as K;
        match action.decision.kind {
            K::Noop => Ok(()),
            K::Tick => self.tick(action),
            K::Move => self.move_entity(action),
            K::OpenDoor => self.open_door(action),
            K::CloseDoor => self.close_door(action),
            K::CreateAccession => self.create_accession(action),
            K::CheckAcceptanceRules => self.check_acceptance_rules(action),
            K::AcceptSpecimen => self.accept_specimen(action),
            K::HoldSpecimen => self.hold_specimen(action),
            K::RejectSpecimen => self.reject_specimen(action),
            K::CentrifugeStart => self.centrifuge_start(action),
            K::CentrifugeEnd => self.centrifuge_end(action),
            K::AliquotCreate => self.aliquot_create(action),
            K::QueueRun => self.queue_run(action),
            K::StartRun => self.start_run(action),
            K::StartRunOverride => self.start_run_override(action),
            K::EndRun => self.end_run(action),
            K::QcEvent => self.qc_event(action),
            K::GenerateResult => self.generate_result(action),
            K::HoldResult => self.hold_result(action),
            K::RerunRequest => self.rerun_request(action),
            K::ReleaseResult => self.release_result(action),
            K::ReleaseResultOverride => self.release_result_override(action),
            K::NotifyCriticalResult => self.notify_critical(action),
            K::AckCriticalResult => self.acknowledge_critical(action),
            K::EscalateCriticalResult => self.escalate_critical(action),
            K::DispatchTransport => self.dispatch_transport(action),
            K::TransportTick => self.transport_tick(action),
            K::ReceiveTransport => self.receive_transport(action),
            K::ChainOfCustodySign => self.sign_custody(action),
            K::MintToken => self.mint_token(action),
            K::RevokeToken => self.revoke_token(action),
            K::UpdateRoster => self.update_roster(action),
            K::InjectSpecimen => self.inject_specimen(action),
            K::LiftEnforcement => self.lift_enforcement(action),
            // What the laboratory does by itself is nobody's action.
            K::ReceiveBatch | K::Alarm | K::DeviceFault | K::DeviceRepaired | K::AblateControls => {
                Err(codes::RC_UNKNOWN_ACTION.into())
            }
        }
    }

    /// The specimen that an argument names, when the workflow insists that it exists. In the open workflow an unknown
    /// specimen is let through without effect (`None`).
    fn known_specimen(&self, id: Option<Symbol>) -> Result<Option<Entity>, Refusal> {
        let entity = id.and_then(|id| self.ids.specimens.get(id).copied());
        if entity.is_none() && self.enforced {
            return Err(codes::RC_SPECIMEN_UNKNOWN.into());
        }
        Ok(entity)
    }

    /// The device that an argument names, when the workflow insists that it exists.
    fn known_device(&self, id: Option<Symbol>) -> Result<Option<usize>, Refusal> {
        let device = id.and_then(|id| self.policy.equipment.index.get(id).copied());
        if device.is_none() && self.enforced {
            return Err(codes::RC_DEVICE_UNKNOWN.into());
        }
        Ok(device)
    }

    /// The agent stands where the device stands, nothing there is frozen, nobody switched the device off.
    fn at_device(&self, action: &Action, device: usize) -> Decided {
        self.colocated(action.agent, device)?;
        let spec = &self.policy.equipment.devices[device];
        if spec.zone.is_some_and(|zone| self.is_frozen(zone)) {
            return Err(codes::RC_ZONE_FROZEN.into());
        }
        if self.enforcer.is_device_killed(spec.id) {
            return Err(codes::RC_DEVICE_KILLED.into());
        }
        Ok(())
    }

    /// The agent's zone and the device's zone are not known to differ.
    pub(crate) fn colocated(&self, agent: Symbol, device: usize) -> Decided {
        let zones = self.agent_zone(agent).zip(self.policy.equipment.devices[device].zone);
        if zones.is_some_and(|(agent, device)| agent != device) && self.holds(Control::Colocation) {
            return Err(Refusal::breaking(codes::RC_DEVICE_NOT_COLOCATED, self.names.inv_zone_002));
        }
        Ok(())
    }

    /// The specimens of a run: stated ones, else those of stated aliquots (an unknown aliquot stands for itself).
    fn resolve(&self, args: &Args) -> Ids {
        if !args.specimens.is_empty() {
            return args.specimens.clone();
        }
        args.aliquots.iter().map(|&aliquot| self.resolve_one(aliquot)).collect()
    }

    /// The specimen behind an id that may be an aliquot's.
    fn resolve_one(&self, id: Symbol) -> Symbol {
        self.ids.aliquots.get(id).copied().unwrap_or(id)
    }

    /// The reason an event gives, on the event or among its arguments.
    fn reason_of(action: &Action) -> Option<Symbol> {
        action.decision.reason_code.or(action.decision.args.reason_code)
    }
}
