//! One planner over all back-ends: it checks what comes in, rolls windows on, and falls back.

use crate::backend::{Backend, Effort, Options, Planned, Planner, Window};
use crate::distance::{Distances, FAR};
use crate::error::MapfError;
use crate::graph::Graph;
use crate::instance::{Agent, Instance, Reservation};
use crate::pibt::Pibt;
use crate::plan::Plan;
use crate::space_time::{Budget, Spent};
use crate::{conflict_based, lacam, lns, rhcr, whca};
use std::sync::Arc;

/// Why a back-end stopped without a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Spent,
    NoPlan,
}

impl From<Spent> for Stop {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

pub(crate) struct Router {
    backend: Backend,
    graph: Arc<Graph>,
    options: Options,
    distances: Distances,
    pibt: Pibt,
    /// Kept from window to window.
    order: Vec<u32>,
}

impl Router {
    pub(crate) fn new(backend: Backend, graph: Arc<Graph>, options: Options) -> Self {
        let distances = Distances::new(Arc::clone(&graph));
        let pibt = Pibt::new(Arc::clone(&graph), options.seed);
        Self { backend, graph, options, distances, pibt, order: Vec::new() }
    }

    fn failure(&self, stop: Stop, budget: &Budget) -> MapfError {
        match stop {
            Stop::Spent => MapfError::Exhausted { backend: self.backend, expansions: budget.used },
            Stop::NoPlan => MapfError::NoPlan { backend: self.backend },
        }
    }

    /// Checks what every back-end needs.
    fn check(&mut self, agents: &[Agent], reservations: &[Reservation]) -> Result<(), MapfError> {
        let timed = reservations.iter().any(|reservation| !reservation.always());
        if timed && !self.backend.features().timed_reservations {
            return Err(MapfError::Unsupported {
                backend: self.backend,
                what: "reservations that begin or end; it plans by configurations, which have no time",
            });
        }
        for (index, agent) in agents.iter().enumerate() {
            let Some(goal) = agent.goal else { continue };
            let row = self.distances.row(goal.0, agent.token);
            if self.distances.of_place(row, agent.start.0) == FAR {
                return Err(MapfError::Unreachable { agent: index as u32, goal: goal.0 });
            }
        }
        Ok(())
    }

    /// A plan to all goals, by a back-end that plans to the end.
    fn whole(&mut self, instance: &Instance<'_>, budget: &mut Budget) -> Result<Plan, Stop> {
        let (distances, options) = (&mut self.distances, &self.options);
        match self.backend {
            Backend::Lacam => lacam::solve(instance, &self.graph, distances, options.seed, budget),
            Backend::Cbs => conflict_based::solve(instance, distances, crate::Ratio::ONE, budget),
            Backend::Ecbs => conflict_based::solve(instance, distances, options.w, budget),
            Backend::Lns => lns::solve(instance, distances, options.seed, budget),
            Backend::Whca | Backend::Pibt | Backend::Rhcr => unreachable!("these plan by windows"),
        }
    }

    fn window(
        &mut self,
        agents: &[Agent],
        reservations: &[Reservation],
        steps: u32,
        budget: &mut Budget,
    ) -> Result<(Plan, u32), MapfError> {
        let graph = Arc::clone(&self.graph);
        let instance = Instance::new(&graph, agents, reservations)?;
        let planned = match self.backend {
            Backend::Pibt => return self.by_pibt(agents, reservations, steps, budget).map(|plan| (plan, 0)),
            Backend::Whca => whca::window(&instance, &mut self.distances, &mut self.order, steps, budget),
            Backend::Rhcr => rhcr::window(&instance, &mut self.distances, steps, budget),
            Backend::Lacam | Backend::Cbs | Backend::Ecbs | Backend::Lns => {
                let spread = spread_goals(&instance, &mut self.distances);
                let instance = Instance::new(&graph, &spread, reservations)?;
                self.whole(&instance, budget)
            }
        };
        match planned {
            Ok(plan) => Ok((plan.resized(steps), 0)),
            Err(_) if self.options.fallback => {
                // What is left of the budget is not asked: the fallback costs one expansion an agent and step.
                let mut free = Budget::new(u64::MAX);
                let plan = self.by_pibt(agents, reservations, steps, &mut free)?;
                Ok((plan, 1))
            }
            Err(stop) => Err(self.failure(stop, budget)),
        }
    }

