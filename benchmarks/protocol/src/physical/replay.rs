//! One replication, followed event by event.
//!
//! The replay knows where every truck is and what it does, because the rows say so; a row that cannot follow from what
//! the rows before it said is a finding. After one the replay believes the row, so that one fault is told once and not in
//! every row after it.

use super::log::FILE;
use super::site::{Plan, Resource};
use super::{Book, Name};

/// What a log that can be replayed calls its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dispatched,
    RoadQueued,
    RoadEntered,
    RoadLeft,
    LoaderQueued,
    LoadingStarted,
    LoadingFinished,
    CrusherQueued,
    DumpingStarted,
    DumpingFinished,
    ShiftEnded,
}

impl Kind {
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"dispatched" => Self::Dispatched,
            b"road_queued" => Self::RoadQueued,
            b"road_entered" => Self::RoadEntered,
            b"road_left" => Self::RoadLeft,
            b"loader_queued" => Self::LoaderQueued,
            b"loading_started" => Self::LoadingStarted,
            b"loading_finished" => Self::LoadingFinished,
            b"crusher_queued" => Self::CrusherQueued,
            b"dumping_started" => Self::DumpingStarted,
            b"dumping_finished" => Self::DumpingFinished,
            b"shift_ended" => Self::ShiftEnded,
            _ => return None,
        })
    }
}

/// A row of the log.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) line: u64,
    pub(super) time: f64,
    /// Whether its time is not before that of the row before it.
    pub(super) in_order: bool,
    pub(super) kind: Kind,
    pub(super) truck: &'a [u8],
    pub(super) from: &'a [u8],
    pub(super) to: &'a [u8],
    pub(super) location: &'a [u8],
    pub(super) loaded: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) resource: &'a [u8],
}

/// What a truck does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Doing {
    /// Stands at its node.
    Free,
    /// Drives on an edge since [min].
    Driving { edge: u16, since: f64 },
    /// Is being loaded since [min].
    Loading { loader: u16, since: f64 },
    /// Dumps since [min].
    Dumping { dump: u16, since: f64 },
}

#[derive(Debug, Clone, Copy)]
struct TruckState {
    node: u16,
    doing: Doing,
    loaded: bool,
    ended: bool,
}

/// A place that has more trucks than it takes, since a moment that is not over.
#[derive(Debug)]
struct Crowd {
    resource: Resource,
    row: u64,
    count: u32,
}

/// A replication.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) scenario: usize,
    replication: i64,
    /// Latest time of a row [min].
    now: f64,
    trucks: Vec<TruckState>,
    edges: Vec<u32>,
    loaders: Vec<u32>,
    dumps_busy: Vec<u32>,
    crowds: Vec<Crowd>,
    /// Delivered [t].
    pub(super) tonnes: f64,
    /// Completed dumps [count].
    pub(super) dumps: u64,
}

/// Trucks enter and leave within one moment in an order that a log may have lost; only what lasts is a crowd.
impl Run {
    pub(super) fn new(scenario: usize, replication: i64, plan: Option<&Plan>) -> Self {
        let at_start = |plan: &Plan| {
            let state = |start| TruckState { node: start, doing: Doing::Free, loaded: false, ended: false };
            plan.trucks.iter().map(|truck| state(truck.start)).collect()
        };
        let none = |count: Option<usize>| vec![0; count.unwrap_or(0)];
        Self {
            scenario,
            replication,
            now: 0.0,
            trucks: plan.map(at_start).unwrap_or_default(),
            edges: none(plan.map(|plan| plan.edges.len())),
            loaders: none(plan.map(|plan| plan.loaders.len())),
            dumps_busy: none(plan.map(|plan| plan.dumps.len())),
            crowds: Vec::new(),
            tonnes: 0.0,
            dumps: 0,
        }
    }

