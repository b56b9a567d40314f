"""Replications of every scenario, their tables and their statistics."""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from statistics import fmean, stdev

from .model import Shift
from .network import Plan

BENCHMARK = "001_synthetic_mine_throughput"
EVENT_COLUMNS = ("time_min,replication,scenario_id,truck_id,event_type,from_node,to_node,location,loaded,"
                 "payload_tonnes,resource_id,queue_length\n")

_plans: dict[str, Plan] = {}


def _take_plans(plans: dict[str, Plan]):
    _plans.update(plans)


def replicate(task: tuple[str, int, tuple[str, ...]]) -> tuple[dict, bytes]:
    """One row of results.csv and the event log of one shift. `lanes` are those that have columns in every row."""
    scenario_id, replication, lanes = task
    shift = Shift(_plans[scenario_id], replication)
    outcome = shift.run()
    fleet_min = shift.end * len(shift.plan.scenario.trucks)
    columns = {f"loader_{loader.id}": loader for loader in shift.loaders}
    columns |= {f"road_{lane}": shift.lanes.get(lane) for lane in lanes}
    row = {
        "scenario_id": scenario_id,
        "replication": replication,
        "random_seed": shift.seed,
        "total_tonnes_delivered": outcome.tonnes,
        "tonnes_per_hour": outcome.tonnes / (shift.end / 60.0),
        "average_truck_cycle_time_min": fmean(outcome.cycles) if outcome.cycles else "",
        "average_truck_utilisation": 1.0 - outcome.waited_min / fleet_min,
        "crusher_utilisation": utilisation(shift.crusher, shift.end),
        "average_loader_queue_time_min": queue_time(*shift.loaders),
        "average_crusher_queue_time_min": queue_time(shift.crusher),
        "crusher_uses": shift.crusher.started,
    }
    for name, station in columns.items():
        # A road that the scenario lifts the limit of has no queue, and no utilisation to speak of.
        row[f"{name}_utilisation"] = utilisation(station, shift.end) if station else ""
        row[f"{name}_average_queue_time_min"] = queue_time(station) if station else ""
        row[f"{name}_uses"] = station.started if station else ""
    return row, "".join(outcome.log).encode("ascii")


def utilisation(station, shift_min: float) -> float:
    return station.busy_min / (station.capacity * shift_min)


def queue_time(*stations) -> float:
    """Mean wait of those whose use began, those who did not wait included [min]."""
    started = sum(station.started for station in stations)
    return sum(station.waited_min for station in stations) / started if started else 0.0


def replications(plans: dict[str, Plan], jobs: int) -> Iterator[tuple[dict, bytes]]:
    """Every replication of every scenario, in order, from `jobs` processes."""
    lanes = tuple(dict.fromkeys(lane for plan in plans.values() for lane in plan.lanes))
    tasks = [(s, r, lanes) for s, plan in plans.items() for r in range(plan.scenario.replications)]
    if jobs == 1:
        _take_plans(plans)
        yield from map(replicate, tasks)
        return
    with Pool(jobs, _take_plans, (plans,)) as pool:
        yield from pool.imap(replicate, tasks, chunksize=3)


