//! Sequential single-item auction: jobs are sold one by one, each to the lowest bid; who has won does not bid again.
//!
//! **Class** market. **Cost** O(N W) a decision. **Core** the bids: a worker bids the seconds until they could begin,
//! which nobody can undercut but by standing nearer; without them a random worker wins. **Source** Lagoudakis,
//! Markakis, Kempe, Keskinocak, Kleywegt, Koenig, Tovey, Meyerson and Jain (2005), auction-based multi-robot routing;
//! contract net (Smith 1980).
//!
//! The most urgent job is called first, also if nobody stands near it. If the laboratory refuses the winner, the job is
//! awarded again, to the next bidder: who was refused at a job does not bid for it for a while.

use crate::core::{Core, Floor, Plan, Rule, Step, Subject, draws};
use labtrust_kernel::Stream;
use labtrust_plugin::method::MethodCard;
use labtrust_plugin::wire::Problem;

/// How long somebody does not bid again for what they were refused at [s].
const EXCLUDED_S: i64 = 60;

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With bids, or without: "on" or "off".
        core: String = "on";
    }
}

/// The rule.
pub struct MarketAuction {
    core: Core,
    /// Who does not bid for what, and until when [s].
    excluded: Vec<(u16, Subject, i64)>,
    draws: Stream,
}

labtrust_plugin::register_method!(crate::core::Driver<MarketAuction>);

impl Rule for MarketAuction {
    const ID: &'static str = "market_auction";
    const SUMMARY: &'static str = "Sequential single-item auction: each job goes to who can begin it soonest.";
    const CARD: MethodCard = MethodCard {
        class: "market",
        complexity: "O(N W)",
        source: "Lagoudakis et al. 2005; Smith 1980",
        core: "the bids; off: a random worker who may do it wins each job",
        envelope: "one site; the first bid of each round takes the nearest worker, also from work that needs nobody else",
        uses_messages: false,
    };
    const AWARDED_AGAIN: u32 = 1;
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let draws = draws::stream(floor, Self::ID, "random_winner");
        Ok(Self { core: Core::read(&params.core)?, excluded: Vec::new(), draws })
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        if !self.core.is_on() {
            return draws::random_winners(step, &mut self.draws, plan);
        }
        self.excluded.retain(|(.., until_s)| *until_s > step.now_s());
        let refused = step.memory.outcomes().iter().filter(|outcome| !outcome.done);
        self.excluded.extend(refused.map(|outcome| (outcome.agent, outcome.about, step.now_s() + EXCLUDED_S)));
        let mut bidders: Vec<usize> = (0..step.workers.len()).collect();
        for (number, job) in step.jobs.iter().enumerate().filter(|(_, job)| step.is_ready(job)) {
            let excluded = |agent| self.excluded.iter().any(|(who, what, _)| *who == agent && *what == job.about());
            let bid = |&bidder: &usize| {
                let worker = &step.workers[bidder];
                let cost_s = step.travel_s(worker, job).filter(|_| !excluded(worker.agent))?;
                // Of equal bids the one wins who may do least else.
                Some((cost_s, worker.may.count_ones(), bidder))
            };
            if let Some((.., winner)) = bidders.iter().filter_map(bid).min() {
                plan.assign(winner, number);
                bidders.retain(|bidder| *bidder != winner);
            }
        }
    }
}
