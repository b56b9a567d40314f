//! One episode: agents decide on a shared snapshot, their decisions become events, the laboratory answers.
//!
//! Step i of an episode has the time (i + 1) * dt. What is due by then happens first; then every agent decides on the
//! same snapshot; then the events are applied in the order of the seats. Nothing after the horizon counts.

use crate::BenchError;
use crate::approvals::{ApprovalHook, Desk};
use crate::direction::{DirectedSeat, Direction, Director};
use crate::disturbance::Disturbance;
use crate::log::EpisodeLog;
use crate::metrics::EpisodeMeter;
use crate::run_controls::RunControls;
use crate::telemetry::EpisodeTelemetry;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer, SigningKey};
use labtrust_contract::Metrics;
use labtrust_kernel::ClockMode;
use labtrust_plugin::lab::{
    Action, ActionKind, AgentContext, AgentPolicy, Decision, EventId, LabEngine, Observer, Outcome, StepFacts, Symbol,
    WorldView,
};
use labtrust_plugin::metric::{EpisodeFacts, Metric, SeatFacts};
use labtrust_plugin::{AgentSeat, AgentSet, Course, Credential, Forged, Injection, Injector, Opening, Task, Vacancy};
use labtrust_trust::codes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Who acts in the episodes of a run, and what disturbs them. By default the task's own agents, undisturbed.
#[derive(Clone, Copy, Default)]
pub struct Cast<'a> {
    /// Who sits in the seats instead of the task's own agents; attackers stay.
    pub agents: Option<&'a dyn AgentSet>,
    /// What directs all of them but attackers, whoever they are.
    pub method: Option<Direction<'a>>,
    /// What disturbs them.
    pub injection: Option<&'a dyn Injection>,
    /// Who answers when one of them asks for an approval; nobody when absent.
    pub approvals: Option<&'a ApprovalHook>,
    /// Names of controls that are not the laboratory's and that a disturbed run does without: of the run
    /// ([`RunControl`](crate::run_controls::RunControl)), of models and of their memory.
    pub without: &'a [String],
    /// Where the undisturbed courses of disturbed episodes are kept, for several injections to be judged by; each run has
    /// its own when absent.
    pub clean: Option<&'a CleanCourses>,
}

/// The undisturbed courses of episodes, by seed, so that several injections are judged by one and the same course without
/// playing it again: those that have one in common ([`Injection::clean_course`]).
///
/// One store is for one task, size, method and set of controls: everything but the injection and the seed is the same.
#[derive(Default)]
pub struct CleanCourses(Mutex<BTreeMap<(String, u64), Kept>>);

/// A course that somebody has played, or will.
type Kept = Arc<OnceLock<Course>>;

impl CleanCourses {
    /// The course of a seed under injections with `whose` clean course; plays it when nobody has before.
    fn of(
        &self,
        whose: &str,
        seed: u64,
        play: impl FnOnce() -> Result<Course, BenchError>,
    ) -> Result<Course, BenchError> {
        let key = (whose.to_owned(), seed);
        let place = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        if let Some(course) = place.get() {
            return Ok(course.clone());
        }
        // Two may play it at once; they find the same.
        let course = play()?;
        Ok(place.get_or_init(|| course).clone())
    }
}

/// What distinguishes one episode of a run from another, and what they share.
#[derive(Clone, Copy)]
pub struct EpisodeSetup<'a> {
    /// The task.
    pub task: &'a dyn Task,
    /// The episode's seed.
    pub seed: u64,
    /// Steps of the episode [count].
    pub max_steps: u32,
    /// Who moves time.
    pub timing: ClockMode,
    /// Require signatures even where the task does not.
    pub strict_signatures: bool,
    /// The partner's calibration, handed to the task.
    pub calibration: Option<&'a Map<String, Value>>,
    /// What the episode is measured by.
    pub metrics: &'a [&'a dyn Metric],
    /// Who acts and what disturbs them.
    pub cast: Cast<'a>,
}

impl<'a> EpisodeSetup<'a> {
    /// The injection, where it is one that does something.
    fn injection(&self) -> Option<&'a dyn Injection> {
        self.cast.injection.filter(|injection| !injection.is_idle())
    }
}

/// What came of an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeOutcome {
    /// Its metrics.
    pub metrics: Metrics,
    /// Hash of its last record.
    pub chain_head: String,
    /// Distinct results released [count].
    pub throughput: u64,
    /// Specimens of the episode [count].
    pub specimens_total: u64,
    /// Actions of agents [count].
    pub actions_attempted: u64,
}

