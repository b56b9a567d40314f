//! What the events of a mine do.
//!
//! An instant has two halves. First everything that ends now ends: lanes, loaders and the dump point are released. Only
//! when nothing is left to end at this time does anything begin, in a fixed order: trucks that waited at what was
//! released go first, then the trucks that ended something go on, in the order of their ids. So queues are ordered by
//! arrival and then by id, whatever the order in which simultaneous events were scheduled, and a loader that ends
//! now is free for a truck that arrives now.
//!
//! A truck waits at a node and holds nothing while it waits: it released its lane at the end of the road. So no circle of
//! trucks can wait for each other, in either lane model.

use super::components::{Draws, DumpPoint, Journey, Ledger, Loader, Road, Server};
use crate::account::Activity;
use crate::event_log::{EventKind, EventLog, EventRow, Resource};
use crate::model::{Model, Plan, RouteId, Service, nanos};
use crate::site::{EdgeId, LoaderId, TruckId};
use bevy_ecs::change_detection::Mut;
use bevy_ecs::entity::Entity;
use bevy_ecs::system::{Query, SystemState};
use bevy_ecs::world::World;
use labtrust_kernel::{Calendar, EventClass, Model as Handler, SimDuration, SimTime, Simulation, Stream};
use labtrust_plugin::method::Tally;
use labtrust_plugin::mine::{DispatchRequest, Dispatcher, LoaderOption};
use labtrust_plugin::wire::Problem;

/// All that ends, ends in one class: what begins in an instant waits for the calendar anyway.
pub(crate) const SHIFT_BEGINS: EventClass = EventClass(0);
const ENDS: EventClass = EventClass(0);
const REACHED: &str = "queries can always be made";

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// All trucks stand at their starts and want to be sent.
    ShiftBegins,
    /// What the truck does on its road, at its loader or at the dump point is done.
    Done(Entity),
}

/// The entities, by id.
#[derive(Debug)]
struct Places {
    pub trucks: Vec<Entity>,
    pub roads: Vec<Entity>,
    pub loaders: Vec<Entity>,
    pub dump: Entity,
}

type Trucks<'w, 's> = Query<'w, 's, (&'static mut Journey, &'static mut Draws, &'static mut Ledger)>;
type Servers<'w, 's> = Query<'w, 's, &'static mut Server>;
type Access = SystemState<(Trucks<'static, 'static>, Servers<'static, 'static>)>;

/// The model that the kernel runs.
pub(crate) struct Haulage<'a> {
    plan: &'a Plan,
    dispatcher: Box<dyn Dispatcher + 'a>,
    places: Places,
    access: Access,
    log: Option<&'a mut EventLog>,
    /// When the accounts begin.
    begin: SimTime,
    /// Trucks that ended something in this instant.
    moving: Vec<(TruckId, Entity)>,
    /// Resources that were released in this instant and have a queue.
    released: Vec<Entity>,
    /// What the dispatcher is asked; its memory is reused by every decision.
    request: DispatchRequest,
    /// When and why it sent no truck. It is not asked again, so the mine comes to rest.
    failed: Option<(SimTime, Problem)>,
}

/// What a truck needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Road(EdgeId),
    Load(LoaderId),
    Dump,
}

impl Plan {
    fn stage(&self, journey: &Journey) -> Stage {
        match self.route(journey.route).get(usize::from(journey.step)) {
            Some(&edge) => Stage::Road(edge),
            None if journey.loaded => Stage::Dump,
            None => Stage::Load(journey.loader),
        }
    }

    fn resource(&self, stage: Stage) -> Resource {
        match stage {
            Stage::Road(edge) => Resource::Road(edge),
            Stage::Load(loader) => Resource::Loader(loader),
            Stage::Dump => Resource::Dump(self.dump),
        }
    }
}

impl Places {
    fn server(&self, plan: &Plan, stage: Stage) -> Entity {
        match stage {
            Stage::Road(edge) => self.roads[usize::from(plan.edge(edge).road.0)],
            Stage::Load(loader) => self.loaders[usize::from(loader.0)],
            Stage::Dump => self.dump,
        }
    }
}

