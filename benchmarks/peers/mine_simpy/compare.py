"""`python -m mine_simpy.compare A B`: do two studies of the benchmark agree?

Reads both results.csv. For each scenario and measure: both means with their 95 % intervals, whether these overlap, and
Welch's test of equal means. Tonnes decide: exit 1 when a scenario's tonnes differ at the level `--alpha` after Holm's
correction for the number of scenarios, or when `--plausible` is given and a mean lies outside the benchmark's range.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from .study import Estimate, estimate

TONNES = "total_tonnes_delivered"
MEASURES = [TONNES, "average_truck_cycle_time_min", "average_truck_utilisation", "crusher_utilisation",
            "average_loader_queue_time_min", "average_crusher_queue_time_min"]
# Means of independent published models of the benchmark lie in these ranges [t].
PLAUSIBLE = {"baseline": (12_050, 13_150), "trucks_4": (7_500, 8_330), "trucks_12": (12_620, 13_790),
             "ramp_upgrade": (12_000, 13_180), "crusher_slowdown": (6_390, 7_240), "ramp_closed": (11_950, 13_110)}


def read(folder: Path) -> dict[str, list[dict]]:
    """The rows of results.csv by scenario."""
    rows: dict[str, list[dict]] = {}
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["scenario_id"], []).append(row)
    return rows


def column(rows: list[dict], measure: str) -> list[float]:
    """The values of one measure; empty where a study has no such column."""
    return [float(row[measure]) for row in rows if row.get(measure) not in (None, "")]


def holm(p_values: list[float]) -> list[float]:
    """Adjusted p-values: below a level, the difference stands at that level among all of them (Holm, 1979)."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def welch(a: list[float], b: list[float]) -> float:
    """The p-value of equal means; constant samples are equal or they are not."""
    if np.ptp(a) == 0.0 and np.ptp(b) == 0.0:
        return 1.0 if a[0] == b[0] else 0.0
    return float(stats.ttest_ind(a, b, equal_var=False).pvalue)


def compare(first: dict[str, list[dict]], second: dict[str, list[dict]]) -> list[dict]:
    """A row for each measure and common scenario."""
    table = []
    for measure in MEASURES:
        samples = [(name, column(first[name], measure), column(second[name], measure))
                   for name in first if name in second]
        samples = [(name, a, b) for name, a, b in samples if len(a) > 1 and len(b) > 1]
        adjusted = holm([welch(a, b) for _, a, b in samples])
        for (name, a, b), p in zip(samples, adjusted):
            ea, eb = estimate(a), estimate(b)
            table.append({"measure": measure, "scenario": name, "a": ea, "b": eb, "p": p,
                          "overlap": ea.low <= eb.high and eb.low <= ea.high})
    return table


def implausible(rows: dict[str, list[dict]]) -> list[str]:
    """What lies outside the benchmark's ranges, or is missing."""
    found = []
    for name, (low, high) in PLAUSIBLE.items():
        tonnes = column(rows.get(name, []), TONNES)
        if not tonnes:
            found.append(f"{name} is missing")
        elif not low <= (mean := float(np.mean(tonnes))) <= high:
            found.append(f"{name}: {mean:.0f} t is outside {low} to {high}")
    return found


def shown(e: Estimate) -> str:
    return f"{e.mean:.5g} ±{e.high - e.mean:.2g}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="mine_simpy.compare", description="Compares two studies by their results.csv.")
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--alpha", type=float, default=0.05, help="level at which tonnes differ (default 0.05)")
    parser.add_argument("--plausible", action="store_true", help="hold both to the benchmark's ranges")
    options = parser.parse_args()
    first, second = read(options.first), read(options.second)
    if first.keys() != second.keys():
        print(f"error: the scenarios differ: {sorted(first)} and {sorted(second)}", file=sys.stderr)
        return 1
    table = compare(first, second)
    print("| measure | scenario | first | second | intervals overlap | p (Welch, Holm) |\n|---|---|---:|---:|---|---:|")
    for row in table:
        print(f"| {row['measure']} | {row['scenario']} | {shown(row['a'])} | {shown(row['b'])} "
              f"| {'yes' if row['overlap'] else 'NO'} | {row['p']:.3f} |")
    bad = [f"{row['scenario']}: tonnes differ (p = {row['p']:.2g})" for row in table
           if row["measure"] == TONNES and row["p"] < options.alpha]
    if options.plausible:
        bad += [f"{folder}: {fault}" for folder, rows in ((options.first, first), (options.second, second))
                for fault in implausible(rows)]
    for fault in bad:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