/// A seat at the table, ready to decide.
struct Seat {
    name: Symbol,
    agent: Symbol,
    /// Index in [`WorldView::agents`].
    me: usize,
    policy: Box<dyn AgentPolicy>,
    /// Whether the run's method says what it does, and not its own policy.
    directed: bool,
    /// The agent's keys, its own first; none where signatures are not required.
    keys: Vec<(SigningKey, Symbol)>,
    /// The id of its own key, where it has one.
    own_key: Option<Symbol>,
    /// Why the last action was refused; kept until the next action.
    refused: Option<&'static str>,
}

impl Seat {
    const fn for_director(&self) -> DirectedSeat {
        DirectedSeat { place: self.me, directed: self.directed, refused: self.refused }
    }
}

/// Those who watch an episode.
struct Watch<'a> {
    meter: EpisodeMeter,
    log: Option<&'a mut EpisodeLog>,
    disturbance: Option<Disturbance>,
}

impl Watch<'_> {
    /// Where decisions are written down, where they are.
    fn telemetry(&mut self) -> Option<&mut EpisodeTelemetry> {
        self.log.as_mut().and_then(|log| log.telemetry())
    }

    fn begin_step(&mut self, step: u32) {
        self.meter.begin_step(step);
        if let Some(log) = &mut self.log {
            log.begin_step(step);
        }
        if let Some(disturbance) = &mut self.disturbance {
            disturbance.begin_step();
        }
    }
}

impl Observer for Watch<'_> {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.meter.on_step(facts);
        if let Some(log) = &mut self.log {
            log.on_step(facts);
        }
        if let Some(disturbance) = &mut self.disturbance {
            disturbance.on_step(facts);
        }
    }
}

/// Runs one episode on `engine`, whatever ran on it before. `log` gets a line for every step.
///
/// The outcome is a function of `setup` and of the engine's policy. An episode with an injection is run twice: first with
/// the injection disarmed, for the course that its effects are measured against. That one is not logged.
///
/// # Errors
/// [`BenchError::OpenWorkflow`], [`BenchError::Lab`] or [`BenchError::SeatWithoutAgent`] when the task's initial state
/// cannot be used; [`BenchError::Method`] when the method cannot begin.
pub fn run_episode(
    engine: &mut dyn LabEngine,
    setup: &EpisodeSetup<'_>,
    mut log: Option<&mut EpisodeLog>,
) -> Result<EpisodeOutcome, BenchError> {
    let Some(injection) = setup.injection() else {
        return Ok(play(engine, setup, log, false)?.outcome);
    };
    let play_clean = |engine: &mut dyn LabEngine| -> Result<Course, BenchError> {
        let clean = play(engine, setup, None, false)?;
        let course = clean.disturbed.map(|(_, course)| course).unwrap_or_default();
        Ok(Course { metrics: clean.outcome.metrics, ..course })
    };
    let clean_course = match setup.cast.clean {
        Some(courses) => courses.of(injection.clean_course(), setup.seed, || play_clean(&mut *engine))?,
        None => play_clean(&mut *engine)?,
    };
    let Played { mut outcome, disturbed } = play(engine, setup, log.as_deref_mut(), true)?;
    if let Some((mut injector, mut course)) = disturbed {
        course.metrics = outcome.metrics.clone();
        if let Some(report) = injector.report(&course, &clean_course) {
            outcome.metrics.insert("sec".to_owned(), Value::Object(report.sec));
            outcome.metrics.insert("robustness".to_owned(), Value::Object(report.robustness));
            if let Some(log) = log {
                log.tell_truth(&report.ledger)?;
            }
        }
    }
    Ok(outcome)
}

/// One run of an episode, and of one with an injection what it is judged by.
struct Played {
    outcome: EpisodeOutcome,
    disturbed: Option<(Box<dyn Injector>, Course)>,
}

