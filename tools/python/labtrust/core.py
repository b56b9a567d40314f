"""What the interfaces for one episode at a time have in common: one episode of the core, in Python's terms."""

from __future__ import annotations

import json
import operator
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from labtrust import _core
from labtrust.ansi import text_of
from labtrust.spaces import MaskPlace, Masked, Observation, inner_of, one_of
from labtrust.terms import open_world

RENDER_MODES = ("human", "ansi", "rgb_array")
RENDER_FPS = 4

Action = Any
"""An index, or an index and a map of what stands beside it."""


class Episodes:
    """Episodes of one task, one after the other.

    Seeds: ``begin(seed)`` plays that seed; without one the next is played, from 0 on. So the episodes after
    ``begin(100)`` are those of ``labtrust run-benchmark --seed 100``.
    """

    def __init__(
        self,
        task: str,
        agents: Sequence[str] | None,
        *,
        observation: Observation = "flat",
        action_mask: MaskPlace = "info",
        render_mode: str | None = None,
        log: bool = False,
        **terms: Any,
    ) -> None:
        one_of("action_mask", action_mask, ("info", "observation", "none"))
        if render_mode is not None:
            one_of("render_mode", render_mode, RENDER_MODES)
        self.world = open_world(task, agents, terms, log=log)
        self.core = _core.Environment(self.world)
        self.names = self.world.agents
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.render_mode = render_mode
        actions = len(self.world.actions)
        self._inner = inner_of(self.world, observation)
        self._masked = Masked(self._inner, actions) if action_mask == "observation" else None
        self._mask_in_info = action_mask == "info"
        shown = self._masked or self._inner
        self.observation_spaces = {name: shown.space() for name in self.names}
        self.action_spaces = {name: spaces.Discrete(actions) for name in self.names}
        fields = self.world.fields
        high = [(length, high) for _, _, length, high, own in fields if not own]
        high += [(length, high) for _, _, length, high, own in fields if own] * len(self.names)
        bound = np.concatenate([np.full(length, high, np.float32) for length, high in high])
        self.state_space = spaces.Box(np.zeros_like(bound), bound, dtype=np.float32)
        self.seed = -1
        self._begun = False

    def begin(self, seed: int | None) -> tuple[list[Any], list[dict[str, Any]]]:
        """Begins an episode: observations and infos, one an agent."""
        wanted = self.seed + 1 if seed is None else operator.index(seed)
        self.core.reset(wanted)
        self.seed = wanted
        self._begun = True
        observations, infos = self._look()
        for info in infos:
            info["seed"] = wanted
        return observations, infos

    def play(
        self, actions: Iterable[Action], beside: Mapping[str, Mapping[str, Any]] | None = None
    ) -> tuple[list[Any], list[float], bool, list[dict[str, Any]]]:
        """Plays a step: observations, rewards, whether the episode is over, infos. One action an agent."""
        indices: list[int] = []
        words: dict[int, str] = {}
        for number, action in enumerate(actions):
            if type(action) is tuple:
                action, info = action
                words[number] = json.dumps(info)
            indices.append(operator.index(action))
        for name, info in (beside or {}).items():
            words[self._number(name)] = json.dumps(info)
        over = self.core.step(indices, words or None)
        observations, infos = self._look()
        if over:
            metrics = self.core.metrics()
            if metrics is not None:
                for info in infos:
                    info["metrics"] = json.loads(metrics)
        return observations, self.core.rewards(), over, infos

    def _number(self, name: str) -> int:
        if name not in self.numbers:
            raise ValueError(f"no agent {name!r}. Known: [{', '.join(self.names)}]")
        return self.numbers[name]

    def _look(self) -> tuple[list[Any], list[dict[str, Any]]]:
        rows, masks = self.core.look()
        released, violations, blocked = self.core.counts()
        step = self.core.steps
        infos: list[dict[str, Any]] = [
            {
                "step": step,
                "released": released,
                "violations": violations,
                "blocked": blocked,
                "refused": refused or "",
            }
            for refused in self.core.refusals()
        ]
        if self._mask_in_info:
            for info, mask in zip(infos, masks):
                info["action_mask"] = mask
        cut = self._inner.cut(rows) if self._masked is None else self._masked.with_masks(rows, masks)
        return list(cut), infos

    def state(self) -> npt.NDArray[np.float32]:
        """What all agents share, then what each has for itself."""
        return self.core.state()

    def describe(self, agent: str) -> dict[str, Any]:
        """All that an agent sees, in words: the observation of the agent protocol."""
        text = self.core.describe(self._number(agent))
        if text is None:
            raise RuntimeError("there is no episode; call reset")
        described: dict[str, Any] = json.loads(text)
        return described

    def log(self) -> bytes:
        """The log of the episode so far, where ``log=True`` asked for one: JSON lines, as ``--log`` writes them."""
        return self.core.log()

    def render(self) -> str | npt.NDArray[np.uint8] | None:
        """The moment, as the render mode says."""
        if self.render_mode is None:
            return None
        if not self._begun:
            raise RuntimeError("there is no episode; call reset")
        if self.render_mode == "rgb_array":
            return self.core.picture()
        text = text_of(self.world, self.core, self.names)
        if self.render_mode == "ansi":
            return text
        sys.stdout.write(text)
        return None


def by_name(names: Sequence[str], values: Iterable[Any]) -> dict[str, Any]:
    """A map of one value an agent."""
    return dict(zip(names, values))
