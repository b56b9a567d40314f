//! A task without some of the laboratory's controls.

use labtrust_plugin::lab::{Control, Controls};
use labtrust_plugin::{AgentSeat, Opening, Referrals, SigningKey, Sites, Task, TaskError, TaskSpec};
use labtrust_policy::PolicyStore;
use serde_json::{Map, Value};
use std::ops::Deref;

/// What a control of a method's bus is called begins so.
const BUS: &str = "bus.";

/// Controls that a run does without, parted by whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Without {
    /// Those of the laboratory.
    pub lab: Controls,
    /// What a method's parameter `signed` is to be, so that its bus does without its own.
    pub bus: String,
    /// Names of those of the run, of models and of their memory.
    pub run: Vec<String>,
}

impl Without {
    /// What these names take away.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        let bus: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(BUS)).collect();
        let lab = |name: &&str| name.parse::<Control>().ok();
        let other = |name: &&&str| lab(name).is_none() && !name.starts_with(BUS);
        Self {
            lab: names.iter().filter_map(lab).collect(),
            bus: if bus.is_empty() { "on".to_owned() } else { format!("on without {}", bus.join(" ")) },
            run: names.iter().filter(other).map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// A task as it is, except that its episodes do without some controls. Its results say so (`ablate` in their `config`),
/// and so does the first record of every episode.
///
/// `T` is `&dyn Task` or `Box<dyn Task>`.
pub struct Ablation<T> {
    task: T,
    ablated: Controls,
}

impl<T: Deref<Target = dyn Task> + Send + Sync> Ablation<T> {
    /// `task` without the controls of `ablated`. With the empty set it is the task itself.
    pub const fn new(task: T, ablated: Controls) -> Self {
        Self { task, ablated }
    }
}

impl<T: Deref<Target = dyn Task> + Send + Sync> Task for Ablation<T> {
    fn id(&self) -> &'static str {
        self.task.id()
    }

    fn domain(&self) -> &'static str {
        self.task.domain()
    }

    fn spec(&self) -> &TaskSpec {
        self.task.spec()
    }

    fn facts(&self) -> Map<String, Value> {
        let mut facts = self.task.facts();
        if !self.ablated.is_empty() {
            facts.insert("ablate".to_owned(), self.ablated.ids().into());
        }
        facts
    }

    fn bind(&self, policy: &PolicyStore, scale: Option<&str>) -> Result<Option<Box<dyn Task>>, TaskError> {
        let bound = self.task.bind(policy, scale)?;
        Ok(bound.map(|task| Box::new(Ablation::new(task, self.ablated)) as Box<dyn Task>))
    }

    fn initial_state(&self, seed: u64, calibration: Option<&Map<String, Value>>) -> Map<String, Value> {
        let mut state = self.task.initial_state(seed, calibration);
        if !self.ablated.is_empty() {
            state.insert("ablate".to_owned(), self.ablated.ids().into());
        }
        state
    }

    fn sites(&self) -> Option<&dyn Sites> {
        self.task.sites().map(|_| self as &dyn Sites)
    }

    fn agents(&self, opening: &Opening<'_>) -> Vec<AgentSeat> {
        self.task.agents(opening)
    }

    fn accepts_injections(&self) -> bool {
        self.task.accepts_injections()
    }

    fn signing_keys(&self, episode_seed: u64, agent_id: &str) -> Vec<SigningKey> {
        self.task.signing_keys(episode_seed, agent_id)
    }
}

/// Only asked where the task has sites.
impl<T: Deref<Target = dyn Task> + Send + Sync> Sites for Ablation<T> {
    fn count(&self) -> u32 {
        self.task.sites().map_or(0, Sites::count)
    }

    fn common(&self) -> Map<String, Value> {
        self.task.sites().map(Sites::common).unwrap_or_default()
    }

    fn own(&self, seed: u64) -> Map<String, Value> {
        let mut state = self.task.sites().map(|sites| sites.own(seed)).unwrap_or_default();
        if !self.ablated.is_empty() {
            state.insert("ablate".to_owned(), self.ablated.ids().into());
        }
        state
    }

    fn referrals(&self) -> Referrals {
        self.task.sites().map_or(Referrals { per_mille: 0, transport_s: 1 }, Sites::referrals)
    }
}
