"""One shift of the mine: a SimPy process for each truck, a Resource for each loader, crusher and narrow lane.

A truck is dispatched, drives empty, is loaded, drives loaded, dumps, and is dispatched again. Roads without a
capacity limit are plain time-outs. Every random stream belongs to one truck and one purpose, so another truck or
another scenario moves no draw of it.
"""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import simpy

from .data import Server, Truck
from .network import Plan, Route

TRAVEL, LOAD, DUMP = range(3)


class Station:
    """A resource with its books: starts [count], time in use [min], time waited for it [min]."""

    __slots__ = ("begun", "busy_min", "capacity", "committed", "id", "resource", "server", "started", "waited_min")

    def __init__(self, env: simpy.Environment, name: str, capacity: int, server: Server | None = None):
        self.id = name
        self.capacity = capacity
        self.server = server
        self.resource = simpy.Resource(env, capacity)
        self.started = 0
        self.busy_min = 0.0
        self.waited_min = 0.0
        self.committed = 0
        """Trucks on their way to it, waiting for it or in it [count]."""
        self.begun: list[float] = []
        """When those in it began [min]."""


@dataclass
class Outcome:
    """The books of one shift."""

    tonnes: float = 0.0
    cycles: list[float] = field(default_factory=list)
    waited_min: float = 0.0
    """Over all trucks and resources, waits still going on at the end included."""
    stations: dict[str, Station] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


