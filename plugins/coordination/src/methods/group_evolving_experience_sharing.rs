//! Experience sharing: people try ways to choose work, tell the group how they fared, and the group's habits evolve.
//!
//! **Class** decentralized. **Cost** O(N W) a decision, and O(N A) at each share for A ways. **Core** what is learned and
//! shared; without it everybody draws a way at each share. **Source** contextual bandits with discounted statistics:
//! Garivier and Moulines (2011), discounted UCB; Jaderberg et al. (2017) for the population that copies what fares well.
//!
//! A *way* is an order in which somebody looks at the work they may do: nearest to its release, due soonest, longest
//! waiting, nearest, and some that turn out badly. The context is the role. At each share everybody tells what they gained
//! with their way since the last: specimens moved, urgent ones more, and more near the release. Old experience fades,
//! since the load changes; who explores is settled by turns, so that the group tries all ways at once and few people pay.

use crate::core::{Core, Floor, Job, Plan, Rule, Step, draws, greedy, rank};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::{Act, Priority, Problem};
use std::collections::BTreeMap;

/// The ways to choose work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    NearRelease,
    DueSoonest,
    LongestWaiting,
    Nearest,
    Newest,
    FarFromRelease,
}

const WAYS: [Way; 6] =
    [Way::NearRelease, Way::DueSoonest, Way::LongestWaiting, Way::Nearest, Way::Newest, Way::FarFromRelease];

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With what is learned and shared, or without: "on" or "off".
        core: String = "on";
        /// Steps from one share to the next [steps].
        share_interval: u32 = 5, 1..=1000;
        /// What is left of experience after a share [ppm].
        discount: u32 = 950000, 0..=1000000;
        /// How much what is little known is tried [ppm of the best gain].
        exploration: u32 = 150000, 0..=10000000;
    }
}

/// What a role knows of one way.
#[derive(Clone, Copy, Debug, Default)]
struct Experience {
    /// Intervals in which it was tried, discounted.
    tried: f64,
    /// What was gained in them, discounted.
    gained: f64,
}

/// The rule.
pub struct GroupEvolvingExperienceSharing {
    core: Core,
    share_interval: u32,
    discount: f64,
    exploration: f64,
    /// Way of each agent, and what it gained since the last share.
    ways: BTreeMap<u16, (usize, i64)>,
    /// What each role knows of each way, by what the role may do.
    known: BTreeMap<u32, [Experience; WAYS.len()]>,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<GroupEvolvingExperienceSharing>);

impl Rule for GroupEvolvingExperienceSharing {
    const ID: &'static str = "group_evolving_experience_sharing";
    const SUMMARY: &'static str = "People try ways to choose work and share what they gained; the role keeps the best.";
    const CARD: MethodCard = MethodCard {
        class: "decentralized",
        complexity: "O(N W), and O(N A) at each share for A ways",
        source: "Garivier and Moulines 2011; Jaderberg et al. 2017",
        core: "what is learned and shared; off: everybody draws a way at each share",
        envelope: "long episodes and many people of a role; in a short one it has hardly learned",
        uses_messages: false,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        Ok(Self {
            core: Core::read(&params.core)?,
            share_interval: params.share_interval,
            discount: f64::from(params.discount) / 1e6,
            exploration: f64::from(params.exploration) / 1e6,
            ways: BTreeMap::new(),
            known: BTreeMap::new(),
            draws: draws::stream(floor, Self::ID, "ways"),
        })
    }

    fn begin(&mut self, step: &Step<'_>) {
        for outcome in step.memory.outcomes().iter().filter(|outcome| outcome.done) {
            if let Some((_, gained)) = self.ways.get_mut(&outcome.agent) {
                *gained += gain(outcome.about.0, outcome.priority, outcome.size);
            }
        }
        if step.seen.step.is_multiple_of(self.share_interval) {
            self.share(step);
        }
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        for number in greedy::by_ability(step) {
            let worker = &step.workers[number];
            let way = WAYS[self.ways.get(&worker.agent).map_or(0, |(way, _)| *way)];
            let open = (0..step.jobs.len()).filter(|&job| plan.is_open(job) && step.is_ready(&step.jobs[job]));
            let able =
                open.filter_map(|job| Some((look(way, step.travel_s(worker, &step.jobs[job])?, &step.jobs[job]), job)));
            if let Some((_, job)) = able.min() {
                plan.assign(number, job);
            }
        }
    }
}

/// The order in which a way looks at work.
fn look(way: Way, travel_s: i64, job: &Job) -> (i64, i64, i64) {
    let nearness = i64::from(job.rank);
    match way {
        Way::NearRelease => (i64::from(travel_s > 0), nearness, job.urgency),
        Way::DueSoonest => (job.urgency, travel_s, nearness),
        Way::LongestWaiting => (job.since_s, travel_s, nearness),
        Way::Nearest => (travel_s, nearness, job.urgency),
        Way::Newest => (-job.arrival_s, -travel_s, nearness),
        Way::FarFromRelease => (-nearness, -job.urgency, -travel_s),
    }
}

/// What an act that was done is worth to the group.
fn gain(act: Act, priority: Priority, size: u32) -> i64 {
    let weight = match priority {
        Priority::Stat => 4,
        Priority::Urgent => 2,
        Priority::Routine => 1,
    };
    weight * i64::from(size) * if rank(act) <= rank(Act::QueueRun) || act == Act::ReleaseResult { 2 } else { 1 }
}

impl GroupEvolvingExperienceSharing {
    /// Everybody tells what they gained; everybody chooses anew.
    fn share(&mut self, step: &Step<'_>) {
        let role = |agent: u16| step.seen.agents.may[usize::from(agent)];
        for experience in self.known.values_mut().flatten() {
            experience.tried *= self.discount;
            experience.gained *= self.discount;
        }
        for (&agent, (way, gained)) in &self.ways {
            let experience = &mut self.known.entry(role(agent)).or_default()[*way];
            experience.tried += 1.0;
            experience.gained += *gained as f64;
        }
        // Within a role, turns: the first takes the best way, every further one believes that it has been tried once more.
        let mut believed = self.known.clone();
        for &agent in &step.floor.directed {
            let way = match self.core {
                Core::On => {
                    let known = believed.entry(role(agent)).or_default();
                    let way = best(known, self.exploration);
                    known[way].gained += mean(&known[way]);
                    known[way].tried += 1.0;
                    way
                }
                Core::Off => self.draws.below(WAYS.len() as u64) as usize,
            };
            self.ways.insert(agent, (way, 0));
        }
    }
}

fn mean(experience: &Experience) -> f64 {
    if experience.tried > 0.0 { experience.gained / experience.tried } else { 0.0 }
}

/// The way with the greatest upper confidence bound; what nobody has tried is tried first, in the order of the list.
fn best(known: &[Experience; WAYS.len()], exploration: f64) -> usize {
    let all: f64 = known.iter().map(|experience| experience.tried).sum();
    let scale = known.iter().map(mean).fold(0.0, f64::max);
    let bound = |experience: &Experience| match experience.tried {
        tried if tried <= 0.0 => f64::INFINITY,
        tried => mean(experience) + exploration * scale * libm::sqrt(libm::log(all.max(1.0)) / tried),
    };
    let mut best = 0;
    for way in 1..WAYS.len() {
        if bound(&known[way]) > bound(&known[best]) {
            best = way;
        }
    }
    best
}
