//! Hand-made views for the tests of the rules.

use labtrust_plugin::lab::{
    AgentContext, AgentPolicy, AgentView, ConsignmentView, Decision, DeviceStatus, DeviceView, Priority, ResultView,
    RunView, SpecimenView, Stage, Symbol, Symbols, TokenView, WorldView, ZoneView,
};

/// A view with its interner.
pub(super) struct Lab {
    pub(super) view: WorldView,
    pub(super) symbols: Symbols,
}

impl Lab {
    /// A laboratory whose zones lie in a row; each is adjacent to the next.
    pub(super) fn new(zones: &[&str]) -> Self {
        let mut symbols = Symbols::default();
        let n = zones.len();
        let hop = |from: usize, to: usize| match from.cmp(&to) {
            std::cmp::Ordering::Less => from + 1,
            std::cmp::Ordering::Equal => from,
            std::cmp::Ordering::Greater => from - 1,
        };
        let view = WorldView {
            simulated: true,
            zones: zones.iter().map(|id| ZoneView { id: symbols.intern(id), frozen: false }).collect(),
            next_hop: (0..n * n).map(|i| hop(i / n, i % n) as u16).collect(),
            ..WorldView::default()
        };
        Self { view, symbols }
    }

    pub(super) fn id(&mut self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }

    fn zone(&mut self, name: &str) -> usize {
        let id = self.symbols.intern(name);
        self.view.zones.iter().position(|zone| zone.id == id).unwrap()
    }

    pub(super) fn agent(&mut self, id: &str, zone: &str) {
        let (id, zone) = (self.symbols.intern(id), self.zone(zone));
        self.view.agents.push(AgentView {
            id,
            zone: Some(zone),
            walking_to: None,
            arrives_s: None,
            role: None,
            may: labtrust_trust::action::ActionSet::ALL,
        });
    }

    pub(super) fn device(&mut self, id: &str, device_type: &str, zone: &str) -> &mut DeviceView {
        let (id, zone) = (self.symbols.intern(id), self.zone(zone));
        self.view.devices.push(DeviceView {
            id,
            device_type: self.symbols.intern(device_type),
            zone,
            status: DeviceStatus::Idle,
            free_units: 1,
            batch_capacity: 1,
            batch_wait_s: 0,
            queue_len: 0,
            queue_head: None,
            qc_pass: true,
            control_due: false,
            last_control_s: None,
            busy_until_s: None,
        });
        self.view.devices.last_mut().unwrap()
    }

    /// A routine specimen at `stage` since `since_s` that the devices `compatible` can measure.
    pub(super) fn specimen(&mut self, id: &str, stage: Stage, since_s: i64, compatible: &[u16]) -> &mut SpecimenView {
        let id = self.symbols.intern(id);
        self.view.specimens.push(SpecimenView {
            id,
            stage,
            panel: None,
            priority: Priority::Routine,
            arrival_s: since_s,
            since_s,
            deadline_s: 7200,
            site: None,
            device: None,
            aliquot: None,
            compatible: compatible.iter().copied().collect(),
        });
        self.view.specimens.last_mut().unwrap()
    }

    pub(super) fn run(&mut self, id: &str, device: usize, specimen: &str) {
        let (id, specimen) = (self.symbols.intern(id), self.symbols.intern(specimen));
        self.view.runs.push(RunView { id, device, specimen, ended_s: self.view.now_s });
    }

    pub(super) fn result(&mut self, id: &str) -> &mut ResultView {
        let id = self.symbols.intern(id);
        self.view.results.push(ResultView {
            id,
            specimen: None,
            filed_s: 0,
            held: false,
            critical: false,
            attempt: None,
            releasable: true,
        });
        self.view.results.last_mut().unwrap()
    }

    pub(super) fn token(&mut self, id: &str, subject: &str) {
        let (id, subject, token_type) = (self.id(id), self.id(subject), self.id("OVERRIDE_RISK_ACCEPTANCE"));
        self.view.tokens.push(TokenView { id, token_type, subject, reason: None, expires_s: i64::MAX });
    }

    pub(super) fn consignment(&mut self, id: &str, expected_arrival_s: i64) -> &mut ConsignmentView {
        let id = self.symbols.intern(id);
        self.view.consignments.push(ConsignmentView { id, expected_arrival_s, signed: false, received: false });
        self.view.consignments.last_mut().unwrap()
    }

    /// What agent number `me` decides.
    pub(super) fn decide(
        &mut self,
        agent: &mut dyn AgentPolicy,
        me: usize,
        refused: Option<&'static str>,
    ) -> Option<Decision> {
        agent.decide(&mut AgentContext { view: &self.view, symbols: &mut self.symbols, me, refused })
    }

    /// The same, as the action's name and the ids it names, in the order specimen(s), device, others.
    pub(super) fn said(&mut self, agent: &mut dyn AgentPolicy, me: usize) -> String {
        let Some(decision) = self.decide(agent, me, None) else { return "nothing".to_owned() };
        let args = &decision.args;
        let ids = args
            .specimen
            .iter()
            .chain(&args.specimens)
            .chain(args.work.iter())
            .chain(args.device.iter())
            .chain(args.aliquot.iter())
            .chain(args.run.iter())
            .chain(args.result.iter())
            .chain(args.consignment.iter())
            .chain(args.to_zone.iter())
            .chain(args.door.iter());
        std::iter::once(decision.kind.name()).chain(ids.map(|&id| self.symbols.text(id))).collect::<Vec<_>>().join(" ")
    }
}
