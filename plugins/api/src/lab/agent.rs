//! How an agent decides.

use super::{Decision, Symbol, Symbols, WorldView};

/// What an agent may look at and use while it decides.
pub struct AgentContext<'a> {
    /// The view that all agents of the step share.
    pub view: &'a WorldView,
    /// The interner, for ids that the agent makes (a result, a run, an aliquot).
    pub symbols: &'a mut Symbols,
    /// The deciding agent's own index in [`WorldView::agents`].
    pub me: usize,
    /// Reason code of the agent's last action if it was refused.
    pub refused: Option<&'static str>,
}

impl AgentContext<'_> {
    /// The deciding agent's id.
    #[must_use]
    pub fn id(&self) -> Symbol {
        self.view.agents[self.me].id
    }

    /// Interns the text that `format_args!` makes.
    pub fn name(&mut self, text: std::fmt::Arguments<'_>) -> Symbol {
        match text.as_str() {
            Some(text) => self.symbols.intern(text),
            None => self.symbols.intern(&text.to_string()),
        }
    }
}

/// An agent's policy. Made new for every episode.
pub trait AgentPolicy: Send {
    /// What to do now; `None` is to do nothing (no event is made of it).
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision>;
}

impl<P: AgentPolicy + ?Sized> AgentPolicy for Box<P> {
    fn decide(&mut self, ctx: &mut AgentContext<'_>) -> Option<Decision> {
        (**self).decide(ctx)
    }
}
