//! Bundle auction: everybody bids for a route of a few jobs, each at what it adds to the route; the rest by due date.
//!
//! **Class** market. **Cost** O(K C (log C + L N) W) at worst a decision, K rounds, C companies, bundles of L; far less in most
//! steps. **Core** the marginal bids; without them a random worker wins each job. **Source** Choi, Brunet and How (2009), the
//! consensus-based bundle algorithm; warped bids from Johnson, Choi, Ponda and How (2012).
//!
//! A bid is what a job gains the bidder's own route: its value, less what every second until its end costs. Nobody runs
//! the auction: everybody keeps beliefs about who has won what, and tells them to the others until nothing changes. Those
//! who stand together and have one role would bid the same, so they bid as one company ([`person`]). Each knows of the open
//! work what it was told, and what lies in its own zone ([`crate::core::board`]); all of that goes through the network of the parameter
//! `network`, so what is lost is not bid for, and where beliefs differ in the end two go for one job. A bid that is
//! better than anybody could make who stands there ([`route`]) is not believed, and reported. Bids are answers to bids,
//! so they are not sealed; that bound is what stands in its place.

mod person;
mod route;

use crate::core::board::{Board, View};
use crate::core::talk::{self, Open, Signing, Talk};
use crate::core::{Core, Floor, Job, Plan, Rule, Step, classes, draws, head_start_s};
use labtrust_comms::AgentId;
use labtrust_comms::protocols::Scrutiny;
use labtrust_kernel::Stream;
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::wire::Problem;
use person::{OTHER_ROUNDS, Part, Person, Say, Speaker};
use route::Sight;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With marginal bids, or without: "on" or "off".
        core: String = "on";
        /// Jobs of a bundle [count].
        bundle: u32 = 3, 1..=8;
        /// What a second of a route costs against a second of slack [count].
        route_weight: u32 = 4, 1..=100;
        /// How much who has won before bids less, for each job [s].
        fairness_weight: u32 = 0, 0..=1000;
        /// Slack of routine work [steps].
        deadline_slack_steps: u32 = 20, 1..=200;
        /// Rounds of bids in a step [count].
        auction_rounds: u32 = 16, 1..=64;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether everybody signs what they say and judges what they hear: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

/// The rule.
pub struct KernelAuctionEdf {
    core: Core,
    weights: Weights,
    auction_rounds: u32,
    fairness_weight: i64,
    signing: Signing,
    /// Jobs won so far, by agent.
    won: Vec<i64>,
    board: Board,
    /// What each of those who are directed knows of the open work.
    views: Vec<View>,
    talk: Talk<Say>,
    draws: Stream,
}

/// What counts how much, the same for everybody.
#[derive(Clone, Copy, Debug)]
struct Weights {
    bundle: usize,
    route_weight: i64,
    slack_s: i64,
}

labtrust_plugin::register_method!(crate::core::Driver<KernelAuctionEdf>);

impl Rule for KernelAuctionEdf {
    const ID: &'static str = "kernel_auction_edf";
    const SUMMARY: &'static str = "Bundles of a few jobs, auctioned at their marginal route cost; work by due date.";
    const CARD: MethodCard = MethodCard {
        class: "market",
        complexity: "O(K C (log C + L N) W) for K rounds, C companies of who stands together, bundles of L; 3 N + K C log C messages",
        source: "Choi, Brunet and How 2009; Johnson et al. 2012",
        core: "the marginal bids; off: a random worker who may do it wins each job",
        envelope: "sites on which walking matters; bundles are promises that new urgent work breaks in the next step",
        uses_messages: true,
    };
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let talk = Talk::new(&params.network, &params.signed, "BID", floor, &[])?;
        Ok(Self {
            core: Core::read(&params.core)?,
            weights: Weights {
                bundle: params.bundle as usize,
                route_weight: i64::from(params.route_weight),
                slack_s: i64::from(params.deadline_slack_steps) * floor.dt_s,
            },
            auction_rounds: params.auction_rounds,
            fairness_weight: i64::from(params.fairness_weight),
            signing: Signing::read(&params.signed)?,
            won: Vec::new(),
            board: Board::default(),
            views: vec![View::default(); talk.agents().len()],
            talk,
            draws: draws::stream(floor, Self::ID, "random_winner"),
        })
    }

    fn due_s(&self, job: &Job) -> Option<i64> {
        Some(self.weights.due_s(job))
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return draws::random_winners(step, &mut self.draws, plan);
        }
        self.won.resize(step.seen.agents.zone.len(), 0);
        let open = Open::of(step);
        let companies = classes::of_workers(step);
        let of_class: Vec<usize> = companies.iter().map(|company| company[0]).collect();
        let place = |worker: usize| talk::place(step.floor, step.workers[worker].agent).unwrap_or(usize::MAX);
        let agent = |worker: usize| AgentId(u32::try_from(place(worker)).unwrap_or(u32::MAX));
        let speakers: Vec<AgentId> = of_class.iter().map(|&worker| agent(worker)).collect();
        let (won, fairness_weight) = (&self.won, self.fairness_weight);
        let won_before = |worker: usize| fairness_weight * won[usize::from(step.workers[worker].agent)];
        let mut sight = Sight { step, open: &open, weights: self.weights, of_class: &of_class, dearest: &[] };
        let scrutiny = self.signing.scrutiny();
        let dearest = match scrutiny {
            Scrutiny::Both => sight.dearest((0..step.workers.len()).map(won_before).max().unwrap_or(0)),
            Scrutiny::Nothing | Scrutiny::TooGood => Vec::new(),
        };
        sight.dearest = &dearest;
        let mut people: Vec<Person<'_>> = self.views.iter_mut().map(|view| Person { view, part: Part::None }).collect();
        for (class, company) in companies.iter().enumerate() {
            for &worker in company {
                let Some(person) = people.get_mut(place(worker)) else { continue };
                person.part = if worker == of_class[class] {
                    let speaker =
                        Speaker::new(sight, self.auction_rounds, &speakers, class, &won_before).with_scrutiny(scrutiny);
                    Part::Speaker(Box::new(speaker))
                } else {
                    Part::Member { step: step.seen.step, speaker: speakers[class], won: None }
                };
            }
        }
        self.talk.begin_step(step.seen.step);
        self.talk.tell_all(&Say::News(self.board.news(step)));
        let rounds = self.auction_rounds + OTHER_ROUNDS;
        self.talk.exchange(&mut people, rounds, rounds);
        let mut taken = vec![None; step.workers.len()];
        for (number, taken) in taken.iter_mut().enumerate() {
            let Some(person) = people.get(place(number)) else { continue };
            *taken = match &person.part {
                Part::None => None,
                Part::Member { won, .. } => *won,
                Part::Speaker(speaker) => {
                    speaker.refused.iter().for_each(|(code, about)| self.talk.refuse(code, Some(*about)));
                    self.talk.acted_on(person.view.age_steps(step.seen.step));
                    speaker.won
                }
            };
        }
        drop(people);
        for (number, job) in taken.into_iter().enumerate() {
            // Where two believe to have won a job, the second finds it taken.
            if let Some(job) = job.and_then(|key| open.job(key))
                && plan.assign(number, job)
            {
                self.won[usize::from(step.workers[number].agent)] += 1;
            }
        }
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.talk.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.talk.unreached()
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.talk.evidence(out);
    }

    fn told(&self) -> Told {
        self.talk.told()
    }
}