    fn by_pibt(
        &mut self,
        agents: &[Agent],
        reservations: &[Reservation],
        steps: u32,
        budget: &mut Budget,
    ) -> Result<Plan, MapfError> {
        let graph = Arc::clone(&self.graph);
        let instance = Instance::new(&graph, agents, reservations)?;
        let mut row = instance.starts();
        let mut moving = agents.to_vec();
        let mut plan = Plan::start(&row);
        self.pibt.set_rooms(|v| instance.room(v, 1));
        for t in 1..=steps {
            if t > 1 && instance.settled() >= t {
                self.pibt.set_rooms(|v| instance.room(v, t));
            }
            budget.spend(agents.len() as u64).map_err(|Spent| self.failure(Stop::Spent, budget))?;
            self.pibt.step(&mut moving, &mut self.distances)?;
            row.clear();
            row.extend(moving.iter().map(|agent| agent.start.0));
            plan.push(&row);
        }
        Ok(plan)
    }

    /// Window after window until everybody is at their goals.
    fn roll(&mut self, agents: &[Agent], reservations: &[Reservation]) -> Result<Planned, MapfError> {
        let mut moving = agents.to_vec();
        let mut plan = Plan::start(&Instance::new(&self.graph, agents, reservations)?.starts());
        let mut effort = Effort::default();
        let mut budget = Budget::new(self.options.budget);
        let steps = if self.backend == Backend::Pibt { 1 } else { self.options.window };
        let commit = self.options.commit.clamp(1, steps);
        while !plan.arrives(&self.graph, agents) {
            let now = plan.steps();
            if now >= self.options.max_steps {
                return Err(MapfError::TooLong { backend: self.backend, steps: self.options.max_steps });
            }
            let left: Vec<Reservation> = reservations.iter().filter_map(|taken| later(taken, now)).collect();
            let (next, fallbacks) = self.window(&moving, &left, steps, &mut budget)?;
            effort.windows += 1;
            effort.fallbacks += fallbacks;
            for t in 1..=commit {
                let row: Vec<u32> = next.row(t).iter().map(|place| place.0).collect();
                plan.push(&row);
                if plan.arrives(&self.graph, agents) {
                    break;
                }
            }
            let end = plan.row(plan.steps());
            moving.iter_mut().zip(end).for_each(|(agent, &place)| agent.start = place);
        }
        effort.expansions = budget.used;
        Ok(Planned { plan, effort })
    }
}

impl Planner for Router {
    fn backend(&self) -> Backend {
        self.backend
    }

    fn plan(&mut self, window: &Window<'_>) -> Result<Planned, MapfError> {
        Instance::new(&self.graph, window.agents, window.reservations)?;
        self.check(window.agents, window.reservations)?;
        let mut budget = Budget::new(self.options.budget);
        let (plan, fallbacks) = self.window(window.agents, window.reservations, window.steps.max(1), &mut budget)?;
        Ok(Planned { plan, effort: Effort { expansions: budget.used, windows: 1, fallbacks } })
    }

    fn solve(&mut self, agents: &[Agent], reservations: &[Reservation]) -> Result<Planned, MapfError> {
        let graph = Arc::clone(&self.graph);
        let instance = Instance::new(&graph, agents, reservations)?;
        self.check(agents, reservations)?;
        instance.check_goals()?;
        if matches!(self.backend, Backend::Whca | Backend::Pibt | Backend::Rhcr) {
            return self.roll(agents, reservations);
        }
        let mut budget = Budget::new(self.options.budget);
        let plan = self.whole(&instance, &mut budget).map_err(|stop| self.failure(stop, &budget))?;
        Ok(Planned { plan, effort: Effort { expansions: budget.used, windows: 1, fallbacks: 0 } })
    }
}

/// A reservation as it looks `now` steps later; `None` when it is over.
fn later(reservation: &Reservation, now: u32) -> Option<Reservation> {
    let until = match reservation.until {
        None => None,
        Some(until) if until > now => Some(until - now),
        Some(_) => return None,
    };
    Some(Reservation { from: reservation.from.saturating_sub(now), until, ..*reservation })
}

/// The agents with as many goals at each vertex as fit: the nearest keep theirs, the others wait without one.
fn spread_goals(instance: &Instance<'_>, distances: &mut Distances) -> Vec<Agent> {
    let mut agents = instance.agents.to_vec();
    let mut by_goal: Vec<(u32, u32, usize)> = Vec::new();
    for (index, agent) in agents.iter().enumerate() {
        let Some(goal) = agent.goal else { continue };
        let row = distances.row(goal.0, agent.token);
        by_goal.push((goal.0, distances.of_place(row, agent.start.0), index));
    }
    by_goal.sort_unstable();
    for same in by_goal.chunk_by(|a, b| a.0 == b.0) {
        let room = usize::from(instance.room(same[0].0, u32::MAX));
        same.iter().skip(room).for_each(|&(_, _, index)| agents[index].goal = None);
    }
    agents
}