impl<'a> Haulage<'a> {
    /// Puts the mine's entities into the world of `sim`.
    pub(crate) fn new(
        model: &'a Model,
        dispatcher: Box<dyn Dispatcher + 'a>,
        sim: &mut Simulation<Happening>,
        mut log: Option<&'a mut EventLog>,
    ) -> Self {
        let plan = model.plan();
        if let Some(log) = &mut log {
            log.rows.clear();
        }
        let world = &mut sim.world;
        let fleet = plan.trucks.len();
        let roads = (0..).zip(&plan.roads).map(|(id, road)| {
            world.spawn((Road { road: crate::model::RoadId(id) }, Server::new(road.capacity, fleet))).id()
        });
        let roads = roads.collect();
        let loaders = (0..)
            .map(LoaderId)
            .zip(&plan.loaders)
            .map(|(loader, figures)| world.spawn((Loader { loader }, Server::new(Some(figures.capacity), fleet))).id());
        let loaders = loaders.collect();
        let dump = (DumpPoint, Server::new(Some(plan.dump_capacity), fleet));
        let dump = world.spawn(dump).id();
        let trucks = (0..).map(TruckId).zip(&plan.trucks).map(|(truck, figures)| {
            let id = &model.scenario().site.truck(truck).id;
            let journey = Journey {
                truck,
                node: figures.start,
                route: RouteId(0),
                step: 0,
                loader: LoaderId(0),
                loaded: false,
                idle: true,
                activity: Activity::WaitingForLoader,
                since: SimTime::ZERO,
                dispatched: SimTime::ZERO,
            };
            // By the truck's id, so that another truck, loader or scenario moves no number of this one.
            let draws = Draws {
                travel: sim.streams.stream("mine.travel", id),
                load: sim.streams.stream("mine.load", id),
                dump: sim.streams.stream("mine.dump", id),
            };
            world.spawn((journey, draws, Ledger::default())).id()
        });
        let trucks = trucks.collect();
        let access = SystemState::new(world);
        let loaders_max = Vec::with_capacity(plan.loaders.len());
        let request = DispatchRequest { now_ns: 0, truck: TruckId(0), loaders: loaders_max };
        Self {
            plan,
            dispatcher,
            places: Places { trucks, roads, loaders, dump },
            access,
            log,
            begin: SimTime::ZERO,
            moving: Vec::with_capacity(fleet),
            released: Vec::with_capacity(fleet),
            request,
            failed: None,
        }
    }

    /// Accounts begin at `now`; what was before is forgotten.
    pub(crate) fn begin_accounts(&mut self, world: &mut World, now: SimTime) {
        self.begin = now;
        let (mut trucks, mut servers) = self.access.get_mut(world).expect(REACHED);
        for (_, _, mut ledger) in &mut trucks {
            ledger.account = Default::default();
        }
        for mut server in &mut servers {
            server.begin_account(now);
        }
    }

    /// Ends the shift: everything that goes on is accounted for up to `now`. Returns what was counted of the policy.
    ///
    /// # Errors
    /// When and how the policy failed. There is nothing to account for then: trucks that were not sent are nowhere.
    pub(crate) fn close(mut self, world: &mut World, now: SimTime) -> Result<Tally, (SimTime, Problem)> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let (mut trucks, mut servers) = self.access.get_mut(world).expect(REACHED);
        for mut server in &mut servers {
            server.integrate(now);
        }
        for &truck in &self.places.trucks {
            let (mut journey, _, mut ledger) = trucks.get_mut(truck).expect("trucks stay");
            let stage = self.plan.stage(&journey);
            let mut server = servers.get_mut(self.places.server(self.plan, stage)).expect("resources stay");
            let spent = spend(&mut journey, &mut ledger, now, self.begin);
            if journey.activity.is_busy() {
                server.account.service_ns += spent;
            } else {
                server.account.queue_wait_ns += spent;
            }
            if let Some(log) = &mut self.log {
                log.push(self.plan, EventKind::ShiftEnded, now, &journey, stage, &server);
            }
        }
        Ok(self.dispatcher.tally())
    }
}

/// Books what the truck did up to `now`; returns the part of it that is accounted for [ns].
#[inline]
fn spend(journey: &mut Journey, ledger: &mut Ledger, now: SimTime, begin: SimTime) -> u64 {
    let spent = now.saturating_since(journey.since.max(begin)).as_nanos();
    ledger.account.activity_ns[journey.activity as usize] += spent;
    journey.since = now;
    spent
}

