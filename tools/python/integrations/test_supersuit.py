"""SuperSuit's wrappers around the parallel environment."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import labtrust

supersuit = pytest.importorskip("supersuit")
EPISODES = 3


def legal(masks: Any, draw: np.random.Generator) -> Any:
    return (draw.random(masks.shape) * masks).argmax(axis=-1)


@pytest.mark.parametrize("task", labtrust.tasks())
def test_agents_as_environments_of_a_vector(task: str) -> None:
    plain = labtrust.parallel_env(task, recorded=False)
    envs = supersuit.pettingzoo_env_to_vec_env_v1(labtrust.parallel_env(task, recorded=False))
    assert envs.num_envs == len(plain.possible_agents)
    draw = np.random.default_rng(1)
    observations, infos = envs.reset(seed=5)
    expected, _ = plain.reset(seed=5)
    for _ in range(EPISODES * plain.max_cycles):
        if not plain.agents:
            # The vector begins the next episode by itself, in the same step.
            expected, _ = plain.reset()
        assert np.array_equal(observations, np.stack(list(expected.values())))
        actions = legal(np.stack([info["action_mask"] for info in infos]), draw)
        observations, rewards, terminations, truncations, infos = envs.step(actions)
        expected, paid, _, _, _ = plain.step(dict(zip(plain.possible_agents, actions.tolist())))
        assert rewards.tolist() == pytest.approx(list(paid.values())) and not np.any(terminations)
        if not plain.agents:
            assert np.all(truncations)


def test_copies_side_by_side() -> None:
    envs = supersuit.pettingzoo_env_to_vec_env_v1(labtrust.parallel_env("throughput_sla", recorded=False))
    many = supersuit.concat_vec_envs_v1(envs, 3, num_cpus=0, base_class="gymnasium")
    observations, infos = many.reset(seed=7)
    assert observations.shape == (3 * envs.num_envs, *envs.observation_space.shape)
    assert [info["seed"] for info in infos[:: envs.num_envs]] == [7, 8, 9]
    for _ in range(100):
        observations, rewards, _, _, _ = many.step(np.zeros(many.num_envs, np.int64))
    assert np.isfinite(observations).all() and rewards.shape == (many.num_envs,)


@pytest.mark.parametrize("mask", ["info", "none"])
def test_wrappers_of_observations(mask: Any) -> None:
    env = labtrust.parallel_env("stat_insertion", action_mask=mask)
    env = supersuit.frame_stack_v1(supersuit.dtype_v0(supersuit.flatten_v0(env), np.float32), 2)
    observations, _ = env.reset(seed=1)
    length = labtrust.parallel_env("stat_insertion").observation_space("ops_0").shape[0]
    assert all(observation.shape == (2 * length,) for observation in observations.values())
    while env.agents:
        observations, _, _, _, infos = env.step(dict.fromkeys(env.agents, 0))
    assert json.dumps(infos["ops_0"]["metrics"])
