//! Masks of many agents on one snapshot.
//!
//! To find out which actions have something to act on is the dearest part of a look. It depends on where an agent stands
//! and on what its role may do, and on nothing else of the agent: who stands together with one role has one mask.
//! (Minting a token needs a second agent who may. Of two who stand together and may, each is the other's.)

use labtrust_plugin::lab::AgentContext;
use labtrust_plugin::lab::contract::{self, ActionSpace};

/// Masks that were found on a snapshot. Not to be used for another.
pub(crate) struct Masks {
    space: ActionSpace,
    /// An agent's place in the view and its mask.
    known: Vec<(usize, u32)>,
}

impl Masks {
    pub(crate) fn new(space: ActionSpace) -> Self {
        Self { space, known: Vec::new() }
    }

    /// The mask of the agent that looks.
    pub(crate) fn of(&mut self, ctx: &mut AgentContext<'_>) -> u32 {
        let view = ctx.view;
        let me = &view.agents[ctx.me];
        // Whoever is on the way can only wait, which takes no time to find out.
        if me.walking_to.is_some() {
            return contract::mask(ctx, self.space);
        }
        let alike = |&&(other, _): &&(usize, u32)| {
            let other = &view.agents[other];
            other.zone == me.zone && other.may == me.may
        };
        if let Some(&(_, bits)) = self.known.iter().find(alike) {
            debug_assert_eq!(bits, contract::mask(ctx, self.space), "who stands together with one role has one mask");
            return bits;
        }
        let bits = contract::mask(ctx, self.space);
        self.known.push((ctx.me, bits));
        bits
    }
}
