//! Random-legal agent: does anything that its role allows and that makes sense from what it sees, each with the same
//! chance. What a scripted crew is worth shows against this one.
//!
//! In every step it looks at the actions of its role that have an object right now (an arrived specimen to register, an
//! idle analyser of its room to start, a neighbouring room to walk to), adds doing nothing, draws one kind evenly and then
//! one object evenly. It holds, rejects and reruns without need, because it may. It opens no doors and presents no
//! tokens: it has none. Its numbers come from a stream of its own.

use labtrust_kernel::{Stream, Streams};
use labtrust_plugin::lab::{
    ActionKind, AgentContext, AgentPolicy, Args, Decision, DeviceStatus, DeviceView, Stage, WorldView,
};
use labtrust_plugin::{AgentSet, Vacancy};
use labtrust_trust::codes;

const CENTRIFUGE: &str = "CENTRIFUGE_BANK";
const ALIQUOTER: &str = "ALIQUOTER";

/// What it does, where its role allows it.
const KINDS: &[ActionKind] = &[
    ActionKind::Tick,
    ActionKind::Move,
    ActionKind::CreateAccession,
    ActionKind::CheckAcceptanceRules,
    ActionKind::AcceptSpecimen,
    ActionKind::HoldSpecimen,
    ActionKind::RejectSpecimen,
    ActionKind::CentrifugeStart,
    ActionKind::CentrifugeEnd,
    ActionKind::AliquotCreate,
    ActionKind::QueueRun,
    ActionKind::StartRun,
    ActionKind::GenerateResult,
    ActionKind::QcEvent,
    ActionKind::HoldResult,
    ActionKind::RerunRequest,
    ActionKind::ReleaseResult,
    ActionKind::NotifyCriticalResult,
    ActionKind::AckCriticalResult,
    ActionKind::DispatchTransport,
    ActionKind::ChainOfCustodySign,
    ActionKind::ReceiveTransport,
];

/// Random-legal agents in all seats.
struct RandomLegalSet;

labtrust_plugin::register_plugin!(AgentSet, RandomLegalSet);

impl AgentSet for RandomLegalSet {
    fn id(&self) -> &'static str {
        "random_legal"
    }

    fn baseline_id(&self) -> Option<&'static str> {
        Some("random_legal_v1")
    }

    fn policy(&self, vacancy: &Vacancy<'_>) -> Option<Box<dyn AgentPolicy>> {
        let stream = Streams::new(vacancy.seed).stream("agent.random_legal", vacancy.agent_id);
        Some(Box::new(RandomLegal::new(stream)))
    }
}

/// The random-legal agent.
#[derive(Debug)]
pub struct RandomLegal {
    stream: Stream,
    names: u32,
}

impl RandomLegal {
    /// An agent that draws from this stream.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self { stream, names: 0 }
    }

    fn one_of(&mut self, n: usize) -> usize {
        usize::try_from(self.stream.below(n as u64)).unwrap_or_default()
    }

    /// A number for an id that nobody had before.
    fn new_name(&mut self, ctx: &AgentContext<'_>) -> String {
        self.names += 1;
        format!("{}_{}", ctx.symbols.text(ctx.id()), self.names)
    }
}

impl AgentPolicy for RandomLegal {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let me = ctx.view.agents.get(ctx.me)?;
        let here = me.zone.filter(|_| me.walking_to.is_none() && !ctx.view.log_frozen)?;
        let allowed = KINDS.iter().filter(|kind| me.may.contains(kind.id()));
        let mut options: Vec<Vec<Decision>> =
            allowed.map(|&kind| options(ctx, kind, here)).filter(|some| !some.is_empty()).collect();
        // The last number is to do nothing.
        let kind = self.one_of(options.len() + 1);
        if kind == options.len() {
            return None;
        }
        let of_kind = options.swap_remove(kind);
        let number = self.one_of(of_kind.len());
        let mut decision = of_kind.into_iter().nth(number)?;
        self.finish(ctx, &mut decision);
        Some(decision)
    }
}

impl RandomLegal {
    /// Adds what does not depend on the choice: new names, reasons, how a call is made.
    fn finish(&mut self, ctx: &mut AgentContext<'_>, decision: &mut Decision) {
        let reason = match decision.kind {
            ActionKind::HoldSpecimen | ActionKind::RejectSpecimen => Some(codes::ID_MISMATCH),
            ActionKind::HoldResult => Some(codes::QC_FAIL_ACTIVE),
            _ => None,
        };
        decision.reason_code = reason.map(|reason| ctx.symbols.intern(reason));
        let args = &mut decision.args;
        match decision.kind {
            ActionKind::CheckAcceptanceRules => args.id_match = Some(true),
            ActionKind::AliquotCreate => args.aliquot = Some(ctx.symbols.intern(&format!("A_{}", self.new_name(ctx)))),
            ActionKind::StartRun => args.run = Some(ctx.symbols.intern(&format!("RUN_{}", self.new_name(ctx)))),
            ActionKind::GenerateResult => args.result = Some(ctx.symbols.intern(&format!("R_{}", self.new_name(ctx)))),
            ActionKind::Move => {
                args.entity_type = Some(ctx.symbols.intern("Agent"));
                args.entity = Some(ctx.id());
            }
            ActionKind::NotifyCriticalResult | ActionKind::AckCriticalResult => {
                let rare = args.rare_mut();
                rare.channel = Some(ctx.symbols.intern("phone"));
                rare.receiver_role = Some(ctx.symbols.intern("primary_contact"));
                rare.receiver_name_or_id = Some(ctx.symbols.intern("ward_clinician"));
                rare.receiver_location_or_org = Some(ctx.symbols.intern("ward"));
                rare.read_back_confirmed = Some(true);
                rare.outcome = Some(ctx.symbols.intern("reached"));
            }
            _ => {}
        }
    }
}