def stream(seed: int, truck: int, purpose: int) -> np.random.Generator:
    """The random numbers of one truck for one purpose in one replication."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, truck, purpose))))


def travel_factors(source: np.random.Generator, cv: float) -> Iterator[float]:
    """Log-normal factors with mean 1. Drawn in blocks: a draw by itself costs more than the event it is for."""
    sigma = math.sqrt(math.log1p(cv * cv))
    while True:
        yield from source.lognormal(-sigma * sigma / 2.0, sigma, 128).tolist()


def standard_normals(source: np.random.Generator) -> Iterator[float]:
    while True:
        yield from source.standard_normal(32).tolist()


def positive(mean: float, sd: float, normals: Iterator[float]) -> float:
    """A normal time, drawn again until it is above zero."""
    while (minutes := mean + sd * next(normals)) <= 0.0:
        pass
    return minutes


class Shift:
    """One replication."""

    def __init__(self, plan: Plan, replication: int):
        scenario = plan.scenario
        self.plan = plan
        self.replication = replication
        self.seed = scenario.base_seed + replication
        self.end = scenario.shift_min
        self.env = env = simpy.Environment()
        self.loaders = [Station(env, s.id, s.capacity, s) for s in scenario.loaders]
        self.crusher = Station(env, scenario.dump.id, scenario.dump.capacity, scenario.dump)
        self.lanes = {lane: Station(env, lane, capacity) for lane, capacity in plan.lanes.items()}
        self.waiting_since: dict[str, float] = {}
        stations = [*self.loaders, self.crusher, *self.lanes.values()]
        self.outcome = Outcome(stations={station.id: station for station in stations})

    def run(self) -> Outcome:
        for number, truck in enumerate(self.plan.scenario.trucks):
            self.env.process(self.haul(number, truck))
        self.env.run(until=self.end)
        self.outcome.waited_min += sum(self.end - since for since in self.waiting_since.values())
        self.log_end()
        return self.outcome

    def dispatch(self, truck: Truck, here: str) -> Station:
        """The loader at which the truck is loaded soonest, as far as can be foreseen.

        Foreseen are the drive, a mean loading time for every truck committed to the loader (of one that is being loaded
        what is left of it, nothing if it takes longer than the mean), and its own loading. Ties: the shorter expected
        cycle, then the lower id.
        """
        routes, dump, now, whole = self.plan.routes, self.crusher.server, self.env.now, self.plan.count_whole

        def rank(loader: Station) -> tuple[float, float, str]:
            server = loader.server
            empty = routes[here, server.node].minutes / truck.empty_factor
            back = routes[server.node, dump.node].minutes / truck.loaded_factor
            work = loader.committed * server.mean_min
            if not whole:
                work -= sum(min(now - begun, server.mean_min) for begun in loader.begun)
            loaded_in = empty + work / server.capacity + server.mean_min
            return loaded_in, empty + server.mean_min + back + dump.mean_min, loader.id

        return min(self.loaders, key=rank)

    def haul(self, number: int, truck: Truck) -> Generator:
        """The working day of one truck."""
        env, log, outcome, crusher = self.env, self.outcome.log.append, self.outcome, self.crusher
        routes, pit_exit = self.plan.routes, crusher.server.node
        who = f",{self.replication},{self.plan.scenario.id},{truck.id},"
        empty, loaded = ",false,0,", f",true,{truck.payload_t:g},"
        factors = travel_factors(stream(self.seed, number, TRAVEL), self.plan.scenario.travel_cv)
        load_normals = standard_normals(stream(self.seed, number, LOAD))
        dump_normals = standard_normals(stream(self.seed, number, DUMP))
        here = truck.start
        while True:
            begun = env.now
            loader = self.dispatch(truck, here)
            loader.committed += 1
            face = loader.server.node
            log(f"{begun:.6f}{who}dispatched,,{face},{here}{empty}{loader.id},{len(loader.resource.queue)}\n")
            yield from self.drive(routes[here, face], truck, who, empty, truck.empty_factor, factors)

            words = ("loader_queued", "loading_started", "loading_finished")
            yield from self.serve(loader, truck, who, words, empty, loaded, load_normals)
            loader.committed -= 1
            yield from self.drive(routes[face, pit_exit], truck, who, loaded, truck.loaded_factor, factors)

            words = ("crusher_queued", "dumping_started", "dumping_finished")
            delivered = f",false,{truck.payload_t:g},"
            yield from self.serve(crusher, truck, who, words, loaded, delivered, dump_normals)
            outcome.tonnes += truck.payload_t
            outcome.cycles.append(env.now - begun)
            here = pit_exit

    def drive(self, route: Route, truck: Truck, who: str, cargo: str, speed: float, factors: Iterator[float]):
        """Follows a route. A narrow lane is held while the truck is on it, and awaited holding nothing."""
        env, log, lanes = self.env, self.outcome.log.append, self.lanes
        timeout = env.timeout
        for leg in route.legs:
            minutes = leg.minutes / speed * next(factors)
            if leg.lane is None:
                log(f"{env.now:.6f}{who}road_entered,{leg.where}{cargo}{leg.edge},0\n")
                yield timeout(minutes)
                log(f"{env.now:.6f}{who}road_left,{leg.after}{cargo}{leg.edge},0\n")
                continue
            lane = lanes[leg.lane]
            resource = lane.resource
            request = resource.request()
            if not request.triggered:
                log(f"{env.now:.6f}{who}road_queued,{leg.where}{cargo}{leg.edge},{len(resource.queue)}\n")
                yield from self.wait(request, lane, truck)
            log(f"{env.now:.6f}{who}road_entered,{leg.where}{cargo}{leg.edge},{len(resource.queue)}\n")
            self.start(lane, minutes)
            yield timeout(minutes)
            log(f"{env.now:.6f}{who}road_left,{leg.after}{cargo}{leg.edge},{len(resource.queue)}\n")
            resource.release(request)

    def serve(self, station: Station, truck: Truck, who: str, words: tuple[str, str, str], before: str, after: str,
              normals: Iterator[float]):
        """Queues at a loader or the crusher and is served. `words` are the events, `before` and `after` the cargo."""
        env, log, resource, server = self.env, self.outcome.log.append, station.resource, station.server
        queued, started, finished = words
        place = f",,,{server.node}"
        request = resource.request()
        if not request.triggered:
            log(f"{env.now:.6f}{who}{queued}{place}{before}{station.id},{len(resource.queue)}\n")
            yield from self.wait(request, station, truck)
        log(f"{env.now:.6f}{who}{started}{place}{before}{station.id},{len(resource.queue)}\n")
        minutes = positive(server.mean_min, server.sd_min, normals)
        self.start(station, minutes)
        begun = env.now
        station.begun.append(begun)
        yield env.timeout(minutes)
        station.begun.remove(begun)
        log(f"{env.now:.6f}{who}{finished}{place}{after}{station.id},{len(resource.queue)}\n")
        resource.release(request)

    def wait(self, request: simpy.Event, station: Station, truck: Truck):
        """Waits until the resource is the truck's, and books the time."""
        self.waiting_since[truck.id] = since = self.env.now
        yield request
        del self.waiting_since[truck.id]
        waited = self.env.now - since
        station.waited_min += waited
        self.outcome.waited_min += waited

    def start(self, station: Station, minutes: float):
        """Books a use of `minutes`; what lies past the end of the shift does not count."""
        station.started += 1
        station.busy_min += min(minutes, self.end - self.env.now)

    def log_end(self):
        """A row for each truck that says where the end of the shift finds it: where its last row left it."""
        last: dict[str, list[str]] = {}
        for row in reversed(self.outcome.log):
            columns = row.split(",")
            last.setdefault(columns[3], columns)
            if len(last) == len(self.plan.scenario.trucks):
                break
        for truck in self.plan.scenario.trucks:
            row = last[truck.id]
            # Columns 5 and 6 name the road that the truck is on, 10 the road's id.
            start, end, resource = (row[5], row[6], row[10]) if row[4] == "road_entered" else ("", "", "")
            payload = f"{truck.payload_t:g}" if row[8] == "true" else "0"
            self.outcome.log.append(
                f"{self.end:.6f},{row[1]},{row[2]},{truck.id},shift_ended,{start},{end},{row[7]},{row[8]},{payload},"
                f"{resource},0\n")
