//! Conflict-based search and its bounded form: plan everybody alone, then forbid what collides, one agent at a time.
//!
//! A node holds what is forbidden to each agent and the paths that follow. Where more agents meet than fit, one child for each
//! of as many of them as cannot all stay forbids that one the place: every valid plan is under one of the children. With a
//! ratio `w`, both levels may take what is at most `w` times the least lower bound, and take the one with the fewest
//! conflicts; with `w` = 1 that is CBS with conflicts to break ties, and the cost is the least.
//!
//! **Source** G. Sharon, R. Stern, A. Felner, N. R. Sturtevant, "Conflict-based search for optimal multi-agent pathfinding",
//! *Artificial Intelligence* 219 (2015); M. Barer, G. Sharon, R. Stern, A. Felner, "Suboptimal variants of the conflict-based
//! search algorithm for the multi-agent pathfinding problem", *SoCS* 2014. Capacities above 1 are ours. **Cost** exponential
//! in the number of conflicts at worst. Where no plan exists it may never end; the budget ends it.

use crate::backend::Ratio;
use crate::conflict::{Conflict, Finder, Spot};
use crate::distance::Distances;
use crate::focal::Focal;
use crate::instance::Instance;
use crate::plan::Plan;
use crate::rolling::Stop;
use crate::space_time::{Bans, Budget, Focus, Found, Rules, Spent, search};
use crate::traffic::Traffic;
use std::rc::Rc;

#[derive(Clone)]
struct Node {
    bans: Vec<Rc<Bans>>,
    paths: Vec<Rc<[u32]>>,
    costs: Vec<u64>,
    lowers: Vec<u64>,
}

impl Node {
    fn set(&mut self, agent: usize, found: Found) {
        self.paths[agent] = found.path.into();
        self.costs[agent] = found.cost;
        self.lowers[agent] = found.lower;
    }
}

/// Plans to the end at a cost of at most `w` times the least.
pub(crate) fn solve(
    instance: &Instance<'_>,
    distances: &mut Distances,
    w: Ratio,
    budget: &mut Budget,
) -> Result<Plan, Stop> {
    let agents = instance.agents.len();
    let mut finder = Finder::new(instance);
    let mut root = Node {
        bans: vec![Rc::default(); agents],
        paths: vec![Rc::from([].as_slice()); agents],
        costs: vec![0; agents],
        lowers: vec![0; agents],
    };
    for agent in 0..agents {
        let found = alone(instance, distances, &root, agent, w, budget)?.ok_or(Stop::NoPlan)?;
        root.set(agent, found);
    }
    let mut nodes = Vec::new();
    let mut queue = Focal::new(w);
    let push = |node: Node, nodes: &mut Vec<Option<Node>>, finder: &mut Finder, queue: &mut Focal| {
        let troubles = finder.count(instance, &node.paths);
        queue.push(node.lowers.iter().sum(), node.costs.iter().sum(), troubles, nodes.len() as u32);
        nodes.push(Some(node));
    };
    push(root, &mut nodes, &mut finder, &mut queue);
    while let Some((id, _)) = queue.pop() {
        // Looking through the paths of everybody is work too.
        budget.spend(agents as u64)?;
        let node = nodes[id as usize].take().expect("a node is taken once");
        let Some(conflict) = first(&mut finder, instance, &node) else { return Ok(Plan::from_paths(&node.paths)) };
        for (agent, spot) in conflict.core() {
            let agent = agent as usize;
            let mut child = node.clone();
            match spot {
                Spot::Vertex(v) => Rc::make_mut(&mut child.bans[agent]).ban_vertex(v, conflict.t),
                Spot::Arc(arc) => Rc::make_mut(&mut child.bans[agent]).ban_arc(arc, conflict.t),
            }
            if let Some(found) = alone(instance, distances, &child, agent, w, budget)? {
                child.set(agent, found);
                push(child, &mut nodes, &mut finder, &mut queue);
            }
        }
    }
    Err(Stop::NoPlan)
}

fn first(finder: &mut Finder, instance: &Instance<'_>, node: &Node) -> Option<Conflict> {
    let mut first = None;
    finder.each(instance, &node.paths, None, |conflict| {
        first = Some(conflict);
        false
    });
    first
}

/// The path of one agent under its bans, with few conflicts with the paths of the others.
fn alone(
    instance: &Instance<'_>,
    distances: &mut Distances,
    node: &Node,
    agent: usize,
    w: Ratio,
    budget: &mut Budget,
) -> Result<Option<Found>, Spent> {
    let mut others = Traffic::new(instance.graph, None);
    for (_, path) in node.paths.iter().enumerate().filter(|&(other, path)| other != agent && !path.is_empty()) {
        others.insert(instance.graph, path);
    }
    let focus = if w == Ratio::ONE { Focus::Cost } else { Focus::Bounded(w) };
    let rules = Rules { instance, agent, hard: None, soft: Some(&others), bans: Some(&node.bans[agent]) };
    search(&rules, distances, focus, None, budget)
}
