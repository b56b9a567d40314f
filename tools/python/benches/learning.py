"""What is learned: `python benches/learning.py --out FOLDER --program labtrust`.

For each task a policy is trained, then 100 held-out episodes are played by it, by chance and by the task's own crew. Fails where
the policy is below half of the crew, or not clearly above chance, or where the program alone plays otherwise than Python.
Prints a page in Markdown; talk goes to the standard error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from labtrust import run_benchmark
from labtrust.learned import Policy
from labtrust.ppo import Settings, figures, play
from labtrust.ppo_program import run

TIMING = "simulated"
SEEDS = range(3_000_000, 3_000_100)
SETTINGS = (
    Settings(task="throughput_sla", timing=TIMING, timesteps=800_000, hidden=(32, 32)),
    Settings(task="stat_insertion", timing=TIMING, timesteps=400_000, hidden=(32, 32)),
)
# What the first of them is held against: one method of each kind.
METHODS = ("centralized_planner", "kernel_scheduler_or", "market_auction", "gossip_consensus", "swarm_reactive")
LEAST_OF_CREW = 0.5
LEAST_TIMES_CHANCE = 1.5


def methods(task: str, policy: Path) -> None:
    """Prints how other methods play the same episodes."""
    print(f"\nThe same episodes of `{task}`, played by [methods](../reference/methods.md):\n")
    print("| method | results released an episode | share of specimens with a released result | mean turnaround [s] |\n|---|---:|---:|---:|")
    learned: tuple[str, list[str]] = ("marl_ppo", ["--coord-param", f"model_path={policy}"])
    for method, more in [*((name, []) for name in METHODS), learned]:
        told = run_benchmark(
            task, episodes=len(SEEDS), seed=SEEDS.start, timing=TIMING, coord_method=method, more=[*more]
        ).rows()

        def mean(name: str, told: list[dict[str, object]] = told) -> float:
            values = [float(str(row[name])) for row in told if row.get(name) is not None]
            return sum(values) / len(values)

        print(
            f"| `{method}` | {mean('throughput'):.2f} | {mean('completion_rate'):.3f} | {mean('mean_turnaround_s'):.0f} |",
            flush=True,
        )


def main() -> int:
    """Trains, plays, prints and judges."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    print(
        f"Policies that were trained in {TIMING} timing (explicit timing is easy: agents that act by chance release almost "
        f"everything there), played on {len(SEEDS)} episodes whose seeds were not trained on, each agent doing what its policy "
        "values most. `labtrust eval-ppo` plays the same episodes without Python. Results released an episode, and the share "
        "of specimens with a released result:\n"
    )
    print("| task | steps of training | minutes | learned | by chance | own crew | learned, share | own crew, share |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    failures = []
    for settings in SETTINGS:
        begun = time.perf_counter()
        out = options.out / settings.task
        run(settings, out, talk=False)
        minutes = (time.perf_counter() - begun) / 60
        learned = play(settings.task, TIMING, SEEDS, Policy.load(out / "policy.bin")).figures()
        chance = play(settings.task, TIMING, SEEDS, None).figures()
        crew = run_benchmark(settings.task, episodes=len(SEEDS), seed=SEEDS.start, timing=TIMING)
        scripted = figures([episode["metrics"] for episode in crew.episodes])
        row = [learned["throughput"], chance["throughput"], scripted["throughput"]]
        print(
            f"| `{settings.task}` | {settings.timesteps} | {minutes:.1f} | {row[0]:.2f} | {row[1]:.2f} | {row[2]:.2f} "
            f"| {learned['completion_rate']:.3f} | {scripted['completion_rate']:.3f} |",
            flush=True,
        )
        if learned["completion_rate"] < LEAST_OF_CREW * scripted["completion_rate"]:
            failures.append(f"{settings.task}: less than half of the crew's share")
        if learned["completion_rate"] < LEAST_TIMES_CHANCE * chance["completion_rate"]:
            failures.append(f"{settings.task}: not clearly above chance")
        asked = ["--task", settings.task, "--timing", TIMING, "--episodes", str(len(SEEDS)), "--seed", str(SEEDS.start)]
        told = out / "program.json"
        command = [options.program, "eval-ppo", "--model", str(out / "policy.bin"), *asked, "--out", str(told), "-q"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        alone = json.loads(told.read_text())["throughput_mean"]
        # One episode may part where two values are as near as NumPy rounds.
        if abs(alone - learned["throughput"]) > 0.05:
            failures.append(f"{settings.task}: the program releases {alone}, Python {learned['throughput']}")
    methods(SETTINGS[0].task, options.out / SETTINGS[0].task / "policy.bin")
    print(
        "\nEach: `labtrust train-ppo --task TASK --timing simulated --timesteps STEPS --net-arch 32,32 --out FOLDER`. "
        "The weights are those of one machine and NumPy; on another the figures differ a little."
    )
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
