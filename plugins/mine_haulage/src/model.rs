//! A scenario prepared for simulation: routes, lanes and figures looked up once, so that a replication looks up nothing.

use crate::event_log::EventLog;
use crate::network::{Arc, Ways};
use crate::outcome::{DispatchError, Outcome};
use crate::rules::RuleError;
use crate::run;
use crate::scenario::{LaneModel, Scenario};
use crate::site::{DumpId, EdgeId, Loader, LoaderId, NodeId, ServiceTime, Site, Truck, TruckId};
use labtrust_kernel::SimDuration;
use labtrust_plugin::mine::{DispatchPolicy, DumpSite, LoaderSite, MineSite, TruckSite};
use std::collections::BTreeMap;

/// A road that limits trucks together, or one that does not: a place in [`Model::roads`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoadId(pub u16);

/// What trucks hold while they drive: one directed road, or both directions of a shared single-lane road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Road {
    /// The directed road's id, or the physical road's when it holds more than one direction.
    pub id: String,
    /// The directed roads that share it, in the site's order.
    pub edges: Vec<EdgeId>,
    /// Trucks that it takes at once; `None` is no limit [count].
    pub capacity: Option<u32>,
}

/// Why a scenario cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A figure or an id of the scenario breaks a rule.
    #[error("scenario {scenario}: {error}")]
    Rule {
        /// The scenario.
        scenario: String,
        /// The rule.
        error: RuleError,
    },
    /// No loader stands at any of the scenario's ore sources.
    #[error("scenario {scenario}: no loader stands at {}", sources.join(", "))]
    NoLoader {
        /// The scenario.
        scenario: String,
        /// The ore sources.
        sources: Vec<String>,
    },
    /// No dump point, or more than one, stands at the scenario's dump destination.
    #[error("scenario {scenario}: {count} dump points stand at {destination}, it takes exactly one")]
    NoDump {
        /// The scenario.
        scenario: String,
        /// The destination.
        destination: String,
        /// How many there are.
        count: usize,
    },
    /// Trucks at a node can reach no loader, or none from which the dump point can be reached.
    #[error(
        "scenario {scenario}: no open way leads from {from} to {}; closed: {}",
        to.join(" or "),
        if closed.is_empty() { "nothing".to_owned() } else { closed.join(", ") }
    )]
    NoRoute {
        /// The scenario.
        scenario: String,
        /// Where the way should begin.
        from: String,
        /// Where it might lead: any of these would do.
        to: Vec<String>,
        /// The closed roads.
        closed: Vec<String>,
    },
}

/// A service time in the simulation's unit [ns], availability applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub mean_ns: f64,
    pub sd_ns: f64,
}

/// A truck's figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TruckPlan {
    pub payload_tonnes: f64,
    /// Nominal time times this is an empty drive.
    pub empty: f64,
    /// Nominal time times this is a loaded drive.
    pub loaded: f64,
    pub start: NodeId,
}

/// A way: its place in [`Plan::routes`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteId(pub u32);

/// A loader that trucks at a node may be sent to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub loader: LoaderId,
    pub route: RouteId,
    /// Nominal drive to it [ns].
    pub nominal_ns: f64,
}

/// A loader's figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoaderPlan {
    pub node: NodeId,
    pub capacity: u32,
    pub service: Service,
    /// The way to the dump point, and its nominal drive [ns]; empty for a loader that takes no part.
    pub haul: RouteId,
    pub haul_nominal_ns: f64,
}

/// An edge's figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgePlan {
    pub from: NodeId,
    pub to: NodeId,
    pub road: RoadId,
    /// Drive at the limit [ns].
    pub nominal_ns: f64,
}

/// Everything that a replication reads.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub trucks: Vec<TruckPlan>,
    pub edges: Vec<EdgePlan>,
    pub roads: Vec<Road>,
    pub loaders: Vec<LoaderPlan>,
    /// By node; empty where no truck is ever sent from.
    pub candidates: Vec<Vec<Candidate>>,
    pub routes: Vec<Vec<EdgeId>>,
    pub dump: DumpId,
    pub dump_capacity: u32,
    pub dump_service: Service,
    /// The normal distribution whose exponential is the factor of a drive.
    pub noise_mu: f64,
    pub noise_sigma: f64,
}

/// A scenario that can be replicated, on any number of threads at once.
pub struct Model {
    scenario: Scenario,
    policy: &'static dyn DispatchPolicy,
    plan: Plan,
    unreached: Vec<LoaderId>,
}

