//! Sequential single-item auction: jobs are sold one by one, each to the lowest bid; who has won does not bid again.
//!
//! **Class** market. **Cost** O(N W) a decision, in 2 N + 2 A messages for A awards where none is lost. **Core** the bids: a worker bids
//! the seconds until they could begin, which nobody can undercut but by standing nearer; without them a random worker wins.
//! **Source** Lagoudakis, Markakis, Kempe, Keskinocak, Kleywegt, Koenig, Tovey, Meyerson and Jain (2005), auction-based
//! multi-robot routing; contract net (Smith 1980).
//!
//! An auctioneer calls the open jobs, everybody idle answers with what each would cost them, and the jobs are awarded in the order
//! of their urgency, also those that nobody stands near. A winner who does not answer is replaced by the next bidder, and so is one
//! whom the laboratory refuses: who was refused at a job does not win it for a while. All calls, bids, awards and
//! answers go through the network of the parameter `network` ([`desk`]). With `signed=on` bids are sealed: everybody commits to theirs by its
//! hash before anybody shows one.

mod desk;

use crate::core::talk::{self, Open, Signing, Talk};
use crate::core::{Core, Floor, Plan, Rule, Step, Subject, draws};
use desk::{Auctioneer, Bidder, Node, Say};
use labtrust_kernel::Stream;
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::wire::Problem;

/// How long somebody does not win again what they were refused at [s].
const EXCLUDED_S: i64 = 60;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With bids, or without: "on" or "off".
        core: String = "on";
        /// How often in a step a job is awarded to the next bidder when the last one does not answer [rounds].
        award_rounds: u32 = 3, 1..=20;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether everybody signs what they say, and bids are sealed until all are in: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

/// The rule.
pub struct MarketAuction {
    core: Core,
    award_rounds: u32,
    signing: Signing,
    talk: Talk<Say>,
    /// Who does not win what, and until when [s].
    excluded: Vec<(u16, Subject, i64)>,
    draws: Stream,
    /// The secrets that keep sealed bids from being guessed.
    nonces: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<MarketAuction>);

impl Rule for MarketAuction {
    const ID: &'static str = "market_auction";
    const SUMMARY: &'static str = "Sequential single-item auction: each job goes to who can begin it soonest.";
    const CARD: MethodCard = MethodCard {
        class: "market",
        complexity: "O(N W), in 2 N + 2 A messages for A awards where none is lost",
        source: "Lagoudakis et al. 2005; Smith 1980",
        core: "the bids; off: a random worker who may do it wins each job",
        envelope: "one site; the first bid of each round takes the nearest worker, also from work that needs nobody else",
        uses_messages: true,
    };
    const AWARDED_AGAIN: u32 = 1;
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        Ok(Self {
            core: Core::read(&params.core)?,
            award_rounds: params.award_rounds,
            signing: Signing::read(&params.signed)?,
            talk: Talk::new(&params.network, &params.signed, "AUCTION", floor, &["AUCTIONEER".to_owned()])?,
            excluded: Vec::new(),
            draws: draws::stream(floor, Self::ID, "random_winner"),
            nonces: draws::stream(floor, Self::ID, "nonce"),
        })
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return draws::random_winners(step, &mut self.draws, plan);
        }
        self.excluded.retain(|(.., until_s)| *until_s > step.now_s());
        let refused = step.memory.outcomes().iter().filter(|outcome| !outcome.done);
        self.excluded.extend(refused.map(|outcome| (outcome.agent, outcome.about, step.now_s() + EXCLUDED_S)));
        let open = Open::of(step);
        let mut nodes: Vec<Node<'_>> = step.floor.directed.iter().map(|_| Node::Away).collect();
        for (number, worker) in step.workers.iter().enumerate() {
            if let Some(place) = talk::place(step.floor, worker.agent) {
                let name = &step.floor.names[place];
                let secret = self.signing.is_on().then(|| self.nonces.below(u64::MAX));
                nodes[place] = Node::Bidder(Bidder::new(step, &open, number, name, secret));
            }
        }
        nodes.push(Node::Auctioneer(Auctioneer::new(step, &open, self.signing, &self.excluded)));
        self.talk.begin_step(step.seen.step);
        let rounds = desk::ROUNDS_BEFORE_AWARDS + self.award_rounds;
        self.talk.exchange(&mut nodes, rounds, rounds);
        for node in nodes {
            match node {
                Node::Bidder(bidder) => {
                    if let Some(job) = bidder.won() {
                        // Where two were awarded one job, the second finds it taken.
                        plan.assign(bidder.number, job);
                    }
                }
                Node::Auctioneer(auctioneer) => {
                    auctioneer.refused.iter().for_each(|(code, about)| self.talk.refuse(code, Some(*about)));
                }
                Node::Away => {}
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
