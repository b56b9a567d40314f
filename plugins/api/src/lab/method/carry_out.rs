//! From a choice to an action.
//!
//! What the choice names is taken; what it leaves out is completed as a bare index is, with the first that fits. A
//! choice that fits nowhere still becomes an action: the laboratory refuses it, on record.

use crate::lab::{
    ActionKind, AgentContext, Args, Decision, ResultView, Symbol,
    contract::{INDEX, bare},
};
use crate::wire::{Act, Choice};

/// Roles that are told of critical results, lowest first; the second word of an attempt's id counts up from 0.
const LADDER: [&str; 4] = ["primary_contact", "secondary", "consultant_registrar", "duty_manager"];
/// What is stated where an action needs a reason.
const REASON: &str = "MANUAL_REVIEW_REQUIRED";

/// The action that a choice asks of its agent, the one that `ctx` stands for; `None` is NOOP.
///
/// The choice has been checked ([`crate::wire::Decision::check`]) against the observation of the same view; a place
/// that does not exist counts as left out.
#[must_use]
pub fn carry_out(ctx: &mut AgentContext<'_>, choice: &Choice) -> Option<Decision> {
    let kind = INDEX[usize::from(choice.act.index())];
    if kind == ActionKind::Noop {
        return None;
    }
    if choice.specimens.is_empty() && choice.device.is_none() && choice.object.is_none() {
        return bare(ctx, kind);
    }
    let named = Named::new(ctx, choice);
    let mut decision = match choice.act {
        _ if choice.object.is_none() => bare(ctx, kind)?,
        Act::Move => step_to(ctx, named.object)?,
        Act::GenerateResult => filed(ctx, named.object)?,
        Act::HoldResult
        | Act::ReleaseResult
        | Act::RerunRequest
        | Act::NotifyCriticalResult
        | Act::AckCriticalResult
        | Act::EscalateCriticalResult => on_result(ctx, kind, named.object)?,
        Act::DispatchTransport => {
            let (ids, from, to) = ctx.view.transport_required.get(named.object?)?;
            let mut args = Args { specimens: ids.clone(), ..Args::default() };
            (args.rare_mut().origin_site, args.rare_mut().dest_site) = (Some(*from), Some(*to));
            Decision::new(kind, args)
        }
        Act::TransportTick | Act::ChainOfCustodySign | Act::ReceiveTransport => {
            let consignment = ctx.view.consignments.get(named.object?)?.id;
            Decision::new(kind, Args { consignment: Some(consignment), ..Args::default() })
        }
        Act::OpenDoor => {
            let door = ctx.view.doors.get(named.object?)?.id;
            Decision::new(kind, Args { door: Some(door), ..Args::default() })
        }
        _ => bare(ctx, kind)?,
    };
    put_in(ctx, &named, &mut decision);
    Some(decision)
}

/// What a choice names, as ids.
struct Named {
    specimens: crate::lab::Ids,
    first: Option<usize>,
    device: Option<Symbol>,
    object: Option<usize>,
}

impl Named {
    fn new(ctx: &AgentContext<'_>, choice: &Choice) -> Self {
        let specimen = |&place: &u32| ctx.view.specimens.get(place as usize).map(|specimen| specimen.id);
        Self {
            specimens: choice.specimens.iter().filter_map(specimen).collect(),
            first: choice.specimens.first().map(|&place| place as usize),
            device: choice.device.and_then(|place| ctx.view.devices.get(usize::from(place))).map(|device| device.id),
            object: choice.object.map(|place| place as usize),
        }
    }
}

/// Puts named specimens and devices in the place of those found.
fn put_in(ctx: &mut AgentContext<'_>, named: &Named, decision: &mut Decision) {
    let args = &mut decision.args;
    let first = named.first.and_then(|place| ctx.view.specimens.get(place));
    match decision.kind {
        ActionKind::QueueRun => {
            if let Some(specimen) = first {
                (args.work, args.priority) = (Some(specimen.id), Some(specimen.priority));
                // The device that was found is for the specimen that was found.
                args.device = named.device.or_else(|| least_loaded(ctx, specimen));
            }
        }
        ActionKind::CentrifugeStart | ActionKind::CentrifugeEnd => {
            if !named.specimens.is_empty() {
                args.specimens.clone_from(&named.specimens);
            } else if let Some(device) = named.device {
                args.specimens = in_batch(ctx, decision.kind, device);
            }
        }
        ActionKind::AliquotCreate => {
            if let Some(specimen) = first {
                args.specimen = Some(specimen.id);
                let name = format!("{}_A1", ctx.symbols.text(specimen.id));
                args.aliquot = Some(ctx.symbols.intern(&name));
            }
        }
        ActionKind::HoldSpecimen | ActionKind::RejectSpecimen if first.is_some() => {
            args.specimen = first.map(|specimen| specimen.id);
            decision.reason_code = Some(ctx.symbols.intern(REASON));
        }
        ActionKind::CheckAcceptanceRules if first.is_some() => {
            args.specimen = first.map(|specimen| specimen.id);
            args.id_match = Some(true);
        }
        ActionKind::CreateAccession | ActionKind::AcceptSpecimen if first.is_some() => {
            args.specimen = first.map(|specimen| specimen.id);
        }
        _ => {}
    }
    let takes_device = matches!(
        decision.kind,
        ActionKind::QueueRun
            | ActionKind::StartRun
            | ActionKind::CentrifugeStart
            | ActionKind::CentrifugeEnd
            | ActionKind::AliquotCreate
            | ActionKind::QcEvent
    );
    if let Some(device) = named.device.filter(|_| takes_device) {
        decision.args.device = Some(device);
    }
}