    /// Whether a row's time can follow those before it.
    pub(super) fn clock(&mut self, time: f64, end: Option<f64>, line: u64, scenario: &str, book: &mut Book) -> bool {
        let (now, replication) = (self.now, self.replication);
        if time < now {
            book.add(Name::Time, FILE, Some(line), "time_runs_back", || {
                let what = if now > 0.0 { format!("after {now} min") } else { "before the shift".to_owned() };
                format!("{time} min {what} in replication {replication} of {scenario}")
            });
            return false;
        }
        // A file of six decimals may round the end of the shift up.
        if let Some(end) = end.filter(|end| time > end + 1e-6) {
            book.add(Name::Time, FILE, Some(line), "after_shift", || {
                format!("{time} min in replication {replication} of {scenario}, whose shift ends at {end} min")
            });
        }
        true
    }

    pub(super) fn step(&mut self, plan: &Plan, row: &Row<'_>, durations: &mut Durations, book: &mut Book) {
        if row.time > self.now {
            self.tell_crowds(plan, book);
            self.now = row.time;
        }
        let Some(truck) = plan.truck_places.get(row.truck).map(|at| usize::from(*at)) else {
            let (name, count) = (lossy(row.truck), plan.trucks.len());
            return book.add(Name::Fleet, FILE, Some(row.line), "unknown_truck", || {
                format!("{name:?} is not one of the scenario's {count} trucks")
            });
        };
        if self.trucks[truck].ended {
            return book.add(Name::Places, FILE, Some(row.line), "after_its_end", || {
                format!("{} does something after its shift_ended", plan.trucks[truck].id)
            });
        }
        match row.kind {
            Kind::Dispatched | Kind::RoadQueued | Kind::LoaderQueued | Kind::CrusherQueued => {
                self.stands(plan, truck, row, book);
            }
            Kind::RoadEntered => self.enter(plan, truck, row, book),
            Kind::RoadLeft => self.leave(plan, truck, row, durations, book),
            Kind::LoadingStarted | Kind::DumpingStarted => self.begin_service(plan, truck, row, book),
            Kind::LoadingFinished => self.end_loading(plan, truck, row, durations, book),
            Kind::DumpingFinished => self.end_dumping(plan, truck, row, durations, book),
            Kind::ShiftEnded => self.end_shift(plan, truck, row, book),
        }
        if !matches!(row.kind, Kind::LoadingFinished | Kind::DumpingFinished) {
            self.load_is_told(plan, truck, row, book);
        }
    }

    pub(super) fn finish(&mut self, plan: &Plan, book: &mut Book) {
        self.tell_crowds(plan, book);
    }

    /// The truck is free, at the place that the row says, and it is a place where it can wait for what it waits for.
    fn stands(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, book: &mut Book) {
        let place = if row.location.is_empty() { row.from } else { row.location };
        let Some(at) = self.known_node(plan, place, row, book) else {
            return;
        };
        self.is_at(plan, truck, at, row, book);
        let wanted = match (row.kind, plan.resources.get(row.resource)) {
            (Kind::Dispatched, _) => return,
            (Kind::RoadQueued, Some(Resource::Edge(edge))) => plan.edges[usize::from(*edge)].from,
            (Kind::LoaderQueued, Some(Resource::Loader(loader))) => plan.loaders[usize::from(*loader)].node,
            (Kind::CrusherQueued, Some(Resource::Dump(dump))) => plan.dumps[usize::from(*dump)].node,
            _ => return unknown_resource(row, book),
        };
        if wanted != at {
            book.add(Name::Places, FILE, Some(row.line), "wrong_queue", || {
                format!(
                    "{} waits at {} for {}, which is at {}",
                    plan.trucks[truck].id,
                    lossy(place),
                    lossy(row.resource),
                    plan.node(wanted)
                )
            });
        }
    }

