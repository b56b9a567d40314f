"""What our own environments promise beyond the official tests."""

from __future__ import annotations

import filecmp
import json
import pickle
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import labtrust
from labtrust.examples import Keen

keen = Keen().choose


@pytest.mark.parametrize("task", ["throughput_sla", "adversarial_disruption", "multi_site_stat", "device_outage_surge"])
def test_a_program_s_run_and_python_s_have_the_same_bytes(task: str, tmp_path: Path) -> None:
    """The same agents, once played from Python and once by the program in a process of their own."""
    env = labtrust.parallel_env(task, log=True)
    with (tmp_path / "python.jsonl").open("wb") as file:
        metrics = []
        for seed in (5, None):
            _, infos = env.reset(seed=seed)
            while env.agents:
                actions = {name: keen(infos[name]["action_mask"]) for name in env.agents}
                _, _, _, _, infos = env.step(actions)
            file.write(env.log())
            metrics.append(infos[env.possible_agents[0]]["metrics"])
    labtrust.program.command(
        "eval-agent", "--task", task, "--agent", "labtrust.examples:Keen", "--seat", "all", "--episodes", "2",
        "--seed", "5", "--out", tmp_path / "results.json", "--log", tmp_path / "program.jsonl", "--quiet",
    )  # fmt: skip
    assert filecmp.cmp(tmp_path / "python.jsonl", tmp_path / "program.jsonl", shallow=False)
    results = json.loads((tmp_path / "results.json").read_text())
    assert [episode["seed"] for episode in results["episodes"]] == [5, 6]
    assert [episode["metrics"] for episode in results["episodes"]] == metrics
    assert metrics[0]["throughput"] > 0


def test_spaces_are_declared_completely_and_say_what_is_there() -> None:
    for version, keys in (("0.1", 11), ("0.2", 32)):
        env = labtrust.parallel_env("adversarial_disruption", observation="dict", spaces_version=version)
        flat = labtrust.parallel_env("adversarial_disruption", spaces_version=version)
        observations, infos = env.reset(seed=3)
        rows, _ = flat.reset(seed=3)
        for _ in range(40):
            for name, observation in observations.items():
                space = env.observation_space(name)
                assert isinstance(space, spaces.Dict) and len(space) == keys
                assert space.contains(observation)
                assert flat.observation_space(name).contains(rows[name])
                joined = np.concatenate([np.atleast_1d(value).astype(np.float32) for value in observation.values()])
                assert np.array_equal(joined, rows[name])
                assert infos[name]["action_mask"].shape == (env.action_space(name).n,)
            actions = {name: keen(np.resize(infos[name]["action_mask"], 29)) for name in env.agents}
            actions = {name: index if env.action_space(name).contains(index) else 0 for name, index in actions.items()}
            observations, _, _, _, infos = env.step(actions)
            rows, _, _, _, _ = flat.step(actions)
        assert env.state_space.contains(env.state())


@pytest.mark.parametrize(("task", "options"), [("adversarial_disruption", {}), ("coord_scale", {"scale": "medium_stress_signed_bus", "max_cycles": 15})])
def test_masks_of_everybody_are_those_of_each(task: str, options: dict[str, Any]) -> None:
    """Agents that stand together with one role share the work of finding their mask; in words it is made for one alone."""
    env = labtrust.parallel_env(task, **options)
    _, infos = env.reset(seed=2)
    shared = 0
    while env.agents:
        masks = [infos[name]["action_mask"].tolist() for name in env.agents]
        assert masks == [env.describe(name)["action_mask"] for name in env.agents]
        shared += len(masks) - len({tuple(mask) for mask in masks})
        _, _, _, _, infos = env.step({name: keen(infos[name]["action_mask"]) for name in env.agents})
    assert shared


def test_words_stand_beside_an_index_in_either_interface() -> None:
    words = {"action_type": "OPEN_DOOR", "args": {"door_id": "D_RESTRICTED_AIRLOCK"}}
    env = labtrust.parallel_env("adversarial_disruption", log=True)
    env.reset(seed=1)
    env.step({"ops_0": (0, words)})
    by_tuple = env.log()
    env.reset(seed=1)
    env.step({"ops_0": 0}, {"ops_0": words})
    # The second episode of an environment says so in its log.
    assert by_tuple.replace(b'"episode":0', b'"episode":1') == env.log()
    assert b'"action_type":"OPEN_DOOR","agent_id":"A_OPS_0"' in by_tuple
    turns = labtrust.env("adversarial_disruption", log=True)
    turns.reset(seed=1)
    for name in turns.unwrapped.possible_agents:
        turns.step((0, words) if name == "ops_0" else 0)
    assert turns.unwrapped.log() == by_tuple