impl Weights {
    /// By when a job is due [s].
    fn due_s(self, job: &Job) -> i64 {
        job.arrival_s.saturating_add(self.slack_s) - head_start_s(job.priority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::with_step;
    use labtrust_comms::codes::COORD_BID_BELOW_BOUND;
    use labtrust_comms::network::{Fate, Injector, Mail};
    use labtrust_comms::protocols::Letter;
    use labtrust_comms::protocols::cbba::{Award, CbbaMessage};
    use labtrust_plugin::method::Figure;
    use labtrust_plugin::params::Params as _;
    use labtrust_plugin::testing::Size;
    use labtrust_plugin::wire::Settings;

    /// One company says that it does everything, for less than it can cost.
    struct Greedy {
        speaker: AgentId,
        company: u32,
        companies: usize,
        jobs: Vec<u32>,
        said: u32,
    }

    impl Injector<Letter<Say>> for Greedy {
        fn on_send(&mut self, _: u64, mail: &mut Mail<Letter<Say>>, _: &mut Vec<Mail<Letter<Say>>>) -> Fate {
            if let Letter::Open(Say::Beliefs(step, _)) = &mail.body
                && mail.from == self.speaker
            {
                self.said += 1;
                let award = Award { cost: -1_000_000_000, winner: AgentId(self.company) };
                let awards = self.jobs.iter().map(|job| (*job, Some(award))).collect();
                let lie = CbbaMessage::forged(1000 + self.said, awards, vec![0; self.companies]);
                mail.body = Letter::Open(Say::Beliefs(*step, lie));
            }
            Fate::Pass
        }
    }

    #[test]
    fn a_bid_that_nobody_could_make_is_refused_and_takes_no_work_from_anybody() {
        let mut lies = 0;
        for seed in 0..20 {
            let size = Size { zones: 5, devices: 9, agents: 12 };
            let run = |lying: bool| {
                with_step(seed, size, 40, |step| {
                    let mut rule =
                        KernelAuctionEdf::new(Params::read(&Settings::default()).unwrap(), step.floor).unwrap();
                    let companies = classes::of_workers(step);
                    let speaker = companies.first().map(|company| step.workers[company[0]].agent)?;
                    let speaker = AgentId(talk::place(step.floor, speaker)? as u32);
                    let jobs = step.jobs.iter().map(talk::key).collect();
                    if lying {
                        let greedy = Greedy { speaker, company: 0, companies: companies.len(), jobs, said: 0 };
                        rule.talk.network_mut().set_injector(Some(Box::new(greedy)));
                    }
                    let mut plan = Plan::default();
                    plan.begin(step.workers.len(), step.jobs.len());
                    rule.allocate(step, &mut plan);
                    let Figure::By(codes) = &rule.told()["comm"]["rejected_by_code"] else { panic!("it is by code") };
                    let busy = (0..step.workers.len()).filter(|&worker| !plan.is_free(worker)).count();
                    Some((busy, codes.get(COORD_BID_BELOW_BOUND).copied().unwrap_or(0)))
                })
                .flatten()
            };
            let (Some((busy, refused)), Some((still_busy, lied))) = (run(false), run(true)) else { continue };
            assert_eq!(refused, 0, "seed {seed}: nobody lies");
            assert!(still_busy + 2 >= busy, "seed {seed}: {still_busy} instead of {busy} have work");
            lies += lied;
        }
        assert!(lies > 100, "{lies}");
    }
}