    fn enter(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, book: &mut Book) {
        let Some(&Resource::Edge(edge)) = plan.resources.get(row.resource) else {
            return book.add(Name::Roads, FILE, Some(row.line), "unknown_edge", || {
                format!("{:?} is no edge of the network", lossy(row.resource))
            });
        };
        let road = &plan.edges[usize::from(edge)];
        self.has_ends(plan, edge, row, book);
        if road.closed {
            book.add(Name::Roads, FILE, Some(row.line), "closed_edge", || {
                format!("{} enters {}, which is closed in this scenario", plan.trucks[truck].id, road.id)
            });
        }
        self.is_at(plan, truck, road.from, row, book);
        self.trucks[truck].doing = Doing::Driving { edge, since: row.time };
        self.take(plan, Resource::Edge(edge), row);
    }

    fn leave(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, durations: &mut Durations, book: &mut Book) {
        let Some(&Resource::Edge(edge)) = plan.resources.get(row.resource) else {
            return book.add(Name::Roads, FILE, Some(row.line), "unknown_edge", || {
                format!("{:?} is no edge of the network", lossy(row.resource))
            });
        };
        let road = &plan.edges[usize::from(edge)];
        self.has_ends(plan, edge, row, book);
        match self.trucks[truck].doing {
            Doing::Driving { edge: on, since } if on == edge => {
                if row.in_order {
                    let nominal = road.nominal_min * plan.trucks[truck].slower[usize::from(self.trucks[truck].loaded)];
                    let least = nominal * least_factor(plan.noise_cv);
                    let took = row.time - since;
                    durations.drives.add(took / nominal);
                    // Both ends were rounded to the file's last digit.
                    if took < least - 2e-6 {
                        book.add(Name::Drives, FILE, Some(row.line), "too_fast", || {
                            format!(
                                "{} drives {} in {took:.6} min; {nominal:.6} min is the mean, {least:.6} min the least that noise allows",
                                plan.trucks[truck].id, road.id
                            )
                        });
                    }
                }
            }
            doing => {
                let truck = &plan.trucks[truck].id;
                book.add(Name::Places, FILE, Some(row.line), "not_on_road", || {
                    format!("{truck} leaves {}, but {}", road.id, told(plan, doing))
                });
            }
        }
        self.release(truck);
        self.trucks[truck].node = road.to;
    }

    fn begin_service(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, book: &mut Book) {
        let (server, resource, doing) = match (row.kind, plan.resources.get(row.resource)) {
            (Kind::LoadingStarted, Some(&Resource::Loader(loader))) => {
                let doing = Doing::Loading { loader, since: row.time };
                (&plan.loaders[usize::from(loader)], Resource::Loader(loader), doing)
            }
            (Kind::DumpingStarted, Some(&Resource::Dump(dump))) => {
                let doing = Doing::Dumping { dump, since: row.time };
                (&plan.dumps[usize::from(dump)], Resource::Dump(dump), doing)
            }
            _ => return unknown_resource(row, book),
        };
        self.is_at(plan, truck, server.node, row, book);
        let (loaded, begins_loading) = (self.trucks[truck].loaded, row.kind == Kind::LoadingStarted);
        if loaded == begins_loading {
            let rule = if loaded { "loaded_twice" } else { "nothing_to_dump" };
            book.add(Name::Payloads, FILE, Some(row.line), rule, || {
                let what = if loaded { "is loaded already" } else { "carries nothing" };
                format!("{} begins at {}, but {what}", plan.trucks[truck].id, server.id)
            });
            self.trucks[truck].loaded = !begins_loading;
        }
        self.trucks[truck].doing = doing;
        self.take(plan, resource, row);
    }

    fn end_loading(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, durations: &mut Durations, book: &mut Book) {
        let at = match plan.resources.get(row.resource) {
            Some(&Resource::Loader(loader)) => loader,
            _ => return unknown_resource(row, book),
        };
        match self.trucks[truck].doing {
            Doing::Loading { loader, since } if loader == at => {
                if row.in_order {
                    durations.loading[usize::from(at)].add(row.time - since);
                }
            }
            doing => not_in_service(plan, truck, doing, row, book),
        }
        self.release(truck);
        self.trucks[truck].node = plan.loaders[usize::from(at)].node;
        self.trucks[truck].loaded = true;
        payload_is_the_trucks(plan, truck, row, book);
    }

