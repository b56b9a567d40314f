//! A model around an agent's own policy: the policy says what it would do, the model's seat what is done.

use crate::seat::{ModelSeat, Turn};
use labtrust_controls::pi_defense::Sample;
use labtrust_controls::shielded::Guards;
use labtrust_plugin::lab::{AgentContext, AgentPolicy, Decision};
use std::borrow::Borrow;

/// Where the texts come from that lie before an agent: notes, messages, memories.
pub trait Inbox: Send {
    /// The texts of this moment. `intended` is what the agent would do without them.
    fn texts(&mut self, ctx: &mut AgentContext<'_>, intended: Option<&Decision>) -> Vec<Sample>;

    /// What came of the moment.
    fn decided(&mut self, ctx: &mut AgentContext<'_>, turn: &Turn) {
        let _ = (ctx, turn);
    }
}

/// Nothing is written to anybody.
impl Inbox for () {
    fn texts(&mut self, _ctx: &mut AgentContext<'_>, _intended: Option<&Decision>) -> Vec<Sample> {
        Vec::new()
    }
}

/// The texts of one, then those of the other.
impl<A: Inbox, B: Inbox> Inbox for (A, B) {
    fn texts(&mut self, ctx: &mut AgentContext<'_>, intended: Option<&Decision>) -> Vec<Sample> {
        let mut texts = self.0.texts(ctx, intended);
        texts.extend(self.1.texts(ctx, intended));
        texts
    }

    fn decided(&mut self, ctx: &mut AgentContext<'_>, turn: &Turn) {
        self.0.decided(ctx, turn);
        self.1.decided(ctx, turn);
    }
}

/// An agent whose own policy `P` says what is intended, and whose model decides.
pub struct ModelDriven<P, G, I = ()> {
    own: P,
    seat: ModelSeat<G>,
    inbox: I,
}

impl<P: AgentPolicy, G: Borrow<Guards> + Send, I: Inbox> ModelDriven<P, G, I> {
    /// The agent at the beginning of an episode.
    #[must_use]
    pub const fn new(own: P, seat: ModelSeat<G>, inbox: I) -> Self {
        Self { own, seat, inbox }
    }
}

impl<P: AgentPolicy, G: Borrow<Guards> + Send, I: Inbox> AgentPolicy for ModelDriven<P, G, I> {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        let intended = self.own.decide(ctx);
        let texts = self.inbox.texts(ctx, intended.as_ref());
        let t_s = u64::try_from(ctx.view.now_s).unwrap_or_default();
        let turn = self.seat.decide(ctx, t_s, intended, texts);
        self.inbox.decided(ctx, &turn);
        turn.decision
    }
}
