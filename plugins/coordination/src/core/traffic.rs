//! Who moves where now: from where everybody wants to be to moves for which there is room.
//!
//! Where any number of people fits everywhere, everybody takes the shortest way. Where rooms or ways are limited, either
//! everybody takes the shortest way too and waits where there is no room; or a back-end of [`labtrust_mapf`] plans for all
//! together, those who only stand in the way included, and the first step of its plan is made. What is planned is planned
//! again in every step from where people really are, so a move that did not happen costs its time and nothing else.
//!
//! Either way nobody is told to go where there is no room when their turn comes: agents act one after the other.

use super::{Floor, NO_WAY};
use labtrust_mapf::{
    Agent, Backend, Edge, EdgeId, Graph, MapfError, Options, Place, Planner, Reservation, Vertex, Whereabouts, Window,
};
use labtrust_plugin::wire::{Decision, Observation, Problem, ProblemKind};
use std::sync::Arc;

/// Node expansions of one step's plan [count].
const BUDGET: u64 = 200_000;
/// No way in [`Traffic::way_of`].
const NONE: u16 = u16::MAX;

/// How a method finds ways where there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Everybody takes the shortest way and waits where there is no room.
    Shortest,
    /// All ways are planned together, so many steps ahead.
    Planned {
        /// By which back-end.
        backend: Backend,
        /// Steps that are planned [steps], 1 to 64.
        window: u32,
    },
}

/// Where somebody wants to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Who.
    pub agent: u16,
    /// Where they stand.
    pub zone: u16,
    /// Where they want to be; where they stand, if they act there now.
    pub goal: Option<u16>,
    /// Whether there is work for them; others leave the last place to those who have some.
    pub works: bool,
}

/// What planning took so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteTally {
    /// Plans that were made [count].
    pub plans: u64,
    /// Node expansions of all of them [count].
    pub expansions: u64,
    /// Plans that the back-end did not find, so that another had to do [count].
    pub fallbacks: u64,
    /// Times somebody waited because there was no room [count].
    pub waits: u64,
}

/// A limited way.
#[derive(Clone, Copy, Debug)]
struct Way {
    travel_s: i64,
    capacity: Option<u32>,
    exclusive: bool,
    guarded: bool,
    zones: [u16; 2],
}

/// Ways and room of an episode, and who is on them now.
#[derive(Default)]
pub(super) struct Traffic {
    limited: bool,
    dt_s: i64,
    simulated: bool,
    capacity: Vec<Option<u32>>,
    ways: Vec<Way>,
    /// Way from zone to zone, row by row.
    way_of: Vec<u16>,
    present: Vec<u32>,
    /// People on each way, by direction: from its first zone, and to it.
    passing: Vec<[u32; 2]>,
    router: Option<Router>,
    tally: RouteTally,
}

/// Plans for all together.
struct Router {
    graph: Arc<Graph>,
    planner: Box<dyn Planner>,
    /// Edge of each way; none of ways that need a token.
    edges: Vec<Option<EdgeId>>,
    window: u32,
    agents: Vec<Agent>,
    /// The first step of the plan, by the place of the agent in the site.
    next: Vec<Option<u16>>,
    reserved: Vec<Reservation>,
}

impl Traffic {
    /// Ways and room of a floor.
    ///
    /// # Errors
    /// [`Problem`] for a window that cannot be.
    pub(super) fn new(floor: &Floor, routing: Routing) -> Result<Self, Problem> {
        let zones = floor.zones();
        let way = |way: &labtrust_plugin::wire::WaySite| Way {
            travel_s: way.travel_s,
            capacity: way.capacity,
            exclusive: way.exclusive,
            guarded: way.guarded,
            zones: [way.from, way.to],
        };
        let ways: Vec<Way> = floor.ways.iter().map(way).collect();
        let mut way_of = vec![NONE; zones * zones];
        for (number, way) in (0..NONE).zip(&ways) {
            let [a, b] = way.zones.map(usize::from);
            if a < zones && b < zones {
                (way_of[a * zones + b], way_of[b * zones + a]) = (number, number);
            }
        }
        let limited = floor.capacity.iter().any(Option::is_some)
            || ways.iter().any(|way| !way.guarded && (way.exclusive || way.capacity.is_some()));
        let mut capacity = floor.capacity.clone();
        capacity.resize(zones, None);
        if !limited {
            // Nothing is looked up where everybody fits everywhere.
            let (dt_s, simulated) = (floor.dt_s, floor.simulated);
            return Ok(Self { dt_s, simulated, ..Self::default() });
        }
        let mut traffic = Self {
            limited,
            dt_s: floor.dt_s,
            simulated: floor.simulated,
            capacity,
            passing: vec![[0; 2]; ways.len()],
            ways,
            way_of,
            present: vec![0; zones],
            router: None,
            tally: RouteTally::default(),
        };
        if let Routing::Planned { backend, window } = routing {
            let refused =
                |error: MapfError| Problem::of_kind(ProblemKind::Site, format!("no ways can be planned: {error}"));
            traffic.router = Some(traffic.router(backend, window, floor.seed).map_err(refused)?);
        }
        Ok(traffic)
    }

