//! Windowed cooperative A*: one agent after the other, each around all those before it.
//!
//! Every agent's path is reserved for the whole window, standing still included, so that nobody is planned into anybody. Who
//! finds no way around the others becomes first in the order and all are planned again, as far as the budget goes; the order
//! is kept for the next window.
//!
//! **Source** D. Silver, "Cooperative pathfinding", *AIIDE* 2005; raising who is stuck follows H. Ma et al., "Searching with
//! consistent prioritization for multi-agent path finding", *AAAI* 2019, without its search over partial orders (`rhcr` has
//! that). **Cost** O(agents x vertices x window) at worst for one order; most agents need no search.

use crate::distance::Distances;
use crate::instance::Instance;
use crate::plan::Plan;
use crate::rolling::Stop;
use crate::space_time::{Budget, Focus, Rules, search};
use crate::traffic::Traffic;

/// The last step that must be free of conflicts: who has set out in the window arrives after it.
pub(crate) fn horizon(instance: &Instance<'_>, window: u32) -> u32 {
    window + u32::from(instance.graph.longest()) - 1
}

/// Plans one window. `order` is read and changed; anything that is no order of the agents starts a new one.
pub(crate) fn window(
    instance: &Instance<'_>,
    distances: &mut Distances,
    order: &mut Vec<u32>,
    steps: u32,
    budget: &mut Budget,
) -> Result<Plan, Stop> {
    let agents = instance.agents.len();
    if order.len() != agents {
        *order = (0..agents as u32).collect();
    }
    // Who has arrived lets the others go first; without this two that raise each other in turn could do so for ever.
    order.sort_by_key(|&agent| {
        let agent = &instance.agents[agent as usize];
        agent.goal.is_none_or(|goal| agent.start == goal.into())
    });
    let mut traffic = Traffic::new(instance.graph, Some(horizon(instance, steps)));
    let mut paths = vec![Vec::new(); agents];
    // Each agent may be raised a few times; after that the order runs in circles.
    for _ in 0..4 * agents + 4 {
        traffic.clear();
        match in_order(instance, distances, order, steps, &mut traffic, &mut paths, budget)? {
            None => return Ok(Plan::from_paths(&paths)),
            Some(stuck) => order[..=stuck].rotate_right(1),
        }
    }
    Err(Stop::NoPlan)
}

/// Plans everybody in order; the position of the first one who is stuck.
fn in_order(
    instance: &Instance<'_>,
    distances: &mut Distances,
    order: &[u32],
    steps: u32,
    traffic: &mut Traffic,
    paths: &mut [Vec<u32>],
    budget: &mut Budget,
) -> Result<Option<usize>, Stop> {
    for (position, &agent) in order.iter().enumerate() {
        let rules = Rules { instance, agent: agent as usize, hard: Some(traffic), soft: None, bans: None };
        let Some(found) = search(&rules, distances, Focus::Cost, Some(steps), budget)? else {
            return Ok(Some(position));
        };
        traffic.insert(instance.graph, &found.path);
        paths[agent as usize] = found.path;
    }
    Ok(None)
}
