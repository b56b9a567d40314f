//! One laboratory of many: its engine, its method, and what is counted of it.
//!
//! A site that nobody works in can rest: its engine packs up, and so is what is followed of its things. It wakes when its
//! turn comes.

use super::figures::SiteFigures;
use super::letters::{Letter, Outbox};
use crate::BenchError;
use crate::direction::Direction;
use crate::episode::EpisodeSetup;
use crate::metrics::flow::Flow;
use labtrust_plugin::Referrals;
use labtrust_plugin::lab::method::{Assignment, Known, Observer, carry_out};
use labtrust_plugin::lab::{
    Action, AgentContext, EventId, LabEngine, LabError, LoadedLab, Observer as Watcher, StepFacts, WorldView,
};
use labtrust_plugin::method::Coordinator;
use labtrust_plugin::wire::{Decision, Problem};
use serde_json::{Map, Value};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// What holds for all sites of an episode.
pub(super) struct Plan {
    pub(super) dt_s: u32,
    pub(super) horizon_s: i64,
    pub(super) sla_s: Option<u32>,
    pub(super) referrals: Referrals,
    /// Steps of a window [count]: no courier is faster.
    pub(super) window: u32,
    recorded: bool,
    task: String,
    /// An observer that sees what every site looks like.
    like: Observer,
    /// A method that knows what every site looks like; it decides nothing.
    beside: Mutex<Box<dyn Coordinator>>,
}

impl Plan {
    /// The plan of an episode, from one of its sites.
    pub(super) fn new(
        lab: &dyn LoadedLab,
        setup: &EpisodeSetup<'_>,
        state: &Map<String, Value>,
        referrals: Referrals,
        direction: &Direction<'_>,
        recorded: bool,
    ) -> Result<Self, BenchError> {
        let (task, dt_s) = (setup.task.id().to_owned(), setup.task.spec().dt_s);
        let horizon_s = i64::from(setup.max_steps) * i64::from(dt_s);
        let mut engine = lab.engine();
        reset(&mut *engine, &task, state, setup.seed)?;
        let mut view = seen(horizon_s);
        engine.observe(&mut view);
        let directed: Vec<usize> = (0..view.agents.len()).collect();
        let assignment = Assignment { seed: setup.seed, dt_s, directed: &directed, telemetry: false };
        let like = Observer::new(&view, engine.symbols(), &assignment);
        let beside = direction.method.create(direction.settings, like.site());
        let mut beside = beside.map_err(failed(setup, direction))?;
        if beside.rows().is_some() {
            let what = "nobody makes rows of numbers there, and the method decides on nothing else; name another --coord-method";
            return Err(BenchError::Sites { task, what });
        }
        let beside = Mutex::new(beside);
        // A step at least, or nothing would ever move.
        let window = (referrals.transport_s / dt_s.max(1)).max(1);
        let sla_s = setup.task.spec().sla_turnaround_s;
        Ok(Self { dt_s, horizon_s, sla_s, referrals, window, recorded, task, like, beside })
    }

    /// Agents of a site [count].
    pub(super) fn agents(&self) -> usize {
        self.like.site().agents.len()
    }

    /// When a step is [s].
    pub(super) fn time_of(&self, step: u32) -> i64 {
        (i64::from(step) + 1) * i64::from(self.dt_s)
    }
}

/// What the sites of a thread use one after the other; nothing in it outlives a site's turn.
pub(super) struct Scratch {
    view: WorldView,
    observer: Observer,
    chosen: Decision,
}

impl Scratch {
    pub(super) fn new(plan: &Plan) -> Self {
        let view = seen(plan.horizon_s);
        Self { view, observer: plan.like.alike(), chosen: Decision::default() }
    }
}

/// A laboratory at work.
pub(super) struct Site {
    engine: Box<dyn LabEngine>,
    method: Box<dyn Coordinator>,
    /// By which numbers the method knows things.
    known: Known,
    /// Why the last action of each agent was refused.
    refused: Vec<Option<&'static str>>,
    watch: Watch,
    /// What is on its way here and not announced yet.
    inbox: Vec<Letter>,
    /// The method failed: nobody is directed any more, and time goes on.
    over: bool,
    packed: Option<Packed>,
}

