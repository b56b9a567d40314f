//! The network: one delivery engine for every message of every method.
//!
//! A link is an ordered pair of agents. Each message of a link has a travel time of its own, may be lost, may arrive
//! twice, waits where the link is full, and never moves by more than the reorder window among the messages of its link.
//! Time is whole microseconds; a step has a declared length, and as many rounds of messages fit into it as the travel
//! times allow. The random numbers of a message are named by (episode, link, number of the message on the link), so
//! neither another link nor another setting moves them: two settings are compared on common random numbers.
//!
//! Message contents are never looked at or copied except for broadcasts and duplicates. Decided in
//! `docs/adr/0023-message-layer.md`.

mod draws;
mod injector;
mod latency;
mod link;
mod meter;
mod partition;
mod settings;

pub use injector::{Fate, Injector, Mail};
pub use latency::Latency;
pub use meter::NetworkMetrics;
pub(crate) use meter::rate_4;
pub use settings::{Delay, DropSpike, NetworkSettings, Partition, SettingsError};

use crate::agent::{AgentId, AgentSet};
use draws::Draws;
use link::Link;
use meter::Meter;
use partition::Partitions;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// What a message costs on the wire.
pub trait Wire {
    /// Its length [B].
    fn wire_bytes(&self) -> u32;

    /// The length of its canonical JSON [B], where it can be told without writing that.
    fn canonical_len(&self) -> Option<usize> {
        None
    }
}

/// A message that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<M> {
    /// Who sent it; on an unsigned network nobody can tell whether that is true.
    pub from: AgentId,
    /// Whom it reached.
    pub to: AgentId,
    /// When it was sent [µs].
    pub sent_us: u64,
    /// When it arrived [µs].
    pub at_us: u64,
    /// What it says.
    pub body: M,
}

/// A message on its way. Ordered by arrival; at one time by its place on its link, then by when it was sent.
#[derive(Clone, Debug)]
struct Travelling<M> {
    at_us: u64,
    rank: u64,
    sequence: u64,
    delivery: Delivery<M>,
}

impl<M> Travelling<M> {
    const fn key(&self) -> (u64, u64, u64) {
        (self.at_us, self.rank, self.sequence)
    }
}

impl<M> PartialEq for Travelling<M> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<M> Eq for Travelling<M> {}

impl<M> PartialOrd for Travelling<M> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<M> Ord for Travelling<M> {
    /// The next to arrive is the greatest: that is what a heap hands out.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// Why a message does not arrive.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Chance,
    Partition,
}

/// The network of one episode, for messages of type `M`.
pub struct Network<M> {
    settings: NetworkSettings,
    latency: Latency,
    partitions: Partitions,
    draws: Draws,
    agents: u32,
    now_us: u64,
    sequence: u64,
    /// Only looked up, never walked.
    links: FxHashMap<u64, Link>,
    /// What arrives without delay, in the order in which it was sent.
    ready: VecDeque<Delivery<M>>,
    travelling: BinaryHeap<Travelling<M>>,
    meter: Meter,
    injector: Option<Box<dyn Injector<M>>>,
    /// To whom others have sent something, where that is noted.
    addressed: Option<AgentSet>,
}

impl<M> std::fmt::Debug for Network<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.ready.len() + self.travelling.len();
        f.debug_struct("Network")
            .field("settings", &self.settings)
            .field("agents", &self.agents)
            .field("now_us", &self.now_us)
            .field("in_flight", &waiting)
            .finish_non_exhaustive()
    }
}

impl<M: Clone + Wire> Network<M> {
    /// A network between `agents` agents, numbered from 0, at time 0 of the episode with this seed.
    ///
    /// # Errors
    /// [`SettingsError`] for settings that make no sense.
    pub fn new(settings: &NetworkSettings, agents: u32, episode_seed: u64) -> Result<Self, SettingsError> {
        settings.validate()?;
        Ok(Self {
            settings: settings.clone(),
            latency: settings.latency(),
            partitions: Partitions::resolve(&settings.partition_schedule, agents, episode_seed),
            draws: Draws::new(episode_seed),
            agents,
            now_us: 0,
            sequence: 0,
            links: FxHashMap::default(),
            ready: VecDeque::new(),
            travelling: BinaryHeap::new(),
            meter: Meter::default(),
            injector: None,
            addressed: None,
        })
    }

    /// Puts somebody on the wire from now on, or nobody. It stays through [`Network::reset`].
    pub fn set_injector(&mut self, injector: Option<Box<dyn Injector<M>>>) {
        self.injector = injector;
    }