impl Model {
    /// Prepares `scenario` with `policy` (which need not be the one that the scenario names).
    ///
    /// A loader that cannot be reached, or from which the dump point cannot be, is no candidate; see
    /// [`Model::unreached_loaders`].
    ///
    /// # Errors
    /// [`ModelError`] when a figure breaks a rule, when nothing can be loaded or dumped, or when the trucks at their
    /// start or at the dump point have no loader to go to.
    pub fn new(scenario: &Scenario, policy: &'static dyn DispatchPolicy) -> Result<Self, ModelError> {
        scenario.check().map_err(|error| ModelError::Rule { scenario: scenario.id.clone(), error })?;
        let (plan, unreached) = Planner { scenario, site: &scenario.site }.plan()?;
        Ok(Self { scenario: scenario.clone(), policy, plan, unreached })
    }

    /// The scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &'static dyn DispatchPolicy {
        self.policy
    }

    /// The roads that [`Outcome::roads`] accounts for: every open directed road, those that share a lane as one.
    #[must_use]
    pub fn roads(&self) -> &[Road] {
        &self.plan.roads
    }

    /// The dump point that takes the ore.
    #[must_use]
    pub const fn dump(&self) -> DumpId {
        self.plan.dump
    }

    /// Loaders at the ore sources to which no truck is sent, because no open way leads there or on to the dump point.
    #[must_use]
    pub fn unreached_loaders(&self) -> &[LoaderId] {
        &self.unreached
    }

    /// The directed roads that a truck at `from` takes to `loader`; `None` when trucks are not sent there from `from`.
    #[must_use]
    pub fn way_to_loader(&self, from: NodeId, loader: LoaderId) -> Option<&[EdgeId]> {
        let candidates = self.plan.candidates.get(usize::from(from.0))?;
        let candidate = candidates.iter().find(|candidate| candidate.loader == loader)?;
        Some(self.plan.route(candidate.route))
    }

    /// The directed roads that a loaded truck takes from `loader` to the dump point; `None` when trucks are not sent there.
    #[must_use]
    pub fn way_to_dump(&self, loader: LoaderId) -> Option<&[EdgeId]> {
        let sent = self.plan.candidates.iter().flatten().any(|candidate| candidate.loader == loader);
        sent.then(|| self.plan.route(self.plan.loaders[usize::from(loader.0)].haul))
    }

    /// Simulates one shift, with a dispatcher of its own. A function of the scenario, the policy and `seed`; whether a log
    /// is kept changes nothing.
    ///
    /// `log` is emptied first. It holds the warm-up too.
    ///
    /// # Errors
    /// [`DispatchError`] when the policy cannot begin, or fails to send a truck; `log` then holds what was before.
    pub fn replicate(&self, seed: u64, log: Option<&mut EventLog>) -> Result<Outcome, DispatchError> {
        run::replicate(self, seed, log)
    }

    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The mine as the policy is told of it, in the replication of this seed.
    pub(crate) fn mine_site(&self, seed: u64) -> MineSite {
        let Scenario { site, .. } = &self.scenario;
        let truck = |truck: &Truck| TruckSite { id: truck.id.clone(), payload_kg: kilograms(truck.payload_tonnes) };
        let loader = |loader: &Loader| LoaderSite { id: loader.id.clone(), capacity: loader.capacity };
        let dump = site.dump(self.plan.dump);
        MineSite {
            seed,
            begin_ns: self.scenario.warmup.as_nanos(),
            end_ns: self.scenario.end().as_nanos(),
            trucks: self.scenario.trucks().iter().map(truck).collect(),
            loaders: site.loaders.iter().map(loader).collect(),
            dump: DumpSite { id: dump.id.clone(), capacity: dump.capacity },
        }
    }
}

/// To the nearest kilogram; a payload is above zero and no more than a truck carries.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, not below zero, and saturating")]
fn kilograms(tonnes: f64) -> u64 {
    libm::round(tonnes * 1000.0) as u64
}

impl Plan {
    pub(crate) fn route(&self, id: RouteId) -> &[EdgeId] {
        &self.routes[id.0 as usize]
    }

    pub(crate) fn edge(&self, id: EdgeId) -> &EdgePlan {
        &self.edges[usize::from(id.0)]
    }

    pub(crate) fn truck(&self, id: TruckId) -> &TruckPlan {
        &self.trucks[usize::from(id.0)]
    }

    pub(crate) fn loader(&self, id: LoaderId) -> &LoaderPlan {
        &self.loaders[usize::from(id.0)]
    }
}

struct Planner<'a> {
    scenario: &'a Scenario,
    site: &'a Site,
}