/// What somebody who stands `here` could do of this kind.
fn options(ctx: &AgentContext<'_>, kind: ActionKind, here: usize) -> Vec<Decision> {
    use ActionKind as K;
    let view = ctx.view;
    let on = |args: Args| Decision::new(kind, args);
    let at = |stages: &'static [Stage]| {
        let specimens = view.specimens.iter().filter(|specimen| stages.contains(&specimen.stage));
        specimens.map(|specimen| on(Args { specimen: Some(specimen.id), ..Args::default() })).collect()
    };
    let at_reception = || ["Z_SRA_RECEPTION", "Z_ACCESSIONING"].iter().any(|zone| is_called(ctx, here, zone));
    let devices = || view.devices.iter().enumerate().filter(move |(_, device)| device.zone == here);
    let works = |device: &DeviceView| device.free_units > 0 && device.status == DeviceStatus::Idle;
    match kind {
        K::Tick => vec![on(Args::default())],
        K::Move => neighbours(view, here)
            .map(|to| {
                let (from_zone, to_zone) = (Some(view.zones[here].id), Some(view.zones[to].id));
                on(Args { from_zone, to_zone, ..Args::default() })
            })
            .collect(),
        K::CreateAccession if at_reception() => at(&[Stage::Arrived]),
        K::CheckAcceptanceRules if at_reception() => at(&[Stage::Accessioned]),
        K::AcceptSpecimen if at_reception() => at(&[Stage::Checked]),
        K::HoldSpecimen | K::RejectSpecimen => at(&[Stage::Arrived, Stage::Accessioned, Stage::Checked]),
        K::CentrifugeStart => devices()
            .filter(|(_, bank)| is_type(ctx, bank, CENTRIFUGE) && works(bank))
            .map(|(_, bank)| {
                let waiting = view.at(Stage::Accepted).take(bank.batch_capacity as usize).map(|tube| tube.id).collect();
                on(Args { device: Some(bank.id), specimens: waiting, ..Args::default() })
            })
            .filter(|decision| !decision.args.specimens.is_empty())
            .collect(),
        K::CentrifugeEnd => devices()
            .map(|(place, bank)| {
                let spun = view.at(Stage::Spun).filter(|tube| tube.device == Some(place)).map(|tube| tube.id).collect();
                on(Args { device: Some(bank.id), specimens: spun, ..Args::default() })
            })
            .filter(|decision| !decision.args.specimens.is_empty())
            .collect(),
        K::AliquotCreate => {
            let station = devices().find(|(_, device)| is_type(ctx, device, ALIQUOTER) && works(device));
            let Some((_, station)) = station else { return Vec::new() };
            let tubes = view.at(Stage::Separated);
            let args = |id| Args { specimen: Some(id), device: Some(station.id), ..Args::default() };
            tubes.map(|tube| on(args(tube.id))).collect()
        }
        K::QueueRun => devices()
            .filter(|(_, device)| device.qc_pass)
            .flat_map(|(place, device)| {
                let able = move |able: &[u16]| able.iter().any(|&able| usize::from(able) == place);
                view.at(Stage::Ready).filter(move |specimen| able(&specimen.compatible)).map(move |specimen| Args {
                    device: Some(device.id),
                    work: Some(specimen.id),
                    ..Args::default()
                })
            })
            .map(on)
            .collect(),
        K::StartRun => devices()
            .filter(|(_, device)| works(device) && device.qc_pass && device.queue_head.is_some())
            .map(|(_, device)| on(Args { device: Some(device.id), ..Args::default() }))
            .collect(),
        K::GenerateResult => view
            .runs
            .iter()
            .map(|run| on(Args { run: Some(run.id), specimen: Some(run.specimen), ..Args::default() }))
            .collect(),
        K::QcEvent => devices().map(|(_, device)| on(Args { device: Some(device.id), ..Args::default() })).collect(),
        _ => on_results(view, kind),
    }
}