    fn end_dumping(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, durations: &mut Durations, book: &mut Book) {
        let at = match plan.resources.get(row.resource) {
            Some(&Resource::Dump(dump)) => dump,
            _ => return unknown_resource(row, book),
        };
        match self.trucks[truck].doing {
            Doing::Dumping { dump, since } if dump == at => {
                if row.in_order {
                    durations.dumping[usize::from(at)].add(row.time - since);
                }
                if plan.dumps[usize::from(at)].counts && row.time >= plan.warmup_min {
                    self.dumps += 1;
                    self.tonnes += plan.trucks[truck].payload_tonnes;
                }
            }
            doing => {
                // What nobody brought is not delivered, whatever the row says.
                not_in_service(plan, truck, doing, row, book);
                book.add(Name::Payloads, FILE, Some(row.line), "unpaid_tonnes", || {
                    format!(
                        "{} delivers at {} what it did not begin to dump",
                        plan.trucks[truck].id,
                        lossy(row.resource)
                    )
                });
            }
        }
        payload_is_the_trucks(plan, truck, row, book);
        self.release(truck);
        self.trucks[truck].node = plan.dumps[usize::from(at)].node;
        self.trucks[truck].loaded = false;
    }

    fn end_shift(&mut self, plan: &Plan, truck: usize, row: &Row<'_>, book: &mut Book) {
        let state = self.trucks[truck];
        let place = match state.doing {
            Doing::Driving { edge, .. } => plan.edges[usize::from(edge)].from,
            _ => state.node,
        };
        if let Some(at) = self.known_node(plan, row.location, row, book)
            && at != place
        {
            book.add(Name::Places, FILE, Some(row.line), "teleport", || {
                format!(
                    "{} ends the shift at {}, but it was at {}",
                    plan.trucks[truck].id,
                    lossy(row.location),
                    plan.node(place)
                )
            });
        }
        self.trucks[truck].ended = true;
    }

    /// Holds the truck to be free at `node`; where it is not, tells so and believes the row.
    fn is_at(&mut self, plan: &Plan, truck: usize, node: u16, row: &Row<'_>, book: &mut Book) {
        let state = self.trucks[truck];
        let id = &plan.trucks[truck].id;
        if state.doing != Doing::Free {
            book.add(Name::Places, FILE, Some(row.line), "two_places", || {
                format!("{id} is at {}, but {}", plan.node(node), told(plan, state.doing))
            });
            self.release(truck);
        } else if state.node != node {
            book.add(Name::Places, FILE, Some(row.line), "teleport", || {
                format!("{id} is at {}, but the row before left it at {}", plan.node(node), plan.node(state.node))
            });
        }
        self.trucks[truck].node = node;
    }

    fn known_node(&self, plan: &Plan, name: &[u8], row: &Row<'_>, book: &mut Book) -> Option<u16> {
        let found = plan.nodes.get(name).copied();
        if found.is_none() {
            book.add(Name::Places, FILE, Some(row.line), "unknown_node", || {
                format!("{:?} is no node of the network", lossy(name))
            });
        }
        found
    }

    fn has_ends(&self, plan: &Plan, edge: u16, row: &Row<'_>, book: &mut Book) {
        let road = &plan.edges[usize::from(edge)];
        let (from, to) = (plan.nodes.get(row.from), plan.nodes.get(row.to));
        if from != Some(&road.from) || to != Some(&road.to) {
            book.add(Name::Roads, FILE, Some(row.line), "wrong_ends", || {
                let ends = (plan.node(road.from), plan.node(road.to));
                format!(
                    "{} goes from {} to {}, not from {:?} to {:?}",
                    road.id,
                    ends.0,
                    ends.1,
                    lossy(row.from),
                    lossy(row.to)
                )
            });
        }
    }