impl Planner<'_> {
    fn plan(&self) -> Result<(Plan, Vec<LoaderId>), ModelError> {
        let Self { scenario, site } = self;
        let sources = self.sources()?;
        let dump = self.dump()?;
        let dump_point = site.dump(dump);
        let (roads, road_of) = self.roads();
        let edges: Vec<EdgePlan> = site
            .edges
            .iter()
            .zip(road_of)
            .map(|(edge, road)| EdgePlan { from: edge.from, to: edge.to, road, nominal_ns: edge.nominal_s() * 1e9 })
            .collect();
        let arcs = self.arcs();
        let mut routes = Routes { routes: vec![Vec::new()], edges: &edges };

        let to_dump = Ways::to(dump_point.node, site.nodes.len(), &arcs);
        let mut loaders = Vec::with_capacity(site.loaders.len());
        let mut hauls = vec![false; site.loaders.len()];
        for (index, loader) in site.loaders.iter().enumerate() {
            let way = to_dump.from(loader.node, &arcs).filter(|_| sources.iter().any(|id| usize::from(id.0) == index));
            hauls[index] = way.is_some();
            let (haul, haul_nominal_ns) = way.map_or((RouteId(0), 0.0), |way| routes.add(way));
            loaders.push(LoaderPlan {
                node: loader.node,
                capacity: loader.capacity,
                service: service(loader.service, loader.availability),
                haul,
                haul_nominal_ns,
            });
        }

        let mut origins: Vec<NodeId> = scenario.trucks().iter().map(|truck| truck.start).collect();
        origins.push(dump_point.node);
        origins.sort_unstable();
        origins.dedup();
        let mut candidates = vec![Vec::new(); site.nodes.len()];
        let mut reached = vec![false; site.loaders.len()];
        let ways: Vec<Ways> =
            sources.iter().map(|&id| Ways::to(site.loader(id).node, site.nodes.len(), &arcs)).collect();
        for &origin in &origins {
            let here: &mut Vec<Candidate> = &mut candidates[usize::from(origin.0)];
            let mut some_way = None;
            for (&loader, ways) in sources.iter().zip(&ways) {
                let Some(way) = ways.from(origin, &arcs) else { continue };
                if !hauls[usize::from(loader.0)] {
                    some_way.get_or_insert(loader);
                    continue;
                }
                reached[usize::from(loader.0)] = true;
                let (route, nominal_ns) = routes.add(way);
                here.push(Candidate { loader, route, nominal_ns });
            }
            if here.is_empty() {
                return Err(self.no_route(origin, &sources, some_way, dump_point.node));
            }
        }
        let unreached = sources.iter().copied().filter(|id| !reached[usize::from(id.0)]).collect();

        let sigma2 = libm::log1p(scenario.travel_time_noise_cv * scenario.travel_time_noise_cv);
        let trucks = scenario
            .trucks()
            .iter()
            .map(|truck| TruckPlan {
                payload_tonnes: truck.payload_tonnes,
                empty: 1.0 / (truck.empty_speed_factor * truck.availability),
                loaded: 1.0 / (truck.loaded_speed_factor * truck.availability),
                start: truck.start,
            })
            .collect();
        let plan = Plan {
            trucks,
            routes: routes.routes,
            edges,
            roads,
            loaders,
            candidates,
            dump,
            dump_capacity: dump_point.capacity,
            dump_service: service(dump_point.service, 1.0),
            // The mean of a log-normal number is exp(mu + sigma^2 / 2): this makes it 1.
            noise_mu: -sigma2 / 2.0,
            noise_sigma: libm::sqrt(sigma2),
        };
        Ok((plan, unreached))
    }

    /// The loaders that take part, ordered by id.
    fn sources(&self) -> Result<Vec<LoaderId>, ModelError> {
        let at_source = |node| self.scenario.ore_sources.contains(&node);
        let loaders = (0..).zip(&self.site.loaders);
        let sources: Vec<_> =
            loaders.filter(|(_, loader)| at_source(loader.node)).map(|(index, _)| LoaderId(index)).collect();
        if sources.is_empty() {
            let sources = self.scenario.ore_sources.iter().map(|&node| self.name(node)).collect();
            return Err(ModelError::NoLoader { scenario: self.scenario.id.clone(), sources });
        }
        Ok(sources)
    }

    fn dump(&self) -> Result<DumpId, ModelError> {
        let here = (0..).zip(&self.site.dumps).filter(|(_, dump)| dump.node == self.scenario.dump_destination);
        match here.map(|(index, _)| DumpId(index)).collect::<Vec<_>>()[..] {
            [dump] => Ok(dump),
            ref dumps => Err(ModelError::NoDump {
                scenario: self.scenario.id.clone(),
                destination: self.name(self.scenario.dump_destination),
                count: dumps.len(),
            }),
        }
    }

    fn is_open(&self, edge: &crate::site::Edge) -> bool {
        !edge.closed && (self.scenario.allow_bypass || edge.road_type != "bypass")
    }

    /// Open roads, for routing.
    fn arcs(&self) -> Vec<Arc> {
        (0..)
            .zip(&self.site.edges)
            .filter(|(_, edge)| self.is_open(edge))
            .map(|(index, edge)| {
                let nanos = nanos(edge.nominal_s() * 1e9).as_nanos();
                Arc { edge: EdgeId(index), from: edge.from, to: edge.to, nanos }
            })
            .collect()
    }

    /// What trucks hold, and which of it each edge is. A closed edge is given a number too, which nobody asks for.
    fn roads(&self) -> (Vec<Road>, Vec<RoadId>) {
        let shared = self.scenario.lane_model == LaneModel::SharedPhysicalRoad;
        let limits = self.scenario.road_capacity_enabled;
        let open = || (0..).map(EdgeId).zip(&self.site.edges).filter(|(_, edge)| self.is_open(edge));
        // One physical road: the same name, and the same two ends. Names alone might be shared by accident.
        let key = |edge: &crate::site::Edge| {
            let ends = (edge.from.min(edge.to), edge.from.max(edge.to));
            (edge.physical_road().to_owned(), ends)
        };
        let mut limit_of = BTreeMap::new();
        for (_, edge) in open().filter(|(_, edge)| limits && edge.is_constrained()) {
            let limit = limit_of.entry(key(edge)).or_insert(edge.capacity);
            *limit = edge.capacity.min(*limit);
        }
        let mut roads: Vec<Road> = Vec::new();
        let mut of_edge = vec![RoadId(u16::MAX); self.site.edges.len()];
        let mut shared_roads = BTreeMap::new();
        for (id, edge) in open() {
            let limit = limit_of.get(&key(edge)).copied().filter(|_| shared);
            let fresh = RoadId(u16::try_from(roads.len()).expect("no more roads than edges"));
            let road = if limit.is_some() { *shared_roads.entry(key(edge)).or_insert(fresh) } else { fresh };
            of_edge[usize::from(id.0)] = road;
            if road == fresh {
                let capacity = limit.or((limits && edge.is_constrained()).then_some(edge.capacity));
                roads.push(Road { id: edge.id.clone(), edges: vec![id], capacity });
            } else {
                let road = &mut roads[usize::from(road.0)];
                road.edges.push(id);
                road.id = edge.physical_road().to_owned();
            }
        }
        (roads, of_edge)
    }

    fn no_route(&self, from: NodeId, sources: &[LoaderId], reached: Option<LoaderId>, dump: NodeId) -> ModelError {
        let mut closed: Vec<String> = self.site.closed_edges().into_iter().map(str::to_owned).collect();
        let bypasses = self.site.edges.iter().filter(|edge| !edge.closed && !self.is_open(edge));
        closed.extend(bypasses.map(|edge| edge.id.clone()));
        let scenario = self.scenario.id.clone();
        let loader_nodes =
            |loaders: &[LoaderId]| loaders.iter().map(|&id| self.name(self.site.loader(id).node)).collect();
        let (from, to) = match reached {
            // The way out is there; what is missing is the way from that loader to the dump point.
            Some(loader) => (self.name(self.site.loader(loader).node), vec![self.name(dump)]),
            None => (self.name(from), loader_nodes(sources)),
        };
        ModelError::NoRoute { scenario, from, to, closed }
    }

    fn name(&self, node: NodeId) -> String {
        self.site.node(node).id.clone()
    }
}

/// Ways with their nominal drives.
struct Routes<'a> {
    routes: Vec<Vec<EdgeId>>,
    edges: &'a [EdgePlan],
}

impl Routes<'_> {
    fn add(&mut self, way: Vec<EdgeId>) -> (RouteId, f64) {
        let nominal_ns = way.iter().map(|edge| self.edges[usize::from(edge.0)].nominal_ns).sum();
        let id = RouteId(u32::try_from(self.routes.len()).expect("fewer ways than trucks times loaders"));
        self.routes.push(way);
        (id, nominal_ns)
    }
}

fn service(time: ServiceTime, availability: f64) -> Service {
    Service { mean_ns: time.mean_min * 60e9 / availability, sd_ns: time.sd_min * 60e9 / availability }
}

/// `ns` [ns] as a length of time: to the nearest nanosecond, at least one, so that nothing takes no time.
pub(crate) fn nanos(ns: f64) -> SimDuration {
    // The conversion stops at the ends of the range.
    SimDuration::from_nanos(((ns + 0.5) as u64).max(1))
}
