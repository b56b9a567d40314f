//! The first arguments that fit.
//!
//! Lists of the view are in a fixed order, the most urgent first, so the first that fits is the same in every run. What
//! an agent can only do at a place is offered only at that place; the way there is offered as MOVE.

use crate::lab::{
    ActionKind, AgentContext, Args, Decision, DeviceStatus, DeviceView, ResultView, SpecimenView, Stage, Symbol,
    WorldView,
};

const RECEPTION: &[&str] = &["Z_SRA_RECEPTION", "Z_ACCESSIONING"];
const AIRLOCK: &str = "D_RESTRICTED_AIRLOCK";
const CENTRIFUGE: &str = "CENTRIFUGE_BANK";
const ALIQUOTER: &str = "ALIQUOTER";
/// Roles of the published ladder, lowest first.
const LADDER: [&str; 4] = ["primary_contact", "secondary", "consultant_registrar", "duty_manager"];
/// What is stated where an action needs a reason and the agent gives none.
const REASON: &str = "MANUAL_REVIEW_REQUIRED";

pub(super) fn first_fit(ctx: &mut AgentContext<'_>, kind: ActionKind) -> Option<Decision> {
    let view = ctx.view;
    let here = view.agents[ctx.me].zone;
    let decision = |args| Some(Decision::new(kind, args));
    let specimen = |specimen: &SpecimenView| Args { specimen: Some(specimen.id), ..Args::default() };
    let result = |result: &ResultView| Args { result: Some(result.id), ..Args::default() };
    let consignment = |id| Args { consignment: Some(id), ..Args::default() };
    match kind {
        ActionKind::Noop => decision(Args::default()),
        ActionKind::Tick => view.doors.iter().any(|door| door.open_since_s.is_some()).then(|| plain(kind)),
        ActionKind::Move => step_towards_work(ctx),
        ActionKind::OpenDoor => {
            let door = ctx.symbols.get(AIRLOCK)?;
            let closed = view.doors.iter().any(|d| d.id == door && d.open_since_s.is_none());
            closed.then(|| Decision::new(kind, Args { door: Some(door), ..Args::default() }))
        }
        ActionKind::CreateAccession => decision(specimen(at_reception(ctx, Stage::Arrived)?)),
        ActionKind::CheckAcceptanceRules => {
            decision(Args { id_match: Some(true), ..specimen(at_reception(ctx, Stage::Accessioned)?) })
        }
        ActionKind::AcceptSpecimen => decision(specimen(at_reception(ctx, Stage::Checked)?)),
        ActionKind::HoldSpecimen | ActionKind::RejectSpecimen => {
            let args = specimen(at_reception(ctx, Stage::Checked).or_else(|| at_reception(ctx, Stage::Accessioned))?);
            Some(Decision::new(kind, args).because(ctx.symbols.intern(REASON)))
        }
        ActionKind::CentrifugeStart => {
            let bank = of_type(ctx, CENTRIFUGE).find(|d| Some(d.zone) == here && is_free(d))?;
            let waiting = view.at(Stage::Accepted).take(bank.batch_capacity as usize).map(|s| s.id).collect();
            let args = Args { device: Some(bank.id), specimens: waiting, ..Args::default() };
            if args.specimens.is_empty() { None } else { decision(args) }
        }
        ActionKind::CentrifugeEnd => {
            let bank = of_type(ctx, CENTRIFUGE).find(|d| Some(d.zone) == here)?;
            let spun = view.at(Stage::Spun).map(|s| s.id).collect();
            let args = Args { device: Some(bank.id), specimens: spun, ..Args::default() };
            if args.specimens.is_empty() { None } else { decision(args) }
        }
        ActionKind::AliquotCreate => {
            let station = of_type(ctx, ALIQUOTER).find(|d| Some(d.zone) == here && is_free(d))?.id;
            let args = specimen(view.at(Stage::Separated).next()?);
            let name = format!("{}_A1", ctx.symbols.text(args.specimen?));
            decision(Args { aliquot: Some(ctx.symbols.intern(&name)), device: Some(station), ..args })
        }
        ActionKind::QueueRun => {
            let (work, device) = view.at(Stage::Ready).find_map(|s| Some((s, least_loaded(view, s, here)?)))?;
            decision(Args {
                work: Some(work.id),
                device: Some(device.id),
                priority: Some(work.priority),
                ..Args::default()
            })
        }
        ActionKind::StartRun => {
            let fits = |d: &&DeviceView| Some(d.zone) == here && is_free(d) && d.qc_pass && d.queue_head.is_some();
            let device = view.devices.iter().find(fits)?;
            decision(Args { device: Some(device.id), ..Args::default() })
        }
        ActionKind::GenerateResult => {
            let run = view.runs.iter().find(|run| view.devices.get(run.device).map(|d| Some(d.zone)) == Some(here))?;
            let earlier = view.results.iter().filter(|r| r.specimen == Some(run.specimen)).count();
            let text = ctx.symbols.text(run.specimen);
            // A result of a rerun is named after its run: no run has two results of one specimen.
            let name =
                if earlier == 0 { format!("R_{text}") } else { format!("R_{text}_{}", ctx.symbols.text(run.id)) };
            let id = ctx.symbols.intern(&name);
            decision(Args { specimen: Some(run.specimen), run: Some(run.id), result: Some(id), ..Args::default() })
        }
        ActionKind::HoldResult => {
            let args = result(view.results.iter().find(|r| !r.held)?);
            Some(Decision::new(kind, args).because(ctx.symbols.intern(REASON)))
        }
        ActionKind::ReleaseResult => decision(result(view.results.iter().find(|r| r.releasable && !r.held)?)),
        ActionKind::QcEvent => {
            let mine = || view.devices.iter().filter(|d| Some(d.zone) == here);
            let device = mine().find(|d| !d.qc_pass).or_else(|| mine().next())?.id;
            // What the control gave is the device's to say.
            decision(Args { device: Some(device), ..Args::default() })
        }
        ActionKind::RerunRequest => {
            let resulted = |id| view.at(Stage::Resulted).any(|s| Some(s.id) == id);
            let held = view.results.iter().find(|r| r.held && resulted(r.specimen))?;
            decision(Args { specimen: held.specimen, ..result(held) })
        }
        ActionKind::NotifyCriticalResult => {
            let untold = view.results.iter().find(|r| r.critical && r.attempt.is_none() && !r.releasable)?;
            decision(told(ctx, result(untold), LADDER[0]))
        }
        ActionKind::AckCriticalResult => {
            let called = view.results.iter().find(|r| r.critical && r.attempt.is_some())?;
            let mut args = told(ctx, result(called), LADDER[0]);
            let rare = args.rare_mut();
            rare.attempt_id = called.attempt;
            rare.receiver_name_or_id = Some(ctx.symbols.intern("ward_clinician"));
            rare.receiver_location_or_org = Some(ctx.symbols.intern("ward"));
            rare.read_back_confirmed = Some(true);
            rare.outcome = Some(ctx.symbols.intern("reached"));
            decision(args)
        }
        ActionKind::EscalateCriticalResult => {
            let called = view.results.iter().find(|r| r.critical && r.attempt.is_some())?;
            // Attempts are numbered from 0, and each goes one tier higher.
            let attempt = ctx.symbols.text(called.attempt?);
            let tier = attempt.rsplit('_').next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) + 1;
            let next = ctx.symbols.intern(LADDER.get(tier)?);
            let mut args = result(called);
            args.rare_mut().next_role = Some(next);
            decision(args)
        }
        ActionKind::DispatchTransport => {
            let waits = |id: &Symbol| view.at(Stage::InTransit).any(|s| s.id == *id);
            let asked = view.transport_required.iter().skip(view.consignments.len());
            let (ids, from, to) = asked.into_iter().find(|(ids, ..)| ids.first().is_some_and(waits))?;
            let mut args = Args { specimens: ids.clone(), ..Args::default() };
            (args.rare_mut().origin_site, args.rare_mut().dest_site) = (Some(*from), Some(*to));
            decision(args)
        }
        ActionKind::TransportTick => decision(consignment(view.consignments.iter().find(|c| !c.received)?.id)),
        ActionKind::ChainOfCustodySign => {
            decision(consignment(view.consignments.iter().find(|c| !c.received && !c.signed)?.id))
        }
        ActionKind::ReceiveTransport => {
            let due = view
                .consignments
                .iter()
                .find(|c| !c.received && c.signed && (!view.simulated || c.expected_arrival_s <= view.now_s))?;
            decision(consignment(due.id))
        }
        ActionKind::MintToken => mint(ctx),
        ActionKind::StartRunOverride => {
            let (token, device, work) = view.tokens.iter().find_map(|token| {
                let heads = view.devices.iter().filter(|d| Some(d.zone) == here && is_free(d));
                let device = heads.into_iter().find(|d| d.queue_head == Some(token.subject))?;
                Some((token, device.id, token.subject))
            })?;
            let args = Args { device: Some(device), work: Some(work), ..Args::default() };
            Some(with_token(Decision::new(kind, args), token.id, token.reason))
        }
        ActionKind::ReleaseResultOverride => {
            let (token, result_id) = view.tokens.iter().find_map(|token| {
                let held = view.results.iter().find(|r| !r.releasable && r.id == token.subject)?;
                Some((token, held.id))
            })?;
            let args = Args { result: Some(result_id), ..Args::default() };
            Some(with_token(Decision::new(kind, args), token.id, token.reason))
        }
        _ => None,
    }
}

