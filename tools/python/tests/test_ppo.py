"""Training: gradients, weights as files, the same weights again, and that anything is learned at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labtrust import ppo
from labtrust.ppo import Adam, Network, Policy, Settings, learn, log_softmax, train

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
    second, _ = train(Settings(**{**TINY.__dict__, "threads": 2}), talk=False)
    digest = first.save(tmp_path / "a.bin")
    assert digest == second.save(tmp_path / "b.bin") and len(history) == 2
    again = Policy.load(tmp_path / "a.bin")
    draw = np.random.default_rng(3)
    observations = draw.random((4, len(first.scale)), np.float32) * 10
    masks = np.ones((4, 29), np.int8)
    assert np.array_equal(first.log_p(observations, masks), again.log_p(observations, masks))


def test_a_file_that_is_no_policy_is_refused(tmp_path: Path) -> None:
    policy, _ = train(TINY, talk=False)
    path = tmp_path / "policy.bin"
    policy.save(path)
    data = path.read_bytes()
    for wrong, told in ((data[:-4], "too early"), (b'{"kind":"cake"}\n', "is no labtrust.policy")):
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


def test_a_few_updates_are_better_than_chance() -> None:
    policy, _ = train(Settings(num_envs=16, updates=12), talk=False)
    seeds = range(10_000, 10_020)
    learned = ppo.play("throughput_sla", None, seeds, policy)
    chance = ppo.play("throughput_sla", None, seeds, None)
    assert learned["throughput"] > chance["throughput"]
