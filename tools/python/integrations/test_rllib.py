"""RLlib's wrappers around both of PettingZoo's interfaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import labtrust

pettingzoo_env = pytest.importorskip("ray.rllib.env.wrappers.pettingzoo_env")
EPISODES = 50


def drawn(mask: Any, draw: np.random.Generator) -> int:
    return int(draw.choice(np.flatnonzero(mask)))


def test_a_random_policy_on_the_parallel_interface() -> None:
    env = pettingzoo_env.ParallelPettingZooEnv(labtrust.parallel_env("throughput_sla"))
    draw = np.random.default_rng(1)
    released = []
    for seed in range(EPISODES):
        observations, infos = env.reset(seed=seed)
        over = {"__all__": False}
        while not over["__all__"]:
            assert all(env.observation_space[name].contains(one) for name, one in observations.items())
            actions = {name: drawn(infos[name]["action_mask"], draw) for name in observations}
            observations, rewards, terminations, over, infos = env.step(actions)
            assert not terminations["__all__"] and rewards.keys() == actions.keys()
        released.append(infos["ops_0"]["metrics"]["throughput"])
    assert max(released) > 0


def test_a_random_policy_on_the_turn_based_interface() -> None:
    env = pettingzoo_env.PettingZooEnv(labtrust.env("throughput_sla", max_cycles=20, action_mask="observation"))
    draw = np.random.default_rng(1)
    for seed in range(3):
        observations, _ = env.reset(seed=seed)
        steps, over = 0, False
        while not over:
            ((name, observation),) = observations.items()
            observations, _, _, truncations, _ = env.step({name: drawn(observation["action_mask"], draw)})
            over = truncations["__all__"] or not observations
            steps += 1
        assert steps >= 20 * 7
