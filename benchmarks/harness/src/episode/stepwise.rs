//! An episode that is taken step by step, by whoever asks for the next one: a run, or somebody who acts in it from outside.
//!
//! A step has two halves. [`Episode::look`] lets happen what is due and takes the snapshot; then everybody may be asked
//! what they see ([`Episode::context`]); [`Episode::act`] makes events of what they want. A run plays both halves in a
//! loop, so that an episode that was played from outside has the record that a run of the same decisions has.

use super::forged::hand_in_forged;
use super::seat::{Seat, fall_back, seated, sign, take_seat};
use super::watch::{Watch, Watched};
use super::{EpisodeOutcome, EpisodeSetup, Played, initial_state};
use crate::BenchError;
use crate::approvals::Desk;
use crate::direction::Director;
use crate::disturbance::Disturbance;
use crate::log::EpisodeLog;
use crate::metrics::EpisodeMeter;
use crate::run_controls::RunControls;
use labtrust_contract::Metrics;
use labtrust_plugin::Opening;
use labtrust_plugin::lab::{
    Action, ActionKind, AgentContext, Decision, EventId, LabEngine, Observer, Symbol, WorldView,
};
use labtrust_plugin::metric::{EpisodeFacts, SeatFacts};
use serde_json::Value;

/// Who says what a seat does in a step.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub enum Turn {
    /// Its own policy, or the run's method where that directs it.
    Own,
    /// Somebody from outside; `None` is to wait.
    Given(Option<Decision>),
}

/// An episode between two of its steps. All of its methods want the engine that it was opened on, which has to play nothing
/// else meanwhile.
pub struct Episode {
    seats: Vec<Seat>,
    cast: Vec<SeatFacts>,
    places: Vec<usize>,
    watch: Watch,
    desk: Option<Desk>,
    director: Option<Director>,
    view: WorldView,
    decisions: Vec<Option<Decision>>,
    payload: Vec<u8>,
    dt_s: i64,
    max_steps: u32,
    /// The step that is looked at next, or was looked at and is not played yet.
    step: u32,
    looked: bool,
    /// The method failed: nobody acts any more.
    cut_short: bool,
}

impl Episode {
    /// Opens an episode on `engine`, whatever ran on it before; of one with an injection, with it or with it disarmed.
    /// `log` gets a line for every step.
    ///
    /// # Errors
    /// As [`run_episode`](super::run_episode).
    pub fn open(
        engine: &mut dyn LabEngine,
        setup: &EpisodeSetup<'_>,
        log: Option<EpisodeLog>,
        armed: bool,
    ) -> Result<Self, BenchError> {
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
            // To look for the bound takes longer than many an episode.
            most_releasable: (!setup.metrics.is_empty())
                .then(|| engine.most_releasable(horizon_s, spec.dt_s))
                .flatten(),
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
        let disturbance = setup.injection().map(|injection| {
            Disturbance::new(injection.injector(&opening, armed), RunControls::but(setup.cast.without))
        });
        let meter = EpisodeMeter::new(setup.metrics, facts, &state, engine.symbols_mut());
        let mut watch = Watch { meter, log, disturbance };
        let desk = setup.cast.approvals.map(|hook| Desk::open(hook, engine, seed, strict));
        let mut view = WorldView { horizon_s: Some(horizon_s), approvals: desk.is_some(), ..WorldView::default() };
        engine.observe(&mut view);
        let take = |seat| take_seat(engine, &view, setup, strict, seat);
        let seats = agents.into_iter().map(take).collect::<Result<Vec<_>, _>>()?;
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
        let decisions = Vec::with_capacity(seats.len());
        let (step, looked, cut_short) = (0, false, false);
        let payload = Vec::new();
        Ok(Self {
            seats,
            cast,
            places,
            watch,
            desk,
            director,
            view,
            decisions,
            payload,
            dt_s,
            max_steps,
            step,
            looked,
            cut_short,
        })
    }

