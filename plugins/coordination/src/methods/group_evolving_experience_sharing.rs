//! Experience sharing: people try ways to choose work, tell the group how they fared, and the group's habits evolve.
//!
//! **Class** decentralized. **Cost** O(N W) a decision, and O(N A) at each share for A ways. **Core** what is learned
//! and shared; without it everybody draws a way at each share. **Source** contextual bandits with discounted
//! statistics: Garivier and Moulines (2011); Jaderberg et al. (2017) for the population that copies what fares well.
//!
//! A *way* is an order in which somebody looks at the work they may do: nearest to its release, due soonest, longest
//! waiting, nearest, and some that turn out badly. The context is the role. At each share everybody tells what they
//! gained with their way since the last: specimens moved, urgent ones more, and more near the release. Old experience
//! fades, since the load changes. A role begins with what all roles know, and with the first way before anything is
//! known. One in eight tries what the group knows least of, in turns: few people pay for what all learn.

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
        /// One in so many tries what the group knows least of [count].
        explore_every: u32 = 8, 2..=1000000;
    }
}

/// How many intervals of its own everybody's experience is worth to a role.
const PRIOR: f64 = 2.0;

/// What is known of one way.
#[derive(Clone, Copy, Debug, Default)]
struct Experience {
    /// Intervals in which it was tried, discounted.
    tried: f64,
    /// What was gained in them, discounted.
    gained: f64,
}

/// What somebody tries since the last share.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    way: usize,
    /// What was gained with it.
    gained: i64,
    /// Steps spent with it, at work or on the way [count]. Those without work say nothing about a way.
    busy: u32,
}

/// What the group knows. Gains are told relative to what the role gains on average, so that roles can compare.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Of each role, by what it may do: what it gains on average, and with each way.
    roles: BTreeMap<u32, (Experience, [Experience; WAYS.len()])>,
    /// Of all roles together.
    shared: [Experience; WAYS.len()],
    /// How often each way was tried for the sake of knowing [count].
    asked: [u32; WAYS.len()],
}

/// The rule.
pub struct GroupEvolvingExperienceSharing {
    core: Core,
    share_interval: u32,
    discount: f64,
    explore_every: u32,
    /// Counts choices.
    turn: u32,
    /// What each agent tries.
    trials: BTreeMap<u16, Trial>,
    known: Known,
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
            explore_every: params.explore_every,
            turn: 0,
            trials: BTreeMap::new(),
            known: Known::default(),
            draws: draws::stream(floor, Self::ID, "ways"),
        })
    }

    fn begin(&mut self, step: &Step<'_>) {
        for outcome in step.memory.outcomes().iter().filter(|outcome| outcome.done) {
            if let Some(trial) = self.trials.get_mut(&outcome.agent) {
                trial.gained += gain(outcome.about.0, outcome.priority, outcome.size);
            }
        }
        if step.seen.step.is_multiple_of(self.share_interval) {
            self.share(step);
        }
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        for number in greedy::by_ability(step) {
            let worker = &step.workers[number];
            let way = WAYS[self.trials.get(&worker.agent).map_or(0, |trial| trial.way)];
            let open = (0..step.jobs.len()).filter(|&job| plan.is_open(job) && step.is_ready(&step.jobs[job]));
            let able =
                open.filter_map(|job| Some((look(way, step.travel_s(worker, &step.jobs[job])?, &step.jobs[job]), job)));
            if let Some((_, job)) = able.min() {
                plan.assign(number, job);
                if let Some(trial) = self.trials.get_mut(&worker.agent) {
                    trial.busy += 1;
                }
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
        Priority::Stat => 12,
        Priority::Urgent => 4,
        Priority::Routine => 1,
    };
    let nearness = if act == Act::ReleaseResult { 0 } else { rank(act) };
    weight * i64::from(size.min(8)) * i64::from(20 - nearness)
}

impl GroupEvolvingExperienceSharing {
    /// Everybody tells what they gained; everybody chooses anew.
    fn share(&mut self, step: &Step<'_>) {
        let role = |agent: u16| step.seen.agents.may[usize::from(agent)];
        self.known.fade(self.discount);
        for (&agent, trial) in self.trials.iter().filter(|(_, trial)| trial.busy > 0) {
            self.known.tell(role(agent), trial.way, trial.gained as f64 / f64::from(trial.busy));
        }
        for &agent in &step.floor.directed {
            self.turn = self.turn.wrapping_add(1);
            let way = match self.core {
                Core::Off => self.draws.below(WAYS.len() as u64) as usize,
                Core::On if self.turn.is_multiple_of(self.explore_every) => self.known.least_tried(),
                Core::On => self.known.best(role(agent)),
            };
            self.trials.insert(agent, Trial { way, ..Trial::default() });
        }
    }
}

impl Known {
    fn fade(&mut self, discount: f64) {
        let of_roles = self.roles.values_mut().flat_map(|(level, ways)| ways.iter_mut().chain([level]));
        for experience in of_roles.chain(&mut self.shared) {
            experience.tried *= discount;
            experience.gained *= discount;
        }
    }

    /// What somebody gained a step in an interval.
    fn tell(&mut self, role: u32, way: usize, gained: f64) {
        let (level, ways) = self.roles.entry(role).or_default();
        level.add(gained);
        let relative = if mean(level) > 0.0 { gained / mean(level) } else { 1.0 };
        ways[way].add(relative);
        self.shared[way].add(relative);
    }

    /// What a role expects of a way: its own experience, and a little of everybody's.
    fn worth(&self, role: u32, way: usize) -> f64 {
        let own = self.roles.get(&role).map_or(Experience::default(), |(_, ways)| ways[way]);
        (own.gained + PRIOR * mean(&self.shared[way])) / (own.tried + PRIOR)
    }

    /// The way of which a role expects most; of equals, and where nothing is known, the first of the list.
    fn best(&self, role: u32) -> usize {
        let mut best = 0;
        for way in 1..WAYS.len() {
            if self.worth(role, way) > self.worth(role, best) {
                best = way;
            }
        }
        best
    }

    /// The way that the group knows least of, and takes it for tried.
    fn least_tried(&mut self) -> usize {
        let mut least = 0;
        for way in 1..WAYS.len() {
            if self.asked[way] < self.asked[least] {
                least = way;
            }
        }
        self.asked[least] += 1;
        least
    }
}

impl Experience {
    fn add(&mut self, gained: f64) {
        self.tried += 1.0;
        self.gained += gained;
    }
}

fn mean(experience: &Experience) -> f64 {
    if experience.tried > 0.0 { experience.gained / experience.tried } else { 0.0 }
}
