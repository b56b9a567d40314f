//! The checks behind the invariant registry: what an accepted step is looked at for.
//!
//! Token checks speak of the state before the tokens were used up; the gate has looked at that state, so here they
//! only report that it did.

use crate::lab::Lab;
use labtrust_kernel::Symbol;
use labtrust_plugin::lab::{Action, ActionKind};
use labtrust_trust::{
    codes,
    invariants::{Detail, Finding, HandlerEntry, InvariantDomain, InvariantSpec},
};

/// The laboratory as the domain of checks.
pub(crate) struct LabInvariants;

/// What a check sees.
pub(crate) struct Seen<'w> {
    pub lab: &'w Lab,
    pub action: &'w Action,
}

impl InvariantDomain for LabInvariants {
    type Context<'w> = Seen<'w>;
}

/// Handlers that are registered from elsewhere: `inventory::submit!(LabCheck(HandlerEntry { .. }))`.
pub(crate) struct LabCheck(pub HandlerEntry<LabInvariants>);

inventory::collect!(LabCheck);

/// All handlers: the laboratory's own and those registered.
pub(crate) fn handlers() -> Vec<HandlerEntry<LabInvariants>> {
    let mut handlers = OWN.to_vec();
    let mut registered: Vec<_> = inventory::iter::<LabCheck>.into_iter().map(|check| check.0).collect();
    registered.sort_by_key(|handler| (handler.kind, handler.check));
    handlers.extend(registered);
    handlers
}

macro_rules! checks {
    ($($kind:literal / $check:literal on $actions:tt => $run:ident),+ $(,)?) => {
        const OWN: &[HandlerEntry<LabInvariants>] =
            &[$(HandlerEntry { kind: $kind, check: $check, actions: &$actions, run: $run }),+];
    };
}

checks! {
    "state" / "adjacency" on ["MOVE"] => adjacency,
    "state" / "colocation" on ["CENTRIFUGE_START", "ALIQUOT_CREATE", "QUEUE_RUN", "START_RUN", "END_RUN", "QC_EVENT"] => colocation,
    "state" / "restricted_door_or_zone" on ["OPEN_DOOR", "MOVE"] => restricted,
    "temporal" / "door_open_duration" on ["TICK"] => door_open,
    "state" / "token_active" on ["OPEN_DOOR", "MOVE", "START_RUN_OVERRIDE", "RELEASE_RESULT_OVERRIDE"] => token_presented,
    "state" / "token_not_revoked" on ["OPEN_DOOR", "MOVE", "START_RUN_OVERRIDE", "RELEASE_RESULT_OVERRIDE"] => token_presented,
    "state" / "token_scope_ok" on ["OPEN_DOOR", "MOVE", "START_RUN_OVERRIDE", "RELEASE_RESULT_OVERRIDE"] => token_presented,
    "state" / "mint_signature_valid" on ["MINT_TOKEN"] => held_by_the_gate,
    "state" / "critical_acked" on ["RELEASE_RESULT", "RELEASE_RESULT_OVERRIDE"] => critical_acknowledged,
    "state" / "read_back_confirmed" on ["ACK_CRITICAL_RESULT"] => read_back,
    "state" / "critical_comm_record_fields" on ["ACK_CRITICAL_RESULT"] => held_by_the_gate,
    "state" / "critical_escalation_order" on ["ESCALATE_CRITICAL_RESULT"] => held_by_the_gate,
    "state" / "stability_pass" on ["START_RUN"] => stable,
    "state" / "stability_breach" on ["START_RUN"] => unstable,
    "state" / "cold_chain_ok" on ["START_RUN"] => cold_chain,
    "state" / "coag_fill_valid" on ["ACCEPT_SPECIMEN"] => citrate_fill,
    "state" / "transport_dispatch_receive_or_token" on ["RECEIVE_TRANSPORT"] => held_by_the_gate,
    "state" / "transport_temp_in_band" on ["RECEIVE_TRANSPORT"] => held_by_the_gate,
    "state" / "signature_required_valid" on [] => signature_valid,
    "state" / "signature_role_authorized" on [] => signature_role,
}

/// The handler of the action has refused everything else.
fn held_by_the_gate(_: &InvariantSpec, _: &Seen<'_>) -> Option<Finding> {
    Some(Finding::pass())
}

fn adjacency(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let args = &seen.action.decision.args;
    let layout = &seen.lab.policy.layout;
    let (from, to) = (args.from_zone?, args.to_zone?);
    let adjacent = layout.zone(from).zip(layout.zone(to)).is_some_and(|(from, to)| layout.adjacent(from, to));
    Some(if adjacent {
        Finding::pass()
    } else {
        Finding::violation(codes::RC_ILLEGAL_MOVE)
            .with("from_zone", Detail::Symbol(from))
            .with("to_zone", Detail::Symbol(to))
    })
}

