"""Training: gradients, weights as files, the same weights again, and that anything is learned at all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labtrust import ppo, ppo_program
from labtrust.ppo import Adam, Network, Policy, Settings, learn, log_softmax, train
from labtrust.ppo_program import main
from labtrust.ppo_search import Search, search

TINY = Settings(num_envs=2, updates=2, minibatches=2, epochs=1, hidden=(8, 8))


class Caught(Adam):
    """Keeps gradients instead of following them."""

    def step(self, gradients: list[ppo.Array], rate: float) -> None:
        self.gradients = gradients


def test_gradients_are_those_of_the_objective() -> None:
    draw = np.random.default_rng(1)
    actor, critic = Network([5, 4, 4, 3], draw, 1.0), Network([5, 4, 4, 1], draw, 1.0)
    for network in (actor, critic):
        network.layers = [(weights.astype(np.float64), bias + 0.1) for weights, bias in network.layers]  # type: ignore[misc]
    count = 40
    seen = draw.standard_normal((count, 5))
    allowed = np.concatenate([np.ones((count, 1)), draw.random((count, 2)) < 0.7], axis=1).astype(np.int8)
    log_p = log_softmax(actor.forward(seen)[0], allowed)
    chosen = ppo.sample(log_p, draw)
    place = np.arange(count)
    chances = log_p[place, chosen] + draw.normal(0, 0.3, count)
    advantages, returns = draw.standard_normal(count), draw.standard_normal(count)
    settings = Settings(entropy=0.05)

    def objective() -> float:
        log_p = log_softmax(actor.forward(seen)[0], allowed)
        ratio = np.exp(log_p[place, chosen] - chances)
        wanted = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        gain = np.minimum(ratio * wanted, np.clip(ratio, 0.8, 1.2) * wanted).mean()
        entropy = -(np.exp(log_p) * np.where(allowed == 1, log_p, 0)).sum(axis=-1).mean()
        error = critic.forward(seen)[0][:, 0] - returns
        return float(-gain - settings.entropy * entropy + 0.5 * (error**2).mean())

    parameters = actor.parameters() + critic.parameters()
    learner = Caught(parameters)
    learn(actor, critic, learner, [seen, allowed, chosen, chances, advantages, returns], settings, 0.0)
    for part, gradient in zip(parameters, learner.gradients):
        index = tuple(int(draw.integers(size)) for size in part.shape)
        kept, step = part[index], 1e-5
        part[index] = kept + step
        above = objective()
        part[index] = kept - step
        below = objective()
        part[index] = kept
        assert gradient[index] == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-6)


def test_the_same_settings_give_the_same_file_and_the_file_the_same_policy(tmp_path: Path) -> None:
    first, history = train(TINY, talk=False)
    second, _ = train(replace(TINY, threads=2), talk=False)
    digest = first.save(tmp_path / "a.bin")
    assert digest == second.save(tmp_path / "b.bin") and len(history) == 2
    again = Policy.load(tmp_path / "a.bin")
    assert again.trained == first.trained
    draw = np.random.default_rng(3)
    observations = draw.random((4, len(first.scale)), np.float32) * 10
    masks = np.ones((4, 29), np.int8)
    assert np.array_equal(first.log_p(first.look(observations), masks), again.log_p(again.look(observations), masks))


def test_a_file_that_is_no_policy_is_refused(tmp_path: Path) -> None:
    policy, _ = train(TINY, talk=False)
    path = tmp_path / "policy.bin"
    policy.save(path)
    data = path.read_bytes()
    for wrong, told in (
        (data[:-4], "too early"),
        (b'{"kind":"cake"}\n', "is no labtrust.policy"),
        (b"[]\n", "is no labtrust.policy"),
        (b"no line", "is no labtrust.policy"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=told):
            Policy.load(path)


def test_what_is_forbidden_is_never_done() -> None:
    draw = np.random.default_rng(4)
    masks = (draw.random((1000, 29)) < 0.2).astype(np.int8)
    masks[:, 0] = 1
    log_p = log_softmax(draw.standard_normal((1000, 29)).astype(np.float32), masks)
    assert (masks[np.arange(1000), ppo.sample(log_p, draw)] == 1).all()
    assert np.allclose(np.exp(log_p).sum(axis=-1), 1, atol=1e-5)


def test_eyes_remember_what_was_seen_and_forget_it_with_the_episode() -> None:
    policy = Policy(train(TINY, talk=False)[0].trained, Network([6, 2], np.random.default_rng(0), 1.0), np.ones(2, np.float32), 3)
    eyes = policy.eyes()
    moments = [np.array([[[n, 0.5]], [[n, 1.0]]], np.float32) for n in (0.0, 1.0, 2.0)]
    assert eyes.see(moments[0])[0, 0].tolist() == [0, 0.5, 0, 0.5, 0, 0.5]
    assert eyes.see(moments[1])[0, 0].tolist() == [0, 0.5, 0, 0.5, 1, 0.5]
    later = eyes.see(moments[2], np.array([False, True]))
    assert later[0, 0].tolist() == [0, 0.5, 1, 0.5, 2, 0.5] and later[1, 0].tolist() == [2, 1, 2, 1, 2, 1]


def test_a_few_updates_are_better_than_chance() -> None:
    settings = Settings(timing="simulated", num_envs=16, updates=24, hidden=(32, 32))
    policy, _ = train(settings, talk=False)
    seeds = range(10_000, 10_020)
    learned = ppo.play("throughput_sla", "simulated", seeds, policy).figures()
    chance = ppo.play("throughput_sla", "simulated", seeds, None).figures()
    assert learned["throughput"] > chance["throughput"] + 0.5


def trained_by_command(out: Path, *more: str) -> int:
    small = ("--task", "throughput_sla", "--num-envs", "2", "--n-steps", "8", "--net-arch", "8,8", "--timesteps", "64")
    return main(["train", *small, "--out", str(out), *more])


def test_a_run_leaves_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained_by_command(tmp_path, "--checkpoint-every", "16", "--keep-best", "2") == 0
    metrics = json.loads((tmp_path / "eval_metrics.json").read_text())
    assert capsys.readouterr().out == f"Mean reward: {metrics['mean_reward']:.2f}\n"
    assert metrics["n_episodes"] == len(metrics["episode_rewards"]) == 5
    checkpoints = sorted(path.name for path in tmp_path.glob("checkpoint_*.bin"))
    assert len(checkpoints) == 2, checkpoints
    best = (tmp_path / "best_model.bin").read_bytes()
    assert best == (tmp_path / "policy.bin").read_bytes()
    assert best in [(tmp_path / name).read_bytes() for name in checkpoints]
    told = json.loads((tmp_path / "train.json").read_text())
    assert told["sha256"] == hashlib.sha256(best).hexdigest() and len(told["history"]) == 4
    config = json.loads((tmp_path / "train_config.json").read_text())
    assert (config["hidden"], config["n_steps"], config["checkpoint_every"]) == ([8, 8], 8, 16)


def test_the_best_checkpoints_stay_and_of_equals_the_earlier_is_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewards = iter([1.0, 3.0, 2.0, 3.0])
    monkeypatch.setattr(ppo_program, "play", lambda *_: ppo.Played([{"throughput": 0, "completion_rate": 0}], [next(rewards)]))
    checkpoints = ppo_program.Checkpoints(TINY, tmp_path, every=10, keep_best=2)
    policy = Policy.load(Path(__file__).parent / "learned" / "policy.bin")
    for steps in (4, 12, 16, 20, 30, 49):
        checkpoints.watch(steps, policy)
    assert checkpoints.best == [(3.0, 20), (3.0, 49)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint_20.bin", "checkpoint_49.bin"]


def test_a_configuration_file_sets_what_no_option_says(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"net_arch": [4], "learning_rate": 0.01, "obs_history_len": 2, "entropy": 0.0}))
    assert trained_by_command(tmp_path / "out", "--train-config", str(config), "--learning-rate", "0.02") == 0
    settings = json.loads((tmp_path / "out" / "train.json").read_text())["settings"]
    assert settings["hidden"] == [8, 8] and settings["learning_rate"] == 0.02
    assert settings["history"] == 2 and settings["entropy"] == 0.0
    assert Policy.load(tmp_path / "out" / "policy.bin").history == 2


@pytest.mark.parametrize(
    ("document", "more", "told"),
    [
        ({"num_agents": 5}, [], "num_agents is not there: one policy plays all seats"),
        ({"leraning_rate": 0.1}, [], "no setting leraning_rate"),
        ({"learning_rate": "fast"}, [], "should be float"),
        ({"net_arch": [0]}, [], "64,64"),
        ({}, ["--obs-history-len", "65"], "from 1 to 64"),
        ({}, ["--learning-rate", "0"], "learning_rate is 0"),
        ({}, ["--keep-best", "1"], "--checkpoint-every"),
        ({}, ["--n-steps", "0"], "n_steps is 0"),
        ({}, ["--task", "no_such_task"], "no_such_task"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], document: dict[str, Any], more: list[str], told: str
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(document))
    assert trained_by_command(tmp_path / "out", "--train-config", str(config), *more) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out" / "policy.bin").exists()


def test_a_search_halves_and_finds_the_same_again(tmp_path: Path) -> None:
    base = Settings(timing="simulated", num_envs=2, n_steps=8)
    first, again = (search(base, Search(4, 32), talk=False) for _ in range(2))
    assert first == again
    assert [len(rows) for rows in first.rounds] == [4, 1]
    assert first.rounds[1][0][0].timesteps == 3 * first.rounds[0][0][0].timesteps
    values = [value for _, value in first.rounds[0]]
    assert values == sorted(values, reverse=True)
    assert len({one.learning_rate for one, _ in first.rounds[0]}) == 4
    arguments = ["search", "--task", "throughput_sla", "--num-envs", "2", "--trials", "2", "--timesteps", "16"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "search.json").read_text())
    assert told["n_trials"] == 2 and (tmp_path / "policy.bin").exists()