fn plain(kind: ActionKind) -> Decision {
    Decision::new(kind, Args::default())
}

fn with_token(mut decision: Decision, token: Symbol, reason: Option<Symbol>) -> Decision {
    decision.token_refs.push(token);
    decision.reason_code = reason;
    decision.rationale = Some("a token was issued for it".into());
    decision
}

fn is_free(device: &DeviceView) -> bool {
    device.free_units > 0 && device.status == DeviceStatus::Idle
}

/// The first specimen at a stage of reception, for an agent that stands there.
fn at_reception<'a>(ctx: &AgentContext<'a>, stage: Stage) -> Option<&'a SpecimenView> {
    let here = ctx.view.zones.get(ctx.view.agents[ctx.me].zone?)?.id;
    let there = RECEPTION.iter().any(|name| ctx.symbols.get(name) == Some(here));
    ctx.view.at(stage).next().filter(|_| there)
}

fn of_type<'a>(ctx: &AgentContext<'a>, name: &str) -> impl Iterator<Item = &'a DeviceView> + use<'a> {
    let device_type = ctx.symbols.get(name);
    ctx.view.devices.iter().filter(move |device| Some(device.device_type) == device_type)
}

/// The working device of a zone that can measure a specimen and has least to do.
fn least_loaded<'a>(view: &'a WorldView, specimen: &SpecimenView, zone: Option<usize>) -> Option<&'a DeviceView> {
    let able = specimen.compatible.iter().filter_map(|&place| view.devices.get(usize::from(place)));
    let works = |d: &&DeviceView| d.qc_pass && matches!(d.status, DeviceStatus::Idle | DeviceStatus::Running);
    able.filter(works).filter(|d| Some(d.zone) == zone).min_by_key(|d| d.queue_len)
}