    fn router(&self, backend: Backend, window: u32, seed: u64) -> Result<Router, MapfError> {
        let room = |capacity: &Option<u32>| capacity.map_or(u16::MAX, |most| u16::try_from(most).unwrap_or(u16::MAX));
        let (mut edges, mut edge_of) = (Vec::new(), Vec::new());
        for way in &self.ways {
            if way.guarded {
                edge_of.push(None);
                continue;
            }
            let [a, b] = way.zones.map(|zone| Vertex(zone.into()));
            let edge = Edge::new(a, b).with_steps(self.steps_of(way)).with_capacity(room(&way.capacity));
            edge_of.push(Some(EdgeId(edges.len() as u32)));
            edges.push(if way.exclusive { edge } else { edge.two_way() });
        }
        let graph = Arc::new(Graph::new(self.capacity.iter().map(room).collect(), edges)?);
        let options = Options { window, commit: 1, budget: BUDGET, seed, ..Options::default() };
        let planner = backend.planner(Arc::clone(&graph), options)?;
        let (agents, next, reserved) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Router { graph, planner, edges: edge_of, window, agents, next, reserved })
    }

    /// Steps that a way takes, at least one.
    fn steps_of(&self, way: &Way) -> u16 {
        let steps = if self.simulated { (way.travel_s + self.dt_s - 1) / self.dt_s } else { 1 };
        u16::try_from(steps.max(1)).unwrap_or(u16::MAX)
    }

    /// What planning took so far.
    pub(super) const fn tally(&self) -> RouteTally {
        self.tally
    }

    /// Makes moves of wishes. `wishes` has everybody who is idle, by place.
    pub(super) fn go(&mut self, seen: &Observation, floor: &Floor, wishes: &[Wish], out: &mut Decision) {
        let wanted = |wish: &Wish| wish.goal.filter(|&goal| goal != wish.zone);
        if !self.limited {
            for wish in wishes {
                if let Some(goal) = wanted(wish) {
                    out.walk(wish.agent, goal);
                }
            }
            return;
        }
        self.count(seen);
        let planned = self.plan(seen, floor, wishes);
        for wish in wishes {
            // Who acts now stays, whatever was planned.
            let acts = wish.works && wish.goal == Some(wish.zone);
            let next = match &self.router {
                Some(router) if planned => router.next[usize::from(wish.agent)].filter(|_| !acts),
                _ => wanted(wish).and_then(|goal| floor.hop(wish.zone, goal)),
            };
            let Some(next) = next else { continue };
            let yields = !planned && !wish.works;
            if seen.zone_frozen.get(usize::from(next)).copied().unwrap_or(true) {
                continue;
            }
            if self.enter(wish.zone, next, yields) {
                out.walk(wish.agent, next);
            } else {
                self.tally.waits += 1;
            }
        }
    }

    /// Counts who is where.
    fn count(&mut self, seen: &Observation) {
        self.present.fill(0);
        self.passing.fill([0; 2]);
        let zones = self.present.len();
        for (zone, walking_to) in seen.agents.zone.iter().zip(&seen.agents.walking_to) {
            let (Some(zone), to) = (zone.map(usize::from), walking_to.map(usize::from)) else { continue };
            self.present[to.unwrap_or(zone)] += 1;
            if let Some(to) = to {
                let way = self.way_of[zone * zones + to];
                if let Some(passing) = self.passing.get_mut(usize::from(way)) {
                    passing[usize::from(zone > to)] += 1;
                }
            }
        }
    }

    /// Lets somebody go from one zone to the next if there is room, as the laboratory judges it.
    fn enter(&mut self, from: u16, to: u16, yields: bool) -> bool {
        let (here, there) = (usize::from(from), usize::from(to));
        let way = usize::from(self.way_of[here * self.present.len() + there]);
        let Some(limit) = self.ways.get(way) else { return false };
        let keep = u32::from(yields);
        if self.capacity[there].is_some_and(|most| self.present[there] + keep >= most) {
            return false;
        }
        let direction = usize::from(from > to);
        let passing = self.passing[way];
        if limit.capacity.is_some_and(|most| passing[direction] >= most)
            || (limit.exclusive && passing[1 - direction] > 0)
        {
            return false;
        }
        self.passing[way][direction] += 1;
        self.present[there] += 1;
        self.present[here] = self.present[here].saturating_sub(1);
        true
    }

    /// Plans for all together. Whether there is a plan.
    fn plan(&mut self, seen: &Observation, floor: &Floor, wishes: &[Wish]) -> bool {
        let Self { router: Some(router), way_of, present, tally, dt_s, .. } = self else { return false };
        let zones = present.len();
        router.agents.clear();
        router.reserved.clear();
        router.next.clear();
        router.next.resize(seen.agents.zone.len(), None);
        let mut wishes = wishes.iter().peekable();
        let mut directed = floor.directed.iter().peekable();
        let mut order = Vec::with_capacity(floor.directed.len());
        for (agent, zone) in (0_u16..).zip(&seen.agents.zone) {
            let Some(zone) = *zone else { continue };
            let walking_to = seen.agents.walking_to[usize::from(agent)];
            if directed.next_if(|&&known| known == agent).is_none() {
                // Nobody knows what they will do; they count where they will be.
                let vertex = Vertex(walking_to.unwrap_or(zone).into());
                router.reserved.push(Reservation { vertex, places: 1, from: 0, until: None });
                continue;
            }
            let wish = wishes.next_if(|wish| wish.agent == agent);
            let start = match walking_to {
                None => Vertex(zone.into()).into(),
                Some(to) => {
                    let way = usize::from(way_of[usize::from(zone) * zones + usize::from(to)]);
                    let arrives_s = seen.agents.arrives_s[usize::from(agent)].unwrap_or(seen.now_s);
                    let left = (arrives_s - seen.now_s + *dt_s - 1) / *dt_s;
                    place_on(router, way, to, left)
                }
            };
            let goal = wish.and_then(|wish| wish.goal).or(walking_to);
            let reachable = |goal: &u16| floor.steps(walking_to.unwrap_or(zone), *goal) != NO_WAY;
            router.agents.push(Agent {
                start,
                goal: goal.filter(reachable).map(|goal| Vertex(goal.into())),
                token: false,
            });
            order.push(agent);
        }
        let window = Window { agents: &router.agents, reservations: &router.reserved, steps: router.window };
        tally.plans += 1;
        let Ok(planned) = router.planner.plan(&window) else {
            tally.fallbacks += 1;
            return false;
        };
        tally.expansions += planned.effort.expansions;
        tally.fallbacks += u64::from(planned.effort.fallbacks);
        let first = planned.plan.row(1);
        for ((&agent, place), from) in order.iter().zip(first).zip(&router.agents) {
            let vertex = match router.graph.whereabouts(*place) {
                Whereabouts::At(vertex) | Whereabouts::On { to: vertex, .. } => vertex,
            };
            router.next[usize::from(agent)] =
                u16::try_from(vertex.0).ok().filter(|_| *place != from.start && Place::from(vertex) != from.start);
        }
        true
    }
}

/// Where somebody on their way is; at its end where that is nearer than a step.
fn place_on(router: &Router, way: usize, to: u16, left: i64) -> Place {
    let end = Place::from(Vertex(to.into()));
    let Some(edge) = router.edges.get(way).copied().flatten() else { return end };
    let most = router.graph.edges()[edge.0 as usize].steps.saturating_sub(1);
    match u16::try_from(left).map(|left| left.min(most)) {
        Ok(left) if left > 0 => router.graph.on_the_way(edge, Vertex(to.into()), left).unwrap_or(end),
        _ => end,
    }
}