def write_tables(plans: dict[str, Plan], jobs: int, folder: Path) -> dict[str, list[dict]]:
    """Runs everything; writes results.csv and event_log.csv as it goes. Gives the rows by scenario."""
    rows: dict[str, list[dict]] = {scenario_id: [] for scenario_id in plans}
    with (folder / "results.csv").open("w", newline="") as results, (folder / "event_log.csv").open("wb") as log:
        table = None
        log.write(EVENT_COLUMNS.encode("ascii"))
        for row, events in replications(plans, jobs):
            table = table or csv.DictWriter(results, row, lineterminator="\n")
            if results.tell() == 0:
                table.writeheader()
            table.writerow(row)
            log.write(events)
            rows[row["scenario_id"]].append(row)
    return rows


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval (Student's t over replications); no interval of one replication."""

    mean: float
    low: float | None
    high: float | None


@cache
def student_t_975(freedom: int) -> float:
    """The 97.5 % point of Student's t, by bisection of its finite series for whole degrees of freedom.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4. (Importing scipy for this one
    number takes a tenth of the whole study.)
    """

    def inside(angle: float) -> float:
        cosine, odd = math.cos(angle), freedom % 2
        term = cosine if odd else 1.0
        total = 0.0
        for power in range(2 + odd, freedom + 1, 2):
            total += term
            term *= (power - 1) / power * cosine * cosine
        total *= math.sin(angle)
        return (angle + total) * 2.0 / math.pi if odd else total

    low, high = 0.0, math.pi / 2.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def estimate(values: list[float]) -> Estimate:
    mean, count = fmean(values), len(values)
    if count < 2:
        return Estimate(mean, None, None)
    half = student_t_975(count - 1) * stdev(values) / math.sqrt(count)
    return Estimate(mean, mean - half, mean + half)


def mean_of(rows: list[dict], column: str) -> float | None:
    values = [row[column] for row in rows if row[column] != ""]
    return fmean(values) if values else None


def bottlenecks(rows: list[dict]) -> list[dict]:
    """Resources by utilisation, then by their share of all queueing."""
    columns = [column.removesuffix("_uses") for column in rows[0] if column.endswith("_uses")]
    ranked = []
    for column in columns:
        busy = mean_of(rows, f"{column}_utilisation")
        if busy is None:
            continue
        wait = "average_crusher_queue_time_min" if column == "crusher" else f"{column}_average_queue_time_min"
        ranked.append({
            "resource_id": column.partition("_")[2] or column,
            "utilisation": busy,
            "queue_time_share": fmean(row[wait] * row[f"{column}_uses"] for row in rows),
        })
    whole = sum(entry["queue_time_share"] for entry in ranked) or 1.0
    for entry in ranked:
        entry["queue_time_share"] /= whole
    return sorted(ranked, key=lambda e: (-e["utilisation"], -e["queue_time_share"], e["resource_id"]))


def paired(rows: dict[str, list[dict]], base: str = "baseline") -> list[dict]:
    """Differences of tonnes to the base scenario, replication by replication on common random numbers."""
    table = []
    for scenario_id, mine in rows.items():
        if base not in rows or scenario_id == base or len(mine) != len(rows[base]):
            continue
        pairs = zip(mine, rows[base])
        gap = estimate([a["total_tonnes_delivered"] - b["total_tonnes_delivered"] for a, b in pairs])
        table.append({"scenario_id": scenario_id, "reference_scenario_id": base, "replications": len(mine),
                      "mean_difference_tonnes": gap.mean, "ci95_low": gap.low, "ci95_high": gap.high,
                      "relative_difference": gap.mean / mean_of(rows[base], "total_tonnes_delivered")})
    return table


def summary(plans: dict[str, Plan], rows: dict[str, list[dict]], texts: dict[str, list]) -> dict:
    """The content of summary.json. `texts` are its three lists of sentences."""
    scenarios = {}
    for scenario_id, mine in rows.items():
        tonnes = estimate([row["total_tonnes_delivered"] for row in mine])
        hourly = estimate([row["tonnes_per_hour"] for row in mine])
        loaders = [loader.id for loader in plans[scenario_id].scenario.loaders]
        scenarios[scenario_id] = {
            "replications": len(mine),
            "shift_length_hours": plans[scenario_id].scenario.shift_min / 60.0,
            "total_tonnes_mean": tonnes.mean,
            "total_tonnes_ci95_low": tonnes.low,
            "total_tonnes_ci95_high": tonnes.high,
            "tonnes_per_hour_mean": hourly.mean,
            "tonnes_per_hour_ci95_low": hourly.low,
            "tonnes_per_hour_ci95_high": hourly.high,
            "average_cycle_time_min": mean_of(mine, "average_truck_cycle_time_min"),
            "truck_utilisation_mean": mean_of(mine, "average_truck_utilisation"),
            "loader_utilisation": {loader: mean_of(mine, f"loader_{loader}_utilisation") for loader in loaders},
            "crusher_utilisation": mean_of(mine, "crusher_utilisation"),
            "average_loader_queue_time_min": mean_of(mine, "average_loader_queue_time_min"),
            "average_crusher_queue_time_min": mean_of(mine, "average_crusher_queue_time_min"),
            "top_bottlenecks": bottlenecks(mine)[:3],
        }
    return {"benchmark_id": BENCHMARK, "scenarios": scenarios, **texts}


def write_summary(content: dict, folder: Path):
    (folder / "summary.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_paired(table: list[dict], folder: Path):
    with (folder / "paired_differences.csv").open("w", newline="") as file:
        if table:
            writer = csv.DictWriter(file, table[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