fn colocation(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let id = seen.action.decision.args.device?;
    let device = *seen.lab.policy.equipment.index.get(id)?;
    let device_zone = seen.lab.policy.equipment.devices[device].zone?;
    let agent_zone = seen.lab.agent_zone(seen.action.agent)?;
    Some(if agent_zone == device_zone {
        Finding::pass()
    } else {
        Finding::violation(codes::RC_DEVICE_NOT_COLOCATED).with("device_id", Detail::Symbol(id))
    })
}

fn restricted(spec: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let args = &seen.action.decision.args;
    let (named, key) = match seen.action.decision.kind {
        ActionKind::OpenDoor => (args.door?, "door_id"),
        _ => (args.to_zone?, "zone_id"),
    };
    let watched = spec.parameters.get(key).and_then(|value| value.as_str())?;
    if seen.lab.symbols.text(named) != watched {
        return None;
    }
    Some(if seen.action.decision.token_refs.is_empty() {
        Finding::violation(codes::RBAC_RESTRICTED_ENTRY_DENY)
    } else {
        Finding::pass()
    })
}

fn door_open(spec: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let id = spec.parameters.get("door_id").and_then(|value| value.as_str())?;
    let id = seen.lab.symbols.get(id)?;
    let door = seen.lab.policy.layout.door(id)?;
    let (since, breached) = seen.lab.door_state(door);
    Some(match since {
        Some(since) if breached => {
            let open_s = seen.lab.now.saturating_since(since).as_secs_ceil();
            Finding::violation(codes::RC_DOOR_OPEN_TOO_LONG)
                .with("door_id", Detail::Symbol(id))
                .with("duration_s", Detail::Int(i64::try_from(open_s).unwrap_or(i64::MAX)))
        }
        _ => Finding::pass(),
    })
}

fn token_presented(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    (!seen.action.decision.token_refs.is_empty()).then(Finding::pass)
}

fn critical_acknowledged(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    seen.action.decision.args.result.map(|_| Finding::pass())
}

fn read_back(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let args = &seen.action.decision.args;
    Some(if args.rare().read_back_confirmed? {
        Finding::pass()
    } else {
        let finding = Finding::violation(codes::CRIT_NO_READBACK);
        match args.result {
            Some(result) => finding.with("result_id", Detail::Symbol(result)),
            None => finding,
        }
    })
}

/// The first specimen that a run was started with.
fn first_specimen(seen: &Seen<'_>) -> Option<bevy_ecs::entity::Entity> {
    let id: Symbol = *seen.lab.outcome.specimens.first()?;
    seen.lab.ids.specimens.get(id).copied()
}

fn stable(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    seen.lab.unstable(first_specimen(seen)?).is_none().then(Finding::pass)
}

fn unstable(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let (invariant, _) = seen.lab.unstable(first_specimen(seen)?)?;
    Some(Finding::violation(codes::TIME_EXPIRED).with("limit", Detail::Symbol(invariant)))
}

fn cold_chain(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let specimen = seen.lab.specimen(first_specimen(seen)?);
    seen.lab
        .spoiled(specimen)
        .then(|| Finding::violation(codes::TEMP_OUT_OF_BAND).with("specimen_id", Detail::Symbol(specimen.id)))
}

fn citrate_fill(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let id = seen.action.decision.args.specimen?;
    let specimen = seen.lab.specimen(*seen.lab.ids.specimens.get(id)?);
    if !specimen.citrate {
        return None;
    }
    Some(if specimen.fill_ok == Some(false) {
        Finding::violation(codes::CNT_CITRATE_FILL_INVALID).with("specimen_id", Detail::Symbol(id))
    } else {
        Finding::pass()
    })
}

fn signature_valid(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let verification = seen.lab.outcome.signature.as_ref()?;
    Some(if verification.passed { Finding::pass() } else { Finding::violation(codes::SIG_INVALID) })
}

fn signature_role(_: &InvariantSpec, seen: &Seen<'_>) -> Option<Finding> {
    let verification = seen.lab.outcome.signature.as_ref()?;
    let key_role = verification.key_role_id.as_deref()?;
    let role = seen.lab.rbac.role_of(seen.action.agent).map(|role| seen.lab.symbols.text(role));
    Some(if role.is_none_or(|role| role == key_role) {
        Finding::pass()
    } else {
        Finding::violation(codes::SIG_ROLE_MISMATCH)
    })
}