def test_what_cannot_be_is_refused_in_one_sentence() -> None:
    for wrong, told in (
        ({"task": "no_such_task"}, "throughput_sla"),
        ({"spaces_version": "0.3"}, "0.1, 0.2"),
        ({"observation": "pixels"}, "flat, dict"),
        ({"action_mask": "both"}, "info, observation"),
        ({"render_mode": "gif"}, "rgb_array"),
        ({"agents": ["nobody"]}, "ops_0"),
        ({"crew": "nobody"}, "random_legal"),
        ({"timing": "fast"}, "explicit"),
        ({"rewards": {"luck": 1.0}}, "throughput_reward"),
        ({"max_cycles": 0}, "at least one step"),
        ({"log": True, "recorded": False}, "no log"),
    ):
        with pytest.raises(ValueError, match=told):
            labtrust.parallel_env(**wrong)
    env = labtrust.parallel_env()
    with pytest.raises(RuntimeError, match="reset"):
        env.step({})
    env.reset(seed=1)
    with pytest.raises(ValueError, match="nobody"):
        env.step({"nobody": 0})
    with pytest.raises(ValueError, match="ops_0"):
        env.step({"ops_0": (2, {"work_id": 7})})
    with pytest.raises(TypeError):
        env.step({"ops_0": 1.5})
    with pytest.raises((ValueError, OverflowError)):
        env.reset(seed=-1)


def test_one_agent_alone_plays_with_the_crew_of_the_task() -> None:
    env = labtrust.LabGymEnv("throughput_sla", "qc_0")
    _, info = env.reset(seed=7)
    over = False
    while not over:
        _, _, terminated, over, info = env.step(0)
        assert not terminated
    alone = info["metrics"]
    assert alone["throughput"] > 0
    assert env.action_masks().tolist() == [True] + [False] * 28
    crew = labtrust.run_benchmark("throughput_sla", episodes=1, seed=7)
    idle = {name: count for name, count in crew.episodes[0]["metrics"]["actions_by_agent"].items() if name != "qc_0"}
    assert alone["actions_by_agent"].keys() == idle.keys() | {"qc_0"}


@pytest.mark.parametrize("made", [labtrust.parallel_env, labtrust.env, labtrust.LabGymEnv])
def test_a_copy_is_a_new_environment_of_the_same_kind(made: Any) -> None:
    """SuperSuit copies environments by pickle, and so does whoever sends one to another process."""
    env = made("stat_insertion", max_cycles=7, scale=None, rewards={"throughput_reward": 2.0})
    env.reset(seed=3)
    for copy in (pickle.loads(pickle.dumps(env)), deepcopy(env)):
        two = [one.unwrapped for one in (env, copy)]
        assert [one.episodes.world.max_steps for one in two] == [7, 7] and two[0] is not two[1]
        for one in two:
            one.reset(seed=4)
        assert np.array_equal(*(one.episodes.state() for one in two))


def test_a_picture_shows_a_laboratory_and_its_changes() -> None:
    env = labtrust.parallel_env("adversarial_disruption", render_mode="rgb_array")
    _, infos = env.reset(seed=3)
    first = env.render()
    assert isinstance(first, np.ndarray) and first.dtype == np.uint8 and first.shape[2] == 3
    assert first.shape[0] > 300 and first.shape[1] > 700 and len(np.unique(first.reshape(-1, 3), axis=0)) > 20
    assert np.array_equal(first, env.render())
    for _ in range(30):
        _, _, _, _, infos = env.step({name: keen(infos[name]["action_mask"]) for name in env.agents})
    assert not np.array_equal(first, env.render())


def test_text_shows_everybody() -> None:
    env = labtrust.parallel_env(render_mode="ansi")
    env.reset(seed=1)
    text = env.render()
    assert isinstance(text, str) and text.startswith("LabTrustParallelEnv step=0 t_s=10")
    assert all(f"  {name}: zone=Z_" in text for name in env.possible_agents)
