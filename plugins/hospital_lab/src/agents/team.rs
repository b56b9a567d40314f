//! People of one role who share its work.
//!
//! All of them see the same snapshot and decide at the same time. So that no two reach for the same thing, they count
//! themselves off: of those who could act now, the first takes the first piece of work, the second the second. Who is
//! which follows from the snapshot alone, so nobody has to ask. Somebody alone is the first of one.

use labtrust_plugin::lab::{AgentContext, WorldView};
use std::sync::Arc;

/// Somebody and those of the same role.
#[derive(Clone, Debug, Default)]
pub struct Team {
    /// Places of all members in [`WorldView::agents`], ascending; empty for somebody who is alone.
    members: Option<Arc<[usize]>>,
}

impl Team {
    /// Somebody with these colleagues, the member itself included: places in [`WorldView::agents`], ascending.
    #[must_use]
    pub fn of(members: Arc<[usize]>) -> Self {
        Self { members: Some(members) }
    }

    /// Whether there are colleagues.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.members.as_ref().is_some_and(|members| members.len() > 1)
    }

    /// The deciding agent's number among all members, from 0, wherever they are.
    #[must_use]
    pub fn number(&self, ctx: &AgentContext<'_>) -> usize {
        self.before(ctx).count()
    }

    /// The deciding agent's number, from 0, among the members who stand in one of these zones.
    pub(super) fn rank(&self, ctx: &AgentContext<'_>, zones: &[Option<usize>]) -> usize {
        self.before(ctx).filter(|&member| stands_in(ctx.view, member, zones)).count()
    }

    /// The deciding agent's number, from 0, among the members who stand anywhere.
    pub(super) fn rank_anywhere(&self, ctx: &AgentContext<'_>) -> usize {
        let stands = |member: usize| ctx.view.agents.get(member).is_some_and(|agent| agent.walking_to.is_none());
        self.before(ctx).filter(|&member| stands(member)).count()
    }

    fn before(&self, ctx: &AgentContext<'_>) -> impl Iterator<Item = usize> {
        let me = ctx.me;
        self.members.iter().flat_map(|members| members.iter().copied()).take_while(move |&member| member < me)
    }
}

/// The item with number `left` of several lists that are looked through one after the other: `left` counts down.
pub(super) fn pick<T>(mut items: impl Iterator<Item = T>, left: &mut usize) -> Option<T> {
    items.find(|_| match left.checked_sub(1) {
        Some(fewer) => {
            *left = fewer;
            false
        }
        None => true,
    })
}

/// Whether somebody stands in one of these zones and is not about to leave it.
pub(super) fn stands_in(view: &WorldView, agent: usize, zones: &[Option<usize>]) -> bool {
    let agent = view.agents.get(agent).filter(|agent| agent.walking_to.is_none());
    agent.is_some_and(|agent| agent.zone.is_some() && zones.contains(&agent.zone))
}

#[cfg(test)]
mod tests {
    use super::super::test_view::Lab;
    use super::*;

    #[test]
    fn members_count_themselves_off_among_those_who_are_there() {
        let mut lab = Lab::new(&["Z_A", "Z_B"]);
        for (agent, zone) in [("A1", "Z_A"), ("A2", "Z_B"), ("A3", "Z_A"), ("A4", "Z_A")] {
            lab.agent(agent, zone);
        }
        let team = Team::of(Arc::from([0, 1, 3]));
        let mut rank = |me, moving: bool| {
            lab.view.agents[0].walking_to = moving.then_some(1);
            let ctx = AgentContext { view: &lab.view, symbols: &mut lab.symbols, me, refused: None };
            (team.number(&ctx), team.rank(&ctx, &[Some(0)]), team.rank_anywhere(&ctx))
        };
        assert_eq!((rank(0, false), rank(1, false), rank(3, false)), ((0, 0, 0), (1, 1, 1), (2, 1, 2)));
        assert_eq!(rank(3, true), (2, 0, 1), "who walks does not count");
        let ctx = AgentContext { view: &lab.view, symbols: &mut lab.symbols, me: 3, refused: None };
        assert_eq!(Team::default().rank_anywhere(&ctx), 0, "somebody alone is the first");
    }

    #[test]
    fn a_pick_goes_on_in_the_next_list() {
        let mut left = 3;
        assert_eq!(pick([1, 2].into_iter(), &mut left), None);
        assert_eq!(pick([3, 4].into_iter(), &mut left), Some(4));
    }
}
