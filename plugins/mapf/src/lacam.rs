//! Lazy constraints addition search: a search over configurations that finds a plan whenever there is one.
//!
//! Depth first over where everybody is. Each configuration keeps a tree of constraints, "these agents go there next", that is
//! walked breadth first and only as far as needed: the first visit asks PIBT for a next configuration freely, the next one
//! with one agent told where to go, and so on until everybody is told, so that every configuration that can follow is made at
//! some time. A configuration that comes up again goes to the top. When nothing is left there is no plan.
//!
//! **Source** K. Okumura, "LaCAM: search-based algorithm for quick multi-agent pathfinding", *AAAI* 2023. The improvement of
//! plans (LaCAM*, IJCAI 2023) is left out. **Cost** one PIBT step a configuration; their number is exponential at worst.

use crate::distance::Distances;
use crate::graph::Graph;
use crate::instance::Instance;
use crate::pibt::{Generator, NONE, Priorities, Wish, mix};
use crate::plan::Plan;
use crate::rolling::Stop;
use crate::space_time::Budget;
use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;
use std::hash::Hasher;
use std::sync::Arc;

/// A constraint: `agent` is at `place` next, and all that `parent` says.
#[derive(Clone, Copy)]
struct Told {
    parent: u32,
    depth: u32,
    agent: u32,
    place: u32,
}

/// The constraint that says nothing.
const FREE: Told = Told { parent: NONE, depth: 0, agent: NONE, place: NONE };

struct Node {
    parent: u32,
    /// The tree in the order in which it is walked: `told[..walked]` are done, the children of `told[..grown]` are in it.
    told: Vec<Told>,
    walked: u32,
    grown: u32,
}

impl Node {
    fn new(parent: u32) -> Self {
        Self { parent, told: Vec::new(), walked: 0, grown: 0 }
    }
}

struct Search<'a> {
    instance: &'a Instance<'a>,
    wishes: Vec<Wish>,
    nodes: Vec<Node>,
    /// By node, a row each: where everybody is, how long they have been away from their goals, and who chooses first.
    places: Vec<u32>,
    elapsed: Vec<u32>,
    order: Vec<u32>,
    known: FxHashMap<u64, SmallVec<[u32; 1]>>,
    priorities: Priorities,
    seed: u64,
}

/// Plans to the end.
pub(crate) fn solve(
    instance: &Instance<'_>,
    graph: &Arc<Graph>,
    distances: &mut Distances,
    seed: u64,
    budget: &mut Budget,
) -> Result<Plan, Stop> {
    let mut generator = Generator::new(Arc::clone(graph), seed);
    generator.set_rooms(|v| instance.room(v, 0));
    let wish = |agent: &crate::Agent| Wish {
        goal: agent.goal.map_or(NONE, |goal| goal.0),
        row: agent.goal.map_or(NONE, |goal| distances.row(goal.0, agent.token)),
        token: agent.token,
    };
    let mut search = Search {
        instance,
        wishes: instance.agents.iter().map(wish).collect(),
        nodes: Vec::new(),
        places: Vec::new(),
        elapsed: Vec::new(),
        order: Vec::new(),
        known: FxHashMap::default(),
        priorities: Priorities::default(),
        seed,
    };
    search.push(&instance.starts(), NONE);
    let mut open = vec![0];
    let (mut next, mut forced) = (Vec::new(), Vec::new());
    while let Some(&id) = open.last() {
        if search.is_goal(id) {
            return Ok(search.plan(id));
        }
        if !search.constraint(id, &mut forced) {
            open.pop();
            continue;
        }
        budget.spend(instance.agents.len().max(1) as u64)?;
        let row = search.row(id);
        let (now, order) = (&search.places[row.clone()], &search.order[row]);
        if generator.generate(distances, &search.wishes, now, order, &forced, &mut next) {
            open.push(search.find(&next).unwrap_or_else(|| search.push(&next, id)));
        }
    }
    Err(Stop::NoPlan)
}

