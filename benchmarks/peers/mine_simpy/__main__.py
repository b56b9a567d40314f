"""`python -m mine_simpy --data DIR --out DIR`: the whole study."""

import argparse
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from .data import DataError, read_scenarios, read_site, scenario_of
from .network import plan
from .study import paired, summary, write_paired, write_summary, write_tables


def main() -> int:
    parser = argparse.ArgumentParser(prog="mine_simpy", description="Mine haulage in SimPy: runs every scenario.")
    parser.add_argument("--data", type=Path, required=True, help="site tables and scenarios/")
    parser.add_argument("--out", type=Path, required=True, help="a directory that does not exist yet")
    parser.add_argument("--scenario", action="append", help="only this one (may be repeated)")
    parser.add_argument("--replications", type=int, help="instead of the scenario's own")
    parser.add_argument("--lane-model", choices=["per_direction", "shared_physical_road"], default="per_direction")
    parser.add_argument("--loading-truck", choices=["left", "whole"], default="left",
                        help="what dispatch counts of a truck that is being loaded (default: what is left)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a processor)")
    options = parser.parse_args()
    try:
        run(options)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace):
    if options.out.exists():
        raise DataError(f"{options.out} exists")
    if options.jobs < 1 or (options.replications or 1) < 1:
        raise DataError("--jobs and --replications must be at least 1")
    site, specs = read_site(options.data), read_scenarios(options.data)
    order = sorted(specs, key=lambda scenario_id: (scenario_id != "baseline", scenario_id))
    if unknown := set(options.scenario or ()) - specs.keys():
        raise DataError(f"unknown scenarios {sorted(unknown)}; there are {order}")
    scenarios = [scenario_of(site, specs[name]) for name in order if name in (options.scenario or order)]
    if options.replications:
        scenarios = [replace(scenario, replications=options.replications) for scenario in scenarios]
    shared, whole = options.lane_model == "shared_physical_road", options.loading_truck == "whole"
    plans = {scenario.id: plan(scenario, shared, whole) for scenario in scenarios}

    # A study that was interrupted never looks like a whole one.
    unfinished = options.out.with_name(options.out.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    rows = write_tables(plans, options.jobs, unfinished)
    # Imported here so that worker processes, which begin as copies of this one, do not carry the plotting along.
    from . import report, topology

    differences = paired(rows)
    content = summary(plans, rows, report.sentences(rows, options))
    write_summary(content, unfinished)
    write_paired(differences, unfinished)
    report.write(content, differences, plans, options, unfinished)
    topology.draw(scenarios[0], unfinished)
    unfinished.rename(options.out)
    print(f"{sum(map(len, rows.values()))} shifts of {len(rows)} scenarios are in {options.out}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