    /// Steps played [count].
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.step
    }

    /// Whether there is no further step.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.cut_short || self.step >= self.max_steps
    }

    /// Everybody at the table, in the order in which they act.
    #[must_use]
    pub fn seats(&self) -> &[SeatFacts] {
        &self.cast
    }

    /// The newest snapshot.
    #[must_use]
    pub fn view(&self) -> &WorldView {
        &self.view
    }

    /// The log so far, where one is written.
    #[must_use]
    pub fn log(&self) -> Option<&EpisodeLog> {
        self.watch.log.as_ref()
    }

    /// What the agent in a seat may look at.
    ///
    /// # Panics
    /// When there is no such seat.
    pub fn context<'e>(&'e self, engine: &'e mut dyn LabEngine, seat: usize) -> AgentContext<'e> {
        let Seat { me, refused, .. } = self.seats[seat];
        AgentContext { view: &self.view, symbols: engine.symbols_mut(), me, refused }
    }

    /// The place of the agent in a seat among [`WorldView::agents`].
    ///
    /// # Panics
    /// When there is no such seat.
    #[must_use]
    pub fn place(&self, seat: usize) -> usize {
        self.seats[seat].me
    }

    /// Why the last action of the agent in a seat was refused.
    ///
    /// # Panics
    /// When there is no such seat.
    #[must_use]
    pub fn refused(&self, seat: usize) -> Option<&'static str> {
        self.seats[seat].refused
    }

    /// Lets everything happen that is due before the next step and takes the snapshot that everybody decides on. `false`,
    /// and nothing happens, where there is no further step or the last one that was looked at is not played yet.
    pub fn look(&mut self, engine: &mut dyn LabEngine, guest: &mut dyn Observer) -> bool {
        if self.is_over() || self.looked {
            return false;
        }
        self.looked = true;
        let t_s = self.time_s();
        let Self { watch, view, step, .. } = self;
        watch.begin_step(*step);
        engine.advance_to(t_s, &mut Watched { watch, guest });
        engine.begin_batch();
        engine.observe(view);
        watch.meter.on_snapshot(view, engine.symbols());
        if let Some(disturbance) = &mut watch.disturbance {
            disturbance.on_view(*step, view, engine.symbols_mut());
        }
        true
    }

    /// Plays the step that was looked at. `turn` is asked for every seat, by its number, in the order in which they act;
    /// everybody decides on the same snapshot. Nothing happens where no step was looked at.
    pub fn act(
        &mut self,
        engine: &mut dyn LabEngine,
        guest: &mut dyn Observer,
        turn: &mut dyn FnMut(usize, &mut AgentContext<'_>) -> Turn,
    ) {
        if !std::mem::take(&mut self.looked) {
            return;
        }
        if self.decide(engine, turn) {
            self.play(engine, guest);
            self.step += 1;
        } else {
            // Nobody acts any more. The laboratory goes on to the horizon, so that the episode is measured over the same
            // time as others: what was not done counts as not done.
            self.cut_short = true;
        }
    }

    /// Lets everything happen that is due until the horizon, for whoever wants to see how it ends.
    pub fn close(&mut self, engine: &mut dyn LabEngine, guest: &mut dyn Observer) {
        let horizon_s = i64::from(self.max_steps) * self.dt_s;
        engine.advance_to(horizon_s, &mut Watched { watch: &mut self.watch, guest });
        engine.observe(&mut self.view);
    }

    /// The figures of the episode, whose time runs to the horizon. Nothing more is played in it; its seats, its view and its
    /// log stay.
    #[must_use]
    pub fn outcome(&mut self, engine: &mut dyn LabEngine) -> EpisodeOutcome {
        self.measure(engine)
    }

    /// The same, with what an injection is judged by, and the log.
    pub(super) fn finish(mut self, engine: &mut dyn LabEngine) -> (Played, Option<EpisodeLog>) {
        let outcome = self.measure(engine);
        let Watch { log, disturbance, .. } = self.watch;
        (Played { outcome, disturbed: disturbance.map(Disturbance::finish) }, log)
    }

    fn measure(&mut self, engine: &mut dyn LabEngine) -> EpisodeOutcome {
        self.cut_short = true;
        let horizon_s = i64::from(self.max_steps) * self.dt_s;
        engine.advance_to(horizon_s, &mut self.watch);
        let summary = engine.timing_summary();
        let mut metrics: Metrics = self.watch.meter.finish(&summary, engine.symbols());
        if let Some(director) = &self.director {
            metrics.insert("coordination".to_owned(), director.metrics());
        }
        let count = |name: &str| metrics.get(name).and_then(Value::as_u64).unwrap_or(0);
        EpisodeOutcome {
            chain_head: engine.chain().last_hash.to_owned(),
            throughput: count("throughput"),
            specimens_total: count("specimens_total"),
            actions_attempted: count("actions_attempted"),
            metrics,
        }
    }

    /// When the step is [s].
    fn time_s(&self) -> i64 {
        (i64::from(self.step) + 1) * self.dt_s
    }

    /// Collects what everybody wants. Whether the episode goes on.
    fn decide(
        &mut self,
        engine: &mut dyn LabEngine,
        turn: &mut dyn FnMut(usize, &mut AgentContext<'_>) -> Turn,
    ) -> bool {
        let (step, t_s) = (self.step, self.time_s());
        let Self { seats, cast, places, watch, director, view, decisions, .. } = self;
        decisions.clear();
        for (number, seat) in seats.iter_mut().enumerate() {
            let mut context = AgentContext { view, symbols: engine.symbols_mut(), me: seat.me, refused: seat.refused };
            decisions.push(match turn(number, &mut context) {
                Turn::Given(decision) => decision,
                Turn::Own if seat.directed => None,
                Turn::Own => seat.policy.decide(&mut context),
            });
        }
        if let Some(director) = director {
            let directed = seats.iter().map(Seat::for_director);
            if !director.decide(step, view, engine.symbols_mut(), directed, decisions, watch.telemetry()) {
                return false;
            }
        }
        if let Some(disturbance) = &mut watch.disturbance {
            disturbance.on_decisions(cast, decisions, engine.symbols());
            let refused: Vec<_> = seats.iter().map(|seat| seat.refused).collect();
            let symbols = engine.symbols_mut();
            disturbance.on_turn((step, t_s), view, cast, places, decisions, &refused, symbols);
            let unreached = director.as_ref().map_or(&[][..], Director::unreached);
            let cut_off = disturbance.cut_off(decisions, places, unreached);
            fall_back(engine, view, seats, decisions, cut_off);
        }
        true
    }

    /// Makes events of what everybody wants.
    fn play(&mut self, engine: &mut dyn LabEngine, guest: &mut dyn Observer) {
        let at = (self.step, self.time_s());
        let Self { seats, watch, desk, director, decisions, payload, .. } = self;
        let watched = &mut Watched { watch, guest };
        hand_in_forged(engine, watched, seats, at, payload, true);
        if let (Some(director), Some(telemetry)) = (director, watched.watch.telemetry()) {
            director.tell(at.0, engine.symbols(), decisions, telemetry);
        }
        for (number, (seat, decision)) in seats.iter_mut().zip(decisions.drain(..)).enumerate() {
            // To wait is not an event, said either way.
            let Some(mut decision) = decision.filter(|decision| decision.kind != ActionKind::Noop) else { continue };
            if let Some(desk) = &desk {
                desk.answer(engine, &mut decision, seat.agent, seat.own_key, at.1);
            }
            let mut action = event_of(seat.name, seat.agent, at, decision);
            sign(engine, &mut action, &seat.keys, payload);
            if let Some(disturbance) = &mut watched.watch.disturbance {
                disturbance.on_event(at.0, &action);
                disturbance.takes_in(action.agent);
            }
            engine.step(&action, watched);
            let outcome = engine.outcome();
            seat.refused = outcome.reason.filter(|_| !outcome.accepted);
            if let Some(disturbance) = &mut watched.watch.disturbance {
                disturbance.on_outcome(at.0, number, &action, outcome);
            }
        }
        hand_in_forged(engine, watched, seats, at, payload, false);
    }
}

fn event_of(name: Symbol, agent: Symbol, (step, t_s): (u32, i64), decision: Decision) -> Action {
    Action { event_id: EventId::Step { agent: name, step: step + 1 }, t_s, agent, decision }
}
