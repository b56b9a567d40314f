//! Evolved habits: what counts how much when somebody looks for work is a genome, bred over generations of episodes.
//!
//! **Class** decentralized. **Cost** O(N W) a decision. **Core** evolution; without it everybody works by a genome of chance.
//! **Source** Jaderberg et al. (2017), population based training; Rechenberg (1973) and Schwefel (1977) for evolution strategies.
//!
//! A [`genome`](genome::Genome) says how much walks, waiting, age, priority and nearness to a release count, how far somebody walks at most, how
//! long before work is ready they go there, and whether who has done more chooses later. In an episode nothing is learned: that is what
//! `group_evolving_experience_sharing` does. The [`evolution`] is over episodes, and its whole state is a checkpoint; what
//! is shipped is one that was bred on `coord_scale` ([`SHIPPED`]). Another genome is given as the parameter `genome`.

pub mod evolution;
pub mod genome;

use crate::core::{Core, Floor, Plan, Rule, Step, draws, head_start_s};
use evolution::Evolution;
use genome::Genome;
use labtrust_plugin::method::{Figure, MethodCard, Told};
use labtrust_plugin::wire::{Problem, ProblemKind};
use std::collections::BTreeMap;

/// The checkpoint that the shipped genome comes from, bred by
/// `LABTRUST_REGENERATE=1 cargo test -p labtrust-tests --test discrimination -- the_study`.
pub const SHIPPED: &str = include_str!("group_evolving_study/checkpoint.json");

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With what was bred, or with a genome of chance: "on" or "off".
        core: String = "on";
        /// Another genome, as its numbers with a space between: travel, waiting, age, priority, nearness, reach, horizon, fairness.
        genome: String = "";
    }
}

/// The rule.
pub struct GroupEvolvingStudy {
    genome: Genome,
    /// Of what is shipped: its generation, and the hash of its checkpoint.
    bred: Option<(u32, String)>,
    /// Jobs that each agent was given [count].
    done: BTreeMap<u16, i64>,
}

labtrust_plugin::register_method!(crate::core::Driver<GroupEvolvingStudy>);

impl Rule for GroupEvolvingStudy {
    const ID: &'static str = "group_evolving_study";
    const SUMMARY: &'static str = "People choose work by habits that were bred over generations of episodes.";
    const CARD: MethodCard = MethodCard {
        class: "decentralized",
        complexity: "O(N W)",
        source: "Jaderberg et al. 2017; Rechenberg 1973; Schwefel 1977",
        core: "evolution; off: everybody works by a genome of chance",
        envelope: "laboratories like those that it was bred on; elsewhere breed another",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let wrong = |message: String| Problem::of_kind(ProblemKind::Settings, message);
        let core = Core::read(&params.core)?;
        let (genome, bred) = if !core.is_on() {
            (Genome::random(&mut draws::stream(floor, Self::ID, "genome")), None)
        } else if params.genome.trim().is_empty() {
            let shipped = Evolution::resume(SHIPPED).map_err(|error| wrong(format!("genome: {error}")))?;
            let best = shipped.archive().last().map(|(genome, _)| *genome);
            let best = best.or_else(|| shipped.population().first().copied()).unwrap_or_default();
            (best, Some((shipped.generation(), shipped.sha256())))
        } else {
            (params.genome.parse().map_err(|error| wrong(format!("genome: {error}")))?, None)
        };
        Ok(Self { genome, bred, done: BTreeMap::new() })
    }

    fn begin(&mut self, step: &Step<'_>) {
        for outcome in step.memory.outcomes().iter().filter(|outcome| outcome.done) {
            *self.done.entry(outcome.agent).or_default() += 1;
        }
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        let Self { genome, done, .. } = self;
        let mut order: Vec<usize> = (0..step.workers.len()).collect();
        order.sort_by_key(|&number| {
            let worker = &step.workers[number];
            let done = done.get(&worker.agent).copied().unwrap_or(0);
            (100 * i64::from(worker.may.count_ones()) + genome.fairness() * done, worker.agent)
        });
        let (now_s, horizon_s) = (step.now_s(), genome.horizon_s());
        for number in order {
            let worker = &step.workers[number];
            let score = |job: usize| {
                let at = &step.jobs[job];
                let travel_s = step.travel_s(worker, at)?;
                // Who stands there always may; others come as long as it is not too far, and not too early.
                let late_s = at.ready_s.saturating_sub(now_s).max(0);
                if travel_s > genome.reach_s() || late_s > horizon_s.min(travel_s) {
                    return None;
                }
                // Nobody cares whether it was a fortnight.
                let since = |since_s: i64| now_s.saturating_sub(since_s).clamp(0, 1_000_000);
                let (waiting_s, age_s) = (since(at.since_s), since(at.arrival_s));
                let score = genome.score(travel_s, waiting_s, age_s, head_start_s(at.priority), at.rank);
                Some((score, std::cmp::Reverse(job)))
            };
            let open = (0..step.jobs.len()).filter(|&job| plan.is_open(job));
            if let Some((_, std::cmp::Reverse(job))) = open.filter_map(score).max() {
                plan.assign(number, job);
            }
        }
    }

    fn told(&self) -> Told {
        let mut learning = BTreeMap::from([
            ("enabled", Figure::Count(u64::from(self.bred.is_some()))),
            ("genome", Figure::Text(self.genome.to_string())),
        ]);
        if let Some((generation, sha256)) = &self.bred {
            learning.insert("update_count", Figure::Count(u64::from(*generation)));
            learning.insert("checkpoint_sha256", Figure::Text(sha256.clone()));
        }
        Told::from([("learning", learning)])
    }
}
