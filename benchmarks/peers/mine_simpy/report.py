"""What people read: conceptual_model.md and README.md, with the run's own figures."""

import argparse
from pathlib import Path

from .network import Plan

ASSUMPTIONS = [
    "Trucks are dispatched to the loader that is expected to have them loaded soonest: drive, plus a mean loading "
    "time for each truck committed to it, plus their own.",
    "A crossing of a road takes its time at the speed limit times the truck's speed factor, times a log-normal factor "
    "with mean 1 that is drawn for every road anew.",
    "Loading and dumping times are normal and drawn again until they are above zero.",
    "A narrow road is held for the whole crossing and awaited at its entry; a truck never holds two.",
    "All trucks stand in the park at the start and are dispatched at once, in the order of their ids.",
    "A load counts when its dump is finished within the shift.",
    "The figures of the loader and crusher tables hold where nodes.csv repeats them.",
]
LIMITATIONS = [
    "No breakdowns, breaks, refuelling, shift changes or blasting; availabilities are 1 in the data and not modelled.",
    "No overtaking rules, acceleration or gradients beyond the speed limit of a road.",
    "A shift starts with an empty system, so its first cycles have shorter queues than its later ones.",
]
PROPOSALS = [
    "A second crusher or a faster one: it is the busiest resource of every scenario with eight trucks or more.",
    "Fleets of 5, 6, 7, 9 and 10 trucks, to find where another truck stops paying.",
]


def sentences(rows: dict[str, list[dict]], options: argparse.Namespace) -> dict[str, list[str]]:
    """The lists of summary.json."""
    lane_model = options.lane_model
    loading = "A truck that is being loaded counts for dispatch as " + (
        "what is left of a mean loading time." if options.loading_truck == "left" else "a whole mean loading time.")
    lanes = f"Lane model {lane_model}: " + (
        "each direction of a narrow road is a resource of its own." if lane_model == "per_direction"
        else "both directions of a narrow road share one resource.")
    count = min(map(len, rows.values()))
    return {"key_assumptions": [*ASSUMPTIONS, loading, lanes],
            "model_limitations": [*LIMITATIONS, f"Every figure rests on {count} replications of one shift."],
            "additional_scenarios_proposed": PROPOSALS}


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def write(content: dict, differences: list[dict], plans: dict[str, Plan], options: argparse.Namespace, folder: Path):
    """Both documents."""
    (folder / "conceptual_model.md").write_text(conceptual_model(content, plans), encoding="utf-8")
    (folder / "README.md").write_text(readme(content, differences, plans, options), encoding="utf-8")


def conceptual_model(content: dict, plans: dict[str, Plan]) -> str:
    plan = next(iter(plans.values()))
    scenario = plan.scenario
    return f"""# Conceptual model

**Boundary.** Ore haulage from {len(scenario.loaders)} loaders to {scenario.dump.id} over {len(scenario.edges)} directed \
roads between {len(scenario.nodes)} places, for one shift of {scenario.shift_min / 60:g} h. Waste and maintenance are outside.

**Entities.** Trucks ({len(scenario.trucks)} in {scenario.id}), each a process.

**Resources.** Loaders ({", ".join(s.id for s in scenario.loaders)}), the crusher ({scenario.dump.id}), lanes of limited \
capacity ({", ".join(plan.lanes)}). Queues are first come, first served.

**Events.** Dispatch, entering and leaving a road, start and end of loading, start and end of dumping, end of the shift.

**State.** Where each truck is and what it carries, who holds and awaits each resource, trucks committed to each loader, \
tonnes so far.

**Performance measures.** Tonnes and tonnes an hour, cycle time (dispatch to end of dump), truck utilisation (share of the \
shift not spent waiting), utilisation and queue time of every resource.

## Assumptions

From the data: capacities, distances, speed limits, payloads, times and their spreads. Introduced:

{bullets(content["key_assumptions"])}

## Limitations

{bullets(content["model_limitations"])}
"""


def readme(content: dict, differences: list[dict], plans: dict[str, Plan], options: argparse.Namespace) -> str:
    scenarios = content["scenarios"]
    table = ["| scenario | t a shift | 95 % interval | t/h | cycle [min] | trucks busy | crusher busy | top bottleneck |",
             "|---|---:|---|---:|---:|---:|---:|---|"]
    for name, s in scenarios.items():
        table.append(f"| {name} | {s['total_tonnes_mean']:.0f} | {interval(s, 'total_tonnes_ci95_')} "
                     f"| {s['tonnes_per_hour_mean']:.0f} | {s['average_cycle_time_min'] or 0:.1f} "
                     f"| {s['truck_utilisation_mean']:.0%} | {s['crusher_utilisation']:.0%} "
                     f"| {s['top_bottlenecks'][0]['resource_id']} |")
    answers = ["Differences to the baseline on common random numbers, with their own 95 % intervals:", ""]
    answers += [f"- {d['scenario_id']}: {d['mean_difference_tonnes']:+.0f} t ({interval(d, 'ci95_')}), "
                f"{d['relative_difference']:+.1%}" for d in differences]
    routes = [f"- {start} to {end}: {' '.join(leg.edge for leg in route.legs)} ({route.minutes:.2f} min at the limits)"
              for (start, end), route in next(iter(plans.values())).routes.items()]
    newline = "\n"
    return f"""# Mine haulage study

Made by `python -m mine_simpy --data {options.data} --out {options.out} --lane-model {options.lane_model} \
--loading-truck {options.loading_truck}`; install with \
`pip install -r requirements.txt`. The same command gives the same bytes in every table, for any number of processes.

## Results

{newline.join(table)}

## Answers

{questions(scenarios)}

{newline.join(answers)}

## Routes of the first scenario

{newline.join(routes)}

## Assumptions

{bullets(content["key_assumptions"])}

## Limitations

{bullets(content["model_limitations"])}

## Further scenarios

{bullets(content["additional_scenarios_proposed"])}
"""


def interval(values: dict, prefix: str) -> str:
    low, high = values[f"{prefix}low"], values[f"{prefix}high"]
    return "none" if low is None else f"{low:.0f} to {high:.0f}"


def questions(scenarios: dict) -> str:
    """The six decision questions, as far as their scenarios were run."""
    tonnes = {name: s["total_tonnes_mean"] for name, s in scenarios.items()}
    if "baseline" not in tonnes:
        return "The baseline was not run, so no question about changes to it is answered."
    base = tonnes["baseline"]
    top = ", ".join(f"{b['resource_id']} ({b['utilisation']:.0%} busy, {b['queue_time_share']:.0%} of all queueing)"
                    for b in scenarios["baseline"]["top_bottlenecks"])
    lines = [f"How much does the baseline move? {base:.0f} t a shift.", f"What limits it? {top}."]
    for name, question in [("trucks_12", "Do twelve trucks help?"), ("trucks_4", "What do four trucks cost?"),
                           ("ramp_upgrade", "Does a better ramp help?"), ("crusher_slowdown", "A slower crusher?"),
                           ("ramp_closed", "A closed ramp?")]:
        if name in tonnes:
            lines.append(f"{question} {tonnes[name]:.0f} t, {tonnes[name] / base - 1:+.1%}.")
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
