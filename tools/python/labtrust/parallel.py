"""PettingZoo's parallel interface: everybody acts on the same snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.utils import EzPickle
from pettingzoo import ParallelEnv

from labtrust.core import RENDER_FPS, RENDER_MODES, Action, Episodes, by_name
from labtrust.terms import EpisodeTerms

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LabParallelEnv(ParallelEnv[str, Any, Any], EzPickle):
    """A task of the laboratory. Made by :func:`parallel_env`, which says what the arguments are.

    Agents stay until the horizon, at which all of them are truncated; nobody is terminated. A copy, by pickle too, is a new
    environment made with the same arguments: it begins no episode in the middle.
    """

    metadata: dict[str, Any] = {
        "name": "labtrust_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": RENDER_FPS,
        "is_parallelizable": True,
    }

    def __init__(
        self, task: str = "throughput_sla", *, agents: Sequence[str] | None = None, **terms: Unpack[EpisodeTerms]
    ) -> None:
        EzPickle.__init__(self, task, agents=agents, **terms)
        self.episodes = Episodes(task, agents, **terms)
        self.task = task
        self.possible_agents = list(self.episodes.names)
        self.agents: list[str] = []
        self.render_mode = self.episodes.render_mode
        self.state_space = self.episodes.state_space
        self.max_cycles = self.episodes.world.max_steps

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The space of an agent's observations, always the same object."""
        return self.episodes.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """``Discrete(29)``, or ``Discrete(6)`` in version 0.1; always the same object."""
        return self.episodes.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begins the episode of a seed; without one, of the seed after the last. No options are known; all are ignored."""
        observations, infos = self.episodes.begin(seed)
        self.agents = self.possible_agents[:]
        return by_name(self.agents, observations), by_name(self.agents, infos)

    def step(
        self, actions: Mapping[str, Action], action_infos: Mapping[str, Mapping[str, Any]] | None = None
    ) -> tuple[
        dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """Plays a step. Whoever is not in ``actions`` waits.

        An action is an index, or a pair of an index and a map of what stands beside it; ``action_infos`` is another
        place for that map. What it may hold is in the agent protocol.
        """
        names = self.agents
        if not names:
            raise RuntimeError("the episode is over or was not begun; call reset")
        if not actions.keys() <= self.episodes.numbers.keys():
            unknown = sorted(set(actions) - set(names))
            raise ValueError(f"no agents {unknown}. Known: {names}")
        wanted = [actions.get(name, 0) for name in names]
        observations, rewards, over, infos = self.episodes.play(wanted, action_infos)
        if over:
            self.agents = []
        return (
            by_name(names, observations),
            by_name(names, rewards),
            dict.fromkeys(names, False),
            dict.fromkeys(names, over),
            by_name(names, infos),
        )

    def state(self) -> npt.NDArray[np.float32]:
        """The whole laboratory as ``state_space`` says: what all agents share, then what each has for itself."""
        return self.episodes.state()

    def describe(self, agent: str) -> dict[str, Any]:
        """All that an agent sees, in words: lists of work, ids, deadlines."""
        return self.episodes.describe(agent)

    def log(self) -> bytes:
        """The log of the episode so far, with ``log=True``; the bytes that ``labtrust run-benchmark --log`` writes."""
        return self.episodes.log()

    def render(self) -> str | npt.NDArray[np.uint8] | None:
        """``ansi``: text. ``rgb_array``: the laboratory as ``uint8 (height, width, 3)``. ``human``: prints the text."""
        return self.episodes.render()

    def close(self) -> None:
        """Nothing is open."""

    def __str__(self) -> str:
        return f"labtrust_{self.task}"


def parallel_env(
    task: str = "throughput_sla", *, agents: Sequence[str] | None = None, **terms: Unpack[EpisodeTerms]
) -> LabParallelEnv:
    """A task of the laboratory as a parallel environment.

    ``task`` is one of :func:`labtrust.tasks`. ``agents`` are those who are played from outside, all but attackers when
    absent; the others keep their own minds. ``terms`` are the fields of :class:`labtrust.terms.EpisodeTerms`.
    """
    return LabParallelEnv(task, agents=agents, **terms)
