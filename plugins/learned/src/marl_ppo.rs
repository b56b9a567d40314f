//! A policy that was learned, for the whole crew: each agent does what the network values most of what it may do now.
//!
//! **Class** learning. **Cost** O(N P) a decision for N agents and P weights. **Core** what was learned; without it everybody
//! does anything that is allowed, by chance. **Source** Schulman et al. (2017); Yu et al. (2022) for one policy of all agents;
//! Huang and Ontañón (2022) for masks.
//!
//! An agent sees the numbers that a learner is given and chooses an index of the action contract; the index becomes an action
//! about the first that fits, as everywhere. Two agents may choose the same work, and the second is refused.

use crate::shipped;
use crate::{Eyes, LearnedPolicy};
use labtrust_coordination::core::Core;
use labtrust_kernel::{Stream, Streams};
use labtrust_plugin::lab::contract::vector::Layout;
use labtrust_plugin::lab::contract::{ActionSpace, Rows};
use labtrust_plugin::method::{Figure, Method, MethodCard, Told};
use labtrust_plugin::wire::{Act, Choice, Decision, Observation, Problem, ProblemKind, Site};
use std::collections::BTreeMap;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With what was learned, or without: "on" or "off".
        core: String = "on";
        /// File of weights that `labtrust train-ppo` has written, or "builtin:throughput_sla". There is none by itself.
        model_path: String = "";
        /// Whether the crew works by chance where no file is named, instead of not at all.
        allow_untrained: bool = false;
    }
}

/// The method.
pub struct MarlPpo {
    policy: Option<LearnedPolicy>,
    core: Core,
    rows: Rows,
    eyes: BTreeMap<u16, Eyes>,
    draws: Stream,
}

labtrust_plugin::register_method!(MarlPpo);

impl Method for MarlPpo {
    const ID: &'static str = "marl_ppo";
    const SUMMARY: &'static str =
        "One learned policy for all agents: each does what its network values most of what it may do.";
    const CARD: Option<MethodCard> = Some(MethodCard {
        class: "learning",
        complexity: "O(N P) for P weights",
        source: "Schulman et al. 2017; Yu et al., NeurIPS 2022; Huang and Ontañón, FLAIRS 2022",
        core: "what was learned; off: everybody does anything that is allowed, by chance",
        envelope: "the laboratory that it was trained on; it needs a file of weights (`model_path`), and refuses any other laboratory",
        uses_messages: false,
    });
    type Params = Params;

    fn new(params: Params, site: &Site) -> Result<Self, Problem> {
        let core = Core::read(&params.core)?;
        if let Some(lacks) = Self::lacks(&params) {
            return Err(Problem::of_kind(ProblemKind::Settings, lacks));
        }
        let layout = Layout::sized(site.zones.len(), site.devices.len(), ActionSpace::V02);
        let policy = match params.model_path.as_str() {
            "" => None,
            path => {
                let zones = site.zones.iter().map(String::as_str);
                let devices = site.devices.iter().map(|device| device.id.as_str());
                let loaded = shipped::load_for(path, &layout, zones, devices);
                let problem = |error| Problem::of_kind(ProblemKind::Settings, format!("model_path: {error}"));
                Some(loaded.map_err(problem)?)
            }
        };
        let draws = Streams::new(site.seed).stream("coordination.legal", Self::ID);
        Ok(Self { policy, core, rows: Rows::new(layout), eyes: BTreeMap::new(), draws })
    }

    fn lacks(params: &Params) -> Option<String> {
        let lacks = params.model_path.is_empty() && !params.allow_untrained;
        lacks.then(|| {
            let (id, shipped) = (Self::ID, shipped::names());
            format!("{id} has no weights: model_path names a file that `labtrust train-ppo` has written, or one of [{shipped}]")
        })
    }

    fn rows(&mut self) -> Option<&mut Rows> {
        Some(&mut self.rows)
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        let Self { policy, core, rows, eyes, draws } = self;
        if rows.step() != Some(seen.step) {
            return Err(Problem::new("nobody tells it what learners see of this step, and it decides on nothing else"));
        }
        for row in rows.iter() {
            let index = match (&*policy, *core) {
                (Some(policy), Core::On) => policy.choose(eyes.entry(row.agent).or_default(), row.numbers, row.mask),
                _ => by_chance(row.mask, draws),
            };
            // Act::ALL has all indices, and index 0 is to wait.
            if let Some(&act) = Act::ALL.get(index).filter(|act| **act != Act::Noop) {
                out.push(Choice::new(row.agent, act));
            }
        }
        Ok(())
    }

    fn told(&self) -> Told {
        let learning = match &self.policy {
            Some(policy) => vec![
                ("checkpoint_sha256", Figure::Text(policy.sha256().to_owned())),
                ("trained_task", Figure::Text(policy.task().to_owned())),
                ("trained_timing", Figure::Text(policy.timing().to_owned())),
                ("weights_count", Figure::Count(policy.parameters())),
            ],
            None => vec![("weights_count", Figure::Count(0))],
        };
        Told::from([("learning", learning.into_iter().collect())])
    }
}

/// One of the allowed indices, each as likely as the others. Waiting is always allowed.
fn by_chance(mask: u32, draws: &mut Stream) -> usize {
    let allowed: Vec<usize> = (0..Act::ALL.len()).filter(|index| mask >> index & 1 == 1).collect();
    match allowed.len() {
        0 => 0,
        many => allowed[draws.below(many as u64) as usize],
    }
}
