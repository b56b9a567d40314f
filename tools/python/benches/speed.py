"""What an agent-step costs from Python, random legal actions and observations included: `python benches/speed.py`.

An agent-step is one agent's share of a step. Times are of the processor of this machine; what counts is how the rows compare.
Built in a hurry the program is several times slower: measure a wheel that was built with `maturin build --release`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import labtrust


def measured(agent_steps: Callable[[], int], least_s: float = 1.0) -> float:
    """Microseconds an agent-step."""
    agent_steps()
    count, begun = 0, time.process_time()
    while time.process_time() - begun < least_s:
        count += agent_steps()
    return (time.process_time() - begun) / count * 1e6


def parallel(task: str, **options: object) -> Callable[[], int]:
    """An episode of the parallel environment."""
    env = labtrust.parallel_env(task, metrics=False, **options)  # type: ignore[arg-type]
    draw = np.random.default_rng(1)

    def episode() -> int:
        _, infos = env.reset()
        steps = 0
        while env.agents:
            masks = np.stack([infos[name]["action_mask"] for name in env.agents])
            chosen = (draw.random(masks.shape) * masks).argmax(axis=-1)
            _, _, _, _, infos = env.step(dict(zip(env.agents, chosen.tolist())))
            steps += len(env.possible_agents)
        return steps

    return episode


def vector(task: str, num_envs: int, **options: object) -> Callable[[], int]:
    """Some steps of the vector environment."""
    envs = labtrust.VectorEnv(task, num_envs, copy=False, autoreset_mode="SameStep", **options)  # type: ignore[arg-type]
    draw = np.random.default_rng(1)
    _, infos = envs.reset(seed=1)
    state = {"masks": infos["action_mask"]}
    noise = draw.random((64, *infos["action_mask"].shape), np.float32)

    def steps() -> int:
        for one in noise:
            chosen = (one * state["masks"]).argmax(axis=-1)
            _, _, _, _, told = envs.step(chosen)
            state["masks"] = told["action_mask"]
        return len(noise) * num_envs * len(envs.agents)

    return steps


def main() -> None:
    """Prints a table."""
    rows: list[tuple[str, Callable[[], int]]] = []
    for task in ("throughput_sla", "adversarial_disruption", "coord_scale"):
        rows.append((f"parallel_env {task}", parallel(task)))
        rows.append((f"parallel_env {task}, not recorded", parallel(task, recorded=False)))
    rows.append(("parallel_env coord_scale, 200 workers", parallel("coord_scale", scale="scale_200", max_cycles=50)))
    for task in ("throughput_sla", "adversarial_disruption", "coord_scale"):
        rows.append((f"VectorEnv {task} x 64", vector(task, 64)))
        rows.append((f"VectorEnv {task} x 64, not recorded", vector(task, 64, recorded=False)))
    print("| what | µs an agent-step |\n|---|---:|")
    for name, work in rows:
        print(f"| {name} | {measured(work):.2f} |", flush=True)


if __name__ == "__main__":
    main()
