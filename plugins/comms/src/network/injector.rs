//! Attacks on messages, inside the delivery engine: the one place that every message passes.

use crate::agent::AgentId;

/// A message as it is handed to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail<M> {
    /// Who is said to send it.
    pub from: AgentId,
    /// Whom it is for.
    pub to: AgentId,
    /// What it says.
    pub body: M,
}

/// What becomes of a message that an injector has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on, changed or not.
    Pass,
    /// It goes nowhere.
    Drop,
}

/// Somebody on the wire: changes what is said, says that another said it, repeats it, floods, or swallows.
///
/// It sees every message between two agents once, when it is sent and before anything is drawn for it. What it adds travels like any
/// other message and is not shown to it again. It must decide by what it is shown and by its own state only, so that a run can be repeated.
pub trait Injector<M>: Send {
    /// A message is sent at `now_us`. `extra` takes what is to be sent beside it.
    fn on_send(&mut self, now_us: u64, mail: &mut Mail<M>, extra: &mut Vec<Mail<M>>) -> Fate;
}
