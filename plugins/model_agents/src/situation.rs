//! What a model is shown of the laboratory, and what it is offered.
//!
//! **Offered** is what the role may do at all, as far as there is something in the view to do it with, wherever work of
//! that kind stands at the moment; work at devices only where the agent stands beside one; and MOVE wherever a way leads
//! on. That is wider than what the agent's method wants now, on purpose: an agent that is offered one action could not be
//! misled, and could not be trusted with anything either. What is intended is always offered.
//!
//! **Subjects** are the things that the offered actions are about: specimens at the stages that concern the role, results
//! that are open, devices of the zone, doors, consignments. Other specimens, results and colleagues stand in the records
//! ([`OTHERS`] of each at most), so that their ids are known and nobody's to act on.

use crate::work::Task;
use labtrust_controls::pi_defense::Sample;
use labtrust_controls::shielded::{Situation, State};
use labtrust_plugin::lab::{ActionKind, AgentContext, DeviceStatus, Stage, Symbol, WorldView};
use labtrust_trust::action::ActionSet;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Most things of one kind that stand in the records beside an agent's own work [count].
pub const OTHERS: usize = 24;

/// What an agent is offered in a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The actions, in the order of the vocabulary; NOOP is the first.
    pub actions: Vec<ActionKind>,
    /// What they are about.
    pub subjects: BTreeSet<Symbol>,
}

impl Offer {
    /// What the agent of this context is offered, beside what is intended.
    #[must_use]
    pub fn of(ctx: &AgentContext<'_>) -> Self {
        let mut offer = Self { actions: vec![ActionKind::Noop], subjects: BTreeSet::new() };
        let Some(me) = ctx.view.agents.get(ctx.me) else { return offer };
        offer.subjects.insert(me.id);
        for kind in may(me.may) {
            if let Some(subjects) = subjects_of(kind, ctx.view, me.zone) {
                offer.actions.push(kind);
                offer.subjects.extend(subjects);
            }
        }
        offer
    }
}

/// What a role may do by itself, in the order of the vocabulary.
fn may(set: ActionSet) -> impl Iterator<Item = ActionKind> {
    let all = ActionKind::ALL.iter().copied();
    all.filter(move |kind| *kind != ActionKind::Noop && !kind.is_runtime_control() && set.contains(kind.id()))
}

/// What an action could be about for somebody who stands `here`; `None` when there is nothing to do it with.
fn subjects_of(kind: ActionKind, view: &WorldView, here: Option<usize>) -> Option<Vec<Symbol>> {
    use ActionKind as K;
    let some = |ids: Vec<Symbol>| (!ids.is_empty()).then_some(ids);
    let at = |stages: &[Stage]| {
        view.specimens.iter().filter(|specimen| stages.contains(&specimen.stage)).map(|specimen| specimen.id).collect()
    };
    let devices = || view.devices.iter().enumerate().filter(|(_, device)| Some(device.zone) == here);
    let beside = |works: &dyn Fn(usize) -> bool| -> Vec<Symbol> {
        devices().filter(|(place, _)| works(*place)).map(|(_, device)| device.id).collect()
    };
    let with_devices = |tubes: Vec<Symbol>, devices: Vec<Symbol>| {
        (!tubes.is_empty() && !devices.is_empty()).then(|| tubes.into_iter().chain(devices).collect())
    };
    let results = |wanted: &dyn Fn(&labtrust_plugin::lab::ResultView) -> bool| -> Vec<Symbol> {
        view.results.iter().filter(|result| wanted(result)).map(|result| result.id).collect()
    };
    let under_way = || view.consignments.iter().filter(|consignment| !consignment.received);
    match kind {
        K::Tick => Some(Vec::new()),
        K::Move => here.filter(|&here| neighbours(view, here).next().is_some()).map(|_| Vec::new()),
        K::OpenDoor => some(view.doors.iter().filter(|door| door.open_since_s.is_none()).map(|door| door.id).collect()),
        K::CloseDoor => {
            some(view.doors.iter().filter(|door| door.open_since_s.is_some()).map(|door| door.id).collect())
        }
        K::CreateAccession => some(at(&[Stage::Arrived])),
        K::CheckAcceptanceRules => some(at(&[Stage::Accessioned])),
        K::AcceptSpecimen => some(at(&[Stage::Checked])),
        K::HoldSpecimen | K::RejectSpecimen => some(at(&[Stage::Arrived, Stage::Accessioned, Stage::Checked])),
        K::CentrifugeStart => {
            with_devices(at(&[Stage::Accepted]), beside(&|place| view.devices[place].batch_capacity > 1))
        }
        K::CentrifugeEnd => with_devices(at(&[Stage::Spun]), beside(&|place| view.devices[place].batch_capacity > 1)),
        K::AliquotCreate => with_devices(at(&[Stage::Separated]), beside(&|_| true)),
        K::QueueRun => {
            let able = |place: usize| {
                let fits = |able: &u16| usize::from(*able) == place;
                view.at(Stage::Ready).any(|specimen| specimen.compatible.iter().any(fits))
            };
            with_devices(at(&[Stage::Ready]), beside(&able))
        }
        K::StartRun | K::StartRunOverride => some(beside(&|place| {
            let device = &view.devices[place];
            device.queue_head.is_some() && device.status == DeviceStatus::Idle
        })),
        K::EndRun => some(beside(&|place| view.devices[place].status == DeviceStatus::Running)),
        K::QcEvent => some(beside(&|_| true)),
        K::GenerateResult => some(view.runs.iter().flat_map(|run| [run.id, run.specimen]).collect()),
        K::HoldResult => some(results(&|result| result.releasable && !result.held)),
        K::RerunRequest => some(results(&|result| result.held)),
        K::ReleaseResult => some(results(&|result| result.releasable && !result.held)),
        K::ReleaseResultOverride => some(results(&|result| result.held)),
        K::NotifyCriticalResult | K::EscalateCriticalResult => some(results(&|result| result.critical)),
        K::AckCriticalResult => some(
            view.results
                .iter()
                .filter_map(|result| Some([result.id, result.attempt.filter(|_| result.critical)?]))
                .flatten()
                .collect(),
        ),
        K::DispatchTransport => {
            some(view.transport_required.iter().flat_map(|(specimens, ..)| specimens.iter().copied()).collect())
        }
        K::TransportTick | K::ReceiveTransport => some(under_way().map(|consignment| consignment.id).collect()),
        K::ChainOfCustodySign => {
            some(under_way().filter(|consignment| !consignment.signed).map(|consignment| consignment.id).collect())
        }
        K::MintToken => {
            let late = |stage| matches!(stage, Stage::Ready | Stage::Queued);
            let late = view.specimens.iter().filter(|tube| late(tube.stage) && tube.deadline_s < view.now_s);
            some(late.map(|specimen| specimen.id).collect())
        }
        K::RevokeToken => some(view.tokens.iter().map(|token| token.id).collect()),
        _ => None,
    }
}

