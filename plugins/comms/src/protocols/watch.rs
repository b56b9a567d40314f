//! Who watches letters beside the wire: what an attacker made keeps a mark, and it is told what became of it.

use crate::agent::AgentId;
use serde_json::Value;

/// The mark of a letter, in the books of whoever watches. No machine and no bus is given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u32);

/// Somebody who watches what is said and what becomes of it.
pub trait Watch {
    /// Whether anybody ever wants to say something else than was meant.
    fn tempts(&self) -> bool {
        true
    }

    /// `me` is about to say something, before it is signed: it may be changed. The mark stays with every copy of it.
    fn on_say(&self, me: AgentId, said: &mut Value) -> Option<Mark>;

    /// `me` has believed a marked letter, or not believed any letter for a reason (a code), and names somebody for it or nobody.
    fn on_heard(&self, me: AgentId, mark: Option<Mark>, heard: Result<(), &'static str>, blamed: Option<AgentId>);
}
