"""Many episodes in one buffer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import labtrust


def legal(masks: Any, draw: np.random.Generator) -> Any:
    return (draw.random(masks.shape) * masks).argmax(axis=-1)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_it_steps_as_its_mode_says(mode: AutoresetMode) -> None:
    envs = labtrust.VectorEnv("stat_insertion", 4, autoreset_mode=mode, max_cycles=6, metrics=True)
    assert envs.metadata["autoreset_mode"] == mode
    draw = np.random.default_rng(1)
    observations, infos = envs.reset(seed=10)
    assert infos["seed"].tolist() == [10, 11, 12, 13]
    for step in range(1, 20):
        actions = legal(infos["action_mask"], draw)
        assert envs.action_space.contains(actions)
        observations, rewards, terminations, truncations, infos = envs.step(actions)
        assert envs.observation_space.contains(observations)
        assert (rewards.shape, rewards.dtype) == ((4,), np.float64)
        assert np.allclose(rewards, infos["agent_rewards"].mean(axis=1))
        period = 7 if mode == AutoresetMode.NEXT_STEP else 6
        ends = step % period == 6 % period
        assert truncations.tolist() == [ends] * 4 and not terminations.any()
        assert ("metrics" in infos) == ends
        if ends:
            assert all("throughput" in told for told in infos["metrics"])
        if ends and mode == AutoresetMode.SAME_STEP:
            assert infos["_final_obs"].all()
            assert not np.array_equal(infos["final_obs"][0], observations[0])
            assert infos["seed"].tolist() == [10 + 4 * (step // 6) + number for number in range(4)]


def test_an_episode_of_it_is_the_episode_of_an_environment() -> None:
    envs = labtrust.VectorEnv("adversarial_disruption", 3, threads=2)
    alone = labtrust.parallel_env("adversarial_disruption")
    draw = np.random.default_rng(2)
    observations, infos = envs.reset(seed=20)
    rows, single = alone.reset(seed=22)
    for _ in range(60):
        actions = legal(infos["action_mask"], draw)
        for place, name in enumerate(alone.possible_agents):
            assert np.array_equal(observations[2][place], rows[name])
            assert np.array_equal(infos["action_mask"][2][place], single[name]["action_mask"])
        observations, _, _, _, infos = envs.step(actions)
        rows, rewards, _, _, single = alone.step(dict(zip(alone.possible_agents, actions[2].tolist())))
        assert infos["agent_rewards"][2].tolist() == list(rewards.values())


def test_what_was_handed_out_stays_as_it_was_unless_asked_otherwise() -> None:
    for copy in (True, False):
        envs = labtrust.VectorEnv("throughput_sla", 2, copy=copy)
        observations, _ = envs.reset(seed=1)
        before = observations.copy()
        envs.step(np.zeros((2, len(envs.agents)), int))
        assert np.array_equal(before, observations) == copy


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one environment"):
        labtrust.VectorEnv("throughput_sla", 0)
    with pytest.raises(ValueError, match="NEXT_STEP"):
        labtrust.VectorEnv("throughput_sla", 2, autoreset_mode=AutoresetMode.DISABLED)
    envs = labtrust.VectorEnv("throughput_sla", 2)
    with pytest.raises(ValueError, match="shape"):
        envs.step(np.zeros(3, int))
    people = len(envs.agents)
    with pytest.raises(ValueError, match="reset"):
        envs.step(np.zeros((2, people), int))


def test_wrappers_of_gymnasium_take_it() -> None:
    from gymnasium.wrappers.vector import RecordEpisodeStatistics

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = RecordEpisodeStatistics(labtrust.VectorEnv("throughput_sla", 2, max_cycles=5))
        envs.reset(seed=1)
        for _ in range(5):
            _, _, _, _, infos = envs.step(envs.action_space.sample() * 0)
        assert infos["episode"]["l"].tolist() == [5, 5]