/// What is followed of the things of a site, packed.
struct Packed {
    /// The numbers, and what became of specimens and results.
    bytes: Box<[u8]>,
    /// Those whose last action was refused, and why.
    refused: Box<[(u32, &'static str)]>,
}

/// What is noticed of the steps of a site.
struct Watch {
    flow: Flow,
    figures: SiteFigures,
    outbox: Outbox,
}

impl Watcher for Watch {
    fn on_step(&mut self, facts: &StepFacts<'_>) {
        self.figures.on_step(facts);
        if let Some(action) = facts.action {
            self.flow.on_action(action, facts.outcome);
            self.outbox.on_action(action, facts);
        }
    }
}

/// What is left of a site.
pub(super) struct Finished {
    pub(super) figures: SiteFigures,
    pub(super) chain_head: String,
}

impl Site {
    pub(super) fn open(
        lab: &dyn LoadedLab,
        plan: &Plan,
        setup: &EpisodeSetup<'_>,
        direction: &Direction<'_>,
        state: &Map<String, Value>,
        (number, seed): (usize, u64),
    ) -> Result<Self, BenchError> {
        let mut engine = lab.engine();
        reset(&mut *engine, &plan.task, state, seed)?;
        if !plan.recorded {
            engine.go_unrecorded();
        }
        let mut site = plan.like.site().clone();
        site.seed = seed;
        let beside = plan.beside.lock().unwrap_or_else(PoisonError::into_inner).beside(direction.settings, &site);
        let method = match beside {
            Ok(Some(method)) => Ok(method),
            Ok(None) => direction.method.create(direction.settings, &site),
            Err(problem) => Err(problem),
        };
        let flow = Flow::new(plan.horizon_s, state, engine.symbols_mut());
        Ok(Self {
            engine,
            method: method.map_err(failed(setup, direction))?,
            known: Known::default(),
            refused: vec![None; plan.agents()],
            watch: Watch { flow, figures: SiteFigures::default(), outbox: Outbox::new(number, seed, plan.referrals) },
            inbox: Vec::new(),
            over: false,
            packed: None,
        })
    }

    /// What is on its way from here.
    pub(super) fn outbox(&mut self) -> &mut Outbox {
        &mut self.watch.outbox
    }

    /// What is on its way here.
    pub(super) const fn inbox(&mut self) -> &mut Vec<Letter> {
        &mut self.inbox
    }

    /// Packs up until the site's turn comes.
    pub(super) fn rest(&mut self) {
        let Self { engine, method, known, refused, watch, packed, .. } = self;
        engine.rest();
        method.rest();
        let refused = (0..).zip(std::mem::take(refused)).filter_map(|(agent, why)| Some((agent, why?))).collect();
        let followed = (std::mem::take(known), std::mem::take(&mut watch.flow));
        let bytes = postcard::to_allocvec(&followed).expect("numbers and times can be written").into_boxed_slice();
        *packed = Some(Packed { bytes, refused });
    }

    /// Unpacks, and takes note of what has been sent here.
    fn wake(&mut self, plan: &Plan) {
        self.engine.wake();
        if let Some(Packed { bytes, refused }) = self.packed.take() {
            (self.known, self.watch.flow) = postcard::from_bytes(&bytes).expect("what was packed can be unpacked");
            self.refused.resize(plan.agents(), None);
            for &(agent, why) in &refused {
                self.refused[agent as usize] = Some(why);
            }
        }
        for letter in std::mem::take(&mut self.inbox) {
            let specimen = letter.specimen();
            // Its id names its sender and its number, so it is new here.
            if self.engine.announce(&specimen).is_ok() {
                self.watch.flow.expect(plan.horizon_s, &Value::Object(specimen), self.engine.symbols_mut());
            }
        }
    }

    /// Takes the steps of a window.
    pub(super) fn advance(&mut self, plan: &Plan, steps: Range<u32>, scratch: &mut Scratch) {
        self.wake(plan);
        scratch.observer.exchange(&mut self.known);
        for step in steps {
            self.engine.advance_to(plan.time_of(step), &mut self.watch);
            if !self.over {
                self.turn(plan, step, scratch);
            }
        }
        scratch.observer.exchange(&mut self.known);
    }

    /// All agents decide on one snapshot and act in the order of their places.
    fn turn(&mut self, plan: &Plan, step: u32, scratch: &mut Scratch) {
        let Scratch { view, observer, chosen } = scratch;
        let Self { engine, method, refused, watch, over, .. } = self;
        engine.begin_batch();
        engine.observe(view);
        let seen = observer.observe(step, view, engine.symbols(), refused);
        watch.figures.saw(seen);
        let decided = method.decide(seen, chosen);
        if let Err(problem) = decided.and_then(|()| chosen.check(observer.site(), observer.seen())) {
            watch.figures.failed(step, problem.message);
            *over = true;
            return;
        }
        chosen.choices.sort_unstable_by_key(|choice| choice.agent);
        watch.figures.chose(chosen.choices.len());
        for choice in &chosen.choices {
            let me = usize::from(choice.agent);
            let mut ctx = AgentContext { view, symbols: engine.symbols_mut(), me, refused: refused[me] };
            let Some(decision) = carry_out(&mut ctx, choice) else { continue };
            let agent = view.agents[me].id;
            let event_id = EventId::Step { agent, step: step + 1 };
            engine.step(&Action { event_id, t_s: plan.time_of(step), agent, decision }, watch);
            let outcome = engine.outcome();
            refused[me] = outcome.reason.filter(|_| !outcome.accepted);
        }
    }

    /// Lets time run to the horizon.
    pub(super) fn finish(mut self, plan: &Plan) -> Finished {
        self.wake(plan);
        self.engine.advance_to(plan.horizon_s, &mut self.watch);
        let Watch { mut flow, mut figures, .. } = self.watch;
        figures.flow = flow.tally(plan.sla_s, plan.horizon_s);
        figures.tell(&self.method.tally(), self.engine.symbols());
        Finished { figures, chain_head: self.engine.chain().last_hash.to_owned() }
    }
}

/// A method that could not be made.
fn failed(setup: &EpisodeSetup<'_>, direction: &Direction<'_>) -> impl Fn(Problem) -> BenchError + use<> {
    let (method, seed) = (direction.method.id().to_owned(), setup.seed);
    move |problem| BenchError::Method { method: method.clone(), seed, problem }
}

/// A view to be filled in: nobody has anything to do with specimens that are done, and there are ever more of them.
fn seen(horizon_s: i64) -> WorldView {
    WorldView { horizon_s: Some(horizon_s), without_done: true, ..WorldView::default() }
}

fn reset(engine: &mut dyn LabEngine, task: &str, state: &Map<String, Value>, seed: u64) -> Result<(), BenchError> {
    let failed = |source: LabError| BenchError::Lab { task: task.to_owned(), seed, source };
    engine.reset(state, seed).map_err(failed)
}
