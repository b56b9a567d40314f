"""Shortest-time routes, found once a scenario: the simulation only follows them."""

import heapq
from dataclasses import dataclass

from .data import UNCONSTRAINED, DataError, Edge, Scenario


@dataclass(frozen=True)
class Leg:
    """One road of a route, with everything that a crossing needs worked out."""

    edge: str
    start: str
    minutes: float
    lane: str | None
    """The capacity it takes up; none where the road is unconstrained."""
    where: str
    """Columns from_node, to_node and location of its log rows."""
    after: str
    """The same once the truck has left it."""


@dataclass(frozen=True)
class Route:
    legs: tuple[Leg, ...]
    minutes: float


def lane_of(edge: Edge, shared: bool) -> str | None:
    """The lane that `edge` needs: its own, or that of the physical road before the underscore."""
    if edge.capacity >= UNCONSTRAINED:
        return None
    return edge.id.split("_")[0] if shared else edge.id


def shortest(scenario: Scenario, start: str, end: str, shared: bool) -> Route:
    """The route of least nominal time over open roads (Dijkstra); of equal ones the first found.

    The speed factor of a truck scales every road alike, so it stretches a route's time and changes no choice.
    """
    leaving: dict[str, list[Edge]] = {}
    for edge in scenario.edges:
        if not edge.closed:
            leaving.setdefault(edge.start, []).append(edge)
    best = {start: 0.0}
    via: dict[str, Edge] = {}
    frontier = [(0.0, start)]
    while frontier:
        minutes, node = heapq.heappop(frontier)
        if node == end:
            break
        for edge in leaving.get(node, ()):
            total = minutes + edge.minutes
            if total < best.get(edge.end, float("inf")):
                best[edge.end], via[edge.end] = total, edge
                heapq.heappush(frontier, (total, edge.end))
    if end not in best:
        closed = [edge.id for edge in scenario.edges if edge.closed]
        raise DataError(f"scenario {scenario.id}: no open route from {start} to {end}; closed: {closed}")
    legs = []
    node = end
    while node != start:
        edge = via[node]
        legs.append(Leg(edge.id, edge.start, edge.minutes, lane_of(edge, shared),
                        f"{edge.start},{edge.end},{edge.start}", f"{edge.start},{edge.end},{edge.end}"))
        node = edge.start
    return Route(tuple(reversed(legs)), best[end])


@dataclass(frozen=True)
class Plan:
    """A scenario with its routes and lanes, ready to be replicated."""

    scenario: Scenario
    routes: dict[tuple[str, str], Route]
    lanes: dict[str, int]
    count_whole: bool
    """Whether dispatch counts a truck that is being loaded as a whole loading time, not as what is left of it."""


def plan(scenario: Scenario, shared: bool = False, count_whole: bool = False) -> Plan:
    """Finds every route that a truck can need, and the capacity of every lane."""
    routes = {}
    for loader in scenario.loaders:
        for start in {truck.start for truck in scenario.trucks} | {scenario.dump.node}:
            routes[start, loader.node] = shortest(scenario, start, loader.node, shared)
        routes[loader.node, scenario.dump.node] = shortest(scenario, loader.node, scenario.dump.node, shared)
    lanes = {lane: edge.capacity for edge in scenario.edges if (lane := lane_of(edge, shared))}
    return Plan(scenario, routes, lanes, count_whole)