    /// Begins to note to whom others send something, from nothing; or notes it no more.
    pub fn note_addressed(&mut self, noted: bool) {
        match &mut self.addressed {
            Some(addressed) if noted => addressed.clear(),
            addressed => *addressed = noted.then(AgentSet::default),
        }
    }

    /// To whom others have sent something since [`Network::note_addressed`], whatever became of it; `None` where it is not
    /// noted. What an injector does is not in it.
    #[must_use]
    pub const fn addressed(&self) -> Option<&AgentSet> {
        self.addressed.as_ref()
    }

    /// Begins another episode with the same settings; keeps the memory.
    pub fn reset(&mut self, episode_seed: u64) {
        self.partitions = Partitions::resolve(&self.settings.partition_schedule, self.agents, episode_seed);
        self.draws = Draws::new(episode_seed);
        (self.now_us, self.sequence) = (0, 0);
        self.links.clear();
        self.ready.clear();
        self.travelling.clear();
        self.meter.clear();
    }

    /// Other settings from now on. Messages on their way keep their fate, except that a network that becomes perfect
    /// delivers all of them now, in the order in which they would have arrived.
    ///
    /// # Errors
    /// [`SettingsError`]; nothing changes.
    pub fn set_settings(&mut self, settings: &NetworkSettings, episode_seed: u64) -> Result<(), SettingsError> {
        settings.validate()?;
        self.settings = settings.clone();
        self.latency = settings.latency();
        self.partitions = Partitions::resolve(&settings.partition_schedule, self.agents, episode_seed);
        if settings.perfect {
            while let Some(Travelling { delivery, .. }) = self.travelling.pop() {
                self.ready.push_back(Delivery { at_us: self.now_us, ..delivery });
            }
        }
        Ok(())
    }

    /// The settings in force.
    #[must_use]
    pub const fn settings(&self) -> &NetworkSettings {
        &self.settings
    }

    /// Now [µs]: the time of the last delivery, or where the clock was put.
    #[must_use]
    pub const fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The length of a step [µs].
    #[must_use]
    pub const fn step_us(&self) -> u64 {
        self.settings.step_us()
    }

    /// The step that it is now.
    #[must_use]
    pub const fn step(&self) -> u64 {
        self.now_us / self.step_us()
    }

    /// Puts the clock to the beginning of `step`; never back. What was due before is delivered late, at its own time.
    pub fn begin_step(&mut self, step: u64) {
        self.advance_to(step.saturating_mul(self.step_us()));
    }

    /// Puts the clock forward to `us`; never back.
    pub fn advance_to(&mut self, us: u64) {
        self.now_us = self.now_us.max(us);
    }

    /// How many agents there are [count].
    #[must_use]
    pub const fn agents(&self) -> u32 {
        self.agents
    }

