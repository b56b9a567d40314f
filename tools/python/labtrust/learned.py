"""A policy that was learned: its network, what it was trained for, and its file, which ``labtrust`` plays without Python."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labtrust import _core

Array = npt.NDArray[np.float32]
Masks = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
FORMAT = "labtrust.policy"
VERSION = "0.2"


def scales(fields: list[tuple[str, str, int, int, bool]]) -> Array:
    """What each number of an observation is multiplied with, so that it is about one; numbers are cut off at 3."""
    by_kind = {"flag": 1.0, "choice": 1.0, "count": 0.5, "seconds": 1 / 300}
    parts = [np.full(length, by_kind[kind]) for _, kind, length, _, _ in fields]
    # The number of a zone says nothing as a number; the field after it has it as places.
    parts[0][:] = 0.0
    return np.concatenate(parts).astype(np.float32)


class Network:
    """Hidden layers of tanh; its gradient is worked out by hand."""

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


@dataclass(frozen=True)
class Trained:
    """What a policy was trained on; where any of it but task and timing differs, its numbers mean something else."""

    task: str
    timing: str
    fields: list[Any]
    zones: list[str]
    devices: list[str]
    actions: list[str]

    @classmethod
    def of(cls, world: _core.World) -> Trained:
        """What a world shows."""
        environment = _core.Environment(world)
        environment.reset(0)
        words = json.loads(environment.describe(0) or "{}")
        fields = [list(one) for one in world.fields]
        return cls(world.task, world.timing, fields, words["zone_ids"], words["device_ids"], world.actions)

    def refuse_other(self, world: _core.World) -> None:
        """Raises where a world is another laboratory, naming what differs."""
        here = Trained.of(world)
        for name in ("fields", "zones", "devices", "actions"):
            then, now = getattr(self, name), getattr(here, name)
            for place in range(max(len(then), len(now))):
                there, seen = then[place : place + 1], now[place : place + 1]
                if there != seen:
                    told = f"{name}, place {place}: {there} in training, {seen} here"
                    raise ValueError(f"the policy was trained for {self.task}; {told}")


@dataclass
class Policy:
    """A trained policy: what it was trained on, how many observations it sees at once, and its network."""

    trained: Trained
    actor: Network
    scale: Array
    history: int = 1

    def look(self, observations: Array) -> Array:
        """Observations as the network takes them, one moment of them."""
        cut: Array = np.minimum(observations * self.scale, np.float32(3.0))
        return cut

    def eyes(self) -> Eyes:
        """Somebody who has seen nothing yet."""
        return Eyes(self)

    def log_p(self, seen: Array, masks: Masks) -> Array:
        """Logarithms of probabilities, of what :meth:`Eyes.see` gave."""
        return log_softmax(self.actor.forward(seen)[0], masks)

    def bytes(self) -> bytes:
        """One line of JSON, then all numbers as little-endian float32."""
        parts = [self.scale, *self.actor.parameters()]
        head = {
            "kind": FORMAT,
            "version": VERSION,
            **self.trained.__dict__,
            "history": self.history,
            "shapes": [list(part.shape) for part in parts],
        }
        data = json.dumps(head, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        return data + b"".join(part.astype("<f4").tobytes() for part in parts)

    def save(self, path: Path) -> str:
        """Writes the file; the answer is its SHA-256."""
        data = self.bytes()
        # Whoever reads it meanwhile sees the old file or the new one, whole.
        beside = path.with_name(path.name + ".part")
        beside.write_bytes(data)
        beside.replace(path)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Policy:
        """Reads what :meth:`save` has written."""
        line, _, rest = path.read_bytes().partition(b"\n")
        try:
            head = json.loads(line)
            kind = (head.get("kind"), head.get("version"))
        except (ValueError, AttributeError):
            kind = (None, None)
        if kind != (FORMAT, VERSION):
            raise ValueError(f"{path} is no {FORMAT} of version {VERSION}")
        numbers = np.frombuffer(rest[: len(rest) // 4 * 4], "<f4").astype(np.float32)
        parts: list[Array] = []
        for shape in head["shapes"]:
            size = int(np.prod(shape))
            part, numbers = numbers[:size], numbers[size:]
            if len(part) != size:
                raise ValueError(f"{path} ends too early")
            parts.append(part.reshape(shape))
        actor = Network([], np.random.default_rng(0), 1.0)
        actor.layers = list(zip(parts[1::2], parts[2::2]))
        told = {name: head[name] for name in ("task", "timing", "fields", "zones", "devices", "actions")}
        return cls(Trained(**told), actor, parts[0], head["history"])


@dataclass
class Eyes:
    """What was seen lately: the newest ``policy.history`` observations, the oldest first. Before the first there is the first."""

    policy: Policy
    seen: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def see(self, observations: Array, begun: Flags | None = None) -> Array:
        """Observations ``(environments, ..., n)`` as the network takes them; ``begun`` has who begins an episode."""
        now, times = self.policy.look(observations), self.policy.history
        if times == 1:
            return now
        anew = np.concatenate([now] * times, axis=-1)
        if not self.seen.size:
            self.seen = anew
            return anew
        later = np.concatenate([self.seen[..., now.shape[-1] :], now], axis=-1)
        if begun is not None:
            later[begun] = anew[begun]
        self.seen = later
        return later
