//! A plan: where every agent is at every step.

use crate::graph::{Graph, Place};
use crate::instance::Agent;

/// Places of all agents at the steps 0 to [`Plan::steps`]; row 0 is where they start. After the last row they stay.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    agents: usize,
    places: Vec<Place>,
}

impl Plan {
    /// A plan for `agents` agents, one row of places for each step.
    ///
    /// # Panics
    /// When a row has another length, or there is none.
    pub fn from_rows<'a>(agents: usize, rows: impl IntoIterator<Item = &'a [Place]>) -> Self {
        let mut plan = Self { agents, places: Vec::new() };
        let mut some = false;
        for row in rows {
            assert_eq!(row.len(), agents, "a row has a place for every agent");
            plan.places.extend_from_slice(row);
            some = true;
        }
        assert!(some, "a plan has its start");
        plan
    }

    /// Rows out of one path per agent; the shorter ones stay at their end.
    pub(crate) fn from_paths(paths: &[impl AsRef<[u32]>]) -> Self {
        let rows = paths.iter().map(|path| path.as_ref().len()).max().unwrap_or(1);
        let places = (0..rows).flat_map(|t| paths.iter().map(move |path| Place(at(path.as_ref(), t as u32)))).collect();
        Self { agents: paths.len(), places }
    }

    pub(crate) fn start(row: &[u32]) -> Self {
        Self { agents: row.len(), places: row.iter().map(|&place| Place(place)).collect() }
    }

    pub(crate) fn push(&mut self, row: &[u32]) {
        assert_eq!(row.len(), self.agents, "a row has a place for every agent");
        self.places.extend(row.iter().map(|&place| Place(place)));
    }

    /// Number of agents [count].
    pub fn agents(&self) -> usize {
        self.agents
    }

    /// Number of steps [steps]: rows less one.
    pub fn steps(&self) -> u32 {
        (self.places.len().checked_div(self.agents).unwrap_or(1) - 1) as u32
    }

    /// Where everybody is at a step; at the last one when the plan is over.
    pub fn row(&self, step: u32) -> &[Place] {
        let first = step.min(self.steps()) as usize * self.agents;
        &self.places[first..first + self.agents]
    }

    /// Where an agent is at a step.
    ///
    /// # Panics
    /// When there is no such agent.
    pub fn place(&self, step: u32, agent: usize) -> Place {
        self.row(step)[agent]
    }

    /// Whether every agent that has a goal is there at the end, and the others are at a vertex.
    pub fn arrives(&self, graph: &Graph, agents: &[Agent]) -> bool {
        let done = |(place, agent): (&Place, &Agent)| match agent.goal {
            Some(goal) => place.0 == goal.0,
            None => graph.transit(place.0).is_none(),
        };
        self.row(self.steps()).iter().zip(agents).all(done)
    }

    /// Sum of costs [steps]: for an agent with a goal, the step from which it stays there (or the length of the plan, if
    /// it is elsewhere at the end); for one without, the steps that it is made to travel.
    pub fn cost(&self, agents: &[Agent]) -> u64 {
        let one = |(index, agent): (usize, &Agent)| match agent.goal {
            Some(goal) => {
                let away = (0..=self.steps()).rev().find(|&t| self.place(t, index).0 != goal.0);
                away.map_or(0, |t| u64::from((t + 1).min(self.steps().max(1))))
            }
            None => (0..self.steps()).filter(|&t| self.place(t, index) != self.place(t + 1, index)).count() as u64,
        };
        agents.iter().enumerate().map(one).sum()
    }

    /// The plan cut or extended to exactly `steps` steps.
    pub(crate) fn resized(mut self, steps: u32) -> Self {
        let last = self.row(self.steps()).to_vec();
        for _ in self.steps()..steps {
            self.places.extend_from_slice(&last);
        }
        self.places.truncate((steps as usize + 1) * self.agents);
        self
    }
}

/// Where an agent on `path` is at step `t`.
pub(crate) fn at(path: &[u32], t: u32) -> u32 {
    path[(t as usize).min(path.len() - 1)]
}
