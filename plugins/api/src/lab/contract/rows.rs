//! What several agents see at one moment, as numbers, and what each can do now: what a policy that was learned decides on.
//!
//! Both are those that a learner is given, made by the same code ([`Layout`], [`mask`]).

use super::mask;
use super::vector::Layout;
use crate::lab::{AgentContext, Symbols, WorldView};

/// What one agent sees and can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    /// Its place in [`WorldView::agents`].
    pub agent: u16,
    /// Its observation, as the [`Layout`] says.
    pub numbers: &'a [f32],
    /// The indices that it can use now, bit i for index i.
    pub mask: u32,
}

/// Rows of one moment, in memory that is used again for the next.
#[derive(Clone, Debug)]
pub struct Rows {
    layout: Layout,
    step: Option<u32>,
    agents: Vec<u16>,
    numbers: Vec<f32>,
    masks: Vec<u32>,
}

impl Rows {
    /// No rows yet.
    #[must_use]
    pub const fn new(layout: Layout) -> Self {
        Self { layout, step: None, agents: Vec::new(), numbers: Vec::new(), masks: Vec::new() }
    }

    /// Which number is what.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The step that they are of; none before the first.
    #[must_use]
    pub const fn step(&self) -> Option<u32> {
        self.step
    }

    /// Becomes what `agents`, places in [`WorldView::agents`], see in a step. `refused` has one entry for each agent of the
    /// view: the reason code of its last action if it was refused.
    ///
    /// # Panics
    /// When there is no such agent.
    pub fn look(
        &mut self,
        step: u32,
        view: &WorldView,
        symbols: &mut Symbols,
        agents: impl Iterator<Item = usize>,
        refused: &[Option<&'static str>],
    ) {
        self.step = Some(step);
        self.agents.clear();
        self.agents.extend(agents.filter_map(|place| u16::try_from(place).ok()));
        self.numbers.resize(self.agents.len() * self.layout.observation_len(), 0.0);
        let places = self.agents.iter().map(|&agent| usize::from(agent));
        let seen = places.clone().map(|place| (place, refused[place].is_some()));
        self.layout.write_rows(view, symbols, seen, &mut self.numbers);
        self.masks.clear();
        for me in places {
            let mut context = AgentContext { view, symbols, me, refused: refused[me] };
            self.masks.push(mask(&mut context, self.layout.space()));
        }
    }

    /// The rows, in the order of the agents.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        let numbers = self.numbers.chunks_exact(self.layout.observation_len());
        let rows = self.agents.iter().zip(numbers).zip(&self.masks);
        rows.map(|((&agent, numbers), &mask)| Row { agent, numbers, mask })
    }
}
