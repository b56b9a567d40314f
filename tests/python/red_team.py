"""The red team's table: every injection with its controls and without, by the program itself.

red_team.py PROGRAM PAGE [--write] [--episodes N]

Fails where a row breaks the rule of its class, and where the table in PAGE is another one (unless it is to be written).
Needs nothing but Python's own library.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

BEGIN, END = "<!-- red team: begin -->", "<!-- red team: end -->"


# Episodes where no upper bound is asked for.
FEW = 20


def run(program, where, injection, method, episodes, without=(), threads=1):
    out = pathlib.Path(where) / f"{injection}.{'off' if without else 'on'}.{method}.{threads}.json"
    command = [program, "-q", "run-benchmark", "--task", "coord_risk", "--scale", "small_smoke", "--coord-method", method]
    command += ["--injection", injection, "--episodes", str(episodes), "--seed", "1", "--threads", str(threads), "--out", str(out)]
    for control in without:
        command += ["--ablate", control]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return json.loads(out.read_text())


def figures(results):
    blocks = [episode["metrics"]["sec"] for episode in results["episodes"]]
    total = lambda name: sum(block[name] or 0 for block in blocks)
    work = [block["utility_ratio"] for block in blocks if block["utility_ratio"] is not None]
    return {
        "n": len(blocks),
        "applied": total("applications_total"),
        "success": int(total("attack_success_rate")),
        "detected": sum(block["first_detection_step"] is not None for block in blocks),
        "attributed": sum(bool(block["attributed_correctly"]) for block in blocks),
        "work": sum(work) / len(work) if work else None,
        "alarms": max((block["false_positive_rate"] or 0) for block in blocks),
    }


def method_of(entry):
    wire = entry["position"] == "network" or any(control.startswith("bus.") for control in entry["controls"])
    events = {"INJ-REPLAY-001", "INJ-TIMING-QUEUE-001"}
    return "market_auction" if wire and entry["id"] not in events else "kernel_centralized_edf"


def main():
    program, page = sys.argv[1], pathlib.Path(sys.argv[2])
    episodes = int(sys.argv[sys.argv.index("--episodes") + 1]) if "--episodes" in sys.argv else 59
    listed = json.loads(subprocess.run([program, "injections", "list", "--format", "json"], check=True, capture_output=True).stdout)
    entries = [entry for entry in listed["injections"] if entry["class"] != "reserved"]
    rows, broken = [], []
    with tempfile.TemporaryDirectory() as where, ThreadPoolExecutor(2) as pool:

        def cell(entry):
            method = method_of(entry)
            many = episodes if entry["class"] == "integrity" else min(episodes, FEW)
            on = figures(run(program, where, entry["id"], method, many))
            off = figures(run(program, where, entry["id"], method, min(episodes, FEW), entry["controls"]))
            return method, on, off

        for entry, (method, on, off) in zip(entries, pool.map(cell, entries)):
            integrity = entry["class"] == "integrity"
            upper = 1 - 0.05 ** (1 / on["n"])
            rules = {
                "nothing arrived": on["applied"] > 0 and off["applied"] > 0,
                "it does not succeed without its controls": off["success"] >= 3,
                "it succeeds under its controls": not integrity or on["success"] == 0,
                "too few episodes": not integrity or upper <= 0.05 or episodes < 59,
                "it costs more than the ceiling": integrity or 1 - on["work"] < entry["utility_loss_ceiling"],
                "honest events are refused": on["alarms"] < 0.01 and off["alarms"] < 0.01,
            }
            broken += [f"{entry['id']}: {rule}" for rule, holds in rules.items() if not holds]
            controls = ", ".join(f"`{control}`" for control in entry["controls"])
            rows.append(
                f"| `{entry['id']}` | {entry['position']} | {entry['class']} | `{method}` | {on['applied']} | {on['success']} | "
                f"{on['detected']} | {on['attributed']} | {on['work']:.2f} | {controls} | {off['success']} | {off['work']:.2f} |"
            )
        # The same bytes again, and with another number of threads.
        first = entries[0]["id"]
        again = [run(program, where, first, "market_auction", 8, threads=threads) for threads in (1, 2, 3)]
        if not all(results == again[0] for results in again):
            broken.append("another number of threads gives another result")
    head = (
        "| injection | position | after | method | arrived | success | noticed | source named | work | controls | success without | work without |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    table = "\n".join([BEGIN, "", f"{episodes} episodes of an integrity attack under its controls, {min(episodes, FEW)} of everything else; *success*, *noticed* and *source named* count episodes, *arrived* attempts, *work* is the mean of `utility_ratio`.", "", head, *rows, "", END])
    text = page.read_text()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    if "--write" in sys.argv:
        page.write_text(text[:begin] + table + text[end:])
    elif episodes == 59 and text[begin:end] != table:
        broken.append(f"{page} has another table; .ci/red_team PROGRAM --write makes it anew")
    print("\n".join(rows))
    if broken:
        sys.exit("\n".join(broken))


main()