/// Zones one step from `here`, with whether a token is needed on the way.
pub(crate) fn neighbours(view: &WorldView, here: usize) -> impl Iterator<Item = (usize, bool)> {
    view.plan.ways.iter().filter_map(move |way| match way.zones {
        [a, b] if a == here => Some((b, way.guarded)),
        [a, b] if b == here => Some((a, way.guarded)),
        _ => None,
    })
}

/// The moment of an agent: its work list (`task`), what the view says, and texts of unknown origin. `facts` is what the
/// records say beside the view. Interns nothing.
#[must_use]
pub fn situation(
    ctx: &AgentContext<'_>,
    t_s: u64,
    task: Option<&Task>,
    texts: Vec<Sample>,
    facts: &Map<String, Value>,
) -> Situation {
    let offer = Offer::of(ctx);
    let text = |id: Symbol| ctx.symbols.text(id).to_owned();
    let view = ctx.view;
    let me = view.agents.get(ctx.me);
    let here = me.and_then(|me| me.zone).filter(|&here| here < view.zones.len());
    let mut state = State {
        zone: here.map(|here| text(view.zones[here].id)).unwrap_or_default(),
        subjects: offer.subjects.iter().map(|&id| text(id)).collect(),
        facts: records(ctx, &offer, facts),
        ..State::default()
    };
    if let Some(here) = here {
        let ways: Vec<(usize, bool)> = neighbours(view, here).filter(|(to, _)| *to < view.zones.len()).collect();
        let zone = |to: usize| text(view.zones[to].id);
        state.restricted_zones = ways.iter().filter(|(_, guarded)| *guarded).map(|(to, _)| zone(*to)).collect();
        state.ways.insert(state.zone.clone(), ways.iter().map(|(to, _)| zone(*to)).collect());
        let devices = view.devices.iter().filter(|device| device.zone == here);
        state.queue_heads = devices.map(|device| (text(device.id), device.queue_head.map(text))).collect();
    }
    let mut allowed: Vec<String> = offer.actions.iter().map(|kind| kind.name().to_owned()).collect();
    if let Some(task) = task {
        if !allowed.iter().any(|action| action == task.action_type) {
            allowed.push(task.action_type.to_owned());
        }
        intend(&mut state, task);
    }
    Situation { t_s, role: me.and_then(|me| me.role).map(text), state, allowed_actions: allowed, samples: texts }
}

/// Puts intended work among what an agent may act on: new ids (of a run, a result, an aliquot) are in no view yet.
pub(crate) fn intend(state: &mut State, task: &Task) {
    for (key, value) in &task.args {
        match value {
            Value::String(id) if key.ends_with("_id") => _ = state.subjects.insert(id.clone()),
            Value::Array(ids) if key.ends_with("_ids") => {
                state.subjects.extend(ids.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    let starts = [ActionKind::StartRun.name(), ActionKind::StartRunOverride.name()].contains(&task.action_type);
    if let Some(device) = task.args.get("device_id").and_then(Value::as_str).filter(|_| starts) {
        // Something stands first there, or nobody would want to start it; the laboratory knows what.
        state.queue_heads.entry(device.to_owned()).or_default().get_or_insert_with(|| device.to_owned());
    }
    let list = state.facts.entry("tasks").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(task.to_value());
    }
}

/// What the records say beside the work of the agent.
fn records(ctx: &AgentContext<'_>, offer: &Offer, facts: &Map<String, Value>) -> Map<String, Value> {
    let view = ctx.view;
    let list = |ids: &mut dyn Iterator<Item = Symbol>| -> Value {
        ids.filter(|id| !offer.subjects.contains(id)).take(OTHERS).map(|id| json!(ctx.symbols.text(id))).collect()
    };
    let mut records = facts.clone();
    records.insert("specimens_elsewhere".to_owned(), list(&mut view.specimens.iter().map(|specimen| specimen.id)));
    records.insert("results_elsewhere".to_owned(), list(&mut view.results.iter().map(|result| result.id)));
    records.insert("staff".to_owned(), list(&mut view.agents.iter().map(|agent| agent.id)));
    records.insert("zones".to_owned(), list(&mut view.zones.iter().map(|zone| zone.id)));
    records.insert("tasks".to_owned(), json!([]));
    records
}
