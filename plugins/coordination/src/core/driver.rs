//! From a rule to a method: sense, list, allocate, stage, tell.

use super::account::Account;
use super::staging::Posts;
use super::traffic::{RouteTally, Traffic, Wish};
use super::work::Lister;
use super::{Floor, Job, Memory, Plan, Rule, Step, Worker};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, Method, MethodCard, Told};
use labtrust_plugin::wire::{Decision, Observation, Problem, ProblemKind, Site};

/// A rule at work in one episode. Only what it remembers is kept from step to step: of a million agents few decide at a
/// time, and what a step works with would be the largest part of a method's memory.
pub struct Driver<R> {
    rule: R,
    floor: Floor,
    memory: Memory,
    posts: Posts,
    traffic: Traffic,
    account: Account,
    /// Open jobs of the last step [count]: so many can be expected.
    jobs: usize,
}

impl<R: Rule> Driver<R> {
    /// What finding ways took so far.
    #[must_use]
    pub const fn routes(&self) -> RouteTally {
        self.traffic.tally()
    }

    fn on(floor: Floor, params: R::Params) -> Result<Self, Problem> {
        let rule = R::new(params, &floor)?;
        let traffic = Traffic::new(&floor, rule.routing())?;
        if floor.directed.is_empty() {
            return Err(Problem::of_kind(ProblemKind::Site, "there is nobody to direct"));
        }
        Ok(Self {
            rule,
            floor,
            memory: Memory::new(R::AWARDED_AGAIN),
            posts: Posts::default(),
            traffic,
            account: Account::default(),
            jobs: 0,
        })
    }
}

impl<R: Rule> Method for Driver<R> {
    const ID: &'static str = R::ID;
    const SUMMARY: &'static str = R::SUMMARY;
    type Params = R::Params;
    const CARD: Option<MethodCard> = Some(R::CARD);

    fn new(params: R::Params, site: &Site) -> Result<Self, Problem> {
        Self::on(Floor::new(site), params)
    }

    fn beside(&self, params: R::Params, site: &Site) -> Result<Self, Problem> {
        Self::on(self.floor.beside(site.seed), params)
    }

    fn decide(&mut self, seen: &Observation, out: &mut Decision) -> Result<(), Problem> {
        let Self { rule, floor, memory, posts, traffic, account, .. } = self;
        memory.learn(seen);
        posts.deal(floor, seen);
        let mut workers = Vec::with_capacity(floor.directed.len());
        for &agent in &floor.directed {
            let row = usize::from(agent);
            if let Some(zone) = seen.agents.zone[row].filter(|_| seen.is_idle(agent)) {
                workers.push(Worker { agent, zone, may: seen.agents.may[row] });
            }
        }
        rule.begin(&Step { seen, floor, memory, jobs: &[], workers: &workers, posts: posts.all() });
        let order = |job: &Job| (rule.rank(job.act), rule.urgency(job, seen.now_s));
        let mut jobs = Vec::with_capacity(self.jobs);
        Lister::default().list(seen, floor, memory, posts, &order, &mut jobs);
        self.jobs = jobs.len();
        let mut plan = Plan::default();
        plan.begin(workers.len(), jobs.len());
        let step = Step { seen, floor, memory, jobs: &jobs, workers: &workers, posts: posts.all() };
        rule.allocate(&step, &mut plan);
        if rule.stages() {
            posts.stage(&step, &mut plan);
        }
        account.plan(&step, &plan, |job| rule.due_s(job));
        if floor.telemetry {
            state(rule, &step, &plan, out);
        }
        let mut wishes = Vec::with_capacity(workers.len());
        for (number, worker) in workers.iter().enumerate() {
            let mut wish = Wish { agent: worker.agent, zone: worker.zone, goal: None, works: true };
            match plan.job_of(number).map(|job| &jobs[job]) {
                Some(job) if job.zone.is_none_or(|zone| zone == worker.zone) => {
                    if job.ready_s <= seen.now_s {
                        memory.ask(worker.agent, worker.zone, job);
                        out.push(job.choice(worker.agent));
                    }
                    wish.goal = Some(worker.zone);
                }
                Some(Job { zone: Some(zone), .. }) => wish.goal = Some(*zone),
                _ => {
                    wish.works = false;
                    // Who stands where they are to wait has no reason to stay there when somebody else needs the place.
                    wish.goal = plan.goal_of(number).filter(|&goal| goal != worker.zone);
                }
            }
            wishes.push(wish);
        }
        traffic.go(seen, floor, &wishes, out);
        account.routes(traffic.tally());
        Ok(())
    }

    fn rest(&mut self) {
        // They are dealt the same again.
        self.posts = Posts::default();
        self.memory.rest();
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.rule.evidence(out);
    }

    fn told(&self) -> Told {
        let mut told = self.rule.told();
        self.account.tell(self.routes(), &mut told);
        told
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.rule.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.rule.unreached()
    }
}

/// Says who was given which work, also to whom walks there.
fn state<R: Rule>(rule: &R, step: &Step<'_>, plan: &Plan, out: &mut Decision) {
    for (number, worker) in step.workers.iter().enumerate() {
        if let Some(job) = plan.job_of(number).map(|job| &step.jobs[job]) {
            out.intend(job.choice(worker.agent), rule.due_s(job));
        }
    }
}
