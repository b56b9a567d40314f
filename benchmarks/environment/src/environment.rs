//! One episode after the other, played from outside.

use crate::floor_plan::{self, Moment, picture};
use crate::masks::Masks;
use crate::reward::Tally;
use crate::{EnvironmentError, World};
use labtrust_bench::log::EpisodeLog;
use labtrust_bench::{Episode, EpisodeOutcome, Turn};
use labtrust_figures::draw::scene::Scene;
use labtrust_plugin::lab::contract::{self, bare};
use labtrust_plugin::lab::{AgentContext, Decision, LabEngine, WorldView};
use labtrust_plugin::metric::SeatFacts;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What happened in a step, beside its observations and rewards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// Specimens that had their first result released [count].
    pub released: u32,
    /// Invariants broken [count].
    pub violations: u32,
    /// Actions of the crew refused [count].
    pub blocked: u32,
}

/// Where the episode is.
enum Course {
    /// There is none yet, or it could not be opened.
    None,
    /// Between two steps.
    Open(Box<Episode>),
    /// At its horizon. Its figures are there where it was measured.
    Over { last: Box<Episode>, outcome: Option<EpisodeOutcome> },
}

/// An environment. The agents are those of [`World::agents`], in that order, wherever one value an agent is meant.
///
/// The same seed and the same actions give the same of everything, whatever was played before.
pub struct Environment {
    world: Arc<World>,
    engine: Box<dyn LabEngine>,
    course: Course,
    episodes: u64,
    tally: Tally,
    /// What each agent wants; emptied by each step.
    wanted: Vec<Option<Decision>>,
}

