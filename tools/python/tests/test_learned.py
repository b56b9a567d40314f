"""The file of a policy: NumPy and the program come to the same of it.

``learned/policy.bin`` has random weights, ``learned/rows.json`` what agents saw in an episode; with ``LABTRUST_REGENERATE``
both are written anew. ``learned/golden.json`` has what the program's network says of every row, bit by bit; the test
``tests/tests/learned.rs`` of the program writes it and holds the program to it.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labtrust
from labtrust.learned import Network, Policy, Trained, log_softmax, sample, scales
from labtrust.ppo import play
from labtrust.program import command
from labtrust.vector import VectorEnv

FIXTURE = Path(__file__).parent / "learned"
AGENTS, STEPS, HISTORY, HIDDEN = 3, 16, 2, 6
TASK = "throughput_sla"


def random_policy(envs: VectorEnv, history: int = 1, hidden: int = HIDDEN) -> Policy:
    draw = np.random.default_rng(20)
    scale = scales(envs.world.fields)
    actor = Network([len(scale) * history, hidden, len(envs.world.actions)], draw, 3.0)
    actor.layers = [(weights, draw.standard_normal(bias.shape).astype(np.float32)) for weights, bias in actor.layers]
    # Who would rather wait than act is no test.
    actor.layers[-1][1][0] -= 8
    return Policy(Trained.of(envs.world), actor, scale, history)


def write_fixture() -> None:
    envs = VectorEnv(TASK, 1, timing="simulated")
    random_policy(envs, HISTORY).save(FIXTURE / "policy.bin")
    draw = np.random.default_rng(21)
    observations, infos = envs.reset(seed=5)
    rows: list[dict[str, Any]] = []
    for _ in range(STEPS):
        masks = infos["action_mask"]
        for agent in range(AGENTS):
            mask = int(sum(1 << index for index in np.flatnonzero(masks[0, agent])))
            # Also what no episode shows: everything allowed, so that the order of all values counts.
            mask = mask if len(rows) % 2 else (1 << masks.shape[-1]) - 1
            rows.append({"agent": agent, "numbers": [int(one) for one in observations[0, agent]], "mask": mask})
        observations, _, _, _, infos = envs.step(sample(log_softmax(np.zeros(masks.shape, np.float32), masks), draw))
    text = "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n"
    (FIXTURE / "rows.json").write_text(text)


def test_numpy_and_the_program_choose_the_same_on_the_same_observations() -> None:
    if os.environ.get("LABTRUST_REGENERATE"):
        write_fixture()
    policy = Policy.load(FIXTURE / "policy.bin")
    rows = json.loads((FIXTURE / "rows.json").read_text())
    golden = json.loads((FIXTURE / "golden.json").read_text())
    assert len(rows) == len(golden) == AGENTS * STEPS
    eyes = [policy.eyes() for _ in range(AGENTS)]
    for row, said in zip(rows, golden):
        seen = eyes[row["agent"]].see(np.array([row["numbers"]], np.float32))
        values = policy.actor.forward(seen)[0][0]
        exact = [struct.unpack(">d", bytes.fromhex(bits))[0] for bits in said["values"]]
        # NumPy adds in float32 and in another order.
        assert np.allclose(values, exact, rtol=0, atol=2e-5)
        masks = np.array([[row["mask"] >> index & 1 for index in range(len(values))]], np.int8)
        assert int(policy.log_p(seen, masks).argmax()) == said["action"]
    # The rows are no formality: many different things are chosen.
    assert len({said["action"] for said in golden}) >= 4


@pytest.mark.parametrize("timing", ["explicit", "simulated"])
def test_the_program_plays_the_episodes_that_numpy_plays(tmp_path: Path, timing: str) -> None:
    envs = VectorEnv(TASK, 1, timing=timing)
    for history in (1, 3):
        path = tmp_path / f"{history}.bin"
        random_policy(envs, history).save(path)
        seeds = range(70, 74)
        played = play(TASK, timing, seeds, Policy.load(path))
        more = ["--coord-method", "marl_ppo", "--coord-param", f"model_path={path}"]
        results = labtrust.run_benchmark(TASK, episodes=len(seeds), seed=seeds.start, timing=timing, more=more)
        theirs = [episode["metrics"] for episode in results.episodes]
        for ours, told in zip(played.metrics, theirs):
            told.pop("coordination")
            assert ours == told
        assert any(one["actions_attempted"] > 0 for one in theirs)


def test_what_a_policy_is_paid_is_the_same_in_both(tmp_path: Path) -> None:
    path, out = tmp_path / "policy.bin", tmp_path / "figures.json"
    random_policy(VectorEnv(TASK, 1)).save(path)
    arguments = ["--model", str(path), "--episodes", "3", "--seed", "9", "--timing", "simulated", "--out", str(out)]
    command("eval-ppo", *arguments)
    told = json.loads(out.read_text())
    played = play(TASK, "simulated", range(9, 12), Policy.load(path))
    assert told["episode_rewards"] == pytest.approx(played.rewards, abs=1e-9)


def test_a_policy_for_another_laboratory_is_refused(tmp_path: Path) -> None:
    policy = random_policy(VectorEnv(TASK, 1))
    with pytest.raises(ValueError, match="queue_lengths"):
        play("coord_scale", None, range(1), policy)
    path = tmp_path / "policy.bin"
    policy.save(path)
    with pytest.raises(labtrust.CommandFailed, match="queue_lengths") as failed:
        command("eval-ppo", "--task", "coord_scale", "--model", str(path))
    assert failed.value.code == 1
