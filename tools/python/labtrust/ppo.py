"""Proximal policy optimisation with one policy for all agents and masked actions, in NumPy alone.

``python -m labtrust.ppo train --task throughput_sla --out model`` trains on :class:`labtrust.VectorEnv`, ``... eval`` plays
held-out seeds with the trained policy, with random legal actions and with the task's own crew, ``... search`` looks for
settings. The same arguments give the same weights on the same machine and NumPy. ``labtrust run-benchmark --coord-method
marl_ppo`` plays the file.

Sources: Schulman et al., "Proximal policy optimization algorithms", arXiv 1707.06347 (2017); masks as in Huang and Ontañón,
"A closer look at invalid action masking in policy gradient algorithms", FLAIRS (2022); one policy for all agents as in Yu
et al., "The surprising effectiveness of PPO in cooperative multi-agent games", NeurIPS (2022); shaping by a potential as in
Ng, Harada and Russell, "Policy invariance under reward transformations", ICML (1999).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from labtrust.learned import Array, Masks, Network, Policy, Trained, log_softmax, sample, scales
from labtrust.vector import VectorEnv

__all__ = ["Adam", "Array", "Masks", "Network", "Policy", "Settings", "learn", "log_softmax", "sample", "train"]

# What a specimen has behind it at each stage, from in transit to rejected: the potential.
PROGRESS = (0, 0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10, 12, 0, 0)


@dataclass(frozen=True)
class Settings:
    """What a training run is made with."""

    task: str = "throughput_sla"
    timing: str | None = None
    seed: int = 123
    num_envs: int = 32
    # Steps of one environment between two updates; those of an episode where it is not given.
    n_steps: int | None = None
    # Steps of all environments together; an update that is begun is finished.
    timesteps: int = 50_000
    # In place of timesteps.
    updates: int | None = None
    epochs: int = 4
    minibatches: int = 8
    hidden: tuple[int, ...] = (64, 64)
    # Observations that the policy sees at once.
    history: int = 1
    learning_rate: float = 2e-3
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    shaping: float = 0.1
    threads: int = 1
    extra: dict[str, Any] = field(default_factory=dict)


class Adam:
    """Adam (Kingma and Ba, 2015), with gradients cut to a norm of one half."""

    def __init__(self, parameters: list[Array]) -> None:
        self.parameters = parameters
        self.first = [np.zeros_like(part) for part in parameters]
        self.second = [np.zeros_like(part) for part in parameters]
        self.steps = 0

    def step(self, gradients: list[Array], rate: float) -> None:
        """Moves the parameters."""
        norm = float(np.sqrt(sum(float((part**2).sum()) for part in gradients)))
        cut = min(1.0, 0.5 / (norm + 1e-8))
        self.steps += 1
        rate *= float(np.sqrt(1 - 0.999**self.steps)) / (1 - 0.9**self.steps)
        for part, first, second, gradient in zip(self.parameters, self.first, self.second, gradients):
            gradient = gradient * cut
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            part -= rate * first / (np.sqrt(second) + 1e-8)


def potential(envs: VectorEnv, observations: Array) -> npt.NDArray[np.float64]:
    """How far everything is on its way, for each environment."""
    at = 0
    for name, _, length, _, _ in envs.world.fields:
        if name == "specimens_by_stage":
            stages = observations[:, 0, at : at + length].astype(np.float64)
            return stages @ np.array(PROGRESS, np.float64)
        at += length
    raise ValueError("observations of version 0.1 do not tell the stages")


Watch = Callable[[int, Policy], None]


def train(
    settings: Settings, talk: bool = True, watch: Watch | None = None
) -> tuple[Policy, list[dict[str, float]]]:
    """Trains a policy; also what every update looked like. ``watch`` is told steps and policy after each update."""
    draw = np.random.default_rng(settings.seed)
    envs = VectorEnv(
        settings.task,
        settings.num_envs,
        timing=settings.timing,
        autoreset_mode="SameStep",
        threads=settings.threads,
        recorded=False,
        copy=False,
        **settings.extra,
    )
    people = len(envs.agents)
    steps = envs.world.max_steps if settings.n_steps is None else settings.n_steps
    each = steps * settings.num_envs
    updates = -(-settings.timesteps // each) if settings.updates is None else settings.updates
    scale = scales(envs.world.fields)
    inputs, actions = len(scale) * settings.history, len(envs.world.actions)
    actor = Network([inputs, *settings.hidden, actions], draw, 0.01)
    critic = Network([inputs, *settings.hidden, 1], draw, 1.0)
    policy = Policy(Trained.of(envs.world), actor, scale, settings.history)
    eyes = policy.eyes()
    learner = Adam(actor.parameters() + critic.parameters())
    observations, infos = envs.reset(seed=settings.seed)
    masks = infos["action_mask"]
    shape = (steps, settings.num_envs, people)
    seen = np.zeros((*shape, inputs), np.float32)
    allowed = np.zeros((*shape, actions), np.int8)
    chosen = np.zeros(shape, np.int64)
    chances, values, rewards = (np.zeros(shape, np.float32) for _ in range(3))
    over = np.zeros((steps, settings.num_envs), np.bool_)
    history: list[dict[str, float]] = []
    begun = time.perf_counter()
    looked = eyes.see(observations)
    for update in range(updates):
        earned = 0.0
        before = potential(envs, observations)
        for step in range(steps):
            seen[step], allowed[step] = looked, masks
            flat = seen[step].reshape(-1, inputs)
            log_p = log_softmax(actor.forward(flat)[0].reshape(*shape[1:], actions), allowed[step])
            chosen[step] = sample(log_p, draw)
            chances[step] = np.take_along_axis(log_p, chosen[step][..., None], -1)[..., 0]
            values[step] = critic.forward(flat)[0].reshape(shape[1:])
            observations, _, _, truncated, infos = envs.step(chosen[step])
            masks, over[step] = infos["action_mask"], truncated
            looked = eyes.see(observations, truncated)
            earned += float(infos["agent_rewards"].mean())
            after = potential(envs, observations)
            # An episode that ends goes back to no potential.
            gain = np.where(truncated, 0.0, settings.gamma * after) - before
            rewards[step] = infos["agent_rewards"] + settings.shaping * gain[:, None]
            before = after
        last = critic.forward(looked.reshape(-1, inputs))[0].reshape(shape[1:])
        advantages = np.zeros(shape, np.float32)
        running = np.zeros(shape[1:], np.float32)
        for step in range(steps - 1, -1, -1):
            goes_on = (~over[step])[:, None].astype(np.float32)
            next_value = last if step == steps - 1 else values[step + 1]
            delta = rewards[step] + settings.gamma * next_value * goes_on - values[step]
            running = delta + settings.gamma * settings.gae_lambda * goes_on * running
            advantages[step] = running
        returns = advantages + values
        # Steps become shorter, and chance less welcome: what is played afterwards is the best alone.
        left = 1 - update / updates
        now = replace(settings, entropy=settings.entropy * left)
        parts = [part.reshape(-1, *part.shape[3:]) for part in (seen, allowed, chosen, chances, advantages, returns)]
        for _ in range(settings.epochs):
            for rows in np.array_split(draw.permutation(len(parts[0])), settings.minibatches):
                learn(actor, critic, learner, [part[rows] for part in parts], now, settings.learning_rate * left)
        history.append({"update": update, "reward": earned, "seconds": time.perf_counter() - begun})
        if talk:
            print(f"update {update + 1} of {updates}: reward {earned:.2f}", file=sys.stderr)
        if watch is not None:
            watch((update + 1) * each, policy)
    return policy, history


def learn(
    actor: Network, critic: Network, learner: Adam, parts: list[Any], settings: Settings, rate: float
) -> None:
    """One step along the gradient of the clipped objective."""
    seen, allowed, chosen, chances, advantages, returns = parts
    count, place = len(seen), np.arange(len(seen))
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    logits, kept = actor.forward(seen)
    log_p = log_softmax(logits, allowed)
    p = np.exp(log_p)
    ratio = np.exp(log_p[place, chosen] - chances)
    # Where the ratio is cut off the way it would go, nothing is to be gained.
    live = np.where(advantages >= 0, ratio < 1 + settings.clip, ratio > 1 - settings.clip)
    pull = (-(advantages * ratio * live) / count).astype(np.float32)
    gradient = -p * pull[:, None]
    gradient[place, chosen] += pull
    # Of minus the entropy: p (log p + H).
    plain = np.where(allowed == 1, log_p, 0.0)
    surprise = -(p * plain).sum(axis=-1, keepdims=True)
    gradient += settings.entropy * p * (plain + surprise) / count
    guess, kept_value = critic.forward(seen)
    error = ((guess[:, 0] - returns) / count).astype(np.float32)[:, None]
    gradients = actor.backward(kept, gradient.astype(np.float32)) + critic.backward(kept_value, error)
    learner.step(gradients, rate)


@dataclass
class Played:
    """What came of episodes that were played, one value an episode."""

    metrics: list[dict[str, Any]]
    rewards: list[float]

    def figures(self) -> dict[str, float]:
        """Means over episodes."""
        return {**figures(self.metrics), "reward": float(np.mean(self.rewards))}


def play(task: str, timing: str | None, seeds: range, policy: Policy | None, **extra: Any) -> Played:
    """Episodes of these seeds, each agent doing what the policy values most, or anything legal by chance without one."""
    envs = VectorEnv(task, len(seeds), timing=timing, metrics=True, autoreset_mode="SameStep", **extra)
    if policy is not None:
        policy.trained.refuse_other(envs.world)
    eyes = None if policy is None else policy.eyes()
    draw = np.random.default_rng(seeds.start)
    observations, infos = envs.reset(seed=seeds.start)
    rewards = np.zeros(len(seeds))
    while True:
        masks = infos["action_mask"]
        if policy is None or eyes is None:
            chosen = sample(log_softmax(np.zeros(masks.shape, np.float32), masks), draw)
        else:
            chosen = policy.log_p(eyes.see(observations), masks).argmax(axis=-1)
        observations, earned, _, truncated, infos = envs.step(chosen)
        rewards += earned
        if truncated.all():
            return Played(list(infos["metrics"]), rewards.tolist())


def figures(metrics: list[dict[str, Any]]) -> dict[str, float]:
    """Released results and completion, means over episodes."""
    return {
        "throughput": float(np.mean([one["throughput"] for one in metrics])),
        "completion_rate": float(np.mean([one["completion_rate"] or 0.0 for one in metrics])),
    }


if __name__ == "__main__":
    from labtrust.ppo_program import main

    raise SystemExit(main())