fn told(ctx: &mut AgentContext<'_>, mut args: Args, role: &str) -> Args {
    let rare = args.rare_mut();
    rare.channel = Some(ctx.symbols.intern("phone"));
    rare.receiver_role = Some(ctx.symbols.intern(role));
    args
}

/// Leave to enter the restricted zone, for the agent itself, approved by it and by the first colleague who may.
fn mint(ctx: &mut AgentContext<'_>) -> Option<Decision> {
    let me = ctx.id();
    let may = |kind: ActionKind| move |agent: &&crate::lab::AgentView| agent.may.contains(kind.id());
    let other = ctx.view.agents.iter().filter(may(ActionKind::MintToken)).find(|agent| agent.id != me)?.id;
    let mut args = Args::default();
    let rare = args.rare_mut();
    rare.token_type = Some(ctx.symbols.intern("TOKEN_RESTRICTED_ENTRY"));
    rare.subject_type = Some(ctx.symbols.intern("agent"));
    rare.subject_id = Some(me);
    let approval = |agent| crate::lab::Approval { agent: Some(agent), key: None, signature: None };
    rare.approvals = Some(vec![approval(me), approval(other)]);
    Some(Decision::new(ActionKind::MintToken, args))
}

/// One step to the nearest place in the order of the lane where the agent's role has something to do and it is not.
fn step_towards_work(ctx: &mut AgentContext<'_>) -> Option<Decision> {
    let view = ctx.view;
    let here = view.agents[ctx.me].zone?;
    let goal = places_of_work(ctx).into_iter().find(|&goal| goal != here)?;
    let next = view.hop(here, goal)?;
    let args = Args {
        entity_type: Some(ctx.symbols.intern("Agent")),
        entity: Some(ctx.id()),
        from_zone: Some(view.zones.get(here)?.id),
        to_zone: Some(view.zones.get(next)?.id),
        ..Args::default()
    };
    Some(Decision::new(ActionKind::Move, args))
}

/// Zones where there is work for the agent's role, in the order of the lane, what is further on first.
fn places_of_work(ctx: &AgentContext<'_>) -> smallvec::SmallVec<[usize; 8]> {
    let view = ctx.view;
    let may = |kind: ActionKind| view.agents[ctx.me].may.contains(kind.id());
    let has = |stage| view.at(stage).next().is_some();
    let mut places = smallvec::SmallVec::new();
    if may(ActionKind::QcEvent) {
        places.extend(view.devices.iter().filter(|d| !d.qc_pass).map(|d| d.zone));
    }
    if may(ActionKind::GenerateResult) {
        places.extend(view.runs.iter().filter_map(|run| view.devices.get(run.device)).map(|d| d.zone));
    }
    if may(ActionKind::StartRun) {
        places.extend(view.devices.iter().filter(|d| is_free(d) && d.queue_head.is_some()).map(|d| d.zone));
    }
    if may(ActionKind::QueueRun) {
        let zones =
            view.at(Stage::Ready).flat_map(|s| s.compatible.iter()).filter_map(|&p| view.devices.get(usize::from(p)));
        places.extend(zones.filter(|d| d.qc_pass).map(|d| d.zone));
    }
    if may(ActionKind::AliquotCreate) && has(Stage::Separated) {
        places.extend(of_type(ctx, ALIQUOTER).map(|d| d.zone));
    }
    if may(ActionKind::CentrifugeEnd) && has(Stage::Spun) || may(ActionKind::CentrifugeStart) && has(Stage::Accepted) {
        places.extend(of_type(ctx, CENTRIFUGE).map(|d| d.zone));
    }
    let reception = [Stage::Arrived, Stage::Accessioned, Stage::Checked];
    if may(ActionKind::AcceptSpecimen) && reception.into_iter().any(has) {
        let zone = RECEPTION.iter().find_map(|name| ctx.symbols.get(name));
        places.extend(view.zones.iter().position(|z| Some(z.id) == zone));
    }
    places
}
