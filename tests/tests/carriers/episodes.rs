//! Episodes that a method directs, recorded as the bytes of the contract.

use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::method::{Assignment, Observer, carry_out};
use labtrust_plugin::lab::{Action, ActionKind, AgentContext, EventId, LoadedLab, WorldView};
use labtrust_plugin::method::CoordinationMethod;
use labtrust_plugin::wire::{Act, Create, DecideReply, Decision, Settings, encode};
use labtrust_plugin::{Opening, Plugin, Registry, Task};
use labtrust_policy::PolicyStore;
use std::sync::{Arc, LazyLock};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| labtrust_builtin::registry().expect("ids are unique"));
static LAB: LazyLock<Arc<dyn LoadedLab>> = LazyLock::new(|| {
    let domain = REGISTRY.lab_domain("hospital_lab").expect("it is compiled in");
    domain.load(&PolicyStore::builtin()).expect("the built-in policy loads")
});

/// What was said in one episode, and what came of it.
pub(crate) struct Recording {
    /// Bytes of the message that begins it.
    pub(crate) create: Vec<u8>,
    /// Bytes of each observation, and of the method's answer.
    pub(crate) steps: Vec<(Vec<u8>, Vec<u8>)>,
    /// Steps in which somebody was told to do something [count].
    pub(crate) busy_steps: usize,
    /// Results released [count].
    pub(crate) released: u32,
    /// Most that could be released [count].
    pub(crate) bound: u32,
    /// Choices that the laboratory refused, with its reason.
    pub(crate) refused: Vec<String>,
}

/// Every task.
pub(crate) fn tasks() -> impl Iterator<Item = &'static dyn Task> {
    REGISTRY.entries().iter().filter_map(|entry| match entry.plugin {
        Plugin::Task(task) => Some(task),
        _ => None,
    })
}

/// An episode of a task, directed by a method; attackers act as ever.
pub(crate) fn record(task: &dyn Task, timing: ClockMode, seed: u64, method: &dyn CoordinationMethod) -> Recording {
    let spec = task.spec();
    let max_steps = if timing == ClockMode::Simulated { spec.max_steps_simulated } else { spec.max_steps };
    let (dt_s, mut state) = (i64::from(spec.dt_s), task.initial_state(seed, None));
    state.insert("timing_mode".into(), timing.as_str().into());
    state.insert("strict_signatures".into(), false.into());
    let mut engine = LAB.engine();
    engine.reset(&state, seed).expect("the task's state is good");
    let horizon_s = i64::from(max_steps) * dt_s;
    let mut view = WorldView { horizon_s: Some(horizon_s), ..WorldView::default() };
    engine.observe(&mut view);

    let mut seats = task.agents(&Opening { seed, state: &state });
    let place = |id| view.agents.iter().position(|agent| agent.id == id).expect("a seat has an agent");
    let places: Vec<usize> = seats.iter().map(|seat| place(engine.symbols_mut().intern(&seat.agent_id))).collect();
    let honest = seats.iter().zip(&places).filter(|(seat, _)| !seat.attacker);
    let directed: Vec<usize> = honest.map(|(_, &place)| place).collect();
    let assignment = Assignment { seed, dt_s: spec.dt_s, directed: &directed };
    let mut observer = Observer::new(&view, engine.symbols(), &assignment);
    let settings = Settings::default();
    let mut at_work = method.create(&settings, observer.site()).expect("the method works everywhere");
    let mut recording = Recording {
        create: encode(&Create { settings, site: observer.site().clone() }),
        steps: Vec::new(),
        busy_steps: 0,
        released: 0,
        bound: engine.most_releasable(horizon_s, spec.dt_s).expect("this laboratory has a bound"),
        refused: Vec::new(),
    };

    let (mut refused, mut decision) = (vec![None; view.agents.len()], Decision::default());
    for step in 0..max_steps {
        let t_s = (i64::from(step) + 1) * dt_s;
        engine.advance_to(t_s, &mut ());
        engine.begin_batch();
        engine.observe(&mut view);
        let seen = observer.observe(step, &view, engine.symbols(), &refused).clone();
        at_work.decide(&seen, &mut decision).expect("the method goes on");
        decision.check(observer.site(), &seen).expect("what it decides can be");
        recording.busy_steps += usize::from(decision.choices.iter().any(|choice| choice.act != Act::Noop));
        recording.steps.push((encode(&seen), encode(&DecideReply::Ok(decision.clone()))));
        let chosen = |me: usize| decision.choices.iter().find(|choice| usize::from(choice.agent) == me);
        let mut actions = Vec::new();
        for (seat, &me) in seats.iter_mut().zip(&places) {
            let (symbols, refused) = (engine.symbols_mut(), refused[me]);
            let mut ctx = AgentContext { view: &view, symbols, me, refused };
            actions.push(match seat.attacker {
                true => seat.policy.decide(&mut ctx),
                false => chosen(me).and_then(|choice| carry_out(&mut ctx, choice)),
            });
        }
        for ((seat, &me), decision) in seats.iter().zip(&places).zip(actions) {
            let Some(decision) = decision.filter(|decision| decision.kind != ActionKind::Noop) else { continue };
            let (kind, agent) = (decision.kind, view.agents[me].id);
            let event_id = EventId::Step { agent, step: step + 1 };
            engine.step(&Action { event_id, t_s, agent, decision }, &mut ());
            let outcome = engine.outcome();
            refused[me] = outcome.reason.filter(|_| !outcome.accepted);
            let released = kind == ActionKind::ReleaseResult && outcome.accepted;
            recording.released += u32::from(released);
            if let Some(reason) = refused[me].filter(|_| !seat.attacker) {
                recording.refused.push(format!("{} {reason}", kind.name()));
            }
        }
    }
    recording
}