    /// How many messages are on their way [count].
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.ready.len() + self.travelling.len()
    }

    /// Sends a message now. One to oneself arrives at once and is no message on the wire; one to somebody who does not exist is
    /// counted as misaddressed and goes nowhere.
    pub fn send(&mut self, from: AgentId, to: AgentId, body: M) {
        if let Some(addressed) = self.addressed.as_mut().filter(|_| from != to && to.0 < self.agents) {
            addressed.insert(to);
        }
        // Words to oneself are on no wire.
        let Some(injector) = self.injector.as_mut().filter(|_| from != to) else {
            return self.put_on_the_wire(from, to, body);
        };
        let (mut mail, mut extra) = (Mail { from, to, body }, Vec::new());
        let fate = injector.on_send(self.now_us, &mut mail, &mut extra);
        self.meter.injected(extra.len() as u64);
        match fate {
            Fate::Pass => self.put_on_the_wire(mail.from, mail.to, mail.body),
            Fate::Drop => self.meter.swallowed(),
        }
        for mail in extra {
            self.put_on_the_wire(mail.from, mail.to, mail.body);
        }
    }

    fn put_on_the_wire(&mut self, from: AgentId, to: AgentId, body: M) {
        if to.0 >= self.agents || (from.0 >= self.agents && from != AgentId::WORLD) {
            self.meter.misaddressed();
            return;
        }
        let delivery = Delivery { from, to, sent_us: self.now_us, at_us: self.now_us, body };
        if from == to {
            self.ready.push_back(delivery);
            return;
        }
        let bytes = delivery.body.wire_bytes();
        self.meter.sent(bytes);
        if self.settings.perfect {
            self.ready.push_back(delivery);
        } else {
            self.travel(delivery, bytes);
        }
    }

    /// Sends a message to each of `to`, in that order.
    pub fn multicast(&mut self, from: AgentId, to: impl IntoIterator<Item = AgentId>, body: &M) {
        for to in to {
            self.send(from, to, body.clone());
        }
    }

    /// Sends a message to everybody else, in the order of their numbers.
    pub fn broadcast(&mut self, from: AgentId, body: &M) {
        self.multicast(from, (0..self.agents).map(AgentId).filter(|to| *to != from), body);
    }

    fn travel(&mut self, delivery: Delivery<M>, bytes: u32) {
        let id = u64::from(delivery.from.0) << 32 | u64::from(delivery.to.0);
        let link = self.links.entry(id).or_default();
        let (message, step_us) = (link.next_message(), self.settings.step_us());
        let depart_us = link.depart(self.now_us, bytes, step_us, &self.settings);
        let mut delivery = delivery;
        for before in 0..=self.settings.retries {
            // Whoever waits for an acknowledgement in vain says it again; that takes no room of the link.
            let wait_us = self.settings.timeout_us().saturating_mul(u64::from(before));
            match self.try_once(id, message, before, depart_us.saturating_add(wait_us), delivery) {
                Ok(()) => return,
                Err((lost, why)) if before == self.settings.retries => {
                    drop(lost);
                    return match why {
                        Loss::Chance => self.meter.lost(),
                        Loss::Partition => self.meter.cut_off(),
                    };
                }
                Err((lost, _)) => delivery = lost,
            }
            self.meter.retried();
        }
    }

    /// Sends a message that was sent `before` times already; gives it back where it does not arrive.
    fn try_once(
        &mut self,
        id: u64,
        message: u64,
        before: u32,
        depart_us: u64,
        delivery: Delivery<M>,
    ) -> Result<(), (Delivery<M>, Loss)> {
        let (from, to) = (delivery.from, delivery.to);
        let dice = self.draws.of(id, message, before);
        let step_us = self.settings.step_us();
        let step = depart_us / step_us;
        if self.partitions.cut(from, to, step) {
            return Err((delivery, Loss::Partition));
        }
        if dice.lost(self.settings.drop_chance(step)) {
            return Err((delivery, Loss::Chance));
        }
        let window = self.settings.reorder_window;
        let link = self.links.entry(id).or_default();
        let mut lost = None;
        let copy = dice.doubled(self.settings.duplicate_rate).then(|| delivery.clone());
        let originals = [(Some(delivery), false), (copy, true)];
        for (delivery, is_copy) in originals.into_iter().filter_map(|(one, is_copy)| Some((one?, is_copy))) {
            let latency_us = self.latency.sample_us(dice.normal(is_copy));
            let (at_us, rank) = link.arrive(depart_us.saturating_add(latency_us), dice.shift(is_copy, window), window);
            match (self.partitions.cut(from, to, at_us / step_us), is_copy) {
                (true, true) => {
                    self.meter.cut_off();
                    continue;
                }
                (true, false) => {
                    lost = Some(delivery);
                    continue;
                }
                (false, true) => self.meter.doubled(),
                (false, false) => {}
            }
            let sequence = self.sequence;
            self.sequence += 1;
            self.travelling.push(Travelling { at_us, rank, sequence, delivery: Delivery { at_us, ..delivery } });
        }
        lost.map_or(Ok(()), |delivery| Err((delivery, Loss::Partition)))
    }

    /// The next message that arrives until `limit_us` (included), and puts the clock to its arrival. `None` when there is none; the
    /// clock then stands at `limit_us`.
    ///
    /// What is sent between two calls takes its part: this is the loop of an exchange within a step.
    pub fn next_until(&mut self, limit_us: u64) -> Option<Delivery<M>> {
        let next = match self.ready.pop_front() {
            Some(next) => next,
            None if self.travelling.peek().is_some_and(|next| next.at_us <= limit_us) => {
                self.travelling.pop()?.delivery
            }
            None => {
                self.advance_to(limit_us);
                return None;
            }
        };
        self.advance_to(next.at_us);
        if next.from != next.to {
            self.meter.delivered(next.at_us - next.sent_us, next.body.wire_bytes());
        }
        Some(next)
    }

    /// Appends everything that arrives until `limit_us` (included) to `out`, in order of arrival, and puts the clock there.
    pub fn drain_until(&mut self, limit_us: u64, out: &mut Vec<Delivery<M>>) {
        while let Some(delivery) = self.next_until(limit_us) {
            out.push(delivery);
        }
    }

    /// What was counted since the last reset.
    #[must_use]
    pub fn metrics(&self) -> NetworkMetrics {
        self.meter.metrics()
    }
}

#[cfg(test)]
mod tests;
