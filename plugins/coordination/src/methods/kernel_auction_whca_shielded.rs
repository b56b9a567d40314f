//! The auction with planned ways, under a simplex shield.
//!
//! **Class** market. **Cost** that of `kernel_auction_whca`, and O(N + W) for the shield. **Core** the shield; without it
//! this is `kernel_auction_whca`. **Source** Sha (2001); Desai et al. (2019) ([`crate::core::Shield`]).
//!
//! On a good network the auction leaves nothing to mend. Where messages are lost, jobs stay that nobody knows of or that
//! everybody takes for somebody else's; the shield gives them away.

use super::kernel_auction_whca::KernelAuctionWhca;
use super::routed::WithRouter;
use crate::core::{Core, Floor, Job, Plan, Routing, Rule, Shield, Step};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, MethodCard, Told};
use labtrust_plugin::params::Params as _;
use labtrust_plugin::wire::{Act, Problem, Setting, Settings};

labtrust_plugin::params! {
    /// Parameters, as written on a command line or in a policy.
    pub struct Params {
        /// With the shield, or without: "on" or "off".
        core: String = "on";
        /// How long a job may wait without progress until the shield gives it away [steps].
        shield_patience_steps: u32 = 3, 1..=100;
        /// Who plans the ways: "whca", "pibt", "lacam", "cbs", "ecbs", "rhcr" or "lns".
        router_backend: String = "whca";
        /// How far ways are planned [steps].
        whca_horizon: u32 = 15, 1..=64;
        /// How messages travel, "drop_rate=0.3,p50_ms=40": the settings of the message layer. Nothing: at once.
        network: String = "";
        /// Whether everybody signs what they say and judges what they hear: "on", "off", "on without CONTROL...".
        signed: String = "off";
    }
}

type Auction = WithRouter<KernelAuctionWhca>;

/// The rule.
pub struct KernelAuctionWhcaShielded {
    auction: Auction,
    shield: Option<Shield>,
}

labtrust_plugin::register_method!(crate::core::Driver<KernelAuctionWhcaShielded>);

impl Rule for KernelAuctionWhcaShielded {
    const ID: &'static str = "kernel_auction_whca_shielded";
    const SUMMARY: &'static str = "An auction with planned ways, under a shield that mends what makes no progress.";
    const CARD: MethodCard = MethodCard {
        class: "market",
        complexity: "that of kernel_auction_whca, and O(N + W) for the shield",
        source: "Sha 2001; Desai et al., DSN 2019",
        core: "the shield; off: the auction's plan stands as it is",
        envelope: "networks that lose messages; on a good one it is kernel_auction_whca",
        uses_messages: true,
    };
    const AWARDED_AGAIN: u32 = Auction::AWARDED_AGAIN;
    type Params = Params;

    fn new(params: Params, floor: &Floor) -> Result<Self, Problem> {
        let text = |name: &str, value: &str| (name.to_owned(), Setting::Text(value.to_owned()));
        let settings = Settings(
            [
                text("router_backend", &params.router_backend),
                ("whca_horizon".to_owned(), Setting::Number(params.whca_horizon.into())),
                text("network", &params.network),
                text("signed", &params.signed),
            ]
            .into(),
        );
        let auction = Auction::new(<Auction as Rule>::Params::read(&settings)?, floor)?;
        let shield = Core::read(&params.core)?.is_on().then(|| Shield::new(params.shield_patience_steps));
        Ok(Self { auction, shield })
    }

    fn urgency(&self, job: &Job, now_s: i64) -> i64 {
        self.auction.urgency(job, now_s)
    }

    fn due_s(&self, job: &Job) -> Option<i64> {
        self.auction.due_s(job)
    }

    fn rank(&self, act: Act) -> u8 {
        self.auction.rank(act)
    }

    fn stages(&self) -> bool {
        self.auction.stages()
    }

    fn routing(&self) -> Routing {
        self.auction.routing()
    }

    fn begin(&mut self, step: &Step<'_>) {
        self.auction.begin(step);
    }

    fn allocate(&mut self, step: &Step<'_>, plan: &mut Plan) {
        self.auction.allocate(step, plan);
        if let Some(shield) = &mut self.shield {
            shield.mend(step, plan);
        }
    }

    fn tap(&mut self, tap: SharedTap) -> bool {
        self.auction.tap(tap)
    }

    fn unreached(&self) -> &[u16] {
        self.auction.unreached()
    }

    fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.auction.evidence(out);
        if let Some(shield) = &mut self.shield {
            shield.evidence(out);
        }
    }

    fn told(&self) -> Told {
        let mut told = self.auction.told();
        if let Some(shield) = &self.shield {
            told.insert("shield", shield.figures());
        }
        told
    }
}
