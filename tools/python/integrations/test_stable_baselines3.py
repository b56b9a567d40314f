"""Stable-Baselines3 on one agent, and on all of them through SuperSuit. Needs torch."""

from __future__ import annotations

import numpy as np
import pytest

import labtrust

stable_baselines3 = pytest.importorskip("stable_baselines3")
sb3_contrib = pytest.importorskip("sb3_contrib")
supersuit = pytest.importorskip("supersuit")


def test_its_own_check_of_environments() -> None:
    from stable_baselines3.common.env_checker import check_env

    check_env(labtrust.LabGymEnv("throughput_sla", "ops_0", recorded=False))


def test_masked_ppo_plays_one_seat() -> None:
    env = labtrust.LabGymEnv("throughput_sla", "ops_0", recorded=False, metrics=False)
    model = sb3_contrib.MaskablePPO("MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=1, seed=1)
    model.learn(128)
    observation, _ = env.reset(seed=5)
    action, _ = model.predict(observation, action_masks=env.action_masks(), deterministic=True)
    assert env.action_masks()[int(action)]


def test_ppo_plays_all_seats_through_supersuit() -> None:
    envs = supersuit.pettingzoo_env_to_vec_env_v1(labtrust.parallel_env("throughput_sla", recorded=False))
    envs = supersuit.concat_vec_envs_v1(envs, 2, num_cpus=0, base_class="stable_baselines3")
    # SuperSuit's list of environments cannot be seeded by Stable-Baselines3, which a `seed` here would try.
    model = stable_baselines3.PPO("MlpPolicy", envs, n_steps=32, batch_size=64, n_epochs=1)
    model.learn(2 * 32 * 7)
    actions, _ = model.predict(envs.reset())
    assert np.asarray(actions).shape == (2 * 7,)