/// Plays an episode; of one with an injection, with it or with it disarmed.
fn play(
    engine: &mut dyn LabEngine,
    setup: &EpisodeSetup<'_>,
    log: Option<&mut EpisodeLog>,
    armed: bool,
) -> Result<Played, BenchError> {
    let EpisodeSetup { task, seed, max_steps, timing, .. } = *setup;
    let spec = task.spec();
    let dt_s = i64::from(spec.dt_s);
    let horizon_s = i64::from(max_steps) * dt_s;

    let state = initial_state(setup, armed)?;
    engine.reset(&state, seed).map_err(|source| BenchError::Lab { task: task.id().to_owned(), seed, source })?;
    let strict = state.get("strict_signatures") == Some(&Value::Bool(true));
    let opening = Opening { seed, state: &state };
    let agents = seated(setup, &opening);
    let facts = EpisodeFacts {
        sla_turnaround_s: spec.sla_turnaround_s,
        attack_start_step: spec.attack_start_step,
        timing,
        horizon_s,
        steps: max_steps,
        most_releasable: engine.most_releasable(horizon_s, spec.dt_s),
        seats: agents
            .iter()
            .map(|seat| SeatFacts {
                agent: engine.symbols_mut().intern(&seat.agent_id),
                name: engine.symbols_mut().intern(&seat.name),
                attacker: seat.attacker,
            })
            .collect(),
    };
    let cast = facts.seats.clone();
    let disturbance = setup
        .injection()
        .map(|injection| Disturbance::new(injection.injector(&opening, armed), RunControls::but(setup.cast.without)));
    let meter = EpisodeMeter::new(setup.metrics, facts, &state, engine.symbols_mut());
    let mut watch = Watch { meter, log, disturbance };
    let desk = setup.cast.approvals.map(|hook| Desk::open(hook, engine, seed, strict));
    let mut view = WorldView { horizon_s: Some(horizon_s), approvals: desk.is_some(), ..WorldView::default() };
    engine.observe(&mut view);
    let mut seats =
        agents.into_iter().map(|seat| take_seat(engine, &view, setup, strict, seat)).collect::<Result<Vec<_>, _>>()?;
    let places: Vec<usize> = seats.iter().map(|seat| seat.me).collect();
    let mut director = match &setup.cast.method {
        Some(direction) => {
            let directed: Vec<_> = seats.iter().map(Seat::for_director).collect();
            let clock = (seed, spec.dt_s);
            Some(Director::new(direction, &view, engine.symbols(), &directed, clock, watch.telemetry())?)
        }
        None => None,
    };
    if let (Some(director), Some(tap)) = (&mut director, watch.disturbance.as_mut().and_then(Disturbance::tap)) {
        director.tap(tap);
    }

    let mut decisions: Vec<Option<Decision>> = Vec::with_capacity(seats.len());
    let mut payload = Vec::new();
    for step in 0..max_steps {
        let t_s = (i64::from(step) + 1) * dt_s;
        watch.begin_step(step);
        engine.advance_to(t_s, &mut watch);
        engine.begin_batch();
        engine.observe(&mut view);
        watch.meter.on_snapshot(&view, engine.symbols());
        if let Some(disturbance) = &mut watch.disturbance {
            disturbance.on_view(step, &mut view, engine.symbols_mut());
        }
        decisions.clear();
        for seat in &mut seats {
            let mut context =
                AgentContext { view: &view, symbols: engine.symbols_mut(), me: seat.me, refused: seat.refused };
            decisions.push(if seat.directed { None } else { seat.policy.decide(&mut context) });
        }
        if let Some(director) = &mut director {
            let directed = seats.iter().map(Seat::for_director);
            if !director.decide(step, &view, engine.symbols_mut(), directed, &mut decisions, watch.telemetry()) {
                // Nobody acts any more. The laboratory goes on to the horizon, so that the episode is measured over the
                // same time as others: what was not done counts as not done.
                break;
            }
        }
        if let Some(disturbance) = &mut watch.disturbance {
            disturbance.on_decisions(&cast, &decisions, engine.symbols());
            let refused: Vec<_> = seats.iter().map(|seat| seat.refused).collect();
            let symbols = engine.symbols_mut();
            let at = (step, t_s);
            disturbance.on_turn(at, &view, &cast, &places, &mut decisions, &refused, symbols);
            let unreached = director.as_ref().map_or(&[][..], Director::unreached);
            let cut_off = disturbance.cut_off(&decisions, &places, unreached);
            fall_back(engine, &view, &mut seats, &mut decisions, cut_off);
        }
        hand_in_forged(engine, &mut watch, &seats, (step, t_s), &mut payload, true);
        if let (Some(director), Some(telemetry)) = (&director, watch.telemetry()) {
            director.tell(step, engine.symbols(), &decisions, telemetry);
        }
        for (number, (seat, decision)) in seats.iter_mut().zip(decisions.drain(..)).enumerate() {
            // To wait is not an event, said either way.
            let Some(mut decision) = decision.filter(|decision| decision.kind != ActionKind::Noop) else { continue };
            if let Some(desk) = &desk {
                desk.answer(engine, &mut decision, seat.agent, seat.own_key, t_s);
            }
            let event_id = EventId::Step { agent: seat.name, step: step + 1 };
            let mut action = Action { event_id, t_s, agent: seat.agent, decision };
            sign(engine, &mut action, &seat.keys, &mut payload);
            if let Some(disturbance) = &mut watch.disturbance {
                disturbance.on_event(step, &action);
                disturbance.takes_in(action.agent);
            }
            engine.step(&action, &mut watch);
            let outcome = engine.outcome();
            seat.refused = outcome.reason.filter(|_| !outcome.accepted);
            if let Some(disturbance) = &mut watch.disturbance {
                disturbance.on_outcome(step, number, &action, outcome);
            }
        }
        hand_in_forged(engine, &mut watch, &seats, (step, t_s), &mut payload, false);
    }
    engine.advance_to(horizon_s, &mut watch);

    let summary = engine.timing_summary();
    let mut metrics = watch.meter.finish(&summary, engine.symbols());
    if let Some(director) = &director {
        metrics.insert("coordination".to_owned(), director.metrics());
    }
    let count = |name: &str| metrics.get(name).and_then(Value::as_u64).unwrap_or(0);
    let outcome = EpisodeOutcome {
        chain_head: engine.chain().last_hash.to_owned(),
        throughput: count("throughput"),
        specimens_total: count("specimens_total"),
        actions_attempted: count("actions_attempted"),
        metrics,
    };
    Ok(Played { outcome, disturbed: watch.disturbance.map(Disturbance::finish) })
}