/// The device in the agent's zone that can measure a specimen, passes its control and has least to do.
fn least_loaded(ctx: &AgentContext<'_>, specimen: &crate::lab::SpecimenView) -> Option<Symbol> {
    let here = ctx.view.agents[ctx.me].zone;
    let able = specimen.compatible.iter().filter_map(|&place| ctx.view.devices.get(usize::from(place)));
    able.filter(|d| d.qc_pass && Some(d.zone) == here).min_by_key(|d| d.queue_len).map(|d| d.id)
}

/// The specimens of a batch at a device that was named without any: what waits, as far as it goes in; or what is spun
/// in it.
fn in_batch(ctx: &AgentContext<'_>, kind: ActionKind, device: Symbol) -> crate::lab::Ids {
    let Some(place) = ctx.view.devices.iter().position(|d| d.id == device) else { return crate::lab::Ids::new() };
    if kind == ActionKind::CentrifugeStart {
        let capacity = ctx.view.devices[place].batch_capacity as usize;
        return ctx.view.at(crate::lab::Stage::Accepted).take(capacity).map(|s| s.id).collect();
    }
    ctx.view.at(crate::lab::Stage::Spun).filter(|s| s.device == Some(place)).map(|s| s.id).collect()
}

/// The first step of the way to a zone, straight there if it is one move away; `None` when the agent is there, or walks,
/// or there is no way.
fn step_to(ctx: &mut AgentContext<'_>, goal: Option<usize>) -> Option<Decision> {
    let here = ctx.view.agents[ctx.me].zone?;
    let goal = goal.filter(|&goal| goal < ctx.view.zones.len())?;
    let next = if ctx.view.plan.adjacent(here, goal) { goal } else { ctx.view.hop(here, goal)? };
    let args = Args {
        entity_type: Some(ctx.symbols.intern("Agent")),
        entity: Some(ctx.id()),
        from_zone: Some(ctx.view.zones.get(here)?.id),
        to_zone: Some(ctx.view.zones.get(next)?.id),
        ..Args::default()
    };
    Some(Decision::new(ActionKind::Move, args))
}

/// The result of a run that has ended.
fn filed(ctx: &mut AgentContext<'_>, run: Option<usize>) -> Option<Decision> {
    let run = ctx.view.runs.get(run?)?;
    let earlier = ctx.view.results.iter().any(|result| result.specimen == Some(run.specimen));
    let specimen = ctx.symbols.text(run.specimen);
    // A result of a rerun is named after its run: no run has two results of one specimen.
    let name = if earlier { format!("R_{specimen}_{}", ctx.symbols.text(run.id)) } else { format!("R_{specimen}") };
    let result = ctx.symbols.intern(&name);
    let args = Args { specimen: Some(run.specimen), run: Some(run.id), result: Some(result), ..Args::default() };
    Some(Decision::new(ActionKind::GenerateResult, args))
}

/// An action on a result.
fn on_result(ctx: &mut AgentContext<'_>, kind: ActionKind, place: Option<usize>) -> Option<Decision> {
    let result: &ResultView = ctx.view.results.get(place?)?;
    let mut decision = Decision::new(kind, Args { result: Some(result.id), ..Args::default() });
    let attempt = result.attempt;
    match kind {
        ActionKind::HoldResult => decision.reason_code = Some(ctx.symbols.intern(REASON)),
        ActionKind::RerunRequest => decision.args.specimen = result.specimen,
        ActionKind::NotifyCriticalResult | ActionKind::AckCriticalResult => {
            let (channel, receiver) = (ctx.symbols.intern("phone"), ctx.symbols.intern(LADDER[0]));
            let rare = decision.args.rare_mut();
            (rare.channel, rare.receiver_role) = (Some(channel), Some(receiver));
            if kind == ActionKind::AckCriticalResult {
                rare.attempt_id = attempt;
                rare.receiver_name_or_id = Some(ctx.symbols.intern("ward_clinician"));
                rare.receiver_location_or_org = Some(ctx.symbols.intern("ward"));
                rare.read_back_confirmed = Some(true);
                rare.outcome = Some(ctx.symbols.intern("reached"));
            }
        }
        ActionKind::EscalateCriticalResult => {
            // Attempts are numbered from 0, and each goes one tier higher.
            let number = attempt.and_then(|id| ctx.symbols.text(id).rsplit('_').next()?.parse::<usize>().ok());
            let tier = number.unwrap_or(0).saturating_add(1).min(LADDER.len() - 1);
            decision.args.rare_mut().next_role = Some(ctx.symbols.intern(LADDER[tier]));
        }
        _ => {}
    }
    Some(decision)
}
