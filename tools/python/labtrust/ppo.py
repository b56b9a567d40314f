"""Proximal policy optimisation with one policy for all agents and masked actions, in NumPy alone.

``python -m labtrust.ppo train --task throughput_sla --out model`` trains on :class:`labtrust.VectorEnv`, ``... eval`` plays
held-out seeds with the trained policy, with random legal actions and with the task's own crew. The same arguments give
the same weights on the same machine and NumPy.

Sources: Schulman et al., "Proximal policy optimization algorithms", arXiv 1707.06347 (2017); masks as in Huang and Ontañón,
"A closer look at invalid action masking in policy gradient algorithms", FLAIRS (2022); one policy for all agents as in Yu
et al., "The surprising effectiveness of PPO in cooperative multi-agent games", NeurIPS (2022); shaping by a potential as in
Ng, Harada and Russell, "Policy invariance under reward transformations", ICML (1999).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import labtrust
from labtrust.vector import VectorEnv

Array = npt.NDArray[np.float32]
Masks = npt.NDArray[np.int8]
FORMAT = "labtrust.policy"
VERSION = "0.1"
# What a specimen has behind it at each stage, from in transit to rejected: the potential.
PROGRESS = (0, 0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10, 12, 0, 0)


@dataclass(frozen=True)
class Settings:
    """What a training run is made with."""

    task: str = "throughput_sla"
    timing: str | None = None
    seed: int = 123
    num_envs: int = 32
    updates: int = 150
    epochs: int = 4
    minibatches: int = 8
    hidden: tuple[int, int] = (64, 64)
    learning_rate: float = 1e-3
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    shaping: float = 0.1
    threads: int = 1
    extra: dict[str, Any] = field(default_factory=dict)


def scales(fields: list[tuple[str, str, int, int, bool]]) -> Array:
    """What each number of an observation is multiplied with, so that it is about one; numbers are cut off at 3."""
    by_kind = {"flag": 1.0, "choice": 1.0, "count": 0.5, "seconds": 1 / 300}
    parts = [np.full(length, by_kind[kind]) for _, kind, length, _, _ in fields]
    # The number of a zone says nothing as a number; the field after it has it as places.
    parts[0][:] = 0.0
    return np.concatenate(parts).astype(np.float32)


class Network:
    """Two hidden layers of tanh; its gradient is worked out by hand."""

    def __init__(self, sizes: list[int], draw: np.random.Generator, last: float) -> None:
        self.layers: list[tuple[Array, Array]] = []
        for place, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            gain = last if place == len(sizes) - 2 else 1.4
            weights = draw.standard_normal((inputs, outputs)) * gain / np.sqrt(inputs)
            self.layers.append((weights.astype(np.float32), np.zeros(outputs, np.float32)))

    def forward(self, inputs: Array) -> tuple[Array, list[Array]]:
        """Outputs, and what :meth:`backward` needs."""
        kept = [inputs]
        for place, (weights, bias) in enumerate(self.layers):
            inputs = inputs @ weights + bias
            if place < len(self.layers) - 1:
                inputs = np.tanh(inputs)
                kept.append(inputs)
        return inputs, kept

    def backward(self, kept: list[Array], gradient: Array) -> list[Array]:
        """Gradients of weights and biases, in the order of :meth:`parameters`."""
        found: list[Array] = []
        for place in range(len(self.layers) - 1, -1, -1):
            found += [gradient.sum(axis=0), kept[place].T @ gradient]
            if place:
                gradient = (gradient @ self.layers[place][0].T) * (1 - kept[place] ** 2)
        return found[::-1]

    def parameters(self) -> list[Array]:
        """Weights and biases, layer by layer."""
        return [part for layer in self.layers for part in layer]


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


def log_softmax(logits: Array, masks: Masks) -> Array:
    """Logarithms of probabilities; what a mask forbids is impossible."""
    logits = np.where(masks == 1, logits, np.float32(-1e9))
    logits = logits - logits.max(axis=-1, keepdims=True)
    total: Array = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return total


def sample(log_p: Array, draw: np.random.Generator) -> npt.NDArray[np.int64]:
    """Indices by chance (Gumbel's trick)."""
    noise = -np.log(-np.log(draw.random(log_p.shape, np.float32) + 1e-20) + 1e-20)
    best: npt.NDArray[np.int64] = (log_p + noise).argmax(axis=-1)
    return best


@dataclass
class Policy:
    """A trained policy: what it was trained for, and its network."""

    task: str
    fields: list[Any]
    actor: Network
    scale: Array

    def look(self, observations: Array) -> Array:
        """Observations as the network takes them."""
        cut: Array = np.minimum(observations * self.scale, np.float32(3.0))
        return cut

    def log_p(self, observations: Array, masks: Masks) -> Array:
        """Logarithms of probabilities."""
        return log_softmax(self.actor.forward(self.look(observations))[0], masks)

    def save(self, path: Path) -> str:
        """Writes one line of JSON, then all numbers as little-endian float32; the answer is the file's SHA-256."""
        parts = [self.scale, *self.actor.parameters()]
        head = {
            "kind": FORMAT,
            "version": VERSION,
            "task": self.task,
            "fields": self.fields,
            "shapes": [list(part.shape) for part in parts],
        }
        data = json.dumps(head, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        data += b"".join(part.astype("<f4").tobytes() for part in parts)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Policy:
        """Reads what :meth:`save` has written."""
        line, _, rest = path.read_bytes().partition(b"\n")
        head = json.loads(line)
        if head.get("kind") != FORMAT or head.get("version") != VERSION:
            raise ValueError(f"{path} is no {FORMAT} of version {VERSION}")
        numbers = np.frombuffer(rest, "<f4").astype(np.float32)
        parts: list[Array] = []
        for shape in head["shapes"]:
            size = int(np.prod(shape))
            part, numbers = numbers[:size], numbers[size:]
            if len(part) != size:
                raise ValueError(f"{path} ends too early")
            parts.append(part.reshape(shape))
        actor = Network([], np.random.default_rng(0), 1.0)
        actor.layers = list(zip(parts[1::2], parts[2::2]))
        return cls(head["task"], head["fields"], actor, parts[0])


def potential(envs: VectorEnv, observations: Array) -> npt.NDArray[np.float64]:
    """How far everything is on its way, for each environment."""
    at = 0
    for name, _, length, _, _ in envs.world.fields:
        if name == "specimens_by_stage":
            stages = observations[:, 0, at : at + length].astype(np.float64)
            return stages @ np.array(PROGRESS, np.float64)
        at += length
    raise ValueError("observations of version 0.1 do not tell the stages")


def train(settings: Settings, talk: bool = True) -> tuple[Policy, list[dict[str, float]]]:
    """Trains a policy; also what every update looked like."""
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
    people, steps = len(envs.agents), envs.world.max_steps
    scale = scales(envs.world.fields)
    inputs, actions = len(scale), len(envs.world.actions)
    actor = Network([inputs, *settings.hidden, actions], draw, 0.01)
    critic = Network([inputs, *settings.hidden, 1], draw, 1.0)
    policy = Policy(settings.task, envs.world.fields, actor, scale)
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
    for update in range(settings.updates):
        earned = 0.0
        before = potential(envs, observations)
        for step in range(steps):
            seen[step], allowed[step] = policy.look(observations), masks
            flat = seen[step].reshape(-1, inputs)
            log_p = log_softmax(actor.forward(flat)[0].reshape(*shape[1:], actions), allowed[step])
            chosen[step] = sample(log_p, draw)
            chances[step] = np.take_along_axis(log_p, chosen[step][..., None], -1)[..., 0]
            values[step] = critic.forward(flat)[0].reshape(shape[1:])
            observations, _, _, truncated, infos = envs.step(chosen[step])
            masks, over[step] = infos["action_mask"], truncated
            earned += float(infos["agent_rewards"].mean())
            after = potential(envs, observations)
            # An episode that ends goes back to no potential.
            gain = np.where(truncated, 0.0, settings.gamma * after) - before
            rewards[step] = infos["agent_rewards"] + settings.shaping * gain[:, None]
            before = after
        last = critic.forward(policy.look(observations).reshape(-1, inputs))[0].reshape(shape[1:])
        advantages = np.zeros(shape, np.float32)
        running = np.zeros(shape[1:], np.float32)
        for step in range(steps - 1, -1, -1):
            goes_on = (~over[step])[:, None].astype(np.float32)
            next_value = last if step == steps - 1 else values[step + 1]
            delta = rewards[step] + settings.gamma * next_value * goes_on - values[step]
            running = delta + settings.gamma * settings.gae_lambda * goes_on * running
            advantages[step] = running
        returns = advantages + values
        rate = settings.learning_rate * (1 - update / settings.updates)
        parts = [part.reshape(-1, *part.shape[3:]) for part in (seen, allowed, chosen, chances, advantages, returns)]
        for _ in range(settings.epochs):
            for rows in np.array_split(draw.permutation(len(parts[0])), settings.minibatches):
                learn(actor, critic, learner, [part[rows] for part in parts], settings, rate)
        history.append({"update": update, "reward": earned, "seconds": time.perf_counter() - begun})
        if talk:
            print(f"update {update + 1} of {settings.updates}: reward {earned:.2f}", file=sys.stderr)
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


def play(task: str, timing: str | None, seeds: range, policy: Policy | None, **extra: Any) -> dict[str, float]:
    """Released results and completion over held-out seeds, by the policy, or by random legal actions without one."""
    envs = VectorEnv(task, len(seeds), timing=timing, metrics=True, autoreset_mode="SameStep", **extra)
    draw = np.random.default_rng(seeds.start)
    observations, infos = envs.reset(seed=seeds.start)
    while True:
        masks = infos["action_mask"]
        log_p = log_softmax(np.zeros(masks.shape, np.float32), masks) if policy is None else policy.log_p(observations, masks)
        observations, _, _, truncated, infos = envs.step(sample(log_p, draw))
        if truncated.all():
            break
    return figures(list(infos["metrics"]))


def figures(metrics: list[dict[str, Any]]) -> dict[str, float]:
    """Means over episodes."""
    return {
        "throughput": float(np.mean([one["throughput"] for one in metrics])),
        "completion_rate": float(np.mean([one["completion_rate"] or 0.0 for one in metrics])),
    }


def main(arguments: list[str] | None = None) -> int:
    """``train`` and ``eval``."""
    parser = argparse.ArgumentParser(prog="labtrust.ppo", description="Masked PPO, one policy for all agents.")
    commands = parser.add_subparsers(dest="command", required=True)
    trains = commands.add_parser("train", help="train a policy and write its weights")
    plays = commands.add_parser("eval", help="play held-out seeds")
    for command in (trains, plays):
        command.add_argument("--task", default=Settings.task)
        command.add_argument("--timing", choices=["explicit", "simulated"])
    trains.add_argument("--seed", type=int, default=Settings.seed)
    trains.add_argument("--updates", type=int, default=Settings.updates)
    trains.add_argument("--num-envs", type=int, default=Settings.num_envs)
    trains.add_argument("--threads", type=int, default=Settings.threads)
    trains.add_argument("--out", type=Path, required=True, help="folder for policy.bin and train.json")
    plays.add_argument("--model", type=Path, required=True, help="policy.bin of a training run")
    plays.add_argument("--seed", type=int, default=1_000_000, help="the first of the seeds that are played")
    plays.add_argument("--episodes", type=int, default=50)
    options = parser.parse_args(arguments)
    if options.command == "train":
        settings = Settings(
            task=options.task,
            timing=options.timing,
            seed=options.seed,
            updates=options.updates,
            num_envs=options.num_envs,
            threads=options.threads,
        )
        options.out.mkdir(parents=True, exist_ok=True)
        policy, history = train(settings)
        digest = policy.save(options.out / "policy.bin")
        told = {"settings": asdict(settings), "sha256": digest, "history": history}
        (options.out / "train.json").write_text(json.dumps(told, indent=2) + "\n")
        print(json.dumps({"model": str(options.out / "policy.bin"), "sha256": digest}))
        return 0
    policy = Policy.load(options.model)
    seeds = range(options.seed, options.seed + options.episodes)
    crew = labtrust.run_benchmark(options.task, episodes=options.episodes, seed=options.seed, timing=options.timing)
    answer = {
        "policy": play(options.task, options.timing, seeds, policy),
        "random_legal": play(options.task, options.timing, seeds, None),
        "scripted": figures([episode["metrics"] for episode in crew.episodes]),
        "sha256": hashlib.sha256(options.model.read_bytes()).hexdigest(),
    }
    print(json.dumps(answer, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