    fn load_is_told(&self, plan: &Plan, truck: usize, row: &Row<'_>, book: &mut Book) {
        let said = match row.loaded {
            b"true" | b"True" | b"TRUE" | b"1" => Some(true),
            b"false" | b"False" | b"FALSE" | b"0" => Some(false),
            _ => None,
        };
        let loaded = self.trucks[truck].loaded;
        if said != Some(loaded) {
            book.add(Name::Payloads, FILE, Some(row.line), "wrong_load", || {
                let is = if loaded { "loaded" } else { "empty" };
                format!("loaded is {:?}, but {} is {is}", lossy(row.loaded), plan.trucks[truck].id)
            });
        }
    }

    /// Gives free what the truck holds.
    fn release(&mut self, truck: usize) {
        let resource = match std::mem::replace(&mut self.trucks[truck].doing, Doing::Free) {
            Doing::Free => return,
            Doing::Driving { edge, .. } => Resource::Edge(edge),
            Doing::Loading { loader, .. } => Resource::Loader(loader),
            Doing::Dumping { dump, .. } => Resource::Dump(dump),
        };
        let count = self.count(resource);
        *count -= 1;
        let left = *count;
        // A crowd of no duration was none: within one moment a log may tell the coming before the going.
        self.crowds.retain(|crowd| crowd.resource != resource || left >= crowd.count);
    }

    fn take(&mut self, plan: &Plan, resource: Resource, row: &Row<'_>) {
        let capacity = match resource {
            Resource::Edge(edge) => plan.edges[usize::from(edge)].capacity,
            Resource::Loader(loader) => Some(plan.loaders[usize::from(loader)].capacity),
            Resource::Dump(dump) => Some(plan.dumps[usize::from(dump)].capacity),
        };
        let count = self.count(resource);
        *count += 1;
        let count = *count;
        if capacity.is_some_and(|capacity| count > capacity) {
            self.crowds.push(Crowd { resource, row: row.line, count });
        }
    }

    fn count(&mut self, resource: Resource) -> &mut u32 {
        match resource {
            Resource::Edge(edge) => &mut self.edges[usize::from(edge)],
            Resource::Loader(loader) => &mut self.loaders[usize::from(loader)],
            Resource::Dump(dump) => &mut self.dumps_busy[usize::from(dump)],
        }
    }

