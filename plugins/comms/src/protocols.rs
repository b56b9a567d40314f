//! State machines with which agents agree on something: messages in, messages out.
//!
//! A [`Machine`] knows neither the network nor the clock. [`Exchange`] drives a list of them over a [`Network`] for some rounds
//! of a step; a test drives them through every order of messages there is. None of them knows what is agreed on.
//!
//! | protocol | agrees on | stands |
//! |---|---|---|
//! | [`gossip`] | who claims what, and how busy everybody is | loss, any order |
//! | [`paxos`] | one value for each slot | loss, copies, any order, crashes of fewer than half |
//! | [`certified`] | the same | the same, and lies of fewer than a third, the leader's too |
//! | [`cbba`] | who does which task | loss, any order; bids that cannot be true |
//! | [`commit_reveal`] | bids that nobody changes after seeing others | a bidder that tries |
//!
//! A [`Speaker`] signs what a machine says and judges what it hears.

pub mod cbba;
pub mod certified;
pub mod commit_reveal;
pub mod gossip;
pub mod paxos;
mod quorum;
mod scrutiny;
mod seal;
mod speaker;
mod watch;

pub use quorum::Quorum;
pub use scrutiny::Scrutiny;
pub use seal::{Seal, Turned};
pub use speaker::{Letter, Signed, Speaker};
pub use watch::{Mark, Watch};

use crate::agent::AgentId;
use crate::network::{Network, Wire};
use std::sync::Arc;

/// One agent's part in a protocol.
pub trait Machine {
    /// What it says and hears.
    type Message: Clone + Wire;

    /// Round `round` of the exchange begins, counted from 0: time to say something, or to say it again.
    fn on_round(&mut self, round: u32, out: &mut Outbox<Self::Message>);

    /// A message has arrived. `from` is what the network says; whoever must know needs signatures.
    fn on_message(&mut self, from: AgentId, message: Self::Message, out: &mut Outbox<Self::Message>);

    /// What it has not believed so far though it was handed on to it: bids that cannot be true, for instance.
    fn doubts(&self) -> Doubts {
        Doubts::default()
    }
}

/// What a machine has not believed, for whoever watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// How often [count].
    pub count: u64,
    /// Why the last time, a reason code, and whom the machine names for it.
    pub last: Option<(&'static str, AgentId)>,
}

impl Doubts {
    /// Counts another one.
    pub const fn add(&mut self, code: &'static str, about: AgentId) {
        self.count += 1;
        self.last = Some((code, about));
    }
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum To {
    /// One agent.
    One(AgentId),
    /// These, in this order.
    Many(Arc<[AgentId]>),
    /// Everybody but the sender.
    Others,
}

/// What a machine wants to have sent. Reused from call to call.
#[derive(Clone, Debug)]
pub struct Outbox<M> {
    mail: Vec<(To, M)>,
}

impl<M> Default for Outbox<M> {
    fn default() -> Self {
        Self { mail: Vec::new() }
    }
}

impl<M> Outbox<M> {
    /// Sends to one agent.
    pub fn send(&mut self, to: AgentId, message: M) {
        self.mail.push((To::One(to), message));
    }

    /// Sends to each of some agents, in that order.
    pub fn multicast(&mut self, to: Arc<[AgentId]>, message: M) {
        self.mail.push((To::Many(to), message));
    }

    /// Sends to everybody else.
    pub fn broadcast(&mut self, message: M) {
        self.mail.push((To::Others, message));
    }

    /// Takes everything out, in the order in which it was put in.
    pub fn drain(&mut self) -> impl Iterator<Item = (To, M)> + '_ {
        self.mail.drain(..)
    }
}

/// Some rounds within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// How many rounds [count].
    pub rounds: u32,
    /// How long one is [µs]. What arrives later is heard in a later round, or in a later exchange.
    pub round_us: u64,
}

impl Exchange {
    /// `rounds` rounds that share the step of this network among them, with nothing left over for others.
    #[must_use]
    pub fn over_a_step<M: Clone + Wire>(rounds: u32, network: &Network<M>) -> Self {
        Self { rounds, round_us: network.step_us() / u64::from(rounds.max(1)) }
    }

    /// Drives the machines through the rounds, from now on. Machine n is agent n. In each round those awake speak in the order of
    /// their numbers, then messages are heard in the order in which they arrive, until the round is over. An agent that is
    /// not awake in a round neither speaks nor hears: what reaches it then is lost. The last microsecond of a round belongs to
    /// the next, so that rounds which fill a step stay in it.
    pub fn run<P: Machine>(
        self,
        machines: &mut [P],
        network: &mut Network<P::Message>,
        awake: impl Fn(AgentId, u32) -> bool,
    ) {
        let begin_us = network.now_us();
        let mut out = Outbox::default();
        for round in 0..self.rounds {
            for (number, machine) in machines.iter_mut().enumerate() {
                let agent = agent(number);
                if awake(agent, round) {
                    machine.on_round(round, &mut out);
                    post(agent, &mut out, network);
                }
            }
            let round_end_us = begin_us.saturating_add(self.round_us.saturating_mul(u64::from(round) + 1));
            while let Some(delivery) = network.next_until(round_end_us.saturating_sub(1).max(begin_us)) {
                let Some(machine) = machines.get_mut(delivery.to.index()).filter(|_| awake(delivery.to, round)) else {
                    continue;
                };
                machine.on_message(delivery.from, delivery.body, &mut out);
                post(delivery.to, &mut out, network);
            }
        }
    }
}

fn agent(number: usize) -> AgentId {
    AgentId(u32::try_from(number).expect("fewer than 2^32 agents"))
}

fn post<M: Clone + Wire>(from: AgentId, out: &mut Outbox<M>, network: &mut Network<M>) {
    for (to, message) in out.drain() {
        match to {
            To::One(to) => network.send(from, to, message),
            To::Many(to) => network.multicast(from, to.iter().copied(), &message),
            To::Others => network.broadcast(from, &message),
        }
    }
}

/// Who leads `term` of `slot` among `agents`: everybody in turn.
fn leader(agents: u32, slot: u64, term: u32) -> AgentId {
    let turn = slot.wrapping_add(u64::from(term)) % u64::from(agents.max(1));
    AgentId(u32::try_from(turn).expect("below a number of 32 bits"))
}

#[cfg(test)]
mod tests;
