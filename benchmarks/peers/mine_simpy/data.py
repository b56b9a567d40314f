"""The site and its scenarios, read from a directory of CSV and YAML files."""

import csv
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

UNCONSTRAINED = 999


class DataError(Exception):
    """The data cannot be simulated; the message says what and where."""


@dataclass(frozen=True)
class Node:
    id: str
    name: str
    kind: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class Edge:
    id: str
    start: str
    end: str
    distance_m: float
    max_speed_kph: float
    road_type: str
    capacity: int
    closed: bool

    @property
    def minutes(self) -> float:
        """Nominal time at the speed limit [min]."""
        return self.distance_m / 1000.0 / self.max_speed_kph * 60.0


@dataclass(frozen=True)
class Truck:
    id: str
    payload_t: float
    empty_factor: float
    loaded_factor: float
    start: str


@dataclass(frozen=True)
class Server:
    """A loader or a dump point: `capacity` trucks at a time, each for a normal time [min]."""

    id: str
    node: str
    capacity: int
    mean_min: float
    sd_min: float


@dataclass(frozen=True)
class Scenario:
    """A scenario with its overrides applied: everything a replication needs to know."""

    id: str
    description: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    trucks: tuple[Truck, ...]
    loaders: tuple[Server, ...]
    dump: Server
    shift_min: float
    replications: int
    base_seed: int
    travel_cv: float


def read_site(folder: Path) -> dict[str, dict]:
    """The five tables, each as id to row."""
    tables = {}
    for name, key in [("nodes", "node_id"), ("edges", "edge_id"), ("trucks", "truck_id"),
                      ("loaders", "loader_id"), ("dump_points", "dump_id")]:
        path = folder / f"{name}.csv"
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from error
        if not rows or key not in rows[0]:
            raise DataError(f"{path}: no rows, or no column {key}")
        tables[name] = {row[key]: row for row in rows}
    return tables


def merged(below: dict, above: dict) -> dict:
    """`below` with the values of `above` in their places, at every depth."""
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def read_scenarios(folder: Path) -> dict[str, dict]:
    """Every scenario with what it inherits, by id."""
    raw = {}
    for path in sorted((folder / "scenarios").glob("*.yaml")):
        scenario = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        raw[scenario["scenario_id"]] = scenario

    def whole(scenario_id: str, heirs: tuple[str, ...] = ()) -> dict:
        if scenario_id not in raw or scenario_id in heirs:
            raise DataError(f"{folder}/scenarios: {scenario_id} is unknown or inherits itself; via {list(heirs)}")
        scenario = raw[scenario_id]
        parent = scenario.get("inherits")
        return merged(whole(parent, (*heirs, scenario_id)), scenario) if parent else scenario

    return {scenario_id: whole(scenario_id) for scenario_id in raw}


def scenario_of(site: dict[str, dict], spec: dict) -> Scenario:
    """Applies the overrides of `spec` and turns text into numbers."""
    tables = deepcopy(site)
    for part, table in [("node_overrides", "nodes"), ("edge_overrides", "edges"), ("truck_overrides", "trucks"),
                        ("loader_overrides", "loaders"), ("dump_point_overrides", "dump_points")]:
        for key, changes in spec.get(part, {}).items():
            unknown = {key} - tables[table].keys() or changes.keys() - tables[table][key].keys()
            if unknown:
                raise DataError(f"scenario {spec['scenario_id']}: {part} names unknown {sorted(unknown)}")
            tables[table][key].update(changes)
    simulation, routing, production = spec["simulation"], spec["routing"], spec["production"]
    if simulation["warmup_minutes"] != 0:
        raise DataError(f"scenario {spec['scenario_id']}: this model has no warm-up")
    count = spec["fleet"]["truck_count"]
    trucks = [Truck(r["truck_id"], float(r["payload_tonnes"]), float(r["empty_speed_factor"]),
                    float(r["loaded_speed_factor"]), r["start_node"]) for r in tables["trucks"].values()]
    if not 1 <= count <= len(trucks):
        raise DataError(f"scenario {spec['scenario_id']}: {count} trucks asked for, the site has {len(trucks)}")
    edges = [Edge(r["edge_id"], r["from_node"], r["to_node"], float(r["distance_m"]), float(r["max_speed_kph"]),
                  r["road_type"], int(r["capacity"]), str(r["closed"]).lower() == "true")
             for r in tables["edges"].values()]
    if not routing["allow_bypass"]:
        edges = [replace(edge, closed=edge.closed or edge.road_type == "bypass") for edge in edges]
    if not routing["road_capacity_enabled"]:
        edges = [replace(edge, capacity=UNCONSTRAINED) for edge in edges]
    loaders = [Server(r["loader_id"], r["node_id"], int(r["capacity"]), float(r["mean_load_time_min"]),
                      float(r["sd_load_time_min"])) for r in tables["loaders"].values()]
    dumps = [Server(r["dump_id"], r["node_id"], int(r["capacity"]), float(r["mean_dump_time_min"]),
                    float(r["sd_dump_time_min"])) for r in tables["dump_points"].values()]
    return Scenario(
        id=spec["scenario_id"],
        description=spec["description"],
        nodes=tuple(Node(r["node_id"], r["node_name"], r["node_type"], float(r["x_m"]), float(r["y_m"]))
                    for r in tables["nodes"].values()),
        edges=tuple(edges),
        trucks=tuple(trucks[:count]),
        loaders=tuple(loader for loader in loaders if loader.node in production["ore_sources"]),
        dump=next(dump for dump in dumps if dump.node == production["dump_destination"]),
        shift_min=simulation["shift_length_hours"] * 60.0,
        replications=simulation["replications"],
        base_seed=simulation["base_random_seed"],
        travel_cv=spec["stochasticity"]["travel_time_noise_cv"],
    )
