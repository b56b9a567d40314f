//! From a rule to a method: sense, list, allocate, stage, tell.

use super::staging::Posts;
use super::work::Lister;
use super::{Floor, Job, Memory, Plan, Rule, Step, Worker};
use labtrust_plugin::method::{Method, MethodCard};
use labtrust_plugin::wire::{Decision, Observation, Problem, ProblemKind, Site};

/// A rule at work in one episode. Memory is kept from step to step and reused.
pub struct Driver<R> {
    rule: R,
    floor: Floor,
    memory: Memory,
    posts: Posts,
    lister: Lister,
    jobs: Vec<Job>,
    workers: Vec<Worker>,
    plan: Plan,
}

impl<R: Rule> Method for Driver<R> {
    const ID: &'static str = R::ID;
    const SUMMARY: &'static str = R::SUMMARY;
    type Params = R::Params;
    const CARD: Option<MethodCard> = Some(R::CARD);

    fn new(params: R::Params, site: &Site) -> Result<Self, Problem> {
        let floor = Floor::new(site);
        let rule = R::new(params, &floor)?;
        if floor.directed.is_empty() {
            return Err(Problem::of_kind(ProblemKind::Site, "there is nobody to direct"));
        }
        Ok(Self {
            rule,
            floor,
            memory: Memory::new(R::AWARDED_AGAIN),
            posts: Posts::default(),
            lister: Lister::default(),
            jobs: Vec::new(),
            workers: Vec::new(),
            plan: Plan::default(),
        })
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        let Self { rule, floor, memory, posts, lister, jobs, workers, plan } = self;
        memory.learn(seen);
        posts.deal(floor, seen);
        workers.clear();
        for &agent in &floor.directed {
            let row = usize::from(agent);
            if let Some(zone) = seen.agents.zone[row].filter(|_| seen.is_idle(agent)) {
                workers.push(Worker { agent, zone, may: seen.agents.may[row] });
            }
        }
        rule.begin(&Step { seen, floor, memory, jobs: &[], workers, posts: posts.all() });
        let order = |job: &Job| (rule.rank(job.act), rule.urgency(job, seen.now_s));
        lister.list(seen, floor, memory, posts, &order, jobs);
        plan.begin(workers.len(), jobs.len());
        let step = Step { seen, floor, memory, jobs, workers, posts: posts.all() };
        rule.allocate(&step, plan);
        if rule.stages() {
            posts.stage(&step, plan);
        }
        for (number, worker) in workers.iter().enumerate() {
            match plan.job_of(number).map(|job| &jobs[job]) {
                Some(job) if job.zone.is_none_or(|zone| zone == worker.zone) => {
                    if job.ready_s <= seen.now_s {
                        memory.ask(worker.agent, worker.zone, job);
                        out.push(job.choice(worker.agent));
                    }
                }
                Some(Job { zone: Some(zone), .. }) => out.walk(worker.agent, *zone),
                _ => {
                    if let Some(goal) = plan.goal_of(number).filter(|&goal| goal != worker.zone) {
                        out.walk(worker.agent, goal);
                    }
                }
            }
        }
        Ok(())
    }
}
