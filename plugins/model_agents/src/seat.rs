//! A seat that a model fills.

use crate::situation;
use crate::work::{self, Task};
use labtrust_controls::pi_defense::Sample;
use labtrust_controls::proposal::Proposal;
use labtrust_controls::shielded::{Guards, Model, Outcome, RC_LLM_PROPOSED_INVALID, ShieldedAgent, Stop};
use labtrust_plugin::lab::{AgentContext, Decision};
use serde_json::{Map, Value};
use std::borrow::Borrow;

/// What came of a moment of a seat.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// What the agent does; `None` is to wait.
    pub decision: Option<Decision>,
    /// Whether that is what was intended: the same decision, or to wait where nothing was intended.
    pub as_intended: bool,
    /// What the path made of it.
    pub outcome: Outcome,
}

/// An agent whose decisions a model makes, behind the controls of `G`, which it borrows (`&Guards`) or shares
/// (`Arc<Guards>`).
///
/// Deterministic as far as the model is: no clock, no chance.
pub struct ModelSeat<G> {
    agent: ShieldedAgent<G>,
    model: Box<dyn Model + Send>,
    facts: Map<String, Value>,
}

impl<G: Borrow<Guards>> ModelSeat<G> {
    /// The seat of an agent at the beginning of an episode.
    #[must_use]
    pub fn new(guards: G, agent_id: &str, model: impl Model + Send + 'static) -> Self {
        Self { agent: ShieldedAgent::new(guards, agent_id), model: Box::new(model), facts: Map::new() }
    }

    /// The same with something that the records say beside the view. What the view says stays as it is.
    #[must_use]
    pub fn knowing(mut self, facts: Map<String, Value>) -> Self {
        self.facts = facts;
        self
    }

    /// Decides at `t_s`. `intended` is what the agent's method, or its own rules, would have it do now; it is the work
    /// list that the model reads. When the model proposes exactly that, the decision itself comes back, with all that a
    /// model does not see of it. Anything else is translated, argument by argument; what cannot be translated is no
    /// action ([`RC_LLM_PROPOSED_INVALID`]).
    pub fn decide(
        &mut self,
        ctx: &mut AgentContext<'_>,
        t_s: u64,
        intended: Option<Decision>,
        texts: Vec<Sample>,
    ) -> Turn {
        let task = intended.as_ref().map(|decision| Task::of(decision, ctx));
        let situation = situation::situation(ctx, t_s, task.as_ref(), texts, &self.facts);
        let mut outcome = self.agent.decide(&situation, &mut self.model);
        if outcome.stopped.is_some() {
            // Who is stopped waits; where nothing was intended that is no loss.
            return Turn { decision: None, as_intended: intended.is_none(), outcome };
        }
        if task.is_some_and(|task| task.is(&outcome.action)) {
            return Turn { decision: intended, as_intended: true, outcome };
        }
        match work::decision(&outcome.action, ctx.symbols) {
            Ok(decision) => Turn { as_intended: decision.is_none() && intended.is_none(), decision, outcome },
            Err(detail) => {
                let (code, detail) = (RC_LLM_PROPOSED_INVALID.to_owned(), detail.to_owned());
                outcome.stopped = Some(Stop { control: None, code, detail });
                outcome.action = Proposal::noop();
                Turn { decision: None, as_intended: intended.is_none(), outcome }
            }
        }
    }
}