impl Handler for Haulage<'_> {
    type Event = Happening;

    fn handle(&mut self, event: Happening, at: SimTime, sim: &mut Simulation<Happening>) {
        let (trucks, servers) = self.access.get_mut(&mut sim.world).expect(REACHED);
        let mut floor = Floor {
            trucks,
            site: Site {
                servers,
                places: &self.places,
                dispatcher: &mut *self.dispatcher,
                request: &mut self.request,
                failed: &mut self.failed,
            },
            begin: self.begin,
            moving: &mut self.moving,
            released: &mut self.released,
            now: Now { at, plan: self.plan, calendar: &mut sim.calendar, log: self.log.as_deref_mut() },
        };
        let more_ends_now = floor.now.calendar.peek_time() == Some(at);
        match event {
            Happening::ShiftBegins => {
                let everyone = (0..).map(TruckId).zip(self.places.trucks.iter().copied());
                floor.moving.extend(everyone);
            }
            // Nearly always: with random times, hardly ever two things end at once.
            Happening::Done(truck) if !more_ends_now && floor.moving.is_empty() => return floor.end_and_go_on(truck),
            Happening::Done(truck) => floor.end(truck),
        }
        if !more_ends_now {
            floor.begin_what_can();
        }
    }
}

/// The mine at one event.
struct Floor<'w, 's, 'm> {
    trucks: Trucks<'w, 's>,
    site: Site<'w, 's, 'm>,
    begin: SimTime,
    moving: &'m mut Vec<(TruckId, Entity)>,
    released: &'m mut Vec<Entity>,
    now: Now<'m>,
}

/// Resources, and who chooses between them.
struct Site<'w, 's, 'm> {
    servers: Servers<'w, 's>,
    places: &'m Places,
    dispatcher: &'m mut (dyn Dispatcher + 'm),
    request: &'m mut DispatchRequest,
    failed: &'m mut Option<(SimTime, Problem)>,
}

/// The time, and what can be written to.
struct Now<'m> {
    at: SimTime,
    plan: &'m Plan,
    calendar: &'m mut Calendar<Happening>,
    log: Option<&'m mut EventLog>,
}

impl Floor<'_, '_, '_> {
    /// First half of an instant for one truck; what it goes on to waits until all of the instant's ends are told.
    fn end(&mut self, truck: Entity) {
        let (mut journey, _, mut ledger) = self.trucks.get_mut(truck).expect("trucks stay");
        self.released.extend(self.site.end(&mut journey, &mut ledger, &mut self.now, self.begin));
        self.moving.push((journey.truck, truck));
    }

    /// Second half: those that waited longest first, then those that ended something, by id.
    fn begin_what_can(&mut self) {
        for index in 0..self.released.len() {
            self.admit(self.released[index]);
        }
        self.released.clear();
        self.moving.sort_unstable_by_key(|(id, _)| *id);
        for index in 0..self.moving.len() {
            let truck = self.moving[index].1;
            let (mut journey, mut draws, _) = self.trucks.get_mut(truck).expect("trucks stay");
            self.site.go_on(truck, &mut journey, &mut draws, &mut self.now);
        }
        self.moving.clear();
    }

    /// Both halves of an instant in which nothing else happens.
    fn end_and_go_on(&mut self, truck: Entity) {
        let (mut journey, mut draws, mut ledger) = self.trucks.get_mut(truck).expect("trucks stay");
        match self.site.end(&mut journey, &mut ledger, &mut self.now, self.begin) {
            None => self.site.go_on(truck, &mut journey, &mut draws, &mut self.now),
            Some(released) => {
                self.admit(released);
                let (mut journey, mut draws, _) = self.trucks.get_mut(truck).expect("trucks stay");
                self.site.go_on(truck, &mut journey, &mut draws, &mut self.now);
            }
        }
    }

    /// Lets those at the head of the queue in, as far as there is room.
    fn admit(&mut self, place: Entity) {
        let now = self.now.at;
        let mut server = self.site.servers.get_mut(place).expect("resources stay");
        server.integrate(now);
        while server.has_room()
            && let Some(truck) = server.waiting.pop_front()
        {
            let (mut journey, mut draws, mut ledger) = self.trucks.get_mut(truck).expect("trucks stay");
            server.account.queue_wait_ns += spend(&mut journey, &mut ledger, now, self.begin);
            self.now.begin(truck, &mut journey, &mut draws, &mut server);
        }
    }
}