/// Lets those who got no order, or heard nothing of what was said to them, do what their own rules say.
fn fall_back(
    engine: &mut dyn LabEngine,
    view: &WorldView,
    seats: &mut [Seat],
    decisions: &mut [Option<Decision>],
    cut_off: &[bool],
) {
    for (number, seat) in seats.iter_mut().enumerate().filter(|(_, seat)| seat.directed) {
        if cut_off[number] && decisions[number].is_none() {
            let mut context = AgentContext { view, symbols: engine.symbols_mut(), me: seat.me, refused: seat.refused };
            decisions[number] = seat.policy.decide(&mut context);
        }
    }
}

/// Hands in what nobody of the seats has sent.
fn hand_in_forged(
    engine: &mut dyn LabEngine,
    watch: &mut Watch<'_>,
    seats: &[Seat],
    (step, t_s): (u32, i64),
    payload: &mut Vec<u8>,
    ahead: bool,
) {
    let Some(disturbance) = &mut watch.disturbance else { return };
    let forged = if ahead { disturbance.ahead() } else { disturbance.beside(step, engine.symbols_mut()) };
    for (number, Forged { agent, event_id, decision, credential, taint }) in forged.into_iter().enumerate() {
        let event_id =
            event_id.unwrap_or_else(|| EventId::Text(format!("ev_{}_{}_{number}", step + 1, u8::from(ahead)).into()));
        let mut action = Action { event_id, t_s, agent, decision };
        let of_seat = |seat: usize| seats.get(seat).map(|seat| seat.keys.as_slice()).unwrap_or_default();
        match &credential {
            Credential::AsItIs => {}
            Credential::OfSeat(seat) => sign(engine, &mut action, of_seat(*seat), payload),
            Credential::Flipped(seat) => {
                sign(engine, &mut action, of_seat(*seat), payload);
                action.decision.signature = action.decision.signature.take().map(|signature| flipped(&signature));
            }
            Credential::Key((secret, id)) => {
                let key = (SigningKey::from_bytes(secret), engine.symbols_mut().intern(id));
                sign(engine, &mut action, &[key], payload);
            }
        }
        if watch.disturbance.as_mut().is_some_and(|disturbance| !disturbance.takes_in(agent)) {
            let turned_away = Outcome { reason: Some(codes::RATE_LIMITED), ..Outcome::default() };
            if let Some(disturbance) = &mut watch.disturbance {
                disturbance.on_forged(step, taint, &action, &turned_away);
            }
            continue;
        }
        engine.step(&action, watch);
        if let Some(disturbance) = &mut watch.disturbance {
            disturbance.on_forged(step, taint, &action, engine.outcome());
        }
    }
}

