//! Rolling-horizon collision resolution: paths to the goals, free of conflicts for one window.
//!
//! Collisions are resolved by priority-based search, as its authors recommend: where two agents collide, one of them is given
//! priority, depth first over who comes before whom, and only those below are planned again.
//!
//! **Source** J. Li, A. Tinka, S. Kiesel, J. W. Durham, T. K. S. Kumar, S. Koenig, "Lifelong multi-agent path finding in
//! large-scale warehouses", *AAAI* 2021; H. Ma, D. Harabor, P. J. Stuckey, J. Li, S. Koenig, "Searching with consistent
//! prioritization for multi-agent path finding", *AAAI* 2019. **Cost** exponential in the number of pairs that collide at
//! worst; the budget bounds it.

use crate::conflict::Finder;
use crate::distance::Distances;
use crate::instance::Instance;
use crate::plan::Plan;
use crate::rolling::Stop;
use crate::space_time::{Budget, Focus, Rules, search};
use crate::traffic::Traffic;
use crate::whca::horizon;
use std::rc::Rc;

/// Who comes before whom, closed under "and so before those".
#[derive(Clone)]
struct Before {
    agents: usize,
    above: Vec<bool>,
}

impl Before {
    fn is(&self, high: usize, low: usize) -> bool {
        self.above[high * self.agents + low]
    }

    fn add(&mut self, high: usize, low: usize) {
        let highs: Vec<usize> = (0..self.agents).filter(|&a| a == high || self.is(a, high)).collect();
        let lows: Vec<usize> = (0..self.agents).filter(|&a| a == low || self.is(low, a)).collect();
        for &a in &highs {
            for &b in &lows {
                self.above[a * self.agents + b] = true;
            }
        }
    }

    fn above(&self, low: usize) -> impl Iterator<Item = usize> {
        (0..self.agents).filter(move |&high| self.is(high, low))
    }
}

#[derive(Clone)]
struct Node {
    before: Before,
    paths: Vec<Rc<[u32]>>,
    costs: Vec<u64>,
}

impl Node {
    fn cost(&self) -> u64 {
        self.costs.iter().sum()
    }
}

/// Plans one window.
pub(crate) fn window(
    instance: &Instance<'_>,
    distances: &mut Distances,
    steps: u32,
    budget: &mut Budget,
) -> Result<Plan, Stop> {
    let agents = instance.agents.len();
    let end = horizon(instance, steps);
    let mut finder = Finder::new(instance);
    let mut traffic = Traffic::new(instance.graph, Some(end));
    let mut root =
        Node { before: Before { agents, above: vec![false; agents * agents] }, paths: Vec::new(), costs: Vec::new() };
    for agent in 0..agents {
        let rules = Rules { instance, agent, hard: Some(&traffic), soft: None, bans: None };
        let found = search(&rules, distances, Focus::Cost, Some(steps), budget)?.ok_or(Stop::NoPlan)?;
        root.paths.push(found.path.into());
        root.costs.push(found.cost);
    }
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let (one, other) = match first_pair(&mut finder, instance, &node, end) {
            Pair::NoConflict => return Ok(Plan::from_paths(&node.paths)),
            Pair::Decided => continue,
            Pair::Undecided(one, other) => (one, other),
        };
        let mut children = Vec::with_capacity(2);
        for (high, low) in [(one, other), (other, one)] {
            let mut child = node.clone();
            child.before.add(high, low);
            if replan(&mut child, low, instance, distances, &mut finder, &mut traffic, (steps, end), budget)? {
                children.push(child);
            }
        }
        // The cheaper one on top; of equal ones the agent with the smaller index goes first.
        children.reverse();
        children.sort_by_key(|child| std::cmp::Reverse(child.cost()));
        open.extend(children);
    }
    Err(Stop::NoPlan)
}

enum Pair {
    NoConflict,
    /// Everything is decided and it still collides; nothing below this node can help.
    Decided,
    Undecided(usize, usize),
}

/// Two agents in the first conflict between whom nothing is decided. Everybody keeps clear of those before them, so among
/// more agents than fit there should always be two.
fn first_pair(finder: &mut Finder, instance: &Instance<'_>, node: &Node, end: u32) -> Pair {
    let mut pair = Pair::NoConflict;
    finder.each(instance, &node.paths, Some(end), |conflict| {
        let undecided = |a: usize, b: usize| a != b && !node.before.is(a, b) && !node.before.is(b, a);
        let meeting = conflict.room == 0 && conflict.parts[0].1 != conflict.parts[conflict.parts.len() - 1].1;
        let pairs = conflict.parts.iter().flat_map(|one| conflict.parts.iter().map(move |other| (one, other)));
        let found = pairs
            .filter(|(one, other)| !meeting || one.1 != other.1)
            .map(|(one, other)| (one.0 as usize, other.0 as usize))
            .find(|&(a, b)| undecided(a, b));
        pair = found.map_or(Pair::Decided, |(a, b)| Pair::Undecided(a.min(b), a.max(b)));
        false
    });
    pair
}

/// Plans `low`, and everybody below it who now collides with somebody above. `false`: somebody has no way.
#[allow(
    clippy::too_many_arguments,
    reason = "the lists are reused by every node; a struct of them would only rename them"
)]
fn replan(
    node: &mut Node,
    low: usize,
    instance: &Instance<'_>,
    distances: &mut Distances,
    finder: &mut Finder,
    traffic: &mut Traffic,
    (steps, end): (u32, u32),
    budget: &mut Budget,
) -> Result<bool, Stop> {
    let mut below: Vec<usize> = (0..node.before.agents).filter(|&a| a == low || node.before.is(low, a)).collect();
    // Whoever has fewer agents above them cannot be below one who has more.
    below.sort_by_key(|&agent| node.before.above(agent).count());
    for agent in below {
        let above: Vec<usize> = node.before.above(agent).collect();
        if agent != low && !collides(finder, instance, node, &above, agent, end) {
            continue;
        }
        traffic.clear();
        above.iter().for_each(|&high| traffic.insert(instance.graph, &node.paths[high]));
        let rules = Rules { instance, agent, hard: Some(traffic), soft: None, bans: None };
        let Some(found) = search(&rules, distances, Focus::Cost, Some(steps), budget)? else { return Ok(false) };
        node.paths[agent] = found.path.into();
        node.costs[agent] = found.cost;
    }
    Ok(true)
}

fn collides(
    finder: &mut Finder,
    instance: &Instance<'_>,
    node: &Node,
    above: &[usize],
    agent: usize,
    end: u32,
) -> bool {
    let paths: Vec<&[u32]> = above.iter().chain([&agent]).map(|&a| &*node.paths[a]).collect();
    let mut hit = false;
    finder.each(instance, &paths, Some(end), |conflict| {
        hit = conflict.parts.iter().any(|&(position, _)| position as usize == above.len());
        !hit
    });
    hit
}
