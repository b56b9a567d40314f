//! A hub and its regions on the network: reports go up, orders come down, and nobody knows more than what reached them.
//!
//! Each region has a desk. In every step it reports who is free, which work nobody there takes, and what was begun of that which the
//! hub had ordered. The hub decides from the last report of each region, however old, and orders people of a region to a job. An
//! order that is lost is not carried out; that nothing was begun is how the hub learns of it.

use super::talk::Talk;
use super::{Floor, Step};
use labtrust_comms::AgentId;
use labtrust_comms::network::Wire;
use labtrust_comms::protocols::gossip::Key;
use labtrust_comms::protocols::{Machine, Outbox};
use labtrust_plugin::SharedTap;
use labtrust_plugin::method::{Evidence, Told};
use labtrust_plugin::wire::Problem;
use serde::{Deserialize, Serialize};

/// Rounds of a step: reports, then orders [count].
const ROUNDS: u32 = 2;

/// What a region knows and the hub does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Of which step it is.
    pub step: u32,
    /// Those of its people who have nothing to do, agents of the site.
    pub free: Vec<u16>,
    /// Work of the region that nobody there takes, and since when it is open [s].
    pub open: Vec<(Key, i64)>,
    /// Orders that were carried out: an accepted start.
    pub begun: Vec<(u16, Key)>,
}

/// What somebody shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// Who, an agent of the site.
    pub agent: u16,
    /// What.
    pub key: Key,
    /// Until when it must be begun [s].
    pub until_s: i64,
}

/// What travels between the hub and a region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Say {
    /// Up.
    Report(Report),
    /// Down, of a step.
    Orders(u32, Vec<Order>),
}

impl Wire for Say {
    /// 5 for step and kind, 2 an agent, 12 a job that is open, 6 a job that was begun, 14 an order [B].
    fn wire_bytes(&self) -> u32 {
        let bytes = match self {
            Self::Report(report) => report.free.len() * 2 + report.open.len() * 12 + report.begun.len() * 6,
            Self::Orders(_, orders) => orders.len() * 14,
        };
        u32::try_from(bytes + 5).unwrap_or(u32::MAX)
    }
}

/// The hub of a method: decides from reports.
pub trait Hub {
    /// What shall be done, by region, given the last report that came from each.
    fn decide(&mut self, step: &Step<'_>, reports: &[Option<Report>]) -> Vec<(usize, Order)>;
}

/// The desks of the regions and of the hub, for an episode.
pub struct Desks {
    talk: Talk<Say>,
    /// Desk of the first region among all who are on the network.
    first: usize,
    regions: usize,
    /// The last report of each region that reached the hub.
    known: Vec<Option<Report>>,
}

impl Desks {
    /// The desks of so many regions.
    ///
    /// # Errors
    /// Those of [`Talk::new`].
    pub fn new(network: &str, signed: &str, floor: &Floor, regions: usize) -> Result<Self, Problem> {
        let names = (0..regions).map(|region| format!("REGION_{region}")).chain(["HUB".to_owned()]);
        let talk = Talk::new(network, signed, "HUB", floor, &names.collect::<Vec<_>>())?;
        Ok(Self { talk, first: floor.directed.len(), regions, known: vec![None; regions] })
    }

    /// Lets every region report and the hub decide; the orders that reached their regions.
    pub fn run(&mut self, step: &Step<'_>, mut reports: Vec<Report>, hub: &mut dyn Hub) -> Vec<Order> {
        reports.resize(self.regions, Report::default());
        let before = std::mem::take(&mut self.known);
        let hub_desk = AgentId(u32::try_from(self.first + self.regions).unwrap_or(u32::MAX));
        let region = |report: Report| {
            let report = Report { step: step.seen.step, ..report };
            Node::Region { hub: hub_desk, report, orders: Vec::new() }
        };
        let mut nodes: Vec<Node<'_>> = (0..self.first).map(|_| Node::Away).collect();
        nodes.extend(reports.into_iter().map(region));
        nodes.push(Node::Hub { hub, step, first: self.first, known: before });
        self.talk.begin_step(step.seen.step);
        self.talk.exchange(&mut nodes, ROUNDS, ROUNDS);
        let mut carried = Vec::new();
        for node in nodes {
            match node {
                Node::Region { orders, .. } => carried.extend(orders),
                Node::Hub { known, .. } => self.known = known,
                Node::Away => {}
            }
        }
        for report in self.known.iter().flatten() {
            self.talk.acted_on(u64::from(step.seen.step.saturating_sub(report.step)));
        }
        carried.sort_unstable();
        carried
    }

    /// Puts somebody on the wire.
    pub fn tap(&mut self, tap: SharedTap) -> bool {
        self.talk.tap(tap)
    }

    /// Who heard nothing of what was sent to them in the newest step: of people nobody, since only desks talk.
    #[must_use]
    pub fn unreached(&self) -> &[u16] {
        self.talk.unreached()
    }

    /// Puts on record what was not believed.
    pub fn evidence(&mut self, out: &mut Vec<Evidence>) {
        self.talk.evidence(out);
    }

    /// What the desks have to tell.
    #[must_use]
    pub fn told(&self) -> Told {
        self.talk.told()
    }
}

/// Somebody on the network.
enum Node<'a> {
    /// People are told by their region's desk.
    Away,
    /// A desk of a region.
    Region { hub: AgentId, report: Report, orders: Vec<Order> },
    /// The hub's desk.
    Hub { hub: &'a mut dyn Hub, step: &'a Step<'a>, first: usize, known: Vec<Option<Report>> },
}

impl Machine for Node<'_> {
    type Message = Say;

    fn on_round(&mut self, round: u32, out: &mut Outbox<Say>) {
        match self {
            Self::Region { hub, report, .. } if round == 0 => out.send(*hub, Say::Report(report.clone())),
            Self::Hub { hub, step, first, known, .. } if round == 1 => {
                let mut orders: Vec<Vec<Order>> = vec![Vec::new(); known.len()];
                for (region, order) in hub.decide(step, known) {
                    if let Some(of) = orders.get_mut(region) {
                        of.push(order);
                    }
                }
                for (region, orders) in orders.into_iter().enumerate().filter(|(_, orders)| !orders.is_empty()) {
                    let desk = u32::try_from(*first + region).unwrap_or(u32::MAX);
                    out.send(AgentId(desk), Say::Orders(step.seen.step, orders));
                }
            }
            _ => {}
        }
    }

    fn on_message(&mut self, from: AgentId, say: Say, _out: &mut Outbox<Say>) {
        match (self, say) {
            // A late report is still the last word of its region, an old one is not.
            (Self::Hub { first, known, .. }, Say::Report(report)) => {
                let region = from.index().checked_sub(*first);
                if let Some(known) = region.and_then(|region| known.get_mut(region))
                    && known.as_ref().is_none_or(|known| known.step < report.step)
                {
                    *known = Some(report);
                }
            }
            // A late order is still one: it says until when it holds.
            (Self::Region { hub, orders: mine, .. }, Say::Orders(_, orders)) if from == *hub => mine.extend(orders),
            _ => {}
        }
    }
}
