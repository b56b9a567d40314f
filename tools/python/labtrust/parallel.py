"""PettingZoo's parallel interface: everybody acts on the same snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from pettingzoo import ParallelEnv

from labtrust.core import RENDER_FPS, RENDER_MODES, Action, Episodes, by_name
from labtrust.spaces import MaskPlace, Observation


class LabParallelEnv(ParallelEnv[str, Any, Any]):
    """A task of the laboratory. Made by :func:`parallel_env`, which says what the arguments are.

    Agents stay until the horizon, at which all of them are truncated; nobody is terminated.
    """

    metadata: dict[str, Any] = {
        "name": "labtrust_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": RENDER_FPS,
        "is_parallelizable": True,
    }

    def __init__(self, task: str = "throughput_sla", *, max_cycles: int | None = None, **terms: Any) -> None:
        self.episodes = Episodes(task, max_steps=max_cycles, **terms)
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
    task: str = "throughput_sla",
    *,
    max_cycles: int | None = None,
    scale: str | None = None,
    timing: str | None = None,
    agents: Sequence[str] | None = None,
    crew: str | None = None,
    injection: str | None = None,
    rewards: Mapping[str, float] | None = None,
    spaces_version: str = "0.2",
    observation: Observation = "flat",
    action_mask: MaskPlace = "info",
    render_mode: str | None = None,
    metrics: bool = True,
    recorded: bool = True,
    log: bool = False,
    strict_signatures: bool = False,
    policy_dir: str | None = None,
    partner: str | None = None,
) -> LabParallelEnv:
    """A task of the laboratory as a parallel environment.

    Args:
        task: Its id; :func:`labtrust.tasks` lists them.
        max_cycles: Steps of an episode; the task's own when absent.
        scale: Size of the task, where it has several.
        timing: ``explicit`` or ``simulated``; the task's own when absent.
        agents: Who is played from outside; all but attackers when absent. The others keep their own minds.
        crew: A set of agents for those others, such as ``random_legal``.
        injection: What disturbs the episodes, in tasks that allow it.
        rewards: Parts of the reward in place of the task's, by their published names.
        spaces_version: ``0.2`` (29 actions, the whole lane) or ``0.1`` (6 actions, the published quantities).
        observation: ``flat`` (one float32 vector) or ``dict`` (the fields by name, each with its own dtype).
        action_mask: Where masks are: in the ``info``, beside the ``observation``, or nowhere (``none``).
        render_mode: ``ansi``, ``rgb_array`` or ``human``.
        metrics: Whether the last ``info`` has the episode's figures, as ``metrics``.
        recorded: Whether there is an audit chain. Without one an episode is faster, and nobody can check it.
        log: Whether the episode's log is kept in memory.
        strict_signatures: Require signatures even where the task does not.
        policy_dir: Policy directory to use instead of the built-in policy.
        partner: Partner overlay.
    """
    return LabParallelEnv(
        task,
        max_cycles=max_cycles,
        scale=scale,
        timing=timing,
        agents=agents,
        crew=crew,
        injection=injection,
        rewards=rewards,
        spaces_version=spaces_version,
        observation=observation,
        action_mask=action_mask,
        render_mode=render_mode,
        metrics=metrics,
        recorded=recorded,
        log=log,
        strict_signatures=strict_signatures,
        policy_dir=policy_dir,
        partner=partner,
    )