/// What could be done about results and consignments.
fn on_results(view: &WorldView, kind: ActionKind) -> Vec<Decision> {
    use ActionKind as K;
    let under_way = || view.consignments.iter().filter(|consignment| !consignment.received);
    let consignment = |id| Decision::new(kind, Args { consignment: Some(id), ..Args::default() });
    match kind {
        K::DispatchTransport => {
            let waits = |id| view.at(Stage::InTransit).any(|specimen| specimen.id == id);
            // Whoever is on the way already is not sent again.
            let asked = view
                .transport_required
                .iter()
                .filter(|(ids, ..)| view.consignments.is_empty() && ids.first().is_some_and(|&id| waits(id)));
            asked
                .map(|(ids, from, to)| {
                    let mut args = Args { specimens: ids.clone(), ..Args::default() };
                    (args.rare_mut().origin_site, args.rare_mut().dest_site) = (Some(*from), Some(*to));
                    Decision::new(kind, args)
                })
                .collect()
        }
        K::ChainOfCustodySign => under_way().filter(|c| !c.signed).map(|c| consignment(c.id)).collect(),
        K::ReceiveTransport => {
            under_way().filter(|c| c.signed && c.expected_arrival_s <= view.now_s).map(|c| consignment(c.id)).collect()
        }
        _ => {
            let told = view.results.iter().filter(|result| match kind {
                K::HoldResult => !result.held,
                K::RerunRequest => {
                    let resulted = || view.at(Stage::Resulted).any(|specimen| Some(specimen.id) == result.specimen);
                    result.held && resulted()
                }
                K::ReleaseResult => result.releasable && !result.held,
                K::NotifyCriticalResult => result.critical && result.attempt.is_none() && !result.releasable,
                K::AckCriticalResult => result.critical && result.attempt.is_some(),
                _ => false,
            });
            told.map(|result| {
                let mut args = Args { result: Some(result.id), ..Args::default() };
                match kind {
                    K::RerunRequest => args.specimen = result.specimen,
                    K::AckCriticalResult => args.rare_mut().attempt_id = result.attempt,
                    _ => {}
                }
                Decision::new(kind, args)
            })
            .collect()
        }
    }
}

/// Rooms next door that one can walk into.
fn neighbours(view: &WorldView, here: usize) -> impl Iterator<Item = usize> + '_ {
    (0..view.zones.len()).filter(move |&zone| view.hop(here, zone) == Some(zone) && !view.zones[zone].frozen)
}

fn is_called(ctx: &AgentContext<'_>, zone: usize, name: &str) -> bool {
    ctx.symbols.get(name).is_some_and(|id| ctx.view.zones.get(zone).is_some_and(|zone| zone.id == id))
}

fn is_type(ctx: &AgentContext<'_>, device: &DeviceView, name: &str) -> bool {
    ctx.symbols.get(name) == Some(device.device_type)
}

#[cfg(test)]
mod tests {
    use super::super::test_view::Lab;
    use super::*;
    use labtrust_trust::action::ActionSet;
    use std::collections::BTreeMap;

    fn lab() -> Lab {
        let mut lab = Lab::new(&["Z_SRA_RECEPTION", "Z_ACCESSIONING"]);
        lab.agent("A_1", "Z_SRA_RECEPTION");
        lab.specimen("S1", Stage::Arrived, 0, &[]);
        lab.specimen("S2", Stage::Arrived, 0, &[]);
        lab.specimen("S3", Stage::Checked, 0, &[]);
        let mut may = ActionSet::EMPTY;
        for kind in [ActionKind::Move, ActionKind::CreateAccession, ActionKind::AcceptSpecimen, ActionKind::QueueRun] {
            may.insert(kind.id());
        }
        lab.view.agents[0].may = may;
        lab
    }

    fn agent(seed: u64) -> RandomLegal {
        RandomLegal::new(Streams::new(seed).stream("agent.random_legal", "A_1"))
    }

    #[test]
    fn kinds_with_an_object_come_equally_often_and_so_do_their_objects() {
        let (mut lab, mut agent) = (lab(), agent(1));
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..4000 {
            *counts.entry(lab.said(&mut agent, 0)).or_default() += 1;
        }
        let near = |name: &str, share: f64| (f64::from(counts[name]) / 4000.0 - share).abs() < 0.03;
        assert!(near("nothing", 0.25) && near("MOVE Z_ACCESSIONING", 0.25) && near("ACCEPT_SPECIMEN S3", 0.25));
        assert!(near("CREATE_ACCESSION S1", 0.125) && near("CREATE_ACCESSION S2", 0.125), "{counts:?}");
        assert_eq!(counts.len(), 5, "nothing else: {counts:?}");
    }

    #[test]
    fn one_stream_gives_one_sequence_and_another_stream_another() {
        let said = |seed| {
            let (mut lab, mut agent) = (lab(), agent(seed));
            (0..40).map(|_| lab.said(&mut agent, 0)).collect::<Vec<_>>()
        };
        assert_eq!(said(3), said(3));
        assert_ne!(said(3), said(4));
    }
}