impl Site<'_, '_, '_> {
    fn server(&mut self, place: Entity) -> Mut<'_, Server> {
        self.servers.get_mut(place).expect("resources stay")
    }

    /// What the truck does ends, and its resource is released; returned when trucks wait for that.
    #[inline]
    fn end(&mut self, journey: &mut Journey, ledger: &mut Ledger, now: &mut Now<'_>, begin: SimTime) -> Option<Entity> {
        let plan = now.plan;
        let stage = plan.stage(journey);
        let place = self.places.server(plan, stage);
        let mut server = self.server(place);
        server.integrate(now.at);
        server.finish(journey.since);
        server.account.service_ns += spend(journey, ledger, now.at, begin);
        let kind = match stage {
            Stage::Road(edge) => {
                journey.node = plan.edge(edge).to;
                EventKind::RoadLeft
            }
            Stage::Load(_) => {
                journey.loaded = true;
                EventKind::LoadingFinished
            }
            Stage::Dump => {
                journey.loaded = false;
                journey.idle = true;
                ledger.account.dumps += 1;
                ledger.account.tonnes += plan.truck(journey.truck).payload_tonnes;
                ledger.account.cycle_ns += now.at.saturating_since(journey.dispatched).as_nanos();
                EventKind::DumpingFinished
            }
        };
        now.tell(kind, journey, stage, &server);
        match stage {
            Stage::Road(_) => journey.step += 1,
            Stage::Load(loader) => (journey.route, journey.step) = (plan.loader(loader).haul, 0),
            Stage::Dump => {}
        }
        (!server.waiting.is_empty()).then_some(place)
    }

    /// Sends the truck if it is idle, and brings it to what it needs next: it begins there, or joins the queue.
    #[inline]
    fn go_on(&mut self, truck: Entity, journey: &mut Journey, draws: &mut Draws, now: &mut Now<'_>) {
        if journey.idle && !self.send(journey, now) {
            return;
        }
        let stage = now.plan.stage(journey);
        let mut server = self.server(self.places.server(now.plan, stage));
        server.integrate(now.at);
        server.account.arrivals += 1;
        if matches!(stage, Stage::Load(_)) {
            server.on_the_way -= 1;
        }
        if server.has_room() {
            assert!(server.waiting.is_empty(), "nobody waits where there is room");
            now.begin(truck, journey, draws, &mut server);
        } else {
            server.enqueue(truck);
            let kind;
            (journey.activity, kind) = match stage {
                Stage::Road(_) => (Activity::WaitingForRoad, EventKind::RoadQueued),
                Stage::Load(_) => (Activity::WaitingForLoader, EventKind::LoaderQueued),
                Stage::Dump => (Activity::WaitingForDump, EventKind::CrusherQueued),
            };
            journey.since = now.at;
            now.tell(kind, journey, stage, &server);
        }
    }

    /// Asks the policy where to send an idle truck, and sends it. It stays where it is when the policy has failed.
    fn send(&mut self, journey: &mut Journey, now: &mut Now<'_>) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let plan = now.plan;
        let truck = plan.truck(journey.truck);
        let candidates = &plan.candidates[usize::from(journey.node.0)];
        let request = &mut *self.request;
        (request.now_ns, request.truck) = (now.at.as_nanos(), journey.truck);
        request.loaders.clear();
        for candidate in candidates {
            let place = self.places.loaders[usize::from(candidate.loader.0)];
            let server = self.servers.get(place).expect("loaders stay");
            let figures = plan.loader(candidate.loader);
            let load_ns = nanos(figures.service.mean_ns).as_nanos();
            // What is left of the work in hand, of all trucks that are being loaded taken together.
            let passed = u64::from(server.in_service) * now.at.as_nanos() - server.started_ns;
            let in_hand = u64::from(server.in_service).saturating_mul(load_ns).saturating_sub(passed);
            let queued = u64::from(server.queue() + server.on_the_way).saturating_mul(load_ns);
            request.loaders.push(LoaderOption {
                loader: candidate.loader,
                capacity: figures.capacity,
                travel_ns: nanos(candidate.nominal_ns * truck.empty).as_nanos(),
                load_ns,
                haul_ns: nanos(figures.haul_nominal_ns * truck.loaded).as_nanos(),
                dump_ns: nanos(plan.dump_service.mean_ns).as_nanos(),
                loading: server.in_service,
                waiting: server.queue(),
                on_the_way: server.on_the_way,
                committed_ns: in_hand.saturating_add(queued),
            });
        }
        let chosen = match self.dispatcher.choose(request) {
            Ok(chosen) => chosen,
            Err(problem) => {
                *self.failed = Some((now.at, problem));
                return false;
            }
        };
        let Some(candidate) = candidates.iter().find(|candidate| candidate.loader == chosen) else {
            *self.failed = request.on_offer(chosen).err().map(|problem| (now.at, problem));
            return false;
        };
        journey.idle = false;
        journey.loader = chosen;
        journey.dispatched = now.at;
        (journey.route, journey.step) = (candidate.route, 0);
        let mut server = self.server(self.places.loaders[usize::from(chosen.0)]);
        server.on_the_way += 1;
        if let Some(log) = &mut now.log {
            log.push(plan, EventKind::Dispatched, now.at, journey, Stage::Load(chosen), &server);
        }
        true
    }
}

