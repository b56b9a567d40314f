//! What one replication is measured by: the columns of `results.csv`.

use crate::estimate::rounded;
use labtrust_kernel::SimDuration;
use labtrust_mine_haulage::{Account, Model, Outcome};
use labtrust_plugin::method::Tally;

/// What kind of thing trucks queue for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResourceKind {
    Loader,
    Crusher,
    Road,
}

impl ResourceKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Loader => "loader",
            Self::Crusher => "crusher",
            Self::Road => "road",
        }
    }
}

/// Something that takes only so many trucks at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) kind: ResourceKind,
    pub(crate) capacity: u32,
    /// Its place among the accounts of its kind.
    account: usize,
}

/// The resources of a model: loaders, the dump point that takes the ore, roads of limited capacity.
pub(crate) fn resources(model: &Model) -> Vec<Resource> {
    let scenario = model.scenario();
    let site = &scenario.site;
    let loaders = site.loaders.iter().enumerate().map(|(account, loader)| Resource {
        id: loader.id.clone(),
        kind: ResourceKind::Loader,
        capacity: loader.capacity,
        account,
    });
    let dump = site.dump(model.dump());
    let dump = Resource { id: dump.id.clone(), kind: ResourceKind::Crusher, capacity: dump.capacity, account: 0 };
    let roads = model.roads().iter().enumerate().filter_map(|(account, road)| {
        let capacity = road.capacity?;
        Some(Resource { id: road.id.clone(), kind: ResourceKind::Road, capacity, account })
    });
    loaders.chain([dump]).chain(roads).collect()
}

/// A resource in one replication.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ResourceFigures {
    /// Part of its capacity in use, 0 to 1.
    pub(crate) utilisation: f64,
    /// Mean time in its queue, over all that came [min].
    pub(crate) queue_min: f64,
    /// What all trucks together spent in its queue [min].
    pub(crate) queue_total_min: f64,
    /// Trucks that came [count].
    pub(crate) arrivals: u64,
}

impl ResourceFigures {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days of queueing")]
    fn of(account: &Account, capacity: u32, shift: SimDuration) -> Self {
        Self {
            utilisation: rounded(account.utilisation(capacity, shift)),
            queue_min: rounded(account.mean_wait_min()),
            queue_total_min: rounded(account.queue_wait_ns as f64 / 60e9),
            arrivals: account.arrivals,
        }
    }
}

/// One replication.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) seed: u64,
    /// [t]
    pub(crate) tonnes: f64,
    /// [t/h]
    pub(crate) tonnes_per_hour: f64,
    /// From dispatch to the end of the dump, over completed cycles [min]; none where no cycle was completed.
    pub(crate) cycle_min: Option<f64>,
    /// Part of the fleet's time that is no waiting, 0 to 1.
    pub(crate) truck_utilisation: f64,
    /// Over arrivals at all loaders [min].
    pub(crate) loader_queue_min: f64,
    /// Completed dumps [count].
    pub(crate) dumps: u64,
    /// In the order of [`resources`].
    pub(crate) resources: Vec<ResourceFigures>,
    /// Trucks that came to each road, limited or not, in the order of [`Model::roads`] [count].
    pub(crate) road_arrivals: Vec<u64>,
    /// Of the dispatch policy, where it is a file of its own.
    pub(crate) dispatch: Tally,
}

impl Figures {
    /// Measures a replication.
    pub(crate) fn of(outcome: &Outcome, resources: &[Resource]) -> Self {
        let account = |resource: &Resource| match resource.kind {
            ResourceKind::Loader => &outcome.loaders[resource.account],
            ResourceKind::Crusher => &outcome.dump,
            ResourceKind::Road => &outcome.roads[resource.account],
        };
        let of = |resource| ResourceFigures::of(account(resource), resource.capacity, outcome.shift);
        Self {
            seed: outcome.seed,
            tonnes: rounded(outcome.tonnes),
            tonnes_per_hour: rounded(outcome.tonnes_per_hour()),
            cycle_min: (outcome.dumps > 0).then(|| rounded(outcome.mean_cycle_min())),
            truck_utilisation: rounded(outcome.truck_utilisation()),
            loader_queue_min: rounded(outcome.mean_loader_wait_min()),
            dumps: outcome.dumps,
            resources: resources.iter().map(of).collect(),
            road_arrivals: outcome.roads.iter().map(|road| road.arrivals).collect(),
            dispatch: outcome.dispatch.clone(),
        }
    }
}