impl Environment {
    /// An environment before its first episode.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        let engine = world.engine();
        Self { world, engine, course: Course::None, episodes: 0, tally: Tally::default(), wanted: Vec::new() }
    }

    /// What it shares with others.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Begins the episode of a seed, up to the moment at which everybody decides for the first time.
    ///
    /// # Errors
    /// [`EnvironmentError::Bench`] where the episode cannot be opened; there is none then.
    pub fn reset(&mut self, seed: u64) -> Result<(), EnvironmentError> {
        self.course = Course::None;
        let mut episode = self.world.episode(&mut *self.engine, seed, self.episodes)?;
        if !self.world.fits(&episode, &*self.engine) {
            return Err(EnvironmentError::Shape { task: self.world.task().id().to_owned(), seed });
        }
        self.episodes += 1;
        let attackers = episode.seats().iter().filter(|seat| seat.attacker).map(|seat| seat.agent).collect();
        self.tally = Tally::new(attackers);
        episode.look(&mut *self.engine, &mut self.tally);
        self.course = Course::Open(Box::new(episode));
        Ok(())
    }

    /// Plays a step: one index an agent. `beside` has what an agent says beside its index, by the agent's number. Whether
    /// the episode is over.
    ///
    /// # Errors
    /// Nothing has happened then: [`EnvironmentError::NoEpisode`], [`EnvironmentError::Actions`], and
    /// [`EnvironmentError::Action`] where what stands beside an index cannot be read.
    pub fn step(
        &mut self,
        indices: &[i64],
        beside: &BTreeMap<usize, Map<String, Value>>,
    ) -> Result<bool, EnvironmentError> {
        let Self { world, engine, course, tally, wanted, .. } = self;
        let Course::Open(episode) = course else {
            let why = if matches!(course, Course::None) { "none was begun" } else { "it is over" };
            return Err(EnvironmentError::NoEpisode { why });
        };
        let seats = world.seats();
        if indices.len() != seats.len() {
            return Err(EnvironmentError::Actions { given: indices.len(), agents: seats.len() });
        }
        wanted.clear();
        for (number, (&seat, &index)) in seats.iter().zip(indices).enumerate() {
            let mut context = episode.context(&mut **engine, seat);
            wanted.push(match beside.get(&number) {
                None => bare(&mut context, world.space().kind(index)),
                Some(info) => contract::decide(&mut context, world.space(), index, info)
                    .map_err(|source| EnvironmentError::Action { agent: world.agents()[number].clone(), source })?,
            });
        }
        tally.clear();
        let mut next = 0;
        episode.act(&mut **engine, tally, &mut |seat, _| match seats.get(next) {
            Some(&played) if played == seat => {
                next += 1;
                Turn::Given(wanted[next - 1].take())
            }
            _ => Turn::Own,
        });
        if episode.look(&mut **engine, tally) {
            return Ok(false);
        }
        episode.close(&mut **engine, tally);
        if let Course::Open(mut last) = std::mem::replace(course, Course::None) {
            let outcome = world.is_measured().then(|| last.outcome(&mut **engine));
            *course = Course::Over { last, outcome };
        }
        Ok(true)
    }

    /// Writes one reward an agent for the newest step.
    pub fn write_rewards(&self, out: &mut [f64]) {
        let Some(episode) = self.episode() else { return out.fill(0.0) };
        for (place, &seat) in out.iter_mut().zip(self.world.seats()) {
            *place = self.tally.reward(self.world.weights(), episode.seats()[seat].agent);
        }
    }

    /// What happened in the newest step.
    #[must_use]
    pub fn counts(&self) -> StepCounts {
        let Tally { released, violations, blocked, .. } = self.tally;
        StepCounts { released, violations, blocked }
    }

    /// Writes the observations of all agents, one after the other, each as the [`Layout`](contract::vector::Layout) says.
    pub fn write_observations(&self, out: &mut [f32]) {
        let Some(episode) = self.episode() else { return out.fill(0.0) };
        let seen = self.world.seats().iter().map(|&seat| (episode.place(seat), episode.refused(seat).is_some()));
        self.world.layout().write_rows(episode.view(), self.engine.symbols(), seen, out);
    }

    /// Writes the state of the laboratory: what all agents share, then what each has for itself.
    pub fn write_state(&self, out: &mut [f32]) {
        let layout = self.world.layout();
        let Some(episode) = self.episode() else { return out.fill(0.0) };
        let (shared, own) = out.split_at_mut(layout.shared_len().min(out.len()));
        layout.write_shared(episode.view(), self.engine.symbols(), shared);
        for (row, &seat) in own.chunks_exact_mut(layout.own_len()).zip(self.world.seats()) {
            self.write_own(episode, seat, row);
        }
    }

    fn write_own(&self, episode: &Episode, seat: usize, out: &mut [f32]) {
        let refused = episode.refused(seat).is_some();
        self.world.layout().write_own(episode.view(), episode.place(seat), refused, out);
    }

    /// Writes the masks of all agents, one after the other, 1 for every index that makes sense now. After the end only
    /// waiting does.
    pub fn write_masks(&mut self, out: &mut [i8]) {
        let Self { world, engine, course, .. } = self;
        let length = world.actions();
        let mut masks = Masks::new(world.space());
        for (row, &seat) in out.chunks_exact_mut(length).zip(world.seats()) {
            let bits = match course {
                Course::Open(episode) => masks.of(&mut episode.context(&mut **engine, seat)),
                Course::None | Course::Over { .. } => 1,
            };
            for (index, place) in row.iter_mut().enumerate() {
                *place = i8::from(bits >> index & 1 == 1);
            }
        }
    }

    /// Why each agent's last action was refused.
    #[must_use]
    pub fn refusals(&self) -> Vec<Option<&'static str>> {
        let of = |&seat: &usize| self.episode().and_then(|episode| episode.refused(seat));
        self.world.seats().iter().map(of).collect()
    }

    /// All that the agent with this number sees, in words, as an agent in a process of its own is told it. `None` where
    /// there is no such agent, or no episode.
    pub fn describe(&mut self, number: usize) -> Option<Map<String, Value>> {
        let Self { world, engine, course, .. } = self;
        let (Course::Open(episode) | Course::Over { last: episode, .. }) = course else { return None };
        let seat = *world.seats().get(number)?;
        Some(contract::observation(&mut episode.context(&mut **engine, seat), world.space()))
    }

    /// The newest snapshot and the names in it.
    #[must_use]
    pub fn view(&self) -> Option<(&WorldView, &labtrust_plugin::lab::Symbols)> {
        self.episode().map(|episode| (episode.view(), self.engine.symbols()))
    }

    /// A picture of the present moment; `None` where there is none.
    ///
    /// # Errors
    /// [`EnvironmentError::Policy`] where the policy has no floor plan that can be drawn.
    pub fn picture(&self) -> Result<Option<Scene>, EnvironmentError> {
        let Some(episode) = self.episode() else { return Ok(None) };
        let plan = floor_plan::read(self.world.policy())?;
        let symbols = self.engine.symbols();
        let person = |(seat, facts): (usize, &SeatFacts)| (episode.place(seat), symbols.text(facts.name).to_owned());
        let people: Vec<_> = episode.seats().iter().enumerate().map(person).collect();
        let title = format!("{}, step {}", self.world.task().id(), episode.steps());
        let moment = Moment { view: episode.view(), symbols, title: &title, people: &people };
        Ok(Some(picture(&plan, &moment)))
    }

    /// Steps played in this episode [count].
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.episode().map_or(0, Episode::steps)
    }

    /// Whether the episode has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.course, Course::Over { .. })
    }

    /// The figures of an episode that is over, where it was measured.
    #[must_use]
    pub fn outcome(&self) -> Option<&EpisodeOutcome> {
        match &self.course {
            Course::Over { outcome, .. } => outcome.as_ref(),
            Course::None | Course::Open(_) => None,
        }
    }

    /// The log of this episode so far; empty where none is kept.
    #[must_use]
    pub fn log(&self) -> &[u8] {
        self.episode().and_then(Episode::log).map_or(&[], EpisodeLog::bytes)
    }

    /// Hash of the newest record.
    #[must_use]
    pub fn chain_head(&self) -> Option<&str> {
        self.episode().map(|_| self.engine.chain().last_hash)
    }

    /// Lets an agent look through the eyes of one that is played from outside; for agents in this program.
    pub fn with_context<T>(&mut self, number: usize, look: impl FnOnce(&mut AgentContext<'_>) -> T) -> Option<T> {
        let Self { world, engine, course, .. } = self;
        let (Course::Open(episode) | Course::Over { last: episode, .. }) = course else { return None };
        Some(look(&mut episode.context(&mut **engine, *world.seats().get(number)?)))
    }

    fn episode(&self) -> Option<&Episode> {
        match &self.course {
            Course::None => None,
            Course::Open(episode) | Course::Over { last: episode, .. } => Some(episode),
        }
    }
}
