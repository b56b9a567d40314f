//! From the laboratory's view to an observation, and from choices to actions.

use labtrust_plugin::lab::method::{Assignment, Observer, carry_out};
use labtrust_plugin::lab::{
    AgentContext, AgentView, ConsignmentView, Decision, DeviceStatus, DeviceView, DoorView, Priority, ResultView,
    RunView, SpecimenView, Stage, Symbol, Symbols, WorldView, ZoneView, contract,
};
use labtrust_plugin::wire::{self, Act, Choice};
use labtrust_trust::action::ActionSet;

/// Three zones in a row, a centrifuge and two analysers in the second, two agents, some work of each kind.
struct Floor {
    view: WorldView,
    symbols: Symbols,
}

impl Floor {
    fn new() -> Self {
        let mut floor = Self { view: WorldView::default(), symbols: Symbols::default() };
        floor.view.now_s = 100;
        floor.view.horizon_s = Some(3600);
        floor.view.zones =
            ["Z_A", "Z_B", "Z_C"].map(|id| ZoneView { id: floor.symbols.intern(id), frozen: false }).into();
        floor.view.next_hop = [0, 1, 1, 0, 1, 2, 1, 1, 2].into();
        let door = floor.id("D_1");
        floor.view.doors.push(DoorView { id: door, open_since_s: None, max_open_s: 30 });
        for (id, kind) in [("CENT", "CENTRIFUGE_BANK"), ("AN_1", "CHEM_ANALYZER"), ("AN_2", "CHEM_ANALYZER")] {
            floor.device(id, kind);
        }
        for (id, role) in [("A_1", Some("ROLE_RUNNER")), ("A_2", None)] {
            let agent = AgentView {
                id: floor.id(id),
                zone: Some(1),
                walking_to: None,
                arrives_s: None,
                role: role.map(|role| floor.symbols.intern(role)),
                may: ActionSet::ALL,
            };
            floor.view.agents.push(agent);
        }
        for (id, stage) in
            [("S1", Stage::Ready), ("S2", Stage::Accepted), ("S3", Stage::Accepted), ("S4", Stage::Ready)]
        {
            floor.specimen(id, stage);
        }
        floor
    }

    fn id(&mut self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }

    fn device(&mut self, id: &str, kind: &str) {
        let (id, device_type) = (self.id(id), self.id(kind));
        self.view.devices.push(DeviceView {
            id,
            device_type,
            zone: 1,
            status: DeviceStatus::Idle,
            free_units: 1,
            batch_capacity: 6,
            batch_wait_s: 60,
            queue_len: 0,
            queue_head: None,
            qc_pass: true,
            control_due: false,
            last_control_s: None,
            busy_until_s: None,
        });
    }

    fn specimen(&mut self, id: &str, stage: Stage) {
        let id = self.id(id);
        self.view.specimens.push(SpecimenView {
            id,
            stage,
            panel: None,
            priority: Priority::Urgent,
            arrival_s: 10,
            since_s: 20,
            deadline_s: 900,
            site: None,
            device: None,
            aliquot: None,
            compatible: [1u16, 2].into_iter().collect(),
        });
    }

    fn result(&mut self, id: &str, attempt: Option<&str>) {
        let id = self.id(id);
        let attempt = attempt.map(|attempt| self.symbols.intern(attempt));
        let (critical, specimen) = (attempt.is_some(), Some(self.view.specimens[0].id));
        let row = ResultView { id, specimen, filed_s: 90, held: false, critical, attempt, releasable: false };
        self.view.results.push(row);
    }

    fn observer(&self) -> Observer {
        Observer::new(&self.view, &self.symbols, &Assignment { seed: 7, dt_s: 10, directed: &[0], telemetry: false })
    }

    fn decision(&mut self, choice: &Choice) -> Option<Decision> {
        let (view, symbols) = (&self.view, &mut self.symbols);
        carry_out(&mut AgentContext { view, symbols, me: usize::from(choice.agent), refused: None }, choice)
    }