    /// Time goes on: what is too many now is too many for a while.
    fn tell_crowds(&mut self, plan: &Plan, book: &mut Book) {
        let (now, replication) = (self.now, self.replication);
        for Crowd { resource, row, count } in self.crowds.drain(..) {
            let (check, id, capacity) = match resource {
                Resource::Edge(edge) => {
                    let road = &plan.edges[usize::from(edge)];
                    (Name::Lanes, &road.id, road.capacity.unwrap_or(u32::MAX))
                }
                Resource::Loader(loader) => {
                    let server = &plan.loaders[usize::from(loader)];
                    (Name::Loaders, &server.id, server.capacity)
                }
                Resource::Dump(dump) => {
                    let server = &plan.dumps[usize::from(dump)];
                    (Name::Crushers, &server.id, server.capacity)
                }
            };
            book.add(check, FILE, Some(row), "over_capacity", || {
                format!("{count} trucks at {id} from {now} min of replication {replication}, it takes {capacity}")
            });
        }
    }
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn told(plan: &Plan, doing: Doing) -> String {
    match doing {
        Doing::Free => "it is not there".to_owned(),
        Doing::Driving { edge, since } => format!("it is on {} since {since} min", plan.edges[usize::from(edge)].id),
        Doing::Loading { loader, since } => {
            format!("it is being loaded by {} since {since} min", plan.loaders[usize::from(loader)].id)
        }
        Doing::Dumping { dump, since } => format!("it dumps at {} since {since} min", plan.dumps[usize::from(dump)].id),
    }
}

fn unknown_resource(row: &Row<'_>, book: &mut Book) {
    let (check, what) = match row.kind {
        Kind::LoaderQueued | Kind::LoadingStarted | Kind::LoadingFinished => (Name::Loaders, "loader"),
        Kind::CrusherQueued | Kind::DumpingStarted | Kind::DumpingFinished => (Name::Crushers, "dump point"),
        _ => (Name::Roads, "edge"),
    };
    book.add(check, FILE, Some(row.line), "unknown_resource", || format!("{:?} is no {what}", lossy(row.resource)));
}

fn not_in_service(plan: &Plan, truck: usize, doing: Doing, row: &Row<'_>, book: &mut Book) {
    book.add(Name::Places, FILE, Some(row.line), "not_in_service", || {
        format!("{} is done at {}, but {}", plan.trucks[truck].id, lossy(row.resource), told(plan, doing))
    });
}

fn payload_is_the_trucks(plan: &Plan, truck: usize, row: &Row<'_>, book: &mut Book) {
    let truck = &plan.trucks[truck];
    let said: Option<f64> = std::str::from_utf8(row.payload).ok().and_then(|text| text.parse().ok());
    if said.is_none_or(|said| said.is_nan() || libm::fabs(said - truck.payload_tonnes) > 1e-6) {
        book.add(Name::Payloads, FILE, Some(row.line), "wrong_payload", || {
            format!("payload_tonnes is {:?}, {} carries {} t", lossy(row.payload), truck.id, truck.payload_tonnes)
        });
    }
}

/// The least time of a drive, as a part of its mean: eight standard deviations below it. Of a hundred million drives with
/// log-normal noise of this variation none is expected to be faster; with normal noise of the same variation, one or two.
pub(super) fn least_factor(noise_cv: f64) -> f64 {
    let variance = libm::log1p(noise_cv * noise_cv);
    libm::exp(-variance / 2.0 - 8.0 * libm::sqrt(variance))
}

/// Sums for a mean and its standard error.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    /// Mean and standard error; `None` of too few for either.
    fn mean(&self) -> Option<(f64, f64)> {
        if self.count < 30.0 {
            return None;
        }
        let mean = self.sum / self.count;
        let variance = (self.squares / self.count - mean * mean).max(0.0);
        Some((mean, libm::sqrt(variance / self.count)))
    }
}

/// How long things took in all replications of a scenario.
#[derive(Debug, Default)]
pub(super) struct Durations {
    /// Drives over their nominal time.
    pub(super) drives: Sums,
    /// Loading, by loader [min].
    pub(super) loading: ServerSums,
    /// Dumping, by dump point [min].
    pub(super) dumping: ServerSums,
}

/// Sums by server, made when they are first asked for.
#[derive(Debug, Default)]
pub(super) struct ServerSums(Vec<Sums>);

impl std::ops::Index<usize> for ServerSums {
    type Output = Sums;
    fn index(&self, at: usize) -> &Sums {
        &self.0[at]
    }
}

impl std::ops::IndexMut<usize> for ServerSums {
    fn index_mut(&mut self, at: usize) -> &mut Sums {
        if self.0.len() <= at {
            self.0.resize(at + 1, Sums::default());
        }
        &mut self.0[at]
    }
}

impl Durations {
    pub(super) fn check(&self, plan: &Plan, scenario: &str, first_row: u64, book: &mut Book) {
        let mut compare = |rule: &str, what: &str, sums: &Sums, expected: f64, unit: &str| {
            if let Some((mean, error)) = sums.mean()
                && libm::fabs(mean - expected) > 0.02 * expected + 5.0 * error
            {
                book.add(Name::Durations, FILE, Some(first_row), rule, || {
                    format!("{what} in {scenario} take {mean:.4}{unit} on average, the data say {expected:.4}{unit}")
                });
            }
        };
        compare("mean_drive", "drives", &self.drives, 1.0, " of their nominal time");
        for (sums, server) in self.loading.0.iter().zip(&plan.loaders) {
            compare("mean_loading", &format!("loadings by {}", server.id), sums, server.mean_min, " min");
        }
        for (sums, server) in self.dumping.0.iter().zip(&plan.dumps) {
            compare("mean_dumping", &format!("dumps at {}", server.id), sums, server.mean_min, " min");
        }
    }
}