impl Search<'_> {
    fn row(&self, id: u32) -> std::ops::Range<usize> {
        let agents = self.wishes.len();
        id as usize * agents..(id as usize + 1) * agents
    }

    fn hash(places: &[u32]) -> u64 {
        let mut hasher = FxHasher::default();
        places.iter().for_each(|&place| hasher.write_u32(place));
        hasher.finish()
    }

    fn find(&self, places: &[u32]) -> Option<u32> {
        let same = |&&id: &&u32| self.places[self.row(id)] == *places;
        self.known.get(&Self::hash(places))?.iter().find(same).copied()
    }

    fn push(&mut self, places: &[u32], parent: u32) -> u32 {
        let id = self.nodes.len() as u32;
        self.known.entry(Self::hash(places)).or_default().push(id);
        self.places.extend_from_slice(places);
        for (agent, &place) in places.iter().enumerate() {
            let away = self.instance.agents[agent].goal.is_some_and(|goal| goal.0 != place);
            let before = if parent == NONE { 0 } else { self.elapsed[self.row(parent)][agent] };
            self.elapsed.push(if away { (before + 1).min(u32::MAX - 2) } else { 0 });
        }
        let row = self.row(id);
        self.order.extend_from_slice(self.priorities.order(&self.elapsed[row], &self.wishes));
        self.nodes.push(Node::new(parent));
        id
    }

    fn is_goal(&self, id: u32) -> bool {
        let done = |(&place, agent): (&u32, &crate::Agent)| match agent.goal {
            Some(goal) => place == goal.0,
            None => self.instance.graph.transit(place).is_none(),
        };
        self.places[self.row(id)].iter().zip(self.instance.agents).all(done)
    }

    /// The next constraint of a configuration, written to `forced`; `false` when all are done.
    fn constraint(&mut self, id: u32, forced: &mut Vec<(u32, u32)>) -> bool {
        if self.nodes[id as usize].told.is_empty() {
            self.nodes[id as usize].told.push(FREE);
        }
        loop {
            let node = &self.nodes[id as usize];
            if (node.walked as usize) < node.told.len() {
                break;
            }
            if node.grown as usize == node.told.len() {
                return false;
            }
            self.grow(id);
        }
        let node = &mut self.nodes[id as usize];
        forced.clear();
        let mut told = node.told[node.walked as usize];
        node.walked += 1;
        while told.parent != NONE {
            forced.push((told.agent, told.place));
            told = node.told[told.parent as usize];
        }
        // Those with the highest priority were told first.
        forced.reverse();
        true
    }

    /// Adds the children of the next constraint: everywhere the next agent could go.
    fn grow(&mut self, id: u32) {
        let graph = self.instance.graph;
        let row = self.row(id);
        let node = &mut self.nodes[id as usize];
        let parent = node.grown;
        node.grown += 1;
        let depth = node.told[parent as usize].depth;
        let Some(&agent) = self.order[row.clone()].get(depth as usize) else { return };
        let here = self.places[row][agent as usize];
        let mut places: SmallVec<[u32; 8]> = SmallVec::new();
        match graph.onward(here) {
            Some((_, next)) => places.push(next),
            None => {
                let may_use = |arc| self.instance.may_use(agent as usize, arc);
                places.extend(graph.outs(here).iter().filter(|out| may_use(out.arc)).map(|out| graph.enter(out.arc)));
                places.push(here);
            }
        }
        // In no order, so that no direction is favoured.
        let salt = mix(self.seed ^ u64::from(id));
        places.sort_by_key(|&place| mix(salt ^ u64::from(place)));
        node.told.extend(places.into_iter().map(|place| Told { parent, depth: depth + 1, agent, place }));
    }

    fn plan(&self, last: u32) -> Plan {
        let mut ids = vec![last];
        while let parent = self.nodes[ids[ids.len() - 1] as usize].parent
            && parent != NONE
        {
            ids.push(parent);
        }
        let mut plan = Plan::start(&self.places[self.row(ids[ids.len() - 1])]);
        ids.iter().rev().skip(1).for_each(|&id| plan.push(&self.places[self.row(id)]));
        plan
    }
}