    /// The action and the ids it names, in a fixed order.
    fn said(&mut self, choice: Choice) -> String {
        let Some(decision) = self.decision(&choice) else { return "nothing".to_owned() };
        let args = &decision.args;
        let ids =
            args.specimen.iter().chain(&args.specimens).chain(&args.work).chain(&args.device).chain(&args.aliquot);
        let ids =
            ids.chain(&args.run).chain(&args.result).chain(&args.consignment).chain(&args.to_zone).chain(&args.door);
        let rare = args.rare.as_deref().into_iter().flat_map(|rare| rare.attempt_id.iter().chain(&rare.next_role));
        let words = ids.chain(rare).map(|&id| self.symbols.text(id));
        std::iter::once(decision.kind.name()).chain(words).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn acts_are_the_indices_of_the_action_contract() {
    for (act, kind) in Act::ALL.into_iter().zip(contract::INDEX) {
        assert_eq!(act.name(), kind.name());
    }
    assert_eq!(Act::ALL.len(), contract::INDEX.len());
}

#[test]
fn an_observation_says_what_the_view_says_and_fits_its_site() {
    let mut floor = Floor::new();
    floor.result("R_1", Some("CALL_0"));
    floor.view.devices[1].queue_head = Some(floor.view.specimens[3].id);
    let (run, specimen) = (floor.id("RUN_1"), floor.view.specimens[0].id);
    floor.view.runs.push(RunView { id: run, device: 2, specimen, ended_s: 80 });
    floor.view.agents[1].walking_to = Some(2);
    let mut observer = floor.observer();
    let seen = observer.observe(4, &floor.view, &floor.symbols, &[None, Some("RC_DEVICE_BUSY")]).clone();
    seen.check(observer.site()).unwrap();
    assert_eq!((seen.step, seen.now_s), (4, 100));
    assert_eq!(observer.site().roles, ["ROLE_RUNNER"]);
    assert_eq!((seen.agents.role[0], seen.agents.role[1]), (Some(0), None));
    assert_eq!((seen.is_idle(0), seen.is_idle(1)), (true, false));
    assert_eq!((seen.refused(0), seen.refused(1)), (None, Some("RC_DEVICE_BUSY")));
    assert_eq!(seen.devices.queue_head, [None, Some(3), None]);
    assert_eq!((seen.runs.device[0], seen.runs.specimen[0]), (2, Some(0)));
    assert_eq!((seen.results.specimen[0], seen.results.called[0]), (Some(0), true));
    assert_eq!(seen.at(wire::Stage::Ready).map(|specimen| specimen.place).collect::<Vec<_>>(), [0, 3]);
    assert_eq!(seen.specimen(3).compatible, [1, 2]);
    assert_eq!(observer.site().directed().collect::<Vec<_>>(), [0]);
    assert_eq!((observer.site().steps(0, 2), observer.site().hop(0, 2)), (Some(2), Some(1)));
}

#[test]
fn a_specimen_keeps_its_key_when_its_place_changes() {
    let mut floor = Floor::new();
    let mut observer = floor.observer();
    let before = observer.observe(0, &floor.view, &floor.symbols, &[]).specimens.key.clone();
    floor.view.specimens.remove(0);
    floor.specimen("S5", Stage::Arrived);
    floor.view.devices[1].queue_head = Some(floor.id("S1"));
    let seen = observer.observe(1, &floor.view, &floor.symbols, &[]).clone();
    assert_eq!((before, seen.specimens.key.clone()), (vec![0, 1, 2, 3], vec![1, 2, 3, 4]));
    assert_eq!(seen.devices.queue_head[1], None, "who is out of sight has no place");
    seen.check(observer.site()).unwrap();
}

#[test]
fn what_a_choice_names_is_what_the_action_is_about() {
    let mut floor = Floor::new();
    floor.result("R_1", None);
    floor.result("R_2", Some("CALL_1"));
    let (run, specimen) = (floor.id("RUN_1"), floor.view.specimens[3].id);
    floor.view.runs.push(RunView { id: run, device: 2, specimen, ended_s: 80 });
    let consignment = floor.id("C_1");
    let row = ConsignmentView { id: consignment, expected_arrival_s: 90, signed: false, received: false };
    floor.view.consignments.push(row);
    let on = |act| Choice::new(0, act);
    let cases = [
        (on(Act::QueueRun).specimen(3), "QUEUE_RUN S4 AN_1"),
        (on(Act::QueueRun).specimen(3).device(2), "QUEUE_RUN S4 AN_2"),
        (on(Act::QueueRun).device(2), "QUEUE_RUN S1 AN_2"),
        (on(Act::Move).object(2), "MOVE Z_C"),
        (on(Act::Move).object(1), "nothing"),
        (on(Act::StartRun).device(2), "START_RUN AN_2"),
        (on(Act::AcceptSpecimen).specimen(2), "ACCEPT_SPECIMEN S3"),
        (on(Act::CentrifugeStart).specimen(2).device(0), "CENTRIFUGE_START S3 CENT"),
        (on(Act::CentrifugeStart).device(0), "CENTRIFUGE_START S2 S3 CENT"),
        (on(Act::AliquotCreate).specimen(0).device(1), "ALIQUOT_CREATE S1 AN_1 S1_A1"),
        (on(Act::GenerateResult).object(0), "GENERATE_RESULT S4 RUN_1 R_S4"),
        (on(Act::ReleaseResult).object(1), "RELEASE_RESULT R_2"),
        (on(Act::AckCriticalResult).object(1), "ACK_CRITICAL_RESULT R_2 CALL_1"),
        (on(Act::EscalateCriticalResult).object(1), "ESCALATE_CRITICAL_RESULT R_2 consultant_registrar"),
        (on(Act::ChainOfCustodySign).object(0), "CHAIN_OF_CUSTODY_SIGN C_1"),
        (on(Act::OpenDoor).object(0), "OPEN_DOOR D_1"),
        (on(Act::Noop), "nothing"),
    ];
    for (choice, said) in cases {
        assert_eq!(floor.said(choice.clone()), said, "{choice:?}");
    }
}

#[test]
fn a_choice_that_names_nothing_is_a_bare_index() {
    let mut floor = Floor::new();
    for (index, kind) in contract::INDEX.into_iter().enumerate() {
        let choice = Choice::new(0, Act::ALL[index]);
        let chosen = floor.decision(&choice);
        let (view, symbols) = (&floor.view, &mut floor.symbols);
        let bare = contract::bare(&mut AgentContext { view, symbols, me: 0, refused: None }, kind);
        assert_eq!(chosen, bare, "{}", kind.name());
    }
}

#[test]
fn what_a_control_gave_is_for_the_device_to_say() {
    let mut floor = Floor::new();
    for choice in [Choice::new(0, Act::QcEvent), Choice::new(0, Act::QcEvent).device(1)] {
        let control = floor.decision(&choice).unwrap();
        assert!(control.args.device.is_some() && control.args.qc_outcome.is_none(), "{choice:?}");
    }
}