/// A signature with its first bit turned over.
fn flipped(signature: &str) -> Box<str> {
    let mut bytes = BASE64.decode(signature).unwrap_or_default();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    BASE64.encode(bytes).into()
}

/// The agents of the task, with the seats of the honest ones filled by the run's set.
fn seated(setup: &EpisodeSetup<'_>, opening: &Opening<'_>) -> Vec<AgentSeat> {
    let mut seats = setup.task.agents(opening);
    if let Some(set) = setup.cast.agents {
        for seat in seats.iter_mut().filter(|seat| !seat.attacker) {
            let vacancy = Vacancy { seed: setup.seed, name: &seat.name, agent_id: &seat.agent_id };
            if let Some(policy) = set.policy(&vacancy) {
                seat.policy = policy;
            }
        }
    }
    seats
}

/// The task's state with what the run decides: timing, workflow guards, signatures.
fn initial_state(setup: &EpisodeSetup<'_>, armed: bool) -> Result<Map<String, Value>, BenchError> {
    let mut state = setup.task.initial_state(setup.seed, setup.calibration);
    if let Some(workflow) = state.get("workflow").and_then(Value::as_str).filter(|workflow| *workflow != "enforced") {
        let (task, workflow) = (setup.task.id().to_owned(), workflow.to_owned());
        return Err(BenchError::OpenWorkflow { task, workflow });
    }
    if let Some(hook) = setup.cast.approvals {
        hook.introduce(&mut state, setup.seed);
    }
    state.insert("workflow".to_owned(), json!("enforced"));
    state.insert("timing_mode".to_owned(), json!(setup.timing.as_str()));
    // Nobody is believed on their word where somebody may be about who lies.
    if setup.strict_signatures || setup.injection().is_some() {
        state.insert("strict_signatures".to_owned(), json!(true));
    }
    if let Some(injection) = setup.injection().filter(|_| armed) {
        injection.prepare(&mut state, setup.seed);
    }
    Ok(state)
}

fn take_seat(
    engine: &mut dyn LabEngine,
    view: &WorldView,
    setup: &EpisodeSetup<'_>,
    strict: bool,
    seat: AgentSeat,
) -> Result<Seat, BenchError> {
    let agent = engine.symbols_mut().intern(&seat.agent_id);
    let Some(me) = view.agents.iter().position(|known| known.id == agent) else {
        let (task, agent) = (setup.task.id().to_owned(), seat.agent_id.into_owned());
        return Err(BenchError::SeatWithoutAgent { task, seed: setup.seed, agent });
    };
    let asks = setup.cast.approvals.is_some();
    let mut keys = if strict || asks { setup.task.signing_keys(setup.seed, &seat.agent_id) } else { Vec::new() };
    let own_key = keys.first().filter(|_| asks).map(|(_, id)| engine.symbols_mut().intern(id));
    if !strict {
        keys.clear();
    }
    let mut key =
        |(seed, id): labtrust_plugin::SigningKey| (SigningKey::from_bytes(&seed), engine.symbols_mut().intern(&id));
    let keys = keys.into_iter().map(&mut key).collect();
    let name = engine.symbols_mut().intern(&seat.name);
    let directed = setup.cast.method.is_some_and(|method| method.directs(&seat.name)) && !seat.attacker;
    Ok(Seat { name, agent, me, policy: seat.policy, directed, keys, own_key, refused: None })
}

/// Signs an event that changes something with the agent's own key, or with the one of its keys that the event names. What
/// the agent has signed itself stays as it is.
fn sign(engine: &dyn LabEngine, action: &mut Action, keys: &[(SigningKey, Symbol)], payload: &mut Vec<u8>) {
    let decision = &mut action.decision;
    if !decision.kind.is_mutating() || decision.signature.is_some() {
        return;
    }
    let named = |(_, id): &&(SigningKey, Symbol)| decision.key_id.is_none_or(|key_id| key_id == *id);
    let Some((key, key_id)) = keys.iter().find(named) else { return };
    // The key's id is part of what is signed.
    decision.key_id = Some(*key_id);
    payload.clear();
    engine.write_signing_payload(action, payload);
    action.decision.signature = Some(BASE64.encode(key.sign(payload).to_bytes()).into());
}