impl Now<'_> {
    /// The truck begins what it needs next at `server`, which has room for it.
    fn begin(&mut self, truck: Entity, journey: &mut Journey, draws: &mut Draws, server: &mut Server) {
        let stage = self.plan.stage(journey);
        server.start(self.at);
        let (takes, kind);
        (journey.activity, kind, takes) = match stage {
            Stage::Road(edge) => {
                let figures = self.plan.truck(journey.truck);
                let (activity, stretch) = if journey.loaded {
                    (Activity::DrivingLoaded, figures.loaded)
                } else {
                    (Activity::DrivingEmpty, figures.empty)
                };
                let noise = draws.travel.lognormal(self.plan.noise_mu, self.plan.noise_sigma);
                (activity, EventKind::RoadEntered, nanos(self.plan.edge(edge).nominal_ns * stretch * noise))
            }
            Stage::Load(loader) => {
                let takes = above_zero(&mut draws.load, self.plan.loader(loader).service);
                (Activity::Loading, EventKind::LoadingStarted, takes)
            }
            Stage::Dump => {
                let takes = above_zero(&mut draws.dump, self.plan.dump_service);
                (Activity::Dumping, EventKind::DumpingStarted, takes)
            }
        };
        journey.since = self.at;
        let ends = self.at.saturating_add(takes);
        self.calendar.schedule(ends, ENDS, Happening::Done(truck)).expect("a truck has one event, and not in the past");
        self.tell(kind, journey, stage, server);
    }

    #[inline]
    fn tell(&mut self, kind: EventKind, journey: &Journey, stage: Stage, server: &Server) {
        if let Some(log) = &mut self.log {
            log.push(self.plan, kind, self.at, journey, stage, server);
        }
    }
}

/// A normal length of time above zero: drawn again until it is, never clipped, so that no weight gathers at an end.
fn above_zero(stream: &mut Stream, service: Service) -> SimDuration {
    loop {
        let drawn = stream.normal(service.mean_ns, service.sd_ns);
        // Half a nanosecond and above rounds to one.
        if drawn >= 0.5 {
            return nanos(drawn);
        }
    }
}

impl EventLog {
    fn push(&mut self, plan: &Plan, kind: EventKind, at: SimTime, journey: &Journey, stage: Stage, server: &Server) {
        let (from, to) = match (stage, kind) {
            (Stage::Load(loader), EventKind::Dispatched) => (None, Some(plan.loader(loader).node)),
            (Stage::Road(_), EventKind::ShiftEnded) if !journey.activity.is_busy() => (None, None),
            (Stage::Road(edge), _) => (Some(plan.edge(edge).from), Some(plan.edge(edge).to)),
            _ => (None, None),
        };
        let carries = journey.loaded || kind == EventKind::DumpingFinished;
        self.rows.push(EventRow {
            at,
            payload_tonnes: if carries { plan.truck(journey.truck).payload_tonnes } else { 0.0 },
            queue_length: server.queue(),
            truck: journey.truck,
            location: journey.node,
            from,
            to,
            resource: plan.resource(stage),
            kind,
            loaded: journey.loaded,
        });
    }
}
